"""Entries for maintenance: what each selects is there, as far as that can be known."""

from dataclasses import replace

import pytest

from quorate.inventory import InventoryError, parse_inventory
from quorate.inventory.composing import read_document
from quorate.inventory.rules import unmatched_selectors
from quorate.model import Check, Inventory

TEXT = """
hosts: {a: 192.0.2.1}
groups: {g: {hosts: [a], units: [x, backup.timer]}}
checks: {soon: {kind: clock}}
maintenance: [{select: SELECTOR, until: 2026-01-01T04:00:00Z}]
"""


def parse(selector: str) -> Inventory:
    return parse_inventory(TEXT.replace("SELECTOR", selector), source="F")


@pytest.mark.parametrize(
    "selector", ["host/a", "host", "g", "g/", "g/a/x", "g/a/x.service", "g/a/backup.timer", "soon", "soon/a"]
)
def test_selectors_are_those_of_only(selector: str) -> None:
    assert [entry.select for entry in parse(selector).maintenance] == [selector]


@pytest.mark.parametrize("selector", ["a", "monitor", "g/vip", "g/failover", "g/a/backup", "soon/b", '"*"'])
def test_what_matches_nothing_is_a_fault_in_its_place(selector: str) -> None:
    with pytest.raises(InventoryError) as raised:
        parse(selector)
    (fault,) = raised.value.faults
    assert (fault.line, fault.column, fault.path) == (5, 24, "maintenance[0].select")
    assert "matches nothing" in fault.message


def test_the_members_of_a_check_whose_kind_is_not_installed_are_not_known() -> None:
    inventory = parse("soon/a")
    unknown = replace(inventory, checks={"soon": Check(name="soon", kind="of-tomorrow")})
    document = read_document(TEXT.replace("SELECTOR", "soon/a"))
    assert list(unmatched_selectors(unknown, document)) == []
    assert len(list(unmatched_selectors(replace(inventory, checks={}), document))) == 1
