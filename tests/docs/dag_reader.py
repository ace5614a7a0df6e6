"""Reads DAG files with Airflow in a process of its own, all at once, and tells what they declare as JSON.

    python dag_reader.py FOLDER          reads FOLDER/*/dag.py

It also lets the final status of a run raise, by counts that are given as JSON on standard input.
"""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from airflow.sdk import DAG

from quorate.airflow import FinalStatusOperator, HealthCheckError


def dags_of(file: Path) -> list[dict[str, Any]]:
    """Return what each DAG of a file declares."""
    spec = importlib.util.spec_from_file_location(f"read_{file.parent.name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = {id(value): value for value in vars(module).values() if isinstance(value, DAG)}
    return [declared(dag) for dag in found.values()]


def declared(dag: DAG) -> dict[str, Any]:
    """Return the settings and the tasks of a DAG; a task is its settings by name."""
    return {
        "dag_id": dag.dag_id,
        "schedule": dag.schedule,
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "max_active_tasks": dag.max_active_tasks,
        "dagrun_timeout": dag.dagrun_timeout and dag.dagrun_timeout.total_seconds(),
        "alerts": bool(dag.on_failure_callback),
        "tasks": {
            task.task_id: {
                "retries": task.retries,
                "pool": task.pool,
                "queue": task.queue,
                "alerts": bool(task.on_failure_callback),
                "deferrable": getattr(task, "deferrable", None),
                "inventory": getattr(task, "inventory", None),
            }
            for task in dag.tasks
        },
    }


class Ended:
    """Stands in for the task instance of a final status: what a summary that succeeded has left."""

    dag_id, run_id = "ha_health", "manual"

    def __init__(self, summary: dict[str, Any]) -> None:
        self.summary = summary

    def get_task_breadcrumbs(self, **_: str) -> list[dict[str, Any]]:
        """Return the summary alone."""
        return [{"task_id": "health_summary", "map_index": -1, "state": "success"}]

    def xcom_pull(self, *, key: str = "return_value", **_: object) -> Any:
        """Return an XCom of the summary."""
        return self.summary[key]


def final(summary: dict[str, Any]) -> str | None:
    """Return what the final status raises, None where it does not."""
    try:
        FinalStatusOperator(task_id="final_status_check").execute({"ti": Ended(summary)})  # type: ignore[arg-type]  # as its docstring says
    except HealthCheckError as error:
        return str(error)
    return None


def main() -> None:
    """Print what was asked for."""
    files = sorted(Path(sys.argv[1]).glob("*/dag.py"))
    summaries = json.load(sys.stdin)
    told = {
        "dags": {file.parent.name: dags_of(file) for file in files},
        "finals": {scenario: final(summary) for scenario, summary in summaries.items()},
    }
    sys.__stdout__.write(f"\n{json.dumps(told)}\n")  # type: ignore[union-attr]  # it is there


if __name__ == "__main__":
    main()
