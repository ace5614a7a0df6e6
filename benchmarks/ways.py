"""The ways of asking: with `ssh` as people do it, and Quorate."""

import json
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import Cost, peak_while, run
from benchmarks.question import Access, Question

AT_ONCE = 32
FAST = (
    "-oKexAlgorithms=curve25519-sha256",
    "-oCiphers=aes128-gcm@openssh.com",
    "-oGSSAPIAuthentication=no",
    "-oPreferredAuthentications=publickey",
)
Wrap = Callable[[Sequence[str]], Sequence[str]]
"""Returns the argument vector that runs a program where the hosts can be reached."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Hosts that can be asked, and a folder for what is needed to ask them."""

    question: Question
    access: Access
    folder: Path
    wrap: Wrap


def one_process_a_unit(place: Place) -> Cost:
    """Ask as the seed does: one ssh a unit, one after the other; `ssh` verifies host keys, as it does."""
    lines = seed_lines(place.question)
    cost, printed = run(place.wrap(xargs(place, 1, ())), lines)
    return checked(cost, printed, place)


def one_process_a_host(place: Place, *, flags: Sequence[str] = ()) -> Cost:
    """Ask with one ssh a host, 32 at once."""
    cost, printed = run(place.wrap(xargs(place, AT_ONCE, flags)), host_lines(place.question))
    return checked(cost, printed, place)


def memory_of_ssh(place: Place, at_once: int, flags: Sequence[str] = ()) -> int:
    """Return the most memory that the ssh processes have together, in bytes."""
    lines = host_lines(place.question.first(2 * at_once))
    return peak_while(place.wrap(xargs(place, at_once, flags)), lines)


def seed_lines(question: Question) -> str:
    """Return one line a process: the host and a unit."""
    return "".join(
        f"{a} systemctl is-active {unit}\n" for a in question.addresses.values() for unit in question.units
    )


def host_lines(question: Question) -> str:
    """Return one line a process: the host and all units."""
    units = " ".join(question.units)
    return "".join(f"{address} systemctl is-active {units}\n" for address in question.addresses.values())


def xargs(place: Place, at_once: int, flags: Sequence[str]) -> list[str]:
    """Return the command that runs one ssh a line of its input: nothing that starts processes is leaner."""
    return ["xargs", "-L1", f"-P{at_once}", *ssh(place.access), *flags]


def ssh(access: Access) -> list[str]:
    """Return the command that logs in to a host, without the host."""
    return [
        "ssh",
        "-F/etc/ssh/ssh_config" if Path("/etc/ssh/ssh_config").exists() else "-Fnone",
        f"-i{access.identity_file}",
        f"-l{access.user}",
        f"-p{access.port}",
        f"-oUserKnownHostsFile={access.known_hosts}",
        "-oIdentitiesOnly=yes",
        "-oBatchMode=yes",
        "-oConnectTimeout=5",
    ]


def checked(cost: Cost, printed: str, place: Place) -> Cost:
    """Return the cost of a run in which every unit of every host was seen to be active."""
    seen, wanted = printed.split().count("active"), len(place.question.addresses) * len(place.question.units)
    if seen != wanted:
        raise SystemExit(f"benchmarks: ssh saw {seen} units active of {wanted}: no ratio would mean anything")
    return cost


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What Quorate's sweeps cost: the first one of a new process, and one with connections kept."""

    cold: Cost
    kept: Cost


def quorate(place: Place, *, kept: int) -> Asked:
    """Sweep once in a new process, then so many times with connections kept; every verdict must be OK."""
    return sweeps(inventory_file(place), place.question.verdicts, kept=kept, wrap=place.wrap)


def inventory_file(place: Place) -> Path:
    """Write the inventory of a place; return where it is."""
    file = place.folder / f"cluster-{len(place.question.addresses)}.yaml"
    file.write_text(place.question.inventory(place.access))
    return file


def sweeps(inventory: Path, verdicts: int | None, *, kept: int, wrap: Wrap = list) -> Asked:
    """Sweep an inventory in a new process; `verdicts` is how many there must be, where that is known."""
    _, printed = run(wrap([sys.executable, "-m", "benchmarks.asking", str(inventory), str(kept)]))
    if not printed:
        raise SystemExit("benchmarks: the asking side failed; its error stands above")
    told = json.loads(printed)
    if told["not_well"] or verdicts not in (None, told["verdicts"]):
        raise SystemExit(f"benchmarks: {told['verdicts']} verdicts, and not all well: {told['not_well']}")
    return Asked(
        cold=Cost(wall=told["wall"], cpu=told["cpu"], peak=told["peak"]),
        kept=Cost(wall=told["kept_wall"], cpu=told["kept_cpu"], peak=told["peak"]),
    )


def command(place: Place) -> Cost:
    """Sweep with the command line, starting Python and printing included."""
    inventory = inventory_file(place)
    quorate_command = str(Path(sys.executable).with_name("quorate"))
    cost, printed = run(place.wrap([quorate_command, "check", "-i", str(inventory), "-o", "json"]))
    if json.loads(printed)["state"] != "ok":
        raise SystemExit("benchmarks: `quorate check` does not find all well: no ratio would mean anything")
    return cost


def median(costs: Sequence[Cost]) -> Cost:
    """Return the medians of several rounds."""
    peaks = [cost.peak for cost in costs if cost.peak is not None]
    return Cost(
        wall=statistics.median(cost.wall for cost in costs),
        cpu=statistics.median(cost.cpu for cost in costs),
        peak=max(peaks) if peaks else None,
    )
