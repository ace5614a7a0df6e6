"""What a simulated host has of CPU, memory and disks, and how much of it is in use."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

_SIZE = re.compile(r"(at least )?(\d+(?:\.\d+)?)(B|KiB|MiB|GiB|TiB)")
_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")
_KEYS = frozenset({"cores", "ram", "cpu", "load", "memory", "disk", "inodes", "folders"})


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedDisk:
    """A file system; percentages in use."""

    used: float
    inodes: float = 4.0
    size: int = 80 * 2**30


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedFolder:
    """A folder's size in bytes; one that is not `counted` has more files than can be counted in time."""

    size: int
    counted: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedResources:
    """`cpu` and `memory` in percent, `load` the averages of 1, 5 and 15 minutes, `ram` in bytes."""

    cores: int = 4
    ram: int = 8 * 2**30
    cpu: float = 7.0
    load: float = 0.4
    memory: float = 38.0
    disks: Mapping[str, SimulatedDisk] = field(default_factory=lambda: {"/": SimulatedDisk(used=30.0)})
    folders: Mapping[str, SimulatedFolder] = field(default_factory=dict)


def change_resources(resources: SimulatedResources, told: Mapping[str, Any]) -> SimulatedResources:
    """Return the resources as a scenario leaves them; ValueError for what means nothing.

    `disk`, `inodes` and `folders` are by path; a disk or a folder that is `gone` is no more.
    """
    if unknown := set(told) - _KEYS:
        raise ValueError(f"resources: {', '.join(sorted(unknown))} is nothing that can be changed")
    found: dict[str, Any] = {key: told[key] for key in ("cores", "load") if key in told}
    found |= {key: _percent(told[key]) for key in ("cpu", "memory") if key in told}
    if "ram" in told:
        found["ram"] = _folder(told["ram"]).size
    disks = dict(resources.disks)
    for path, used in told.get("disk", {}).items():
        if used == "gone":
            disks.pop(path, None)
        elif path in disks:
            disks[path] = replace(disks[path], used=_percent(used))
        else:
            disks[path] = SimulatedDisk(used=_percent(used))
    for path, used in told.get("inodes", {}).items():
        disks[path] = replace(disks.get(path, SimulatedDisk(used=30.0)), inodes=_percent(used))
    folders = {**resources.folders, **told.get("folders", {})}
    found["disks"] = disks
    found["folders"] = {
        path: _folder(folder) if isinstance(folder, str) else folder
        for path, folder in folders.items()
        if folder != "gone"
    }
    return replace(resources, **found)


def _percent(text: str) -> float:
    match = _PERCENT.fullmatch(text)
    if match is None:
        raise ValueError(f"resources: {text!r} is no percentage: write a number and %, such as 96%")
    return float(match[1])


def _folder(text: str) -> SimulatedFolder:
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"resources: {text!r} is no size: write a number and its unit, such as 8GiB")
    return SimulatedFolder(size=int(float(match[2]) * _UNITS[match[3]]), counted=match[1] is None)
