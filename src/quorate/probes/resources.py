"""Kind `resources`: CPU, load, memory, processes, disks and a folder's size, as /proc and df say.

The cheap question comes first. Each path has a question of its own with a short limit, so that a hung mount
costs nothing but its own figure. Processes are told by the kernel's short name of them, never by their
command line, whose arguments may hold secrets. Sources: proc_stat(5), proc_meminfo(5), proc_loadavg(5),
proc_pid_stat(5), POSIX df.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from quorate.model import Ask, Check, HostReply, NoReply, Reason, Reply
from quorate.model.resources import (
    CpuProcess,
    FolderFacts,
    MemoryProcess,
    Missing,
    MountFacts,
    ResourceFacts,
    SystemFacts,
)
from quorate.probes.answers import CANNOT_RUN, first_lines
from quorate.probes.probe import Probe

MOUNT_LIMIT = 3.0
"""How long df may take for one path, in seconds."""
WALK_SECONDS = 2
"""How long the files of a folder are counted, in seconds."""
WALK_FILES = 200_000
"""How many files of a folder are counted."""
NOT_THERE = 72
"""Exit code of our scripts for a path that they can't get at; `ls` has said why."""

# Samples of the CPU lines and of the processes go in, each behind a line `@`. Out come, of the time between
# the samples: `cpu <ticks> <idle ticks> <cores>`, `sees <whether process 1 was seen>`, and of the processes
# at the top `c <pid> <ticks> <name>` and `m <pid> <pages> <name>`. A process is known by its pid and start.
SAMPLES = (
    "/^@$/ { s++; next } "
    "/^cpu[0-9]/ { if (s == 1) cores++; next } "
    "/^cpu / { t = 0; for (i = 2; i <= 9 && i <= NF; i++) t += $i; total[s] = t; idle[s] = $5 + $6; next } "
    '{ rest = $0; if (sub(/^.*[)] /, "", rest) == 0) next; split(rest, f, " "); '
    'head = $0; sub(/^[0-9]+ [(]/, "", head); '
    'k = $1 ":" f[20]; pid[k] = $1; name[k] = substr(head, 1, length(head) - length(rest) - 2); '
    "now = f[12] + f[13]; took[k] = (s == 1) ? 0 : now - before[k]; if (s == 1) before[k] = now; "
    "pages[k] = f[22]; seen[k] = s; if ($1 == 1) one = 1 } "
    'END { if (s > 1) printf "cpu %.0f %.0f %d\\n", total[2] - total[1], idle[2] - idle[1], cores; '
    'else if (s == 1) printf "cpu - - %d\\n", cores; '
    'print "sees", one + 0; top(took, "c"); top(pages, "m") } '
    'function top(of, mark,   j, k, best) { for (j = 0; j < n; j++) { best = ""; '
    'for (k in seen) if (seen[k] == s && of[k] > 0 && (best == "" || of[k] > of[best])) best = k; '
    'if (best == "") return; printf "%s %d %.0f %s\\n", mark, pid[best], of[best], name[best]; '
    "of[best] = 0 } }"
)
SYSTEM = (
    "i=$1; n=$2; s() { echo @; grep ^cpu /proc/stat; [ $n = 0 ] || cat /proc/[0-9]*/stat; }; "
    '{ s; [ $i = 0 ] || { sleep $i || sleep 1; s; }; } 2>/dev/null | awk -v n=$n "$3"; '
    'grep -E "^Mem(Total|Available):" /proc/meminfo; sed "s/^/load /" /proc/loadavg; '
    "echo page $(getconf PAGESIZE 2>/dev/null || grep -m 1 ^KernelPageSize: /proc/self/smaps)"
)
"""The first question: $1 seconds between two samples, or 0; $2 how many processes; $3 SAMPLES."""

MOUNT = '[ -e "$1" ] || { ls -d -- "$1"; exit 72; }; df -Pk -- "$1" && df -Pi -- "$1"'
"""The question of each path, which is $1."""

