"""What a lab is made of, as data: root file systems and hosts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

BASE_PACKAGES = (
    "dbus",
    "iproute2",
    "nftables",
    "openssh-server",
    "procps",
    "sudo",
    "systemd",
    "systemd-sysv",
)
UNIT_KINDS = ("service", "socket", "timer", "path", "mount", "target", "slice")


@dataclass(frozen=True, kw_only=True)
class RootfsSpec:
    """A root file system by its Debian packages; `suite` None is the release that this machine runs.

    `disabled` are units that the packages enable, and that only some of the machines shall start.
    `requirements` is a compiled requirements file, installed into a virtual environment at `/opt/airflow`.
    """

    packages: tuple[str, ...] = BASE_PACKAGES
    suite: str | None = None
    disabled: tuple[str, ...] = ()
    requirements: Path | None = None

    def with_packages(self, *packages: str) -> "RootfsSpec":
        """Return a root file system that has these packages too."""
        return replace(self, packages=tuple(sorted({*self.packages, *packages})))


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a machine before it boots; `owner` is a user of the root file system, by name."""

    text: str
    mode: int = 0o644
    owner: str = "root"


@dataclass(frozen=True, kw_only=True)
class HostSpec:
    """One host: `units` maps unit names to their texts, `files` absolute paths to what they hold.

    Every unit is enabled and starts at boot, but those named in `stopped`; so are the units named in
    `enabled`, which come with packages. `vips` are addresses with prefix length that the host holds from the
    start, beside its own. `devices` are device files of this machine that the host has too, `disks` are
    folders that it has on this machine's file system and not on its overlay, which knows no file handles.
    With `root_key`, root on this host may log in as root on every other such host.
    """

    name: str
    address: str
    units: Mapping[str, str] = field(default_factory=dict)
    stopped: frozenset[str] = frozenset()
    vips: tuple[str, ...] = ()
    files: Mapping[str, str | File] = field(default_factory=dict)
    enabled: frozenset[str] = frozenset()
    devices: tuple[str, ...] = ()
    disks: tuple[str, ...] = ()
    root_key: bool = False
    rootfs: RootfsSpec = RootfsSpec()


def unit_file(name: str) -> str:
    """Return a unit's file name: `lsyncd` is `lsyncd.service`."""
    return name if name.rpartition(".")[2] in UNIT_KINDS else f"{name}.service"
