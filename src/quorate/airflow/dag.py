"""The health DAG of an inventory, in one call."""

import difflib
import inspect
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, BaseOperator, TaskGroup, get_parsing_context

from quorate.airflow.files import InventoryFile, dag_file_globals, inventory_path, read_inventory_file
from quorate.airflow.operators import ActiveNodesOperator, HealthCheckOperator
from quorate.airflow.outcome import Expected
from quorate.airflow.summary_operators import FinalStatusOperator, HealthSummaryOperator
from quorate.airflow.tasks import GRANULARITIES, INVENTORY_TASK, CheckTask, Granularity, check_tasks
from quorate.inventory import InventoryError

_START = datetime(2024, 1, 1, tzinfo=UTC)
_DEFAULTS: dict[str, Any] = {
    "catchup": False,
    "max_active_runs": 1,
    "max_active_tasks": 8,
    "dagrun_timeout": timedelta(minutes=10),
    "start_date": _START,
    "tags": ["quorate", "health"],
}


def health_dag(
    inventory: str | os.PathLike[str] | None = None,
    *,
    dag_id: str = "ha_health",
    schedule: Any = "*/2 * * * *",
    granularity: Granularity = "group",
    expected: Expected = "fail",
    deferrable: bool | None = None,
    timeout: str | timedelta = "60s",
    evidence: bool = True,
    **settings: Any,
) -> DAG:
    """Return a DAG that checks the cluster of an inventory and is red exactly when something is wrong.

    The inventory is a path, looked for beside the DAG file where it is relative. One task a `granularity`:
    `group`, `host` or `unit`. `expected` says what a passive node's rightful rest makes of a task: `fail`,
    `skip` or `success`. `timeout` bounds each sweep.

    `settings` are those of airflow.sdk.DAG (tags, callbacks, default_args, max_active_tasks …) and those of
    its operators (pool, queue, executor, retries …), which every task then has; TypeError for others.
    Connects to nothing and reads no secret. An inventory that can't be used makes a DAG whose one check
    fails and says why, so that it is a red run and no silence.
    """
    if granularity not in GRANULARITIES:
        raise ValueError(f"granularity={granularity!r}: must be one of {', '.join(GRANULARITIES)}")
    of_dag, of_tasks = _sorted_settings(settings)
    if any(isinstance(value, DAG) and value.dag_id == dag_id for value in dag_file_globals().values()):
        raise ValueError(f"this file has two DAGs {dag_id!r}: give each its own, health_dag(…, dag_id=…)")
    path = _path(inventory)
    file, tasks, fault = _declared(path, granularity)
    sweeping: dict[str, Any] = {
        "inventory": path,
        "timeout": timeout,
        "evidence": evidence,
        "deferrable": deferrable,
    }
    default_args = {"retries": 0, **(of_dag.pop("default_args", None) or {}), **of_tasks}
    with DAG(
        dag_id=dag_id,
        schedule=schedule,
        default_args=default_args,
        **{"doc_md": _doc(path), **_DEFAULTS, **of_dag},
    ) as dag:
        nodes = ActiveNodesOperator(task_id="detect_active_nodes", **sweeping)
        checks = _checks(_with_running(tasks, dag_id), granularity, {**sweeping, "expected": expected})
        summary = HealthSummaryOperator(
            task_id="health_summary",
            checks=checks,
            fingerprint=file.fingerprint if file else None,
            fault=fault,
        )
        # The checks do not wait for the active nodes: each of them reads the addresses that it judges by.
        [nodes, *checks] >> summary >> FinalStatusOperator(task_id="final_status_check")
    return dag


def _path(inventory: str | os.PathLike[str] | None) -> str:
    file = dag_file_globals().get("__file__")
    folder = Path(file).parent if file else Path.cwd()
    try:
        return inventory_path(inventory, folder)
    except InventoryError:
        # Nothing was named and nothing is found: the check of the inventory will say so, by this name.
        return inventory_path("cluster.yaml", folder)


def _declared(
    path: str, granularity: Granularity
) -> tuple[InventoryFile | None, tuple[CheckTask, ...], str | None]:
    try:
        file = read_inventory_file(path)
        return file, check_tasks(file.parse(), granularity), None
    except InventoryError as error:
        # Which fault it is by then, the task reads anew when it runs.
        return None, (CheckTask(task_id=INVENTORY_TASK, only=(), subject="inventory"),), str(error)


def _with_running(tasks: tuple[CheckTask, ...], dag_id: str) -> tuple[CheckTask, ...]:
    """Return the tasks, and the check that is to run now where the inventory no longer declares it.

    Airflow reads the DAG file anew for each task. One that it does not find there is put off for minutes and
    then fails without a word, so it is kept: it fails at once, and its log says what became of the inventory.
    """
    running = get_parsing_context()
    task = running.task_id or ""
    if running.dag_id != dag_id or not task.startswith("check_") or task in [t.task_id for t in tasks]:
        return tasks
    gone = CheckTask(task_id=task, only=(task.removeprefix("check_"),), subject="inventory")
    return (*tasks, gone)


def _checks(
    tasks: Sequence[CheckTask], granularity: Granularity, settings: Mapping[str, Any]
) -> list[BaseOperator]:
    checks: list[BaseOperator] = []
    sections = dict.fromkeys(task.section for task in tasks)
    for section in sections:
        of_section = [task for task in tasks if task.section == section]
        with _task_group(section if granularity != "group" and len(of_section) > 1 else None):
            checks += [
                HealthCheckOperator(task_id=t.task_id, only=t.only, subject=t.subject, **settings)
                for t in of_section
            ]
    return checks


@contextmanager
def _task_group(name: str | None) -> Iterator[None]:
    """Fold what is created within in the graph, under ids that stay as they are."""
    if name is None:
        yield
        return
    with TaskGroup(
        group_id=f"group_{name}".replace(".", "_"), prefix_group_id=False, group_display_name=name
    ):
        yield


def _sorted_settings(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings of the DAG and those of its tasks; TypeError for what is neither's."""
    dag_keys = set(inspect.signature(DAG).parameters)
    task_keys = set(inspect.signature(BaseOperator.__init__).parameters) - {
        "self",
        "kwargs",
        "task_id",
        "dag",
    }
    of_dag = {key: value for key, value in settings.items() if key in dag_keys}
    of_tasks = {key: value for key, value in settings.items() if key in task_keys - dag_keys}
    for key in settings:
        if key not in of_dag and key not in of_tasks:
            near = difflib.get_close_matches(key, dag_keys | task_keys, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"health_dag() knows no setting {key!r}{hint}")
    return of_dag, of_tasks


def _doc(path: str) -> str:
    return (
        f"Checks the cluster that `{Path(path).name}` declares. Every `check_` task asks the hosts, the "
        "database and the broker itself; a task that fails holds the whole explanation in its log. "
        "`health_summary` counts, `final_status_check` decides the colour of the run."
    )
