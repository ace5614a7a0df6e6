"""Kind `airflow`: what Airflow's API, or its metadata database, says of the heartbeats of its components.

    GET /api/v2/monitor/health → {"metadatabase": {"status": "healthy"},
                                  "scheduler": {"status": "healthy", "latest_scheduler_heartbeat": "2026-…"}}
    GET /api/v2/jobs → {"total_entries": 7, "jobs": [{"job_type": "SchedulerJob", "hostname": "scheduler-2",
                                                      "state": "running", "latest_heartbeat": "2026-…"}]}
    SELECT … FROM job → {"total": 7, "jobs": [["S", "scheduler-2", 3.1], ["T", "old", 812.0, "failed"]]}

The health answer wants no login, and has one instance of each component. The list of jobs has all of them;
its own filter `is_alive` is applied to a page after it was cut, so liveness is taken from the heartbeats.
Ages are counted by the clock of whoever answers. Source: Airflow 3.3's airflow_health.py and job.py.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from quorate.model import (
    Check,
    HttpAnswer,
    HttpAsk,
    HttpLogin,
    HttpReply,
    HttpRequest,
    NoReply,
    PostgresAsk,
    PostgresReply,
    Reason,
)
from quorate.model.airflow import COMPONENTS, JOBS, AirflowBeat, AirflowJob, HealthFacts, JobsFacts
from quorate.probes.airflow_query import LETTERS, QUERY, window
from quorate.probes.json_body import (
    ReadingError,
    first_words,
    items,
    json_object,
    maybe,
    objects,
    reading,
    section,
    text,
    unparsable,
    whole_number,
)
from quorate.probes.probe import Probe

HEALTH_PATH = "/api/v2/monitor/health"
JOBS_PATH = "/api/v2/jobs?limit=100&order_by=-latest_heartbeat"
LOGIN_PATH = "/auth/token"

_FRESH = {"cache-control": "no-cache"}
_TYPES = {"SchedulerJob": "scheduler", "TriggererJob": "triggerer", "DagProcessorJob": "dag_processor"}
_WORDS = ("healthy", "unhealthy")
_LONGEST = 255
_RUNNING = "running"


def questions(check: Check, secrets: Mapping[str, str]) -> Mapping[str, HttpAsk | PostgresAsk]:
    """Return the question to the database, or those to the API: the second one only with a user.

    They go over two connections, so that a login that fails costs nothing of the health answer.
    """
    if check.settings["way"] == "database":
        return {check.name: _database_ask(check.settings, secrets)}
    asks: dict[str, HttpAsk | PostgresAsk] = {check.name: _api_ask(check.settings, HEALTH_PATH)}
    user = check.settings["user"]
    if user is not None:
        body = json.dumps({"username": user, "password": secrets["password"]})
        path = check.settings["path"] + LOGIN_PATH
        login = HttpLogin(
            request=HttpRequest(method="POST", path=path, body=body),
            token="access_token",  # noqa: S106  the name of the token in the answer
        )
        asks[JOBS] = _api_ask(check.settings, JOBS_PATH, login, secrets["password"])
    return asks


def _api_ask(
    settings: Mapping[str, Any], path: str, login: HttpLogin | None = None, secret: str = ""
) -> HttpAsk:
    return HttpAsk(
        host=settings["host"],
        port=settings["port"],
        requests=(HttpRequest(path=settings["path"] + path, headers=_FRESH),),
        timeout=settings["timeout"],
        tls=settings["tls"],
        host_header=settings["host_header"],
        login=login,
        secrets=(secret,) if secret else (),
    )


def _database_ask(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> PostgresAsk:
    return PostgresAsk(
        host=settings["host"],
        port=settings["port"],
        database=settings["database"],
        user=settings["user"],
        password=secrets["password"],
        query=QUERY,
        parameters=(settings["max_age"], window(settings["max_age"])),
        connect_timeout=settings["timeout"],
        statement_timeout=settings["timeout"],
    )


def read(_check: Check, member: str, reply: HttpReply | PostgresReply) -> HealthFacts | JobsFacts | NoReply:
    """Return what was said of the components, or why that can't be told."""
    if isinstance(reply, PostgresReply):
        return _of_database(reply)
    answer = reply.answers[0]
    if isinstance(answer, NoReply):
        return answer
    return _of_jobs(answer, reply.duration) if member == JOBS else _of_health(answer, reply.duration)


def _of_health(answer: HttpAnswer, duration: float) -> HealthFacts | NoReply:
    """Return what a health answer says: its body, whatever its status; the status only where it has none."""
    what = f"GET {HEALTH_PATH}"
    body = json_object(answer, what)
    if not isinstance(body, NoReply) and "metadatabase" in body:
        return reading(what, lambda: _health(body, answer, duration))
    if answer.status != 200:
        return _refused(answer, what, duration)
    return body if isinstance(body, NoReply) else unparsable(f"{what}: has no 'metadatabase'", duration)


