"""What systemd says of units: one `systemctl show` for all units of a host, and the parser of its answer."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from quorate.model import Ask, NoReply, Reason, Reply, UnitFacts, Unobserved
from quorate.probes.answers import CACHED_BYTES, CANNOT_RUN, first_lines, passed_on, said, tool_missing
from quorate.probes.timespan import parse_timespan

PROPERTIES = (
    "Id",
    "Names",
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "Type",
    "UnitFileState",
    "NRestarts",
    "Job",
    "TriggeredBy",
    "ExecMainCode",
    "ExecMainStatus",
    "KillSignal",
    "TimeoutStartUSec",
    "TimeoutStopUSec",
    "StateChangeTimestampMonotonic",
    "ActiveEnterTimestampMonotonic",
    "InactiveExitTimestampMonotonic",
)
_KNOWN = frozenset(PROPERTIES)
_REQUIRED = ("LoadState", "ActiveState", "SubState")

SYSTEM_STATES = frozenset(
    {"initializing", "starting", "running", "degraded", "maintenance", "stopping", "offline", "unknown"}
)

# systemctl's words where there is no manager to ask. Source: systemd's bus-util.c, systemctl.c.
_NO_SYSTEMD = re.compile(
    rb"not been booted with systemd|Failed to connect to (?:\w+ scope )?bus|Failed to get D-Bus connection"
    rb"|Running in chroot, ignoring|Failed to get properties: (?:Transport endpoint|Connection |Broken pipe)"
)
_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNIT_NAME = re.compile(r"[A-Za-z0-9:_.\\@-]{1,255}")
_NUMBER = re.compile(r"[0-9]{1,20}")

# /proc/uptime is cut to hundredths, so that what changed just now can seem to lie that much ahead.
_UPTIME_STEP = 0.01


class _Block(NamedTuple):
    """One unit's part of an answer: its facts without ages, or what is wrong with it; stamps in seconds."""

    facts: UnitFacts | None
    fault: str
    state_change: float | None
    active_enter: float | None
    inactive_exit: float | None


def ask_units(units: Sequence[str]) -> Ask:
    """Return the question for the states of units, all at once; it needs no sudo. Source: systemctl(1)."""
    return Ask(argv=("systemctl", "show", "--no-pager", f"--property={','.join(PROPERTIES)}", "--", *units))


def parse_units(reply: Reply | NoReply, units: Sequence[str]) -> dict[str, UnitFacts | Unobserved]:
    """Return what the answer says of each unit asked for, by the name asked for.

    A unit is found by its names, since an alias is answered under another Id; a name without a suffix is
    a service's, as systemctl has it. `UnitFacts.names` begins with the Id. The exit code alone decides
    nothing. Ages come from `Reply.uptime` and systemd's monotonic stamps, both of the host's own clock;
    None where either is missing or they contradict each other, as in some containers.
    """
    if isinstance(reply, NoReply):
        return dict.fromkeys(units, passed_on(reply))
    read = _blocks if len(reply.stdout) <= CACHED_BYTES else _blocks.__wrapped__
    blocks = read(reply.stdout)
    if not blocks:
        return dict.fromkeys(units, _no_block(reply))
    return {unit: _fact(blocks.get(unit) or blocks.get(f"{unit}.service"), unit, reply) for unit in units}


def ask_system_state() -> Ask:
    """Return the question for the state of the whole system; its exit code tells nothing more."""
    return Ask(argv=("systemctl", "is-system-running"))


def parse_system_state(reply: Reply | NoReply) -> str | None:
    """Return systemd's word for the whole system (`running`, `starting`, …); None where it says none."""
    if isinstance(reply, NoReply):
        return None
    word = reply.stdout[:64].decode("ascii", "replace").strip()
    return word if word in SYSTEM_STATES else None


def _no_block(reply: Reply) -> Unobserved:
    if reply.exit_code in CANNOT_RUN:
        return tool_missing("systemctl", reply)
    if _NO_SYSTEMD.search(reply.stderr):
        detail = f"systemd does not run on this host, or its bus is out of reach: {first_lines(reply.stderr)}"
        return Unobserved(reason=Reason.NO_SYSTEMD, detail=detail)
    if not reply.stdout.strip() and not reply.stderr.strip():
        detail = f"systemctl printed nothing and ended with exit code {reply.exit_code}"
        return Unobserved(reason=Reason.NO_ANSWER, detail=detail)
    return Unobserved(reason=Reason.UNPARSABLE, detail=f"systemctl's answer names no unit: {said(reply)}")


