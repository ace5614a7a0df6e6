"""What a host says of its resources: figures where they could be had, else why not."""

from collections.abc import Mapping
from dataclasses import dataclass

from quorate.model.asking import NoReply

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True, kw_only=True, slots=True)
class CpuProcess:
    """A process by the CPU that it took; `percent` is of one core, and so may be more than 100."""

    pid: int
    name: str
    percent: float


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryProcess:
    """A process by the memory that it holds (its resident set)."""

    pid: int
    name: str
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SystemFacts:
    """What the kernel tells of the whole host; None is what was not asked for.

    `cpu_percent` is of all cores together over a moment, `load` the averages of 1, 5 and 15 minutes,
    `memory_used_percent` what is not available. With `partial`, the login sees its own processes alone.
    """

    cores: int | None
    cpu_percent: float | NoReply | None
    load: tuple[float, float, float] | NoReply
    memory_total_bytes: int | None
    memory_used_percent: float | NoReply
    top_cpu: tuple[CpuProcess, ...] = ()
    top_memory: tuple[MemoryProcess, ...] = ()
    partial: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class MountFacts:
    """The file system that a path is on, and where that is mounted.

    `used_percent` is of what a plain user may fill, as df counts; `inodes_used_percent` is None where the
    file system has no fixed number of them.
    """

    mounted_on: str
    size_bytes: int
    used_bytes: int
    used_percent: float
    inodes_used_percent: float | NoReply | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """A path that the host does not have; `detail` in the host's own words."""

    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderFacts:
    """How much of the disk a folder's files take; at least so much where not all could be counted."""

    bytes: int
    complete: bool = True
    why: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceFacts:
    """All that was asked of a host; `mounts` by path, `log_folder` None where none was asked for."""

    system: SystemFacts | NoReply
    mounts: Mapping[str, MountFacts | Missing | NoReply]
    log_folder: FolderFacts | Missing | NoReply | None = None
    duration: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockFacts:
    """How far a host's clock is ahead of the monitor's, in seconds, give or take `uncertainty`."""

    offset: float
    uncertainty: float
    duration: float = 0.0


def percent_words(percent: float) -> str:
    """Return a percentage as people write it; what is not quite full is never shown as 100 %."""
    return f"{99 if 99 <= percent < 100 else round(percent)} %"


def size_words(size: float) -> str:
    """Return a size in the unit that fits, such as `4.0 GiB`."""
    number, unit = float(size), 0
    while number >= 1024 and unit < len(_UNITS) - 1:
        number, unit = number / 1024, unit + 1
    return f"{number:.0f} {_UNITS[unit]}" if unit == 0 else f"{number:.1f} {_UNITS[unit]}"
