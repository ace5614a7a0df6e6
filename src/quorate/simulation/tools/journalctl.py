"""What `journalctl` of systemd 252 answers. Source: journalctl(1), systemd.journal-fields(7)."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from quorate.simulation.machine import Answer, Sight
from quorate.simulation.state import JournalAccess, JournalLine
from quorate.simulation.tools.header import header
from quorate.simulation.tools.options import Options, UnknownOption, parse_options
from quorate.simulation.tools.times import parse_time
from quorate.simulation.units import full_name

_TAKES_VALUE = frozenset(
    [
        "--output",
        "-o",
        "--output-fields",
        "--unit",
        "-u",
        "--since",
        "-S",
        "--until",
        "-U",
        "--priority",
        "-p",
        "--identifier",
        "-t",
    ]
)
_OPTIONAL = frozenset(["--lines", "-n", "--boot", "-b"])
_FLAGS = frozenset(
    [
        "--no-pager",
        "--all",
        "-a",
        "--quiet",
        "-q",
        "--reverse",
        "-r",
        "--header",
        "--utc",
        "--no-hostname",
        "--system",
    ]
)
_ALWAYS = ("__CURSOR", "__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "_BOOT_ID")
_LONGEST = 4096
"""Bytes of a field that JSON output shows without --all; source: journalctl(1), "-o json"."""
_HINT = (
    b"Hint: You are currently not seeing messages from other users and the system.\n"
    b"      Users in groups 'adm', 'systemd-journal' can see all messages.\n"
    b"      Pass -q to turn off this notice.\n"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    """A line of the journal with its time since boot."""

    stamp: float
    message: str | bytes
    fields: Mapping[str, str]


def journalctl(argv: Sequence[str], sight: Sight) -> Answer:
    """Return journalctl's answer to its arguments."""
    try:
        options = parse_options(_joined(argv), values=_TAKES_VALUE, flags=_FLAGS, optional=_OPTIONAL)
    except UnknownOption as error:
        return Answer(stderr=f"journalctl: {error}\n".encode(), exit_code=1)
    access = JournalAccess.ALL if sight.root else sight.host.journal_access
    if access is JournalAccess.REFUSED:
        return Answer(stderr=b"No journal files were opened due to insufficient permissions.\n", exit_code=1)
    hint = _HINT if access is JournalAccess.OWN and not options.has("-q", "--quiet") else b""
    if options.has("--header"):
        return Answer(stdout=header(sight).encode(), stderr=hint)
    try:
        entries = _chosen(options, sight) if access is JournalAccess.ALL else []
    except ValueError as error:
        return Answer(stderr=f"{error}\n".encode(), exit_code=1)
    return Answer(stdout=_printed(entries, options, sight), stderr=hint)


def _joined(argv: Sequence[str]) -> list[str]:
    # -n and -b may be followed by their value as a word of its own, unlike other optional ones.
    words: list[str] = []
    for word in argv:
        if words and words[-1] in ("-n", "--lines", "-b", "--boot") and word.lstrip("+-").isdigit():
            flag = words.pop()
            words.append(f"{flag}={word}" if flag.startswith("--") else f"{flag}{word}")
        else:
            words.append(word)
    return words


def _chosen(options: Options, sight: Sight) -> list[_Entry]:
    now = sight.wall(sight.uptime)
    since = parse_time(options.last("--since", "-S"), now)
    until = parse_time(options.last("--until", "-U"), now)
    units = [full_name(unit) for unit in options.all("--unit", "-u")]
    terms = _terms(options.words)
    identifiers = options.all("--identifier", "-t")
    priority = int(options.last("--priority", "-p") or 7)
    found = [
        entry
        for entry in _entries(sight)
        if (not units or any(_of_unit(entry, unit) for unit in units))
        and (not terms or any(_matches(entry, term) for term in terms))
        and (not identifiers or entry.fields["SYSLOG_IDENTIFIER"] in identifiers)
        and int(entry.fields["PRIORITY"]) <= priority
        and (not options.has("--boot", "-b") or entry.stamp >= 0)
        and (since is None or sight.wall(entry.stamp) >= since)
        and (until is None or sight.wall(entry.stamp) <= until)
    ]
    found.sort(key=lambda entry: entry.stamp)
    lines = options.last("--lines", "-n")
    if lines is not None and lines.lstrip("=") != "all":
        count = int(lines.lstrip("=") or 10)
        found = found[len(found) - min(count, len(found)) :]
    return found[::-1] if options.has("-r", "--reverse") else found


