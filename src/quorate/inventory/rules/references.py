"""Rules of names: groups and checks share theirs, and units that are named are units of their group."""

from collections.abc import Iterator
from typing import Any

from quorate.inventory.document import Document, Path
from quorate.inventory.faults import Fault, meant, quoted
from quorate.inventory.fields import full_unit_name
from quorate.inventory.tree import intact, mapping, word, words


def name_rules(tree: dict[str, Any], document: Document) -> Iterator[Fault]:
    """Yield faults of names that a group and a check have."""
    groups = mapping(tree, "groups")
    for name in mapping(tree, "checks"):
        if name in groups:
            places = sorted(
                (
                    (document.spots[place].key_line, document.spots[place].key_column, place)
                    for place in _both(name)
                ),
            )
            (line, column, _), (_, _, later) = places
            hint = f"the first is at line {line}, column {column}; groups and checks share their names"
            yield document.fault(later, "a group and a check have the same name", hint, at_key=True)


def _both(name: str) -> tuple[Path, Path]:
    return ("groups", name), ("checks", name)


def reference_rules(tree: dict[str, Any], document: Document) -> Iterator[Fault]:
    """Yield faults of a group that is not there, or of a unit that it has not, wherever one is named."""
    for name, check in mapping(tree, "checks").items():
        yield from _of_group(mapping(check, "logs_from"), ("checks", name, "logs_from"), tree, document)
        for backend, entry in mapping(check, "backends").items():
            path: Path = ("checks", name, "backends", backend, "served_by")
            yield from _of_group(mapping(entry, "served_by"), path, tree, document)
    task_logs = mapping(tree, "airflow").get("task_logs")
    for index, entry in enumerate(task_logs if isinstance(task_logs, list) else ()):
        yield from _of_group(mapping(entry), ("airflow", "task_logs", index), tree, document)


def _of_group(entry: dict[str, Any], path: Path, tree: dict[str, Any], document: Document) -> Iterator[Fault]:
    groups = tree.get("groups", {})
    group = word(entry, "group")
    if group is None or not isinstance(groups, dict):
        return
    if group not in groups:
        yield document.fault(
            (*path, "group"), "unknown group", meant(group, groups, "declare it under groups")
        )
        return
    unit = word(entry, "unit")
    units = mapping(groups, group).get("units", [])
    if (
        unit is None
        or not isinstance(groups[group], dict)
        or not isinstance(units, list)
        or not intact(units)
    ):
        return
    names = {full_unit_name(text): text for _, text in words(units)}
    if full_unit_name(unit) not in names:
        otherwise = f"it has {', '.join(quoted(text) for text in names.values()) or 'none'}"
        what = f"group {group} has no such unit"
        yield document.fault((*path, "unit"), what, meant(unit, names.values(), otherwise))
