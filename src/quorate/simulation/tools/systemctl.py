"""What `systemctl` of systemd 252 answers: `show`, `is-system-running`, `is-active`. Source: systemctl(1)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from quorate.simulation.data import recorded
from quorate.simulation.machine import Answer, Sight
from quorate.simulation.state import SimulatedUnit, Trouble
from quorate.simulation.tools.options import Options, UnknownOption, parse_options
from quorate.simulation.units import build_unit, full_name

_TAKES_VALUE = frozenset({"--property", "-p", "--type", "-t", "--state", "--output", "-o", "--timestamp"})
_FLAGS = frozenset({"--no-pager", "--all", "-a", "--value", "--quiet", "-q", "--full", "-l", "--system"})
_STAMPS = [
    "StateChange",
    "InactiveExit",
    "ActiveEnter",
    "ActiveExit",
    "InactiveEnter",
    "ExecMainStart",
    "ExecMainExit",
    "Condition",
    "Assert",
]

_WITHOUT_SYSTEMD = {
    Trouble.NO_SYSTEMD: (
        b"System has not been booted with systemd as init system (PID 1). Can't operate.\n"
        b"Failed to connect to bus: Host is down\n"
    ),
    Trouble.NO_BUS: b"Failed to connect to bus: No such file or directory\n",
}


def systemctl(argv: Sequence[str], sight: Sight) -> Answer:
    """Return systemctl's answer to its arguments."""
    try:
        options = parse_options(argv, values=_TAKES_VALUE, flags=_FLAGS)
    except UnknownOption as error:
        return _failed(f"systemctl: {error}")
    verb, *units = options.words or ["list-units"]
    trouble = sight.host.trouble.get("systemctl")
    if trouble in _WITHOUT_SYSTEMD:
        offline = b"offline\n" if verb == "is-system-running" else b""
        return Answer(stdout=offline, stderr=_WITHOUT_SYSTEMD[trouble], exit_code=1)
    match verb:
        case "show":
            return _remembered(("show", *argv), options, units, sight)
        case "is-system-running":
            state = system_state(sight)
            return Answer(stdout=f"{state}\n".encode(), exit_code=0 if state == "running" else 1)
        case "is-active":
            states = [_unit(name, sight).properties.get("ActiveState", "inactive") for name in units]
            lines = "".join(f"{state}\n" for state in states)
            return Answer(stdout=lines.encode(), exit_code=0 if "active" in states else 3)
        case _:
            return _failed(f"Unknown command verb {verb}.")


def system_state(sight: Sight) -> str:
    """Return systemd's word for the whole system."""
    if sight.host.system_state is not None:
        return sight.host.system_state
    return "degraded" if _failed_units(sight) else "running"


def _failed_units(sight: Sight) -> list[SimulatedUnit]:
    return [u for u in sight.host.units.values() if u.properties.get("ActiveState") == "failed"]


def _failed(words: str) -> Answer:
    return Answer(stderr=f"{words}\n".encode(), exit_code=1)


def _remembered(key: tuple[str, ...], options: Options, units: list[str], sight: Sight) -> Answer:
    # A unit's answer changes only with the unit, because its stamps stand still.
    if key not in sight.memory:
        sight.memory[key] = _show(options, units, sight)
    return sight.memory[key]


def _show(options: Options, units: list[str], sight: Sight) -> Answer:
    wanted = [name for value in options.all("--property", "-p") for name in value.split(",")]
    if not units:
        return Answer(stdout=_manager(wanted, sight).encode())
    blocks: list[str] = []
    for name in units:
        if name.partition(".")[0].endswith("@"):
            fault = f"Unit name {full_name(name)} is neither a valid invocation ID nor unit name."
            return Answer(
                stdout="\n".join(blocks).encode(),
                stderr=f"Failed to get properties: {fault}\n".encode(),
                exit_code=1,
            )
        for unit in _matching(name, sight):
            if unit.answered:
                value_only = options.has("--value")
                blocks.append(_block(unit, wanted, sight, empty=options.has("--all", "-a"), bare=value_only))
    return Answer(stdout="\n".join(blocks).encode())


def _matching(name: str, sight: Sight) -> Iterator[SimulatedUnit]:
    if any(character in name for character in "*?["):
        yield from (u for u in sight.host.units.values() if any(fnmatchcase(n, name) for n in u.names))
    else:
        yield _unit(name, sight)


def _unit(name: str, sight: Sight) -> SimulatedUnit:
    wanted = full_name(name)
    for unit in sight.host.units.values():
        if wanted in unit.names:
            return unit
    return build_unit(name, {"state": "not-found"}, host=sight.host.name, address=sight.host.address)


def _block(unit: SimulatedUnit, wanted: Iterable[str], sight: Sight, *, empty: bool, bare: bool) -> str:
    told = {**_stamps(unit, sight), **unit.properties}
    asked = frozenset(wanted)
    lines = []
    for key, usual in recorded(unit.template):
        value = told.get(key, usual)
        # Without --property and --all, what is empty is left out; source: systemctl(1), "--all".
        shown = key in asked if asked else (value or empty)
        if shown and key not in sight.host.lacks:
            lines.append(f"{value}\n" if bare else f"{key}={value}\n")
    return "".join(lines)


def _stamps(unit: SimulatedUnit, sight: Sight) -> Mapping[str, str]:
    found = {}
    for name in _STAMPS:
        age = unit.ages.get(name)
        since = None if age is None else sight.stamp(unit.name, age)
        found[f"{name}Timestamp"] = "" if since is None else _clock(sight.wall(since))
        found[f"{name}TimestampMonotonic"] = "0" if since is None else str(round(since * 1e6))
    return found


def _clock(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%a %Y-%m-%d %H:%M:%S UTC")


def _manager(wanted: Sequence[str], sight: Sight) -> str:
    told = {
        "Version": "252.39-1~deb12u2",
        "Architecture": "x86-64",
        "NFailedUnits": str(len(_failed_units(sight))),
        "SystemState": system_state(sight),
    }
    return "".join(f"{key}={value}\n" for key, value in told.items() if not wanted or key in wanted)
