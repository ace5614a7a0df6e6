"""Kind `resources`: CPU, load, memory, disks and processes of hosts, and the size of their log folder."""

from collections.abc import Iterator, Mapping
from math import inf
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from quorate.inventory.document import Document, Path
from quorate.inventory.entries import CheckEntry
from quorate.inventory.faults import Fault
from quorate.inventory.fields import Duration, HostPath, Line, default, host_path, required, unset, wrong
from quorate.inventory.kinds.kind import Kind, Resolved
from quorate.inventory.kinds.limits import LimitsEntry, NumbersEntry, PercentagesEntry, SizesEntry, filled
from quorate.inventory.kinds.members import member_rules
from quorate.inventory.tree import mapping, words
from quorate.model import Host

LONGEST_INTERVAL = 5.0

DEFAULTS: Mapping[str, tuple[float, float]] = {
    "cpu": (90.0, 98.0),
    "load": (2.0, 4.0),
    "memory": (90.0, 95.0),
    "disk": (80.0, 90.0),
    "inodes": (80.0, 90.0),
    "log_folder_size": (inf, inf),
}
"""The limits that are left out: from where on it is a warning, and from where on critical."""


def _interval(seconds: float) -> float:
    if seconds > LONGEST_INTERVAL:
        raise wrong("is too long", f"the longest interval is {LONGEST_INTERVAL:g}s")
    return seconds


class ResourcesEntry(CheckEntry):
    """Measure the hosts' CPU, load, memory, disks, and the size of a log folder."""

    kind: Literal["resources"] = required(
        "Measure the hosts' CPU, load, memory, disks, and the size of a log folder."
    )
    hosts: Annotated[list[Line], Field(min_length=1)] = unset("Names of hosts; all of them if left out.")
    mounts: list[HostPath] = unset("Paths whose file systems are measured; / if left out.")
    log_folder: HostPath = unset("Folder whose size is measured.")
    cpu: Annotated[PercentagesEntry, filled(*DEFAULTS["cpu"])] = unset(
        "Limits of the CPU in use, of all cores; {warning: 90%, critical: 98%} if left out."
    )
    load: Annotated[NumbersEntry, filled(*DEFAULTS["load"])] = unset(
        "Limits of the 5 minutes' load average for each core; {warning: 2, critical: 4} if left out."
    )
    memory: Annotated[PercentagesEntry, filled(*DEFAULTS["memory"])] = unset(
        "Limits of the memory that is not available; {warning: 90%, critical: 95%} if left out."
    )
    disk: Annotated[PercentagesEntry, filled(*DEFAULTS["disk"])] = unset(
        "Limits of each file system's space in use; {warning: 80%, critical: 90%} if left out."
    )
    inodes: Annotated[PercentagesEntry, filled(*DEFAULTS["inodes"])] = unset(
        "Limits of each file system's inodes in use; {warning: 80%, critical: 90%} if left out."
    )
    log_folder_size: Annotated[SizesEntry, filled(*DEFAULTS["log_folder_size"])] = unset(
        "Limits of the log folder's size; off if left out."
    )
    processes: Annotated[int, Field(ge=0, le=20)] = default(
        5, "How many processes are told, by CPU and by memory; 0 for none."
    )
    interval: Annotated[Duration, AfterValidator(_interval)] = default(
        "500ms", "How long the CPU is watched, 5s at most."
    )


def rules(tree: dict[str, Any], path: Path, document: Document) -> Iterator[Fault]:
    """Yield faults of hosts that are none or stand twice, of a path twice, of a limit without its folder."""
    yield from member_rules(tree, path, document)
    check = mapping(tree, *(str(part) for part in path))
    seen: set[str] = set()
    for index, written in words(check.get("mounts")):
        place = host_path(written)
        if place in seen:
            yield document.fault((*path, "mounts", index), "a path stands twice", "leave one")
        seen.add(place)
    if "log_folder_size" in check and "log_folder" not in check:
        what = "log_folder_size limits nothing without log_folder"
        yield document.fault((*path, "log_folder_size"), what, "name the folder", at_key=True, show=False)


def resolve(entry: ResourcesEntry, hosts: Mapping[str, Host]) -> Resolved:
    """Return the settings; `limits` are pairs by measure, infinite where there is none."""
    names = tuple(entry.hosts or hosts)
    settings = {
        "mounts": ("/",) if entry.mounts is None else tuple(entry.mounts),
        "log_folder": entry.log_folder,
        "limits": MappingProxyType(
            {measure: _pair(getattr(entry, measure), measure) for measure in DEFAULTS}
        ),
        "processes": entry.processes,
        "interval": entry.interval,
    }
    return Resolved(settings=MappingProxyType(settings), hosts=names, members=names)


def _pair(entry: LimitsEntry | None, measure: str) -> tuple[float, float]:
    if entry is None or entry.warning is None or entry.critical is None:
        return DEFAULTS[measure]
    return entry.warning, entry.critical


KIND = Kind(entry=ResourcesEntry, resolve=resolve, rules=rules, asks_hosts=True)