# `<bytes> <files> <how find ended>`, where that is `enough` if so many files were counted as are allowed.
SUM = (
    '$1 == "end" { code = $2; next } { n++; blocks += $1 } n >= most { code = "enough"; exit } '
    'END { printf "%.0f %d %s\\n", blocks * 512, n, code }'
)
# A folder that is a mount point needs no walk: df knows what is used. Else each file's blocks are summed; a
# find that knows no -printf (busybox) lets stat tell them.
FOLDER = (
    '[ -d "$1" ] || { ls -d -- "$1/."; exit 72; }; '
    'm=$(df -Pk -- "$1" | tail -n 1); case "$m" in *"% $1") echo "mount $m"; exit 0;; esac; '
    'find / -maxdepth 0 -printf x >/dev/null 2>&1 && set -- "$1" "$2" "$3" "$4" -printf "%b\\n" || '
    'set -- "$1" "$2" "$3" "$4" -exec stat -c %b {} +; '
    "d=$1; t=$2; n=$3; a=$4; shift 4; "
    '{ timeout $t find "$d" -xdev -type f "$@" 2>/dev/null; echo end $?; } | awk -v most=$n "$a"'
)
"""The folder's question: $1 the folder, $2 seconds, $3 files at most, $4 SUM."""

_CPU = re.compile(r"cpu (?:(\d{1,18}) (-?\d{1,18})|- -) (\d{1,6})", re.ASCII)
_PROCESS = re.compile(r"([cm]) (\d{1,10}) (\d{1,15}) (.*)", re.ASCII)
_MEMORY = re.compile(r"^Mem(Total|Available): +(\d{1,15}) kB", re.ASCII | re.MULTILINE)
_LOAD = re.compile(
    r"^load (\d{1,9}\.\d{1,3}) (\d{1,9}\.\d{1,3}) (\d{1,9}\.\d{1,3}) ", re.ASCII | re.MULTILINE
)
_PAGE = re.compile(r"^page (?:(\d{3,9})|KernelPageSize: *(\d{1,6}) kB)$", re.ASCII | re.MULTILINE)
# The device's name may hold blanks, and so may the place.
_FILE_SYSTEM = re.compile(
    r"^.+? +(\d{1,18}|-) +(\d{1,18}|-) +(-?\d{1,18}|-) +(?:\d{1,3}%|-) +(/.*)$", re.ASCII
)
_WALK = re.compile(r"(\d{1,18}) (\d{1,9}) (\d{1,3}|enough)\s*", re.ASCII)


def commands(check: Check, _host: str) -> Sequence[Ask]:
    """Return the questions to a host: the system's, one for each path, and the folder's. None needs sudo."""
    settings = check.settings
    folder = settings["log_folder"]
    return (
        ask_system(settings["interval"], settings["processes"]),
        *(Ask(argv=("sh", "-c", MOUNT, "sh", path), limit=MOUNT_LIMIT) for path in settings["mounts"]),
        *([_ask_folder(folder)] if folder is not None else []),
    )


def ask_system(interval: float = 0.0, processes: int = 0) -> Ask:
    """Return the question for cores, CPU over `interval` seconds, load, memory and the top processes.

    With an interval of 0 the CPU is not measured.
    """
    return Ask(argv=("sh", "-c", SYSTEM, "sh", f"{interval:g}", str(processes), SAMPLES))


def _ask_folder(folder: str) -> Ask:
    argv = ("sh", "-c", FOLDER, "sh", folder, str(WALK_SECONDS), str(WALK_FILES), SUM)
    return Ask(argv=argv, limit=WALK_SECONDS + 2.0)


def read(check: Check, _host: str, reply: HostReply) -> ResourceFacts:
    """Return what a host answered; each figure that it did not give is a NoReply of its own."""
    system, *rest = reply.answers
    mounts = check.settings["mounts"]
    folder = check.settings["log_folder"]
    return ResourceFacts(
        system=parse_system(system),
        mounts={path: _mount(path, rest[number]) for number, path in enumerate(mounts)},
        log_folder=None if folder is None else _folder(folder, rest[len(mounts)]),
        duration=reply.duration,
    )


