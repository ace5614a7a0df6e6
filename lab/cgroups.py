"""Control groups: every process of a lab is in a group of the lab's own, which proves whose it is.

A group is named by a path such as `quorate-lab-1a2b3c/nfs-1`. It exists in the version 2 hierarchy, where
processes are listed, frozen and killed, and beside it in systemd's version 1 hierarchy where there is one.
Source: cgroups(7); Documentation/admin-guide/cgroup-v2.rst of the kernel.
"""

import contextlib
import signal
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from lab.command import LabError
from lab.process import Process


@cache
def hierarchies() -> tuple[Path, ...]:
    """Return the roots of the hierarchies that systemd uses, version 2 first."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    second = [Path(m[1]) for m in mounts if m[2] == "cgroup2"]
    named = [Path(m[1]) for m in mounts if m[2] == "cgroup" and "name=systemd" in m[3].split(",")]
    if not second:
        raise LabError("this machine has no cgroup2 file system mounted; mount one at /sys/fs/cgroup/unified")
    return (second[0], *named[:1])


def create(group: str) -> tuple[Path, ...]:
    """Make a group and return its folders, one a hierarchy."""
    folders = tuple(root / group for root in hierarchies())
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    return folders


def members(group: str) -> Iterator[Process]:
    """Yield the living processes of a group and of all groups below it."""
    for file in (hierarchies()[0] / group).rglob("cgroup.procs"):
        with contextlib.suppress(FileNotFoundError, OSError):  # the group may go while it is read
            for pid in file.read_text(encoding="ascii").split():
                if process := Process.of(int(pid)):
                    yield process


def memory(group: str) -> int:
    """Return the bytes of memory that a group's processes hold, pages shared with others in part (PSS)."""
    total = 0
    for process in members(group):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it may end while it is read
            lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
            total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def freeze(group: str, *, frozen: bool, bound: float = 5.0) -> None:
    """Stop every process of a group, or let them go on, and wait until that is so."""
    folder = hierarchies()[0] / group
    (folder / "cgroup.freeze").write_text("1" if frozen else "0", encoding="ascii")
    deadline = time.monotonic() + bound
    while is_frozen(group) is not frozen:
        if time.monotonic() > deadline:
            raise LabError(
                f"the processes of {group} did not {'freeze' if frozen else 'thaw'} within {bound:g} s"
            )
        time.sleep(0.01)


def is_frozen(group: str) -> bool:
    """Return whether every process of a group is frozen."""
    try:
        events = (hierarchies()[0] / group / "cgroup.events").read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    return "frozen 1" in events


def kill(group: str, *, bound: float = 5.0) -> None:
    """Kill every process of a group, and wait until none is left; frozen ones die as well."""
    deadline = time.monotonic() + bound
    while left := list(members(group)):
        if time.monotonic() > deadline:
            numbers = ", ".join(str(process.pid) for process in left)
            raise LabError(f"processes {numbers} of {group} did not end within {bound:g} s of SIGKILL")
        for process in left:
            process.send(signal.SIGKILL)
        time.sleep(0.01)


def remove(group: str, *, bound: float = 5.0) -> None:
    """Remove a group and all below it, once its last process has gone."""
    deadline = time.monotonic() + bound
    for root in hierarchies():
        while (root / group).exists():
            for folder in sorted((root / group).rglob("*/"), reverse=True):
                if folder.is_dir():
                    remove_empty(folder)
            remove_empty(root / group)
            if time.monotonic() > deadline:
                raise LabError(f"the control group {root / group} could not be removed within {bound:g} s")
            time.sleep(0.005)


def remove_empty(folder: Path) -> None:
    """Remove one group; one that is busy for another moment stays for now."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def named(prefix: str) -> list[str]:
    """Return the names of the top groups that begin with `prefix`."""
    return sorted({folder.name for root in hierarchies() for folder in root.glob(f"{prefix}*")})
