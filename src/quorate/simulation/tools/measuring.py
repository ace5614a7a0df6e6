"""What the questions for resources, the time and markers answer, in the words of the scripts that ask them.

The CPU's half second is not waited for. Source: quorate.probes.resources, proc_stat(5), df of coreutils.
"""

import posixpath
import time
from collections.abc import Sequence

from quorate.probes.resources import FOLDER, MOUNT, NOT_THERE, SYSTEM, WALK_FILES
from quorate.probes.sync import SCRIPT as MARKER
from quorate.simulation.machine import Answer, Sight
from quorate.simulation.resources import SimulatedDisk
from quorate.simulation.state import Trouble

_TICKS = 100  # a second's, of each core
_PAGE = 4096


def date(argv: Sequence[str], sight: Sight) -> Answer:
    """Return the host's time, `+%s.%N` being all that is ever asked for."""
    if list(argv) != ["+%s.%N"]:
        return Answer(stderr=b"date: the simulation answers `date +%s.%N` alone\n", exit_code=1)
    return Answer(stdout=f"{time.time() + sight.host.clock:.9f}\n".encode())


def sh(argv: Sequence[str], sight: Sight) -> Answer | Trouble:
    """Return what one of the scripts prints, or the trouble of the program that it hangs in."""
    script, words = (argv[1], argv[3:]) if len(argv) > 3 and argv[0] == "-c" else ("", ())
    if script == SYSTEM and len(words) == 3:
        return _system(words[0] != "0", int(words[1]), sight)
    if script == MARKER and words:
        return _marker(words[0], sight)
    if script not in (MOUNT, FOLDER):
        return Answer(stderr=b"sh: 1: the simulation runs questions alone\n", exit_code=2)
    if sight.host.trouble.get("df" if script == MOUNT else "find") is Trouble.HANGS:
        return Trouble.HANGS
    return _df(words[0], sight) if script == MOUNT else _walk(words[0], sight)


def _marker(path: str, sight: Sight) -> Answer:
    age, now = sight.host.markers.get(path), int(time.time() + sight.host.clock)
    if age is None:
        missing = f"stat: cannot statx '{path}': No such file or directory\n"
        return Answer(stderr=missing.encode(), exit_code=1)
    written = now - int(age + sight.uptime - sight.began)
    return Answer(stdout=f"{written} {written}\n{now}\n".encode())


def _system(watches: bool, processes: int, sight: Sight) -> Answer:
    has = sight.host.resources
    ticks = has.cores * _TICKS // 2
    busy = round(ticks * has.cpu / 100)
    lines = [f"cpu {ticks} {ticks - busy} {has.cores}" if watches else f"cpu - - {has.cores}"]
    lines.append(f"sees {int(bool(processes))}")
    names = [unit.partition(".")[0][:15] for unit in sight.host.units][:processes]
    shares = [2.0**-number for number in range(1, len(names) + 1)]
    told = list(zip(range(812, 10_000, 137), names, shares, strict=False))
    if watches:
        lines += [f"c {pid} {round(busy * share)} {name}" for pid, name, share in told if busy * share >= 1]
    used = has.ram * has.memory / 100
    lines += [f"m {pid} {int(used * share / 2) // _PAGE} {name}" for pid, name, share in told]
    lines.append(f"MemTotal:       {has.ram // 1024} kB")
    lines.append(f"MemAvailable:   {int(has.ram - used) // 1024} kB")
    lines.append(f"load {has.load:.2f} {has.load:.2f} {has.load:.2f} 1/312 4711")
    lines.append(f"page {_PAGE}")
    return Answer(stdout=("\n".join(lines) + "\n").encode())


def _df(path: str, sight: Sight) -> Answer:
    place, disk = _disk(path, sight)
    if disk is None or (path not in sight.host.resources.folders and path != place):
        return _no_such(path)
    size = disk.size // 1024
    used = round(size * disk.used / 100)
    inodes = disk.size // 16384
    taken = round(inodes * disk.inodes / 100)
    text = (
        "Filesystem     1024-blocks     Used Available Capacity Mounted on\n"
        f"/dev/vda1 {size} {used} {size - used} {round(disk.used)}% {place}\n"
        "Filesystem       Inodes  IUsed    IFree IUse% Mounted on\n"
        f"/dev/vda1 {inodes} {taken} {inodes - taken} {round(disk.inodes)}% {place}\n"
    )
    return Answer(stdout=text.encode())


def _disk(path: str, sight: Sight) -> tuple[str, SimulatedDisk | None]:
    """Return where the file system of a path is mounted, and the file system."""
    disks, place = sight.host.resources.disks, path
    while place not in disks and place != "/":
        place = posixpath.dirname(place)
    return place, disks.get(place)


def _walk(path: str, sight: Sight) -> Answer:
    folder = sight.host.resources.folders.get(path)
    if folder is None:
        return _no_such(f"{path}/.")
    files = folder.size // 2**20 + 1
    end = ("0", files) if folder.counted else ("124", min(files, WALK_FILES - 1))
    return Answer(stdout=f"{folder.size} {end[1]} {end[0]}\n".encode())


def _no_such(path: str) -> Answer:
    words = f"ls: cannot access '{path}': No such file or directory\n"
    return Answer(stderr=words.encode(), exit_code=NOT_THERE)
