"""Which faults may be in place together: those that touch different hosts, groups and checks."""

from collections.abc import Iterable, Sequence

from lab.cluster.inventory import CHECKS, GROUPS
from lab.faults.fault import Fault

AT_ONCE = 6
OF_EACH = ("resources", "clock")
"""Kinds of check whose members say nothing of each other."""


def batches(faults: Iterable[Fault]) -> list[tuple[Fault, ...]]:
    """Return the faults in lists that may be in place together, in the order of the first of each."""
    found: list[list[Fault]] = []
    for fault in faults:
        place = next((batch for batch in found if joins(fault, batch)), None)
        if place is None:
            found.append([fault])
        else:
            place.append(fault)
    return [tuple(batch) for batch in found]


def joins(fault: Fault, batch: Sequence[Fault]) -> bool:
    """Return whether a fault may be in place together with all of a batch."""
    if len(batch) >= AT_ONCE or not all(combines(each) for each in (fault, *batch)):
        return False
    return not any(area(fault) & area(other) for other in batch)


def combines(fault: Fault) -> bool:
    """Return whether a fault leaves the monitor, its secrets and its one sweep as they are."""
    plain = fault.watch is None and fault.sweeps == 1 and not fault.moves_the_monitor
    return plain and not (fault.alone or fault.shakes_airflow)


def area(fault: Fault) -> frozenset[str]:
    """Return the hosts, groups and checks that a fault is about, those that share its hosts included."""
    named = {key.partition("/")[0] for key in fault.expected} - {"host"}
    shared = {name for name, group in GROUPS.items() if set(group["hosts"]) & set(fault.hosts)}
    asked = {
        name
        for name, check in CHECKS.items()
        if check["kind"] not in OF_EACH
        and set(fault.hosts) & {*check.get("hosts", ()), *check.get("brokers", ())}
    }
    return frozenset({*fault.hosts, *named, *shared, *asked})