def _health(body: Mapping[str, Any], answer: HttpAnswer, duration: float) -> HealthFacts:
    now = _now(answer)
    database = _healthy(section(body, "metadatabase"))
    beats = {}
    for component in COMPONENTS:
        of = section(body, component)
        beats[component] = AirflowBeat(
            healthy=None if of.get("status") is None else _healthy(of),
            age=_age(maybe(text, of, f"latest_{component}_heartbeat"), now),
        )
    if any(beat.healthy and beat.age is None for beat in beats.values()):
        raise ReadingError("a component is healthy, and has no heartbeat")
    return HealthFacts(database=database, components=beats, duration=duration)


def _healthy(of: Mapping[str, Any]) -> bool:
    status = text(of, "status")
    if status not in _WORDS:
        raise ReadingError(f"'status' is neither healthy nor unhealthy but {first_words(status, 40)}")
    return status == _WORDS[0]


def _of_jobs(answer: HttpAnswer, duration: float) -> JobsFacts | NoReply:
    what = "GET /api/v2/jobs"
    if answer.status != 200:
        return _refused(answer, what, duration)
    body = json_object(answer, what)
    return body if isinstance(body, NoReply) else reading(what, lambda: _jobs(body, answer, duration))


def _jobs(body: Mapping[str, Any], answer: HttpAnswer, duration: float) -> JobsFacts:
    now = _now(answer)
    rows = objects(body, "jobs")
    jobs = [
        AirflowJob(
            component=_TYPES[kind],
            hostname=_bounded(maybe(text, row, "hostname")),
            state=_bounded(maybe(text, row, "state")),
            age=_age(maybe(text, row, "latest_heartbeat"), now),
        )
        for row in rows
        if (kind := maybe(text, row, "job_type")) in _TYPES
    ]
    left_out = max(whole_number(body, "total_entries") - len(rows), 0)
    return JobsFacts(jobs=tuple(jobs), left_out=left_out, duration=duration)


def _of_database(reply: PostgresReply) -> JobsFacts | NoReply:
    what = "the table of jobs"
    if not isinstance(reply.value, str):
        return unparsable(f"{what}: the query has no text as its answer", reply.duration)
    body = json_object(reply.value.encode(errors="replace"), what)
    return body if isinstance(body, NoReply) else reading(what, lambda: _rows(body, reply))


def _rows(body: Mapping[str, Any], reply: PostgresReply) -> JobsFacts:
    jobs = tuple(_row(row) for row in items(body, "jobs"))
    left_out = max(whole_number(body, "total") - len(jobs), 0)
    return JobsFacts(jobs=jobs, left_out=left_out, standby=reply.in_recovery, duration=reply.duration)


def _row(row: Any) -> AirflowJob:
    match row:
        case [str() as letter, str() as hostname, int() | float() as age, *rest] if letter in LETTERS:
            state = rest[0] if rest else _RUNNING
            if len(rest) < 2 and isinstance(state, str) and not isinstance(age, bool):
                return AirflowJob(
                    component=LETTERS[letter],
                    hostname=_bounded(hostname),
                    state=_bounded(state),
                    age=float(age),
                )
    raise ReadingError(f"a row is not as it was asked for: {first_words(json.dumps(row))}")


def _refused(answer: HttpAnswer, what: str, duration: float) -> NoReply:
    """Return what a status means that is not 200: who asks is refused, or the server is broken."""
    if answer.status in (401, 403):
        reason = Reason.AUTH_FAILED
    else:
        reason = Reason.UNHEALTHY if answer.status >= 500 else Reason.UNEXPECTED_STATUS
    begins = f", and begins with {first_words(answer.body)}" if answer.body.strip() else ""
    detail = f"{what}: the answer has the status {answer.status}{begins}"
    return NoReply(reason=reason, detail=detail, duration=duration, answered=True)


def _now(answer: HttpAnswer) -> datetime:
    """Return the server's own time, in whole seconds (RFC 9110, 6.6.1)."""
    date = answer.headers.get("date")
    if date is None:
        raise ReadingError("the answer has no header Date, so that no heartbeat's age can be told")
    try:
        now = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        now = None
    if now is None or now.tzinfo is None:
        raise ReadingError(f"the header Date is no time but {first_words(date, 40)}")
    return now


def _age(written: str | None, now: datetime) -> float | None:
    if written is None:
        return None
    try:
        then = datetime.fromisoformat(written)
    except ValueError:
        raise ReadingError(f"a heartbeat is no time but {first_words(written, 40)}") from None
    if then.tzinfo is None:
        raise ReadingError(f"a heartbeat has no time zone: {first_words(written, 40)}")
    return (now - then).total_seconds()


def _bounded(found: str | None) -> str:
    return (found or "")[:_LONGEST]


PROBE = Probe(questions=questions, read=read)