def _entries(sight: Sight) -> Iterator[_Entry]:
    for unit in sight.host.units.values():
        for line in unit.journal:
            # An entry from the time that is yet to come can't be in the journal.
            stamp = sight.stamp(unit.name, line.age)
            if stamp <= sight.uptime:
                message = _message(line.text, sight.wall(stamp))
                yield _Entry(stamp=stamp, message=message, fields=_fields(unit.name, line, sight))


def _message(text: str | bytes, wall: float) -> str | bytes:
    if isinstance(text, bytes) or "{time}" not in text:
        return text
    clock = datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+0000")
    return text.replace("{time}", clock)


def _fields(unit: str, line: JournalLine, sight: Sight) -> dict[str, str]:
    told = {
        "PRIORITY": str(line.priority),
        "SYSLOG_FACILITY": "3",
        "SYSLOG_IDENTIFIER": line.identifier,
        "_TRANSPORT": "journal" if line.manager else "stdout",
        "_PID": str(line.pid),
        "_COMM": line.identifier[:15],
        "_SYSTEMD_UNIT": "init.scope" if line.manager else unit,
        "_HOSTNAME": sight.host.name,
    }
    return told | ({"UNIT": unit} if line.manager else {}) | dict(line.fields)


def _of_unit(entry: _Entry, unit: str) -> bool:
    # Lines of the unit, and lines of systemd about it; source: add_matches_for_unit() in logs-show.c.
    names = [entry.fields["_SYSTEMD_UNIT"]]
    if entry.fields["_PID"] == "1":
        names.append(entry.fields.get("UNIT", ""))
    return any(fnmatchcase(name, unit) for name in names)


def _terms(words: Sequence[str]) -> list[dict[str, set[str]]]:
    terms: list[dict[str, set[str]]] = [{}]
    for word in words:
        if word == "+":
            terms.append({})
            continue
        name, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"Failed to add match '{word}': Invalid argument")
        terms[-1].setdefault(name, set()).add(value)
    return [term for term in terms if term]


def _matches(entry: _Entry, term: Mapping[str, set[str]]) -> bool:
    return all(entry.fields.get(name) in values for name, values in term.items())


def _printed(entries: Sequence[_Entry], options: Options, sight: Sight) -> bytes:
    if (options.last("--output", "-o") or "short") != "json":
        lines = [_short(entry, sight) for entry in entries]
        return "".join(lines or ["-- No entries --\n"]).encode()
    wanted = options.last("--output-fields")
    names = None if wanted is None else {*wanted.split(","), *_ALWAYS}
    whole = options.has("--all", "-a")
    return "".join(_json(entry, sight, names, whole=whole) for entry in entries).encode()


def _short(entry: _Entry, sight: Sight) -> str:
    clock = datetime.fromtimestamp(sight.wall(entry.stamp), UTC).strftime("%b %d %H:%M:%S")
    message = _value(entry.message, whole=True)
    text = f"[{len(message)}B blob data]" if isinstance(message, list) else message
    told = entry.fields
    return f"{clock} {told['_HOSTNAME']} {told['SYSLOG_IDENTIFIER']}[{told['_PID']}]: {text}\n"


def _json(entry: _Entry, sight: Sight, names: set[str] | None, *, whole: bool) -> str:
    told = {**_address(entry, sight), **entry.fields, "MESSAGE": _value(entry.message, whole=whole)}
    chosen = {name: value for name, value in told.items() if names is None or name in names}
    return json.dumps(chosen, separators=(",", ":"), ensure_ascii=False) + "\n"


def _value(value: str | bytes, *, whole: bool) -> str | list[int] | None:
    raw = value if isinstance(value, bytes) else value.encode()
    if len(raw) > _LONGEST and not whole:
        return None
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return list(raw)
    # What a terminal would act upon goes as bytes; a line break does not. Source: journal-importer, utf8.c.
    return text if all(c.isprintable() or c == "\n" for c in text) else list(raw)


def _address(entry: _Entry, sight: Sight) -> dict[str, str]:
    realtime, monotonic = round(sight.wall(entry.stamp) * 1e6), max(0, round(entry.stamp * 1e6))
    boot, file = _id(f"{sight.host.name}/boot"), _id(f"{sight.host.name}/journal")
    number = int(_id(f"{realtime}{entry.message!r}")[:8], 16)
    cursor = f"s={file};i={number:x};b={boot};m={monotonic:x};t={realtime:x};x={number * 2654435761:x}"
    return {
        "__CURSOR": cursor,
        "__REALTIME_TIMESTAMP": str(realtime),
        "__MONOTONIC_TIMESTAMP": str(monotonic),
        "_BOOT_ID": boot,
    }


def _id(of: str) -> str:
    return hashlib.sha256(of.encode()).hexdigest()[:32]
