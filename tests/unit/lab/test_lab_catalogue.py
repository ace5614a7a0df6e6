"""The faults of the lab as data: each is complete, and speaks of what exists."""

import re

import pytest

from lab.cluster import names
from lab.cluster.inventory import GROUPS, inventory
from lab.faults.catalogue import FAULTS, named
from lab.faults.fault import Fault
from quorate.inventory import parse_inventory
from quorate.model import Reason, State
from quorate.plan import verdict_ids

WAYS = ("stopped", "failed", "crash-looping", "masked", "missing")
each_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)


@pytest.fixture(scope="module")
def ids() -> set[str]:
    """Every id that a sweep of the lab can have a verdict on."""
    text = inventory(identity_file="/key", known_hosts="/known")
    return {"monitor", *verdict_ids(parse_inventory(text, source="the lab"))}


def test_there_are_enough_and_each_has_its_own_name() -> None:
    found = [fault.name for fault in FAULTS]
    assert len(found) >= 40
    assert sorted(set(found)) == sorted(found)
    assert named(found[0]) is FAULTS[0]


def test_every_watched_unit_is_stopped_failed_looping_masked_and_missing_somewhere() -> None:
    units = {unit for group in GROUPS.values() for unit in group["units"]}
    found = {fault.name for fault in FAULTS}
    assert {f"{unit}-{way}" for unit in units for way in WAYS} <= found


@each_fault
def test_a_fault_can_be_undone_and_touches_hosts_that_there_are(fault: Fault) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", fault.name)
    assert fault.summary.endswith(".")
    assert fault.set_up or fault.secrets
    assert fault.undo or fault.secrets
    assert set(fault.hosts) <= set(names.ADDRESSES)


@each_fault
def test_a_fault_expects_verdicts_that_there_can_be(fault: Fault, ids: set[str]) -> None:
    assert set(fault.expected) <= ids
    assert set(fault.root_causes or ()) <= set(fault.expected)
    for said in fault.expected.values():
        for alternative in said.split(" | "):
            state, reason = alternative.split(" +")[0].split()
            assert state in {each.word for each in State}
            assert Reason(reason)
