"""Runs DAG files with `dag.test()` in a process of its own, one after the other, and tells what came of them.

    python player.py REPLIES_FD          requests come as JSON lines on standard input

Airflow takes four seconds to load, so a process is kept for many runs. Airflow's warnings and logs stay in
this process: its standard output and error are the log of all runs.
"""

import json
import os
import sys
from typing import Any


def play(dag_file: str, dag_id: str) -> dict[str, Any]:
    """Run a DAG once; return states, XComs, exceptions (as a callback got them) and the run's final state."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_file, bundle_name="dags-folder")
    if bag.import_errors:
        return {"import_errors": [str(error) for error in bag.import_errors.values()]}
    run = bag.dags[dag_id].test()
    return {"state": str(run.state.value), "run_id": run.run_id, **_left_behind(dag_id, run.run_id)}


def _left_behind(dag_id: str, run_id: str) -> dict[str, Any]:
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        tasks = session.scalars(
            select(TaskInstance).where(TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id)
        )
        states = {_name(task): None if task.state is None else str(task.state) for task in tasks}
        xcoms: dict[str, dict[str, Any]] = {}
        for xcom in session.scalars(
            select(XComModel).where(XComModel.dag_id == dag_id, XComModel.run_id == run_id)
        ):
            xcoms.setdefault(_name(xcom), {})[xcom.key] = XComModel.deserialize_value(xcom)
    return {"states": states, "xcoms": xcoms}


def _name(row: Any) -> str:
    return row.task_id if row.map_index < 0 else f"{row.task_id}[{row.map_index}]"


def main() -> None:
    with os.fdopen(int(sys.argv[1]), "w") as replies:
        for line in sys.stdin:
            request = json.loads(line)
            kept = {key: os.environ.get(key, "") for key in request["environ"]}
            os.environ.update(request["environ"])
            try:
                reply = play(request["dag_file"], request["dag_id"])
            except BaseException as error:  # noqa: BLE001  the test that asked shows it
                reply = {"fault": f"{type(error).__name__}: {error}"}
            os.environ.update(kept)
            replies.write(json.dumps(reply, default=str) + "\n")
            replies.flush()


if __name__ == "__main__":
    main()
