"""A real Airflow: API server, scheduler, DAG processor and triggerer, each a process in a session of its own.

Runs are triggered and looked at through the REST API, as a user does.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from dag_player import airflow_environ
from real_run import Run

PROGRAMS = {
    "api-server": [],
    "dag-processor": [],
    "scheduler": ["--skip-serve-logs"],
    "triggerer": ["--skip-serve-logs"],
}
STARTING = 90.0
ENDING = 5.0

# Deaths are noticed within seconds, and no DAG file is parsed a second time unless it was changed.
SETTINGS = {
    "API__HOST": "127.0.0.1",
    "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "CORE__EXECUTOR": "LocalExecutor",
    "CORE__KILLED_TASK_CLEANUP_TIME": "5",
    "CORE__PARALLELISM": "8",
    "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
    "DAG_PROCESSOR__PARSING_PROCESSES": "2",
    "SCHEDULER__JOB_HEARTBEAT_SEC": "1",
    "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "3",
    "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "8",
    "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
    "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "12",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "TRIGGERER__JOB_HEARTBEAT_SEC": "1",
    "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "8",
    "WORKERS__EXECUTION_API_TIMEOUT": "30",
    "WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
    "WORKERS__MISSING_DAG_RETRY_DELAY": "1",
}


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task instance as the API shows it."""

    id: str
    state: str | None
    tries: int
    began: datetime | None
    ended: datetime | None


class RealAirflow:
    """An Airflow; `environ` is what its processes have in their environment beside the settings."""

    def __init__(self, home: Path, environ: dict[str, str]) -> None:
        self.home = home
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        settings = {
            **SETTINGS,
            "API__BASE_URL": self.url,
            "API__PORT": str(port),
            "API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
        }
        self._environ = airflow_environ(home) | {f"AIRFLOW__{k}": v for k, v in settings.items()} | environ
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._sessions: set[int] = set()
        self._client = httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    # Processes

    def start(self, program: str) -> None:
        """Start one of Airflow's programs, with what it prints in a file below the home."""
        with (self.home / f"{program}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "airflow", program, *PROGRAMS.get(program, ["migrate"])],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environ,
                cwd=self.home,
                start_new_session=True,
            )
        self._processes[program] = process
        self._sessions.add(process.pid)

    def start_all(self) -> None:
        """Make the database and start everything; returns when all of it says that it is well."""
        self.start("db")
        assert self._processes.pop("db").wait(STARTING) == 0, (self.home / "db.log").read_text()
        for program in ("api-server", "dag-processor", "triggerer"):
            self.start(program)
        # Tasks that begin before their API does fail by it.
        until(self._api_answers, STARTING, "the API server")
        self.start("scheduler")
        until(self.is_healthy, STARTING, "Airflow")

    def kill(self, program: str) -> None:
        """Kill a program's own process with SIGKILL; what it started lives on, as when memory runs out."""
        process = self._processes.pop(program)
        process.kill()
        process.wait()

    def end(self) -> None:
        """End everything, the API server last, since the others take their leave of it."""
        self._client.close()
        for process in reversed(self._processes.values()):
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(ENDING)
        while left := self.left():
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        for process in self._processes.values():
            process.wait()

    def left(self) -> list[int]:
        """Return the processes that live in the sessions of those that were started; tasks are among them."""
        return [pid for pid, session, _ in processes() if session in self._sessions]

    def process_of(self, dag_id: str, run_id: str, task: str) -> int:
        """Return the process that runs a task, which Airflow names by the task instance; waits for it."""
        found: list[int] = []

        def runs() -> bool:
            instance = self.tasks(dag_id, run_id)[task]
            title = f"airflow worker -- {instance.id}"
            found[:] = [pid for pid, session, name in processes() if (session, name) in wanted(title)]
            return instance.state == "running" and len(found) == 1

        def wanted(title: str) -> set[tuple[int, str]]:
            return {(session, title) for session in self._sessions}

        until(runs, 60, f"a process of {task}")
        return found[0]

    def is_healthy(self) -> bool:
        """Return whether all four components say so."""
        health = self._client.get("/api/v2/monitor/health").json()
        return all(component["status"] == "healthy" for component in health.values())

    def _api_answers(self) -> bool:
        assert self._processes["api-server"].poll() is None, (self.home / "api-server.log").read_text()[
            -3000:
        ]
        try:
            token = self._client.get("/auth/token").json()["access_token"]
            answers = self._client.get("/execution/health").status_code == 200
        except httpx.TransportError:
            return False
        self._client.headers["Authorization"] = f"Bearer {token}"
        return answers

    # What a user sees

    def get(self, path: str, **query: Any) -> Any:
        """Return an answer of the REST API."""
        answer = self._client.get(f"/api/v2{path}", params=query)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    def make_pool(self, name: str, slots: int) -> None:
        """Make a pool."""
        answer = self._client.post("/api/v2/pools", json={"name": name, "slots": slots})
        assert answer.status_code == 201, answer.text

    def trigger(self, dag_id: str) -> str:
        """Trigger a run; return its id. Waits until the DAG is known."""
        until(lambda: self._client.get(f"/api/v2/dags/{dag_id}").status_code == 200, STARTING, dag_id)
        answer = self._client.post(f"/api/v2/dags/{dag_id}/dagRuns", json={"logical_date": None})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["dag_run_id"])

    def state(self, dag_id: str, run_id: str) -> str:
        """Return a run's state."""
        return str(self.get(f"/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def tasks(self, dag_id: str, run_id: str) -> dict[str, Task]:
        """Return a run's task instances."""
        found = self.get(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return {
            t["task_id"]: Task(
                id=t["id"],
                state=t["state"],
                tries=t["try_number"],
                began=_time(t["start_date"]),
                ended=_time(t["end_date"]),
            )
            for t in found
        }

    def wait(self, dag_id: str, run_id: str, seconds: float = 100) -> Run:
        """Wait until a run has ended; return what became of it."""
        until(
            lambda: self.state(dag_id, run_id) in ("success", "failed"),
            seconds,
            lambda: f"{dag_id}: { ({n: t.state for n, t in self.tasks(dag_id, run_id).items()}) }",
        )
        return Run(airflow=self, dag_id=dag_id, run_id=run_id)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def processes() -> Iterator[tuple[int, int, str]]:
    """Yield the processes that live: process id, session id, title."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            state, _, _, session = stat.read_text("utf-8", "replace").rpartition(")")[2].split()[:4]
            title = stat.with_name("cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            if state not in "ZX":
                yield int(stat.parent.name), int(session), title.strip()


def until(condition: Callable[[], bool], seconds: float, what: str | Callable[[], str]) -> None:
    """Wait for something; fail where it takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        said = what if isinstance(what, str) else what() if time.monotonic() > deadline else ""
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {said}"
        time.sleep(0.25)


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@contextmanager
def real_airflow(home: Path, environ: dict[str, str]) -> Iterator[RealAirflow]:
    """Keep an Airflow up; at the end, whatever happened, none of its processes is left."""
    airflow = RealAirflow(home, environ)
    try:
        airflow.start_all()
        yield airflow
    finally:
        airflow.end()
        assert airflow.left() == []
