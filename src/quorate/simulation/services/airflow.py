"""What the API server of a simulated Airflow answers, as Airflow 3.3 does.

Source: Airflow's stable REST API (/api/v2) and its simple authentication manager; answers of a real one.
"""

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from quorate.simulation.services.site import NOT_FOUND, Request, Response, said

_TYPES = {"scheduler": "SchedulerJob", "triggerer": "TriggererJob", "dag_processor": "DagProcessorJob"}
_FRESH = 30.0
"""Seconds after which Airflow itself calls a heartbeat too old (scheduler_health_check_threshold)."""
_USER = "airflow"


@dataclass(frozen=True, kw_only=True, slots=True)
class AirflowSite:
    """The API, with one user; `beats` are the components' heartbeats, by host, as seconds ago.

    Without `database`, the metadata database does not answer. With `may_list`, the user may see jobs.
    """

    user: str
    password: str = field(repr=False)
    beats: Mapping[str, Mapping[str, float]]
    database: bool = True
    may_list: bool = True

    def answer(self, request: Request) -> Response | None:
        """Return the answer to a request."""
        match request.method, request.path:
            case "POST", "/auth/token":
                told = request.told
                known = (told.get("username"), told.get("password")) == (self.user, self.password)
                return said({"access_token": self._token}, 201) if known else _refused("Invalid credentials")
            case "GET", "/api/v2/monitor/health":
                return said(self._health(time.time()))
            case "GET", "/api/v2/version":
                return said({"version": "3.3.2", "git_version": None})
            case "GET", "/api/v2/jobs":
                return self._jobs(request)
            case "GET", "/":
                body = b"<!DOCTYPE html>\n<html><head><title>Airflow</title></head><body></body></html>\n"
                return Response(body=body, content="text/html")
            case _:
                return NOT_FOUND

    @property
    def _token(self) -> str:
        return hashlib.sha256(f"{self.user}:{self.password}".encode()).hexdigest()

    def _health(self, now: float) -> dict[str, Any]:
        found: dict[str, Any] = {"metadatabase": {"status": _status(healthy=self.database)}}
        for component in _TYPES:
            ages = self.beats.get(component, {}).values() if self.database else ()
            youngest = min(ages, default=None)
            found[component] = {
                "status": _status(healthy=youngest is not None and youngest < _FRESH),
                f"latest_{component}_heartbeat": None if youngest is None else _at(now - youngest),
            }
            if youngest is None and self.database:  # it was never there, which Airflow calls no fault
                found[component]["status"] = None
        return found

    def _jobs(self, request: Request) -> Response:
        token = request.headers.get("authorization")
        if token is None:
            return said({"detail": "Not authenticated"}, 401)
        if token != f"Bearer {self._token}":
            return said({"detail": "Invalid JWT token"}, 403)
        if not self.may_list:
            return said({"detail": "Forbidden"}, 403)
        if not self.database:
            return Response(status=500, body=b"Internal Server Error", content="text/plain")
        rows = sorted(self._rows(), key=lambda row: row[2])
        wanted = request.query.get("job_type"), request.query.get("job_state")
        chosen = [
            row for row in rows if wanted[0] in (None, _TYPES[row[0]]) and wanted[1] in (None, "running")
        ]
        limit, offset = int(request.query.get("limit", "50")), int(request.query.get("offset", "0"))
        now = time.time()
        jobs = [_job(number, row, now) for number, row in enumerate(chosen, start=1)]
        return said({"jobs": jobs[offset : offset + limit], "total_entries": len(jobs)})

    def _rows(self) -> Iterator[tuple[str, str, float]]:
        for component, ages in self.beats.items():
            yield from ((component, host, age) for host, age in ages.items())


def _status(*, healthy: bool) -> str:
    return "healthy" if healthy else "unhealthy"


def _at(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()


def _job(number: int, row: tuple[str, str, float], now: float) -> dict[str, Any]:
    component, host, age = row
    return {
        "id": number,
        "dag_id": None,
        "state": "running",
        "job_type": _TYPES[component],
        "start_date": _at(now - age - 86_400).replace("+00:00", "Z"),
        "end_date": None,
        "latest_heartbeat": _at(now - age).replace("+00:00", "Z"),
        "executor_class": None,
        "hostname": host,
        "unixname": _USER,
        "dag_display_name": None,
    }


def _refused(why: str) -> Response:
    return said({"detail": why}, 401)
