"""Reads DAG files in a process of its own and tells what they declare, and what reading them touched.

python definer.py FOLDER      prints JSON: DAGs by file, heavy modules loaded, connections made, files read
"""

import json
import sys
from pathlib import Path
from typing import Any

HEAVY = (
    "asyncssh",
    "psycopg",
    "pamqp",
    "typer",
    "quorate.engine",
    "quorate.transports",
    "quorate.simulation",
)


def main() -> None:
    import airflow.triggers.base  # noqa: F401  what Airflow itself loads to read any DAG file
    from airflow.dag_processing.dagbag import DagBag

    touched: dict[str, list[str]] = {"connections": [], "files": []}

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen"):
            touched["connections"].append(f"{event} {arguments[-1]!r}")
        elif event == "open" and isinstance(arguments[0], str):
            touched["files"].append(arguments[0])

    sys.addaudithook(watch)
    found = {}
    for file in sorted(Path(sys.argv[1]).glob("*.py")):
        bag = DagBag(str(file), bundle_name="dags-folder")
        errors = [str(error).strip().splitlines()[-1] for error in bag.import_errors.values()]
        found[file.stem] = {"errors": errors, "dags": {i: _described(dag) for i, dag in bag.dags.items()}}
    heavy = [name for name in HEAVY if name in sys.modules]
    print(json.dumps({"dags": found, "heavy": heavy, **touched}, default=str))  # noqa: T201  its answer


def _described(dag: Any) -> dict[str, Any]:
    tasks = {
        task.task_id: {
            "upstream": sorted(task.upstream_task_ids),
            "trigger_rule": str(task.trigger_rule.value),
            "retries": task.retries,
            "pool": task.pool,
            "executor": task.executor,
            "queue": task.queue,
            "deferrable": getattr(task, "deferrable", None),
            "only": list(getattr(task, "only", ())),
            "callback": bool(task.on_failure_callback),
            "group": task.task_group.group_id if task.task_group else None,
        }
        for task in dag.tasks
    }
    keys = ("catchup", "max_active_runs", "max_active_tasks", "dagrun_timeout", "tags", "schedule", "fileloc")
    settings = {key: getattr(dag, key) for key in keys}
    settings["tags"] = sorted(settings["tags"])
    settings["callback"] = bool(dag.on_failure_callback)
    return {"tasks": tasks, **settings}


if __name__ == "__main__":
    main()
