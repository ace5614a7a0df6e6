"""The check tasks of a health DAG, each in a process of its own that is forked as Airflow forks it.

`python -m benchmarks.check_tasks DAG_FILE [--quick]` prints one line of JSON: what parsing the file takes,
and what `execute()` of the tasks takes, first as it is, then (unless it must be quick) with the libraries for
SSH, PostgreSQL and AMQP in memory. What Airflow does around it is not in the times: no scheduler, API server
or metadata database takes part.
"""

import importlib
import json
import multiprocessing
import runpy
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from types import SimpleNamespace
from typing import Any, cast

from airflow.sdk import DAG, BaseOperator, Context
from airflow.sdk.bases.operator import ExecutorSafeguard

LIBRARIES = ("engine", "transports", "transports.postgresql_query", "transports.amqp_session")
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a child does of a task: a whole execution, or one of the two parts of a deferred one."""

    task: BaseOperator
    does: Callable[[Context], Any]


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One part done in a child; `began` and `ended` by the clock that all processes here share."""

    began: float
    ended: float
    cpu: float
    gave: Any


def execute(part: Part, sender: Connection) -> None:
    """Do a part of a task with nothing but its identifiers around it; send what it took, or its error."""
    task = part.task
    identifiers = SimpleNamespace(
        id="0", dag_id="ha_health", task_id=task.task_id, run_id="bench", map_index=-1, try_number=1
    )
    identifiers.xcom_push = lambda key, value: json.dumps({key: value})
    ExecutorSafeguard.tracker.set(task)  # as Airflow's task runner does
    began, spent = time.monotonic(), time.process_time()
    try:
        gave = part.does(cast(Context, {"ti": identifiers}))  # no more of it is read
    except Exception as error:  # noqa: BLE001  whatever it is, the parent says so
        sender.send(str(error)[:2000])
    else:
        ended, spent = time.monotonic(), time.process_time() - spent
        sender.send(Execution(began=began, ended=ended, cpu=spent, gave=gave))


def run(parts: Sequence[Part], at_once: int) -> list[Execution]:
    """Do parts, never more than so many at once, and return them in order; SystemExit where one fails."""
    waiting = list(enumerate(parts))
    done: dict[int, Execution] = {}
    running: dict[Connection, tuple[int, ForkProcess]] = {}
    while waiting or running:
        while waiting and len(running) < at_once:
            number, part = waiting.pop(0)
            receiver, sender = _FORK.Pipe(duplex=False)
            child = _FORK.Process(target=execute, args=(part, sender))
            child.start()
            sender.close()
            running[receiver] = (number, child)
        ended = wait(list(running))
        for receiver in [each for each in running if each in ended]:
            number, child = running.pop(receiver)
            told = receiver.recv()
            child.join()
            if not isinstance(told, Execution):
                raise SystemExit(f"benchmarks: {parts[number].task.task_id} is not well: {told}")
            done[number] = told
    return [done[number] for number in range(len(parts))]


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


def in_a_row(done: Sequence[Execution]) -> dict[str, float]:
    """Return the sums of the seconds inside tasks that ran one after the other."""
    return {"wall": sum(each.ended - each.began for each in done), "cpu": sum(each.cpu for each in done)}


def side_by_side(done: Sequence[Execution]) -> dict[str, float]:
    """Return the seconds from the beginning of the first task to the end of the last one."""
    wall = max(each.ended for each in done) - min(each.began for each in done)
    return {"wall": wall, "cpu": sum(each.cpu for each in done)}


def check_tasks_of(dag: DAG) -> list[Any]:
    """Return the check tasks of a DAG, in its order."""
    from quorate.airflow import HealthCheckOperator  # noqa: PLC0415  no sooner than the DAG file has it

    return [task for task in dag.tasks if isinstance(task, HealthCheckOperator)]


def main() -> None:
    """Execute the check tasks of the DAG in each way, and one task that sweeps the whole cluster."""
    quick = "--quick" in sys.argv
    parsed = [parsing(sys.argv[1]) for _ in range(2 if quick else 5)]
    dag: DAG = runpy.run_path(sys.argv[1])["dag"]
    tasks = check_tasks_of(dag)
    from quorate.airflow import HealthCheckOperator  # noqa: PLC0415  as there

    with DAG("whole"):
        whole = HealthCheckOperator(task_id="whole", inventory=tasks[0].inventory, expected="success")
    parts = [Part(task=task, does=task.execute) for task in tasks]

    def ways() -> dict[str, Any]:
        return {
            "in_a_row": in_a_row(run(parts, 1)),
            "side_by_side": side_by_side(run(parts, dag.max_active_tasks)),
            "whole": in_a_row(run([Part(task=whole, does=whole.execute)], 1)),
        }

    told: dict[str, Any] = {"parsing": parsed}
    told |= {"tasks": [task.task_id for task in tasks], "at_once": dag.max_active_tasks}
    told["as_it_is"] = ways()
    if not quick:
        for library in LIBRARIES:
            importlib.import_module(f"quorate.{library}")
        told["loaded"] = ways()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