def _fact(block: _Block | None, unit: str, reply: Reply) -> UnitFacts | Unobserved:
    if block is None:
        words = first_lines(reply.stderr)
        detail = f"systemctl's answer leaves {unit} out" + (f": {words}" if words else "")
        return Unobserved(reason=Reason.NO_ANSWER, detail=detail)
    base = block.facts
    if base is None:
        return Unobserved(reason=Reason.UNPARSABLE, detail=f"{block.fault}: {said(reply)}")
    uptime = reply.uptime
    if uptime is None:
        return base
    return UnitFacts(
        names=base.names,
        load_state=base.load_state,
        active_state=base.active_state,
        sub_state=base.sub_state,
        result=base.result,
        type=base.type,
        unit_file_state=base.unit_file_state,
        n_restarts=base.n_restarts,
        job=base.job,
        triggered_by=base.triggered_by,
        exec_main_code=base.exec_main_code,
        exec_main_status=base.exec_main_status,
        kill_signal=base.kill_signal,
        start_limit=base.start_limit,
        stop_limit=base.stop_limit,
        state_age=_age(uptime, block.state_change),
        active_age=_age(uptime, block.active_enter),
        starting_age=_age(uptime, block.inactive_exit),
    )


def _age(uptime: float, stamp: float | None) -> float | None:
    if stamp is None:
        return None
    age = uptime - stamp
    if age >= 0:
        return age
    return 0.0 if age >= -_UPTIME_STEP else None


# A healthy unit's answer is the same in every sweep, to the byte: reading it once is enough.
@lru_cache(maxsize=4096)
def _blocks(stdout: bytes) -> Mapping[str, _Block]:
    """Return the blocks of an answer by every name of their unit; the first of a name counts."""
    text = stdout.decode("utf-8", "replace")
    # A line that is not ended was not said to its end: half a number is a wrong number.
    whole = text[: text.rfind("\n") + 1].replace("\r\n", "\n")
    found: dict[str, _Block] = {}
    for part in whole.split("\n\n"):
        values, twice = _properties(part)
        names = _names(values)
        if names:
            block = _block(values, names, twice)
            for name in names:
                found.setdefault(name, block)
    return found


def _properties(part: str) -> tuple[dict[str, str], str | None]:
    """Return the known properties of a block, and the one that it gives two different values, if any."""
    values: dict[str, str] = {}
    twice = None
    for line in part.split("\n"):
        key, equals, value = line.partition("=")
        if equals and key in _KNOWN and values.setdefault(key, value) != value:
            twice = key
    return values, twice


def _block(values: dict[str, str], names: tuple[str, ...], twice: str | None) -> _Block:
    if twice:
        return _Block(None, f"systemctl's answer gives {names[0]} two values of {twice}", None, None, None)
    for key in _REQUIRED:
        if not _WORD.fullmatch(values.get(key, "")):
            return _Block(None, f"systemctl's answer lacks the {key} of {names[0]}", None, None, None)
    facts = UnitFacts(
        names=names,
        load_state=values["LoadState"],
        active_state=values["ActiveState"],
        sub_state=values["SubState"],
        result=_word(values, "Result"),
        type=_word(values, "Type"),
        unit_file_state=_word(values, "UnitFileState"),
        n_restarts=_number(values, "NRestarts"),
        # systemctl prints a unit without a job as an empty value, or as 0.
        job=0 if values.get("Job") == "" else _number(values, "Job"),
        triggered_by=_unit_names(values.get("TriggeredBy", "")),
        exec_main_code=_number(values, "ExecMainCode"),
        exec_main_status=_number(values, "ExecMainStatus"),
        kill_signal=_number(values, "KillSignal"),
        start_limit=parse_timespan(values.get("TimeoutStartUSec", "")),
        stop_limit=parse_timespan(values.get("TimeoutStopUSec", "")),
    )
    return _Block(
        facts,
        "",
        _stamp(values, "StateChangeTimestampMonotonic"),
        _stamp(values, "ActiveEnterTimestampMonotonic"),
        _stamp(values, "InactiveExitTimestampMonotonic"),
    )


def _names(values: dict[str, str]) -> tuple[str, ...]:
    """Return all names of a unit, its Id first."""
    told = _unit_names(values.get("Id", "")) + _unit_names(values.get("Names", ""))
    return tuple(dict.fromkeys(told))


def _unit_names(text: str) -> tuple[str, ...]:
    # systemd before 240 escapes the backslash of an escaped name once more.
    words = text.replace("\\x5c", "\\").split()
    return tuple(word for word in words if _UNIT_NAME.fullmatch(word))


def _word(values: dict[str, str], key: str) -> str | None:
    value = values.get(key, "")
    return value if _WORD.fullmatch(value) else None


def _number(values: dict[str, str], key: str) -> int | None:
    value = values.get(key, "")
    return int(value) if _NUMBER.fullmatch(value) else None


def _stamp(values: dict[str, str], key: str) -> float | None:
    """Return a monotonic stamp in seconds; None for 0, which says that it never happened."""
    microseconds = _number(values, key)
    return microseconds / 1e6 if microseconds else None
