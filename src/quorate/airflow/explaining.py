"""Collects what this task's own process logged, in a way that no fault of it can hide what was found."""

from quorate.airflow.files import InventoryFile
from quorate.model import Evidence, TaskInstance


def worker_log(task: TaskInstance, file: InventoryFile) -> Evidence:
    """Return the task's own log so far; where it can't be had, evidence that says why. Never raises."""
    try:
        from quorate.airflow.connections import connect_inventory  # noqa: PLC0415  none of it is needed to parse a DAG
        from quorate.airflow.own_log import own_log  # noqa: PLC0415
        from quorate.engine import known_secrets  # noqa: PLC0415
        from quorate.evidence import make_mask  # noqa: PLC0415

        inventory, resolve = connect_inventory(file.parse())
        mask = make_mask(known_secrets(inventory, resolve))
        return own_log(task, base_log_folder=inventory.base_log_folder, mask=mask)
    except Exception as error:  # noqa: BLE001  collecting logs never hides the failure that it was collected for
        return Evidence(
            source="worker", host=None, unit=None, error=f"{type(error).__name__} while reading it"
        )
