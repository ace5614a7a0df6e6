"""The check tasks of a health DAG that is deferrable: their sweeps in one process, the rest in workers.

`python -m benchmarks.deferred DAG_FILE RUNS` prints one line of JSON: for each run since the triggerer was
started, what `execute()` of all tasks takes until it defers, what the triggers take, what
`execute_complete()` takes, the states in each report, and how many of the connections that the run before
left are still there.
"""

import json
import multiprocessing
import runpy
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import TaskDeferred

from benchmarks.check_tasks import Part, check_tasks_of, in_a_row, run
from benchmarks.triggerer import Fired, Order, serve

_SPAWN = multiprocessing.get_context("spawn")


@contextmanager
def triggerer() -> Iterator[Connection]:
    """Yield the connection to a triggerer that has just been started; it says first which sockets it has."""
    here, there = _SPAWN.Pipe()
    process = _SPAWN.Process(target=serve, args=(there,))
    process.start()
    there.close()
    try:
        yield here
        here.send(None)
    finally:
        here.close()
        process.join()


def until_deferred(task: BaseOperator, context: Context) -> Order:
    """Execute a task till it defers; return what its trigger is made of."""
    try:
        task.execute(context)
    except TaskDeferred as deferred:
        if deferred.method_name != "execute_complete":
            raise ValueError(f"goes on with {deferred.method_name}") from None
        order: Order = deferred.trigger.serialize()
        return order
    raise ValueError("is not deferred")


def run_once(tasks: Sequence[Any], to: Connection, before: frozenset[str]) -> tuple[Any, Fired]:
    """Run all tasks once; return what is printed of it, and what the triggers fired."""
    begun = run([Part(task=task, does=partial(until_deferred, task)) for task in tasks], 1)
    to.send([each.gave for each in begun])
    fired: Fired = to.recv()
    for task, event in zip(tasks, fired.events, strict=True):
        if "error" in event:
            raise SystemExit(f"benchmarks: the trigger of {task.task_id} asked nothing: {event['error']}")
    ended = run(
        [
            Part(task=task, does=partial(task.execute_complete, event=event))
            for task, event in zip(tasks, fired.events, strict=True)
        ],
        1,
    )
    told = {
        "execute": in_a_row(begun),
        "triggers": {"wall": fired.wall, "cpu": fired.cpu},
        "execute_complete": in_a_row(ended),
        "reports": [states(event) for event in fired.events],
        "kept": len(before & fired.sockets),
    }
    return told, fired


def states(event: Any) -> dict[str, str]:
    """Return the states that an event's report holds: its own as "", and that of each verdict by its id."""
    report = event["swept"]["report"]
    return {"": report["state"]} | {each["id"]: each["state"] for each in report["verdicts"]}


def main() -> None:
    """Run the check tasks so often with one triggerer."""
    tasks = check_tasks_of(runpy.run_path(sys.argv[1])["dag"])
    runs = []
    with triggerer() as to:
        # A socket that it had before any sweep is no connection to a host.
        own: frozenset[str] = to.recv()
        before: frozenset[str] = frozenset()
        for _ in range(int(sys.argv[2])):
            told, fired = run_once(tasks, to, before)
            runs.append(told)
            before = fired.sockets - own
    print(json.dumps({"tasks": [task.task_id for task in tasks], "runs": runs}))


if __name__ == "__main__":
    main()
