"""Airflow's API as a user's browser has it: through the airflow VIP, from the monitor's place."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from lab.cluster import haproxy, names
from lab.cluster.airflow import ADMIN, ADMIN_PASSWORD, DAG_ID
from lab.command import LabError
from lab.lab import Lab

BASE = f"http://{names.AIRFLOW_VIP}:{haproxy.WEB_PORT}"
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
ENDED = ("success", "failed")


def ask(lab: Lab, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Return what the API answers to a user who may do everything; LabError where it does not."""
    login = {"username": ADMIN, "password": ADMIN_PASSWORD}
    token = request(lab, "POST", "/auth/token", login)["access_token"]
    return request(lab, method, f"/api/v2/{path}", body, {"Authorization": f"Bearer {token}"})


def request(
    lab: Lab,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Any:
    """Return the JSON of one answer."""
    data = None if body is None else json.dumps(body).encode()
    wanted = urllib.request.Request(  # noqa: S310  BASE says http
        BASE + path, data, {"Content-Type": "application/json", **(headers or {})}, method=method
    )
    try:
        with lab.network.entered(), OPENER.open(wanted, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace")[:300]
        raise LabError(f"Airflow answers {error.code} to {method} {path}: {said}") from error
    except (OSError, ValueError) as error:
        raise LabError(f"Airflow does not answer {method} {path}: {error}") from error


@dataclass(frozen=True, kw_only=True)
class DagRun:
    """A run of a DAG that has ended: its state, and the state of each task by its id."""

    dag_id: str
    run_id: str
    state: str
    tasks: Mapping[str, str]


def run_dag(lab: Lab, dag_id: str = DAG_ID, *, bound: float = 180.0) -> DagRun:
    """Run a paused DAG once, and return the run when it has ended.

    A run that is asked for waits until the DAG is unpaused, and then one of its own schedule may come first:
    whichever ends first is taken, since both began after the call, and the other one is made to end.
    """
    before = run_states(lab, dag_id)
    ask(lab, "POST", f"dags/{dag_id}/dagRuns", {"logical_date": None})
    pause(lab, dag_id, paused=False)
    try:
        return await_run(lab, dag_id, before, bound=bound)
    finally:
        pause(lab, dag_id, paused=True)
        for run_id, state in run_states(lab, dag_id).items():
            if run_id not in before and state not in ENDED:
                ask(lab, "PATCH", run_path(dag_id, run_id), {"state": "failed"})


def pause(lab: Lab, dag_id: str, *, paused: bool) -> None:
    """Pause a DAG, or let it run."""
    ask(lab, "PATCH", f"dags/{dag_id}", {"is_paused": paused})


def await_run(lab: Lab, dag_id: str, before: Collection[str], *, bound: float) -> DagRun:
    """Return the first run that ends, of those that were not there before; LabError after `bound` seconds."""
    deadline = time.monotonic() + bound
    while True:
        states = {run_id: s for run_id, s in run_states(lab, dag_id).items() if run_id not in before}
        for run_id, state in states.items():
            if state in ENDED:
                return DagRun(
                    dag_id=dag_id, run_id=run_id, state=state, tasks=task_states(lab, dag_id, run_id)
                )
        if time.monotonic() > deadline:
            told = {run_id: task_states(lab, dag_id, run_id) for run_id in states}
            raise LabError(f"no run of {dag_id} has ended after {bound:g} s: {told}")
        time.sleep(1.0)


def run_states(lab: Lab, dag_id: str) -> dict[str, str]:
    """Return the state of each run of a DAG by its id."""
    found = ask(lab, "GET", f"dags/{dag_id}/dagRuns?limit=100&order_by=-run_after")
    return {run["dag_run_id"]: run["state"] for run in found["dag_runs"]}


def run_path(dag_id: str, run_id: str) -> str:
    """Return the path of a run."""
    return f"dags/{dag_id}/dagRuns/{urllib.parse.quote(run_id)}"


def task_states(lab: Lab, dag_id: str, run_id: str) -> dict[str, str]:
    """Return the state of each task of a run by its id; one that has not begun has the state `none`."""
    found = ask(lab, "GET", f"{run_path(dag_id, run_id)}/taskInstances?limit=100")
    return {each["task_id"]: each["state"] or "none" for each in found["task_instances"]}


def xcom(lab: Lab, run: DagRun, task_id: str, key: str = "return_value") -> Any:
    """Return what a task of a run has left under a key."""
    path = f"{run_path(run.dag_id, run.run_id)}/taskInstances/{task_id}/xcomEntries/{key}"
    return ask(lab, "GET", path)["value"]


def log(lab: Lab, run: DagRun, task_id: str) -> str:
    """Return what a task of a run has logged at its first try, and the text of what it raised."""
    path = f"{run_path(run.dag_id, run.run_id)}/taskInstances/{task_id}/logs/1"
    said = ask(lab, "GET", path)["content"]
    events = [each if isinstance(each, dict) else {"event": each} for each in said]
    lines = [
        str(line)
        for each in events
        for line in (
            each.get("event", ""),
            *(raised["exc_value"] for raised in each.get("error_detail") or ()),
        )
    ]
    return "\n".join(lines)