def parse_system(answer: Reply | NoReply) -> SystemFacts | NoReply:
    """Return what the kernel tells of the host."""
    if isinstance(answer, NoReply):
        return _late("CPU, load and memory", answer)
    if answer.exit_code in CANNOT_RUN:
        detail = f"a shell cannot be run on this host: {_words(answer)}"
        return NoReply(reason=Reason.TOOL_MISSING, detail=detail)
    text = answer.stdout.decode("utf-8", "replace")
    lines = text.split("\n")
    cpu = next((match for line in lines if (match := _CPU.fullmatch(line))), None)
    ticks, idle = (int(cpu[1]), int(cpu[2])) if cpu and cpu[1] else (0, 0)
    cores = (int(cpu[3]) or None) if cpu else None
    total, used = _memory(text, answer)
    processes = [match for line in lines if (match := _PROCESS.fullmatch(line))]
    page = _PAGE.search(text)
    return SystemFacts(
        cores=cores,
        cpu_percent=_cpu_percent(cpu, ticks, idle, answer),
        load=_load(text, answer),
        memory_total_bytes=total,
        memory_used_percent=used,
        top_cpu=tuple(_by_cpu(processes, ticks / cores)) if ticks and cores else (),
        top_memory=tuple(_by_memory(processes, page)) if page else (),
        partial="sees 0" in lines and bool(processes),
    )


def _cpu_percent(cpu: re.Match[str] | None, ticks: int, idle: int, answer: Reply) -> float | NoReply | None:
    if cpu is not None and cpu[1] is None:
        return None
    # The kernel's count of waiting for disks may go back a little.
    if cpu is None or ticks == 0 or idle > ticks * 1.05 + 2:
        return _unread("the CPU", answer)
    return min(100.0, max(0.0, 100.0 * (ticks - idle) / ticks))


def _load(text: str, answer: Reply) -> tuple[float, float, float] | NoReply:
    found = _LOAD.search(text)
    return (float(found[1]), float(found[2]), float(found[3])) if found else _unread("the load", answer)


def _memory(text: str, answer: Reply) -> tuple[int | None, float | NoReply]:
    found = {match[1]: int(match[2]) for match in _MEMORY.finditer(text)}
    total, available = found.get("Total"), found.get("Available")
    if not total or available is None or available > total:
        return (total * 1024 if total else None), _unread("the memory", answer)
    return total * 1024, 100.0 * (1 - available / total)


def _by_cpu(processes: Sequence[re.Match[str]], ticks: float) -> Iterator[CpuProcess]:
    for found in processes:
        if found[1] == "c":
            yield CpuProcess(pid=int(found[2]), name=found[4][:64], percent=100.0 * int(found[3]) / ticks)


def _by_memory(processes: Sequence[re.Match[str]], page: re.Match[str]) -> Iterator[MemoryProcess]:
    size = int(page[1]) if page[1] else int(page[2]) * 1024
    for found in processes:
        if found[1] == "m":
            yield MemoryProcess(pid=int(found[2]), name=found[4][:64], bytes=int(found[3]) * size)


def _mount(path: str, answer: Reply | NoReply) -> MountFacts | Missing | NoReply:
    if isinstance(answer, NoReply):
        return _late(f"df of {path}", answer)
    if answer.exit_code == NOT_THERE:
        return _not_there(path, answer)
    if answer.exit_code in CANNOT_RUN:
        return NoReply(reason=Reason.TOOL_MISSING, detail=f"df cannot be run on this host: {_words(answer)}")
    tables = _tables(answer.stdout)
    if not tables or None in tables[0][:3]:
        return _unread(f"the space of {path}", answer)
    size, used, free, place = tables[0]
    whole = (used or 0) + max(0, free or 0)
    if not size or not whole:
        return _unread(f"the space of {path}", answer, "the file system there has no size")
    inodes = _inodes(*tables[1][1:3]) if len(tables) == 2 else _unread(f"the inodes of {path}", answer)
    return MountFacts(
        mounted_on=place,
        size_bytes=size * 1024,
        used_bytes=(used or 0) * 1024,
        used_percent=100.0 * (used or 0) / whole,
        inodes_used_percent=inodes,
    )


