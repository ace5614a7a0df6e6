"""A unit's journal: its last lines, its restarts, and how far back the journal of a host goes.

Read as JSON (`journalctl --output=json`), since plain output hides lines with escapes. The argument vectors
hold nothing variable but the unit and a number, so that a sudo rule can name them to the letter.

With JSON journalctl is silent about messages that it may not show: to a user without the right, a unit
that logs and one that never did look the same. So an empty answer is believed only beside the answer to
`ask_journal_access`, which is not in JSON and tells.
"""

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from quorate.model import Ask, NoReply, Reason, Reply, Unobserved
from quorate.probes.answers import first_lines, passed_on, said, tool_missing
from quorate.probes.sudo import command_not_found, sudo_refusal

RESTART_MESSAGE = "5eb03494b6584870a536b337290809b3"
"""SD_MESSAGE_UNIT_RESTART_SCHEDULED. Source: systemd's sd-messages.h."""
RESTART_LINES = 1000
"""How many restarts are counted at most."""
SEARCHED_LINES = 5000
"""How many of a unit's newest lines a search by identifier reads at most; as JSON they stay below 4 MiB."""

_ENTRIES = (
    "journalctl",
    "--no-pager",
    "--all",
    "--output=json",
    "--output-fields=MESSAGE,SYSLOG_IDENTIFIER,_COMM,_PID",
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HIDDEN = re.compile(rb"not seeing messages from other users|insufficient permissions")
_NO_FILES = re.compile(rb"No journal files were (?:found|opened)")
_DIGITS = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalEntry:
    """One message of a unit as it stands in the journal; `source` is `lsyncd[123]`, `time` is UTC."""

    time: datetime
    source: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Journal:
    """The last entries of a unit, oldest first.

    `error` says why entries could not be fetched, or not all of them; no entries and no error means that
    there are none that can be seen (see `with_access`). `skipped` counts lines of the answer that are none.
    """

    entries: tuple[JournalEntry, ...] = ()
    error: str | None = None
    skipped: int = 0


def ask_journal(unit: str, lines: int) -> Ask:
    """Return the question for the last lines of a unit, whatever their age. Source: journalctl(1)."""
    return Ask(argv=(*_ENTRIES, f"--lines={lines}", f"--unit={unit}"), sudo=True)


def ask_messages(unit: str, lines: int) -> Ask:
    """Return the question for the last messages of a unit alone; very long ones come without their text.

    `parse_journal` reads the answer.
    """
    argv = ("journalctl", "--no-pager", "--output=json", "--output-fields=MESSAGE")
    return Ask(argv=(*argv, f"--lines={lines}", f"--unit={unit}"), sudo=True)


def ask_journal_since(unit: str, seconds: float) -> Ask:
    """Return the question for all lines of a unit in the last seconds, SEARCHED_LINES at most.

    `parse_journal` reads the answer. What is searched for is no part of the question: the lines are
    searched where they are read, so that no identifier is ever a pattern or a word of a shell.
    """
    since = f"--since=-{round(seconds)}s"
    return Ask(argv=(*_ENTRIES, f"--lines={SEARCHED_LINES}", since, f"--unit={unit}"), sudo=True)


def parse_journal(reply: Reply | NoReply) -> Journal:
    """Return the entries of the answer; never an empty journal without an error where none could be had."""
    if isinstance(reply, NoReply):
        return Journal(error=reply.detail or f"the journal could not be asked for: {reply.reason}")
    entries = []
    skipped = 0
    for line in _lines(reply.stdout):
        entry = _entry(line)
        if entry is None:
            skipped += 1
        else:
            entries.append(entry)
    trouble = _trouble(reply)
    error = trouble.detail if trouble else None
    if error is None and skipped and not entries:
        error = f"journalctl's answer holds no entry that can be read: {said(reply)}"
    if error is None and reply.truncated:
        error = "journalctl's answer was too long to be kept whole: the newest lines are missing"
    return Journal(entries=tuple(entries), error=error, skipped=skipped)


def ask_journal_access() -> Ask:
    """Return the question whether the system's messages can be seen at all; it prints no lines."""
    return Ask(argv=("journalctl", "--no-pager", "--lines=0"), sudo=True)


def parse_journal_access(reply: Reply | NoReply) -> Unobserved | None:
    """Return why the system's messages can't be seen; None where they can, and 'no lines' means none."""
    return passed_on(reply) if isinstance(reply, NoReply) else _trouble(reply)


def with_access(journal: Journal, access: Unobserved | None) -> Journal:
    """Return a journal with the error that hides its entries, where none came and none could be seen."""
    if journal.entries or journal.error or access is None:
        return journal
    return replace(journal, error=access.detail or f"the journal could not be asked for: {access.reason}")


def ask_restarts(unit: str, window_seconds: float) -> Ask:
    """Return the question for the restarts that systemd itself scheduled for a unit within a window."""
    argv = (
        "journalctl",
        "--no-pager",
        "--output=json",
        "--output-fields=MESSAGE_ID",
        f"--lines={RESTART_LINES}",
        f"--since=-{round(window_seconds)}s",
        "_PID=1",
        f"MESSAGE_ID={RESTART_MESSAGE}",
        f"UNIT={unit}",
    )
    return Ask(argv=argv, sudo=True)


def parse_restarts(reply: Reply | NoReply) -> int | Unobserved:
    """Return how many restarts the journal holds, at most RESTART_LINES; a doubtful answer is no count.

    0 is proven only where `parse_journal_access` has nothing to say.
    """
    if isinstance(reply, NoReply):
        return passed_on(reply)
    if trouble := _trouble(reply):
        return trouble
    lines = _lines(reply.stdout)
    if reply.truncated or not all(_is_restart(line) for line in lines):
        detail = f"journalctl's answer is not the list of restarts that was asked for: {said(reply)}"
        return Unobserved(reason=Reason.UNPARSABLE, detail=detail)
    return len(lines)


def ask_journal_header() -> Ask:
    """Return the question for the journal files of a host and the times that they span."""
    return Ask(argv=("journalctl", "--header", "--no-pager"), sudo=True)


def parse_journal_begins(reply: Reply | NoReply) -> tuple[bool, datetime | None] | Unobserved:
    """Return whether every journal file is volatile (under /run), and the time of the earliest entry in UTC.

    Only the system's own files count: where there are none but those of users, its messages can't be seen.
    The time is None where it is not told, or told in a time zone of which only the abbreviation is (old
    systemd).
    """
    if isinstance(reply, NoReply):
        return passed_on(reply)
    if trouble := _trouble(reply):
        return trouble
    files = _header_files(reply.stdout.decode("utf-8", "replace"))
    if not files:
        detail = f"journalctl's answer names no journal file: {said(reply)}"
        return Unobserved(reason=Reason.UNPARSABLE, detail=detail)
    system = [(path, head) for path, head in files if PurePosixPath(path).name.startswith("system")]
    if not system:
        detail = f"the system's journal is not visible to the user that was logged in as: {said(reply)}"
        return Unobserved(reason=Reason.NO_ANSWER, detail=detail)
    heads = [head for _, head in system if head is not None]
    return all(path.startswith("/run/") for path, _ in system), min(heads, default=None)


def _trouble(reply: Reply) -> Unobserved | None:
    """Return why journalctl's answer is not, or not all of, what was asked for."""
    if refusal := sudo_refusal(reply):
        detail = f"sudo refused journalctl: {refusal} (`quorate sudoers` prints the rule that is needed)"
        return Unobserved(reason=Reason.NO_ANSWER, detail=detail)
    if command_not_found(reply):
        return tool_missing("journalctl", reply)
    if _HIDDEN.search(reply.stderr):
        detail = (
            "the journal is not visible to the user that was logged in as; sudo, or membership of "
            f"systemd-journal, would show it: {first_lines(reply.stderr)}"
        )
        return Unobserved(reason=Reason.NO_ANSWER, detail=detail)
    if _NO_FILES.search(reply.stderr):
        return Unobserved(
            reason=Reason.NO_ANSWER, detail=f"the host keeps no journal: {first_lines(reply.stderr)}"
        )
    if reply.exit_code != 0:
        words = first_lines(reply.stderr) or first_lines(reply.stdout) or "without a word"
        detail = f"journalctl failed with exit code {reply.exit_code}: {words}"
        return Unobserved(reason=Reason.UNPARSABLE, detail=detail)
    return None


def _lines(stdout: bytes) -> list[bytes]:
    """Return the lines that should be entries: all but blank ones and journalctl's `-- No entries --`."""
    return [line for line in stdout.split(b"\n") if line.strip() and not line.startswith(b"-- ")]


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _is_restart(line: bytes) -> bool:
    value = _object(line)
    return (
        value is not None
        and isinstance(value.get("__REALTIME_TIMESTAMP"), str)
        and value.get("MESSAGE_ID", RESTART_MESSAGE) == RESTART_MESSAGE
    )


def _entry(line: bytes) -> JournalEntry | None:
    value = _object(line)
    if value is None:
        return None
    microseconds = value.get("__REALTIME_TIMESTAMP")
    if not isinstance(microseconds, str) or not _DIGITS.fullmatch(microseconds):
        return None
    try:
        time = _EPOCH + timedelta(microseconds=int(microseconds))
    except OverflowError:
        return None
    name = _text(value.get("SYSLOG_IDENTIFIER")) or _text(value.get("_COMM")) or "unknown"
    pid = _text(value.get("_PID"))
    source = f"{name}[{pid}]" if _DIGITS.fullmatch(pid) else name
    return JournalEntry(time=time, source=source, message=_text(value.get("MESSAGE")))


def _text(value: Any) -> str:
    """Return a field's text: journalctl gives a string, bytes as numbers, a list of these, or null."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return ""
    try:
        return bytes(value).decode("utf-8", "replace")
    except (TypeError, ValueError):
        # A field that was logged more than once. Lists within are bytes again, and go no deeper.
        return "\n".join(filter(None, (_once(part) for part in value)))


def _once(part: Any) -> str:
    return "" if isinstance(part, list) and any(isinstance(p, list) for p in part) else _text(part)


def _header_files(text: str) -> list[tuple[str, datetime | None]]:
    """Return path and time of the first entry of each journal file that a header names."""
    files: list[tuple[str, datetime | None]] = []
    for line in text.splitlines():
        key, _, value = line.strip().partition(": ")
        if key == "File path" and value.startswith("/"):
            files.append((value, None))
        elif key == "Head realtime timestamp" and files:
            files[-1] = (files[-1][0], _header_time(value))
    return files


def _header_time(text: str) -> datetime | None:
    """Return the time of `Sat 2026-11-22 15:04:07 UTC (5f3a…)`: the hexadecimal microseconds where told."""
    told = re.fullmatch(r"\w{3} ([0-9-]{10} [0-9:]{8}) (\S{1,10})(?: \(([0-9a-f]{1,15})\))?", text.strip())
    if told is None:
        return None
    try:
        if told[3]:
            return _EPOCH + timedelta(microseconds=int(told[3], 16))
        if told[2] in ("UTC", "GMT"):
            return datetime.strptime(told[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return None
