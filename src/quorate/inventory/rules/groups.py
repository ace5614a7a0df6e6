"""Rules of groups: their hosts, their units, and which of these are active-only."""

from collections.abc import Iterator
from typing import Any

from quorate.inventory.document import Document, Path
from quorate.inventory.faults import Fault, meant
from quorate.inventory.fields import full_unit_name
from quorate.inventory.tree import intact, mapping, words


def group_rules(tree: dict[str, Any], document: Document) -> Iterator[Fault]:
    """Yield faults of each group's hosts and units."""
    declared = tree.get("hosts")
    for name, group in mapping(tree, "groups").items():
        if not isinstance(group, dict):
            continue
        path: Path = ("groups", name)
        yield from _hosts(group, path, declared, document)
        yield from _twice(group.get("units"), (*path, "units"), document)
        if "active_passive" in group:
            yield from _active_passive(group, path, document)


def _hosts(group: dict[str, Any], path: Path, declared: Any, document: Document) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for index, host in words(group.get("hosts")):
        place: Path = (*path, "hosts", index)
        if isinstance(declared, dict) and host not in declared:
            hint = meant(host, declared, "declare it under hosts")
            yield document.fault(place, f"group {path[1]} names a host that is not declared", hint)
        elif host in first:
            yield document.fault(place, f"group {path[1]} names a host twice", "leave one")
        first.setdefault(host, index)


def _twice(units: Any, path: Path, document: Document) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for index, text in words(units):
        unit = full_unit_name(text)
        if unit in first:
            other = document.spots[(*path, first[unit])]
            hint = (
                f"it is {unit}, which stands at line {other.line}, column {other.column} already; leave one"
            )
            yield document.fault((*path, index), "a unit stands twice in the list", hint)
        first.setdefault(unit, index)


def _active_passive(group: dict[str, Any], path: Path, document: Document) -> Iterator[Fault]:
    pair = group["active_passive"]
    place: Path = (*path, "active_passive")
    if "vip" in group:
        yield document.fault(
            (*path, "vip"),
            f"group {path[1]} has a vip beside active_passive",
            "leave the one in active_passive, or take active_passive out if every unit runs on all hosts",
            at_key=True,
            show=False,
        )
    hosts = group.get("hosts")
    if isinstance(hosts, list) and len(hosts) == 1:
        what = f"group {path[1]} has one host, and active_passive needs two or more"
        yield document.fault((*path, "hosts"), what, "add the passive node, or take active_passive out")
    active_only = mapping(pair).get("units")
    yield from _twice(active_only, (*place, "units"), document)
    units = group.get("units", [])
    if not isinstance(units, list) or not intact(units):
        return  # what is meant by a faulty unit can't be compared
    declared = {full_unit_name(text): text for _, text in words(units)}
    for index, text in words(active_only):
        if full_unit_name(text) not in declared:
            hint = meant(text, declared.values(), "add it to the group's units too")
            yield document.fault((*place, "units", index), f"not one of the units of group {path[1]}", hint)
