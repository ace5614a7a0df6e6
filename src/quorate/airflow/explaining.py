"""Collects what this task's own process logged, in a way that no fault of it can hide what was found."""

from quorate.airflow.files import InventoryFile
from quorate.airflow.in_time import OutOfTimeError, in_time
from quorate.model import Evidence, TaskInstance

PATIENCE = 15.0
"""Seconds that reading secrets to mask, and the log, may take: either may lie on a mount that hangs."""


def worker_log(task: TaskInstance, file: InventoryFile) -> Evidence:
    """Return the task's own log so far, or why it can't be had in time. Never raises."""
    try:
        return in_time(PATIENCE, lambda: _read(task, file))
    except OutOfTimeError:
        return _none(f"it could not be read within {PATIENCE:g} s")


def _read(task: TaskInstance, file: InventoryFile) -> Evidence:
    try:
        from quorate.airflow.connections import connect_inventory  # noqa: PLC0415  not needed to parse a DAG
        from quorate.airflow.own_log import own_log  # noqa: PLC0415  as above
        from quorate.engine import known_secrets  # noqa: PLC0415  as above
        from quorate.evidence import make_mask  # noqa: PLC0415  as above

        inventory, resolve = connect_inventory(file.parse())
        mask = make_mask(known_secrets(inventory, resolve))
        return own_log(task, base_log_folder=inventory.base_log_folder, mask=mask)
    except Exception as error:  # noqa: BLE001  collecting logs never hides the failure it was collected for
        return _none(f"{type(error).__name__} while reading it")


def _none(why: str) -> Evidence:
    return Evidence(source="worker", host=None, unit=None, error=why)
