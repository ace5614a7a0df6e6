"""The check tasks of a health DAG, each in a process of its own that is forked as Airflow forks it.

`python -m benchmarks.check_tasks DAG_FILE` prints one line of JSON: what parsing the file takes, and what
`execute()` of the tasks takes, first as it is, then with the libraries for SSH, PostgreSQL and AMQP in
memory, as the triggerer has them after its first sweep. What Airflow does around it is not in the times: no
scheduler, API server or metadata database takes part.
"""

import importlib
import json
import multiprocessing
import runpy
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from types import SimpleNamespace
from typing import Any, cast

from airflow.sdk import DAG, BaseOperator, Context
from airflow.sdk.bases.operator import ExecutorSafeguard

PARSED = 5
LIBRARIES = ("engine", "transports", "transports.postgresql_query", "transports.amqp_session")
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One execution in a child; `began` and `ended` by the clock that all processes here share."""

    began: float
    ended: float
    cpu: float


def execute(task: BaseOperator, sender: Connection) -> None:
    """Execute a task with nothing but its identifiers around it, and send what it took, or its error."""
    identifiers = SimpleNamespace(
        id="0", dag_id="ha_health", task_id=task.task_id, run_id="bench", map_index=-1, try_number=1
    )
    identifiers.xcom_push = lambda key, value: json.dumps({key: value})
    ExecutorSafeguard.tracker.set(task)  # as Airflow's task runner does
    began, spent = time.monotonic(), time.process_time()
    try:
        task.execute(cast(Context, {"ti": identifiers}))  # no more of it is read
    except Exception as error:  # noqa: BLE001  whatever it is, the parent says so
        sender.send(str(error)[:2000])
    else:
        sender.send(Execution(began=began, ended=time.monotonic(), cpu=time.process_time() - spent))


def run(tasks: Sequence[BaseOperator], at_once: int) -> list[Execution]:
    """Execute tasks, never more than so many at once; SystemExit where one fails."""
    waiting, done = list(tasks), []
    running: dict[Connection, tuple[BaseOperator, ForkProcess]] = {}
    while waiting or running:
        while waiting and len(running) < at_once:
            task = waiting.pop(0)
            receiver, sender = _FORK.Pipe(duplex=False)
            child = _FORK.Process(target=execute, args=(task, sender))
            child.start()
            sender.close()
            running[receiver] = (task, child)
        ended = wait(list(running))
        for receiver in [each for each in running if each in ended]:
            task, child = running.pop(receiver)
            told = receiver.recv()
            child.join()
            if not isinstance(told, Execution):
                raise SystemExit(f"benchmarks: {task.task_id} is not well: {told}")
            done.append(told)
    return done


def parsing(file: str) -> float:
    """Return the CPU seconds of parsing a DAG file in a child that has Airflow's SDK loaded already."""
    receiver, sender = _FORK.Pipe(duplex=False)

    def parse() -> None:
        spent = time.process_time()
        runpy.run_path(file)
        sender.send(time.process_time() - spent)

    child = _FORK.Process(target=parse)
    child.start()
    sender.close()
    seconds = float(receiver.recv())
    child.join()
    return seconds


def in_a_row(tasks: Sequence[BaseOperator]) -> dict[str, float]:
    """Return the sums of the seconds inside tasks that run one after the other."""
    done = run(tasks, 1)
    return {"wall": sum(each.ended - each.began for each in done), "cpu": sum(each.cpu for each in done)}


def side_by_side(tasks: Sequence[BaseOperator], at_once: int) -> dict[str, float]:
    """Return the seconds from the beginning of the first task to the end of the last one."""
    done = run(tasks, at_once)
    wall = max(each.ended for each in done) - min(each.began for each in done)
    return {"wall": wall, "cpu": sum(each.cpu for each in done)}


def main() -> None:
    """Execute the check tasks of the DAG in each way, and one task that sweeps the whole cluster."""
    parsed = [parsing(sys.argv[1]) for _ in range(PARSED)]
    dag: DAG = runpy.run_path(sys.argv[1])["dag"]
    from quorate.airflow import HealthCheckOperator  # noqa: PLC0415  no sooner than the DAG file has it

    tasks = [task for task in dag.tasks if isinstance(task, HealthCheckOperator)]
    with DAG("whole"):
        whole = HealthCheckOperator(task_id="whole", inventory=tasks[0].inventory, expected="success")

    def ways() -> dict[str, Any]:
        return {
            "in_a_row": in_a_row(tasks),
            "side_by_side": side_by_side(tasks, dag.max_active_tasks),
            "whole": in_a_row([whole]),
        }

    told: dict[str, Any] = {"parsing": parsed}
    told |= {"tasks": [task.task_id for task in tasks], "at_once": dag.max_active_tasks}
    told["as_it_is"] = ways()
    for library in LIBRARIES:
        importlib.import_module(f"quorate.{library}")
    told["loaded"] = ways()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
