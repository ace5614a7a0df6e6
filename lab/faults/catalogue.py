"""Every fault that the lab knows, in the order in which they are rehearsed."""

from lab.command import LabError
from lab.faults import airflow, balancing, broker, database, hosts, pair, storage, units
from lab.faults.fault import Fault

FAULTS: tuple[Fault, ...] = (
    *hosts.FAULTS,
    *units.FAULTS,
    *balancing.FAULTS,
    *database.FAULTS,
    *broker.FAULTS,
    *airflow.FAULTS,
    *pair.FAULTS,
    *storage.FAULTS,
)


def named(name: str) -> Fault:
    """Return the fault of that name."""
    for fault in FAULTS:
        if fault.name == name:
            return fault
    raise LabError(f"there is no fault {name}: `python -m lab faults` lists them")
