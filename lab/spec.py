"""What a lab is made of, as data: root file systems and hosts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    """A root file system by its Debian packages; `suite` None is the release that this machine runs."""

    packages: tuple[str, ...] = BASE_PACKAGES
    suite: str | None = None

    def with_packages(self, *packages: str) -> "RootfsSpec":
        """Return a root file system that has these packages too."""
        return RootfsSpec(packages=tuple(sorted({*self.packages, *packages})), suite=self.suite)


@dataclass(frozen=True, kw_only=True)
class HostSpec:
    """One host: `units` maps unit names to their texts, `files` absolute paths to theirs.

    Every unit is enabled and starts at boot, but those named in `stopped`. `vips` are addresses with prefix
    length that the host holds from the start, beside its own.
    """

    name: str
    address: str
    units: Mapping[str, str] = field(default_factory=dict)
    stopped: frozenset[str] = frozenset()
    vips: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    rootfs: RootfsSpec = RootfsSpec()


def unit_file(name: str) -> str:
    """Return a unit's file name: `lsyncd` is `lsyncd.service`."""
    return name if name.rpartition(".")[2] in UNIT_KINDS else f"{name}.service"
