"""What a service adds to a host of the cluster, and how parts become one host."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lab.cluster.names import ADDRESSES
from lab.cluster.packages import ROOTFS
from lab.spec import File, HostSpec


@dataclass(frozen=True, kw_only=True)
class Part:
    """One service on one host, with the meanings that `HostSpec` gives to these fields."""

    units: Mapping[str, str] = field(default_factory=dict)
    stopped: frozenset[str] = frozenset()
    enabled: frozenset[str] = frozenset()
    files: Mapping[str, str | File] = field(default_factory=dict)
    devices: tuple[str, ...] = ()
    disks: tuple[str, ...] = ()
    root_key: bool = False


def host(name: str, parts: Iterable[Part]) -> HostSpec:
    """Return the host of that name with all that its parts bring; no two of them may write the same file."""
    units: dict[str, str] = {}
    files: dict[str, str | File] = {}
    every = tuple(parts)
    for part in every:
        both = (units.keys() & part.units.keys()) | (files.keys() & part.files.keys())
        assert not both, f"two parts of {name} write {sorted(both)}"
        units |= part.units
        files |= part.files
    return HostSpec(
        name=name,
        address=ADDRESSES[name],
        units=units,
        stopped=frozenset().union(*(part.stopped for part in every)),
        enabled=frozenset().union(*(part.enabled for part in every)),
        files=files,
        devices=tuple(dict.fromkeys(device for part in every for device in part.devices)),
        disks=tuple(dict.fromkeys(disk for part in every for disk in part.disks)),
        root_key=any(part.root_key for part in every),
        rootfs=ROOTFS,
    )