def _inodes(used: int | None, free: int | None) -> float | None:
    # btrfs and vfat have no fixed number of inodes, and tell 0 of everything.
    return 100.0 * used / (used + free) if used is not None and free is not None and used + free > 0 else None


def _tables(stdout: bytes) -> list[tuple[int | None, int | None, int | None, str]]:
    """Return size, used, free and place of each line of df; None where it has a dash."""
    found = []
    for line in stdout.decode("utf-8", "replace").split("\n"):
        if match := _FILE_SYSTEM.fullmatch(line):
            size, used, free = (None if field == "-" else int(field) for field in match.groups()[:3])
            found.append((size, used, free, match[4][:200]))
    return found


def _folder(path: str, answer: Reply | NoReply) -> FolderFacts | Missing | NoReply:
    what = f"the size of {path}"
    if isinstance(answer, NoReply):
        return _late(what, answer)
    if answer.exit_code == NOT_THERE:
        return _not_there(path, answer)
    if answer.stdout.startswith(b"mount "):
        tables = _tables(answer.stdout.removeprefix(b"mount "))
        used = tables[0][1] if tables else None
        return _unread(what, answer) if used is None else FolderFacts(bytes=used * 1024)
    found = _WALK.fullmatch(answer.stdout.decode("utf-8", "replace"))
    if found is None:
        return _unread(what, answer)
    size, files, end = int(found[1]), int(found[2]), found[3]
    if end == "0":
        return FolderFacts(bytes=size)
    if end in ("126", "127"):
        detail = f"{what} can't be told: timeout, find or stat cannot be run on this host"
        return NoReply(reason=Reason.TOOL_MISSING, detail=detail)
    why = _ENDS.get(end, "not all of it could be read")
    if files == 0:
        reason = Reason.COMMAND_TIMEOUT if end == "124" else Reason.UNPARSABLE
        return NoReply(reason=reason, detail=f"{what} can't be told: {why}")
    return FolderFacts(bytes=size, complete=False, why=why)


_ENDS: Mapping[str, str] = {
    "124": f"its files were counted for {WALK_SECONDS} s, and there are more",
    "enough": f"{WALK_FILES} of its files were counted, and there are more",
}


def _not_there(path: str, answer: Reply) -> Missing | NoReply:
    said = first_lines(answer.stderr)
    if "No such file or directory" in said or "Not a directory" in said:
        return Missing(detail=f"{path} is not there: {said}")
    # Somebody else's folder, a stale handle of NFS: it may be there and well.
    return NoReply(reason=Reason.UNPARSABLE, detail=f"{path} can't be looked at: {_words(answer)}")


def _late(what: str, answer: NoReply) -> NoReply:
    """Return why there is no answer, by a name that says more than the command's first words."""
    if answer.reason is not Reason.COMMAND_TIMEOUT:
        return answer
    return NoReply(reason=answer.reason, detail=f"{what}: {answer.detail.rpartition(': ')[2]}")


def _unread(what: str, answer: Reply, why: str = "") -> NoReply:
    return NoReply(reason=Reason.UNPARSABLE, detail=f"{what} can't be told: {why or _words(answer)}")


def _words(answer: Reply) -> str:
    # What went wrong is on standard error; other figures may stand on standard output all the same.
    return first_lines(answer.stderr) or first_lines(answer.stdout) or "nothing was printed"


PROBE = Probe(commands=commands, read=read)
