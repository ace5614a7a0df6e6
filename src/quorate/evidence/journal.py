"""The lines of a unit's journal as evidence: cleaned, masked, with time and source, capped in size."""

import sys
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from quorate.evidence.cleaning import clean_text
from quorate.evidence.masking import Mask
from quorate.model import Evidence, unit_id

LIMIT_BYTES = 65536
LINE_LIMIT = 4096
_SOURCE_LIMIT = 80


class Entry(Protocol):
    """One message of a journal: what `quorate.probes.journal` reads, or another room's equal."""

    @property
    def time(self) -> datetime: ...
    @property
    def source(self) -> str: ...
    @property
    def message(self) -> str: ...


class Entries(Protocol):
    """The last messages of a unit, oldest first, and what is missing of them."""

    @property
    def entries(self) -> Sequence[Entry]: ...
    @property
    def error(self) -> str | None: ...
    @property
    def skipped(self) -> int: ...


def evidence_from_journal(
    journal: Entries,
    *,
    host: str,
    unit: str,
    mask: Mask,
    note: str | None = None,
    lines: int | None = None,
    limit_bytes: int = LIMIT_BYTES,
    line_limit: int = LINE_LIMIT,
) -> Evidence:
    """Return a unit's journal as evidence, lines such as `2026-11-22T15:04:07.123456Z lsyncd[123]: message`.

    A message is cleaned and masked as a whole, then split: each of its lines gets the same time and source.
    Of these the last `lines` are wanted, or all; that there are others before them is not said. One of more
    than `line_limit` characters is cut, with a note of how much; of those wanted the newest `limit_bytes`
    bytes of UTF-8 stay, line ends counted, and a first line says how many are left out.
    """
    wanted = sys.maxsize if lines is None else lines
    kept, left_out, cut = _newest(journal.entries, mask, wanted, limit_bytes, line_limit)
    if left_out:
        kept.appendleft(_left_out(left_out, limit_bytes))
    notes = [note, _skipped(journal.skipped)]
    return Evidence(
        source="journal",
        host=host,
        unit=unit_id(unit),
        lines=tuple(kept),
        truncated=cut or left_out > 0,
        error=_sentence(journal.error, mask),
        note=_sentence("; ".join(filter(None, notes)), mask),
    )


def volatile_note(volatile: bool, begins: datetime | None) -> str | None:
    """Return what a reader should know of a journal that is kept in memory only; None of any other."""
    if not volatile:
        return None
    since = f", it begins at {_stamp(begins)}" if begins else ""
    return f"the journal of this host is volatile{since}: what was logged before is lost"


def _newest(
    entries: Sequence[Entry], mask: Mask, wanted: int, limit_bytes: int, line_limit: int
) -> tuple[deque[str], int, bool]:
    """Return the newest lines that fit, how many more are wanted, and whether one of the lines is cut."""
    kept: deque[str] = deque()
    used = left_out = 0
    cut = False
    for entry in reversed(entries):
        more = wanted - len(kept) - left_out
        if more <= 0:
            break
        text = clean_text(entry.message)
        if left_out:
            left_out += min(more, text.rstrip("\n").count("\n") + 1)
            continue
        prefix = f"{_stamp(entry.time)} {_source(entry.source, mask)}:"
        # More lines than could fit by their prefixes alone need not be looked at one by one.
        lines = mask(text).rstrip("\n").rsplit("\n", min(more, limit_bytes // len(prefix) + 1))[-more:]
        while lines:
            line, shortened = _line(prefix, lines.pop(), line_limit)
            size = len(line.encode()) + 1
            if used + size > limit_bytes:
                left_out = min(wanted - len(kept), 1 + sum(rest.count("\n") + 1 for rest in lines))
                break
            kept.appendleft(line)
            used += size
            cut = cut or shortened
    while left_out and kept and used + len(_left_out(left_out, limit_bytes).encode()) + 1 > limit_bytes:
        used -= len(kept.popleft().encode()) + 1
        left_out += 1
    return kept, left_out, cut


def _line(prefix: str, text: str, line_limit: int) -> tuple[str, bool]:
    line = f"{prefix} {text}".rstrip() if text.strip() else prefix
    more = len(line) - line_limit
    return (f"{line[:line_limit]} … ({more} more characters left out)", True) if more > 0 else (line, False)


def _left_out(lines: int, limit_bytes: int) -> str:
    return (
        f"… {lines} earlier {'line is' if lines == 1 else 'lines are'} left out (limit {limit_bytes} bytes)"
    )


def _skipped(count: int) -> str | None:
    if not count:
        return None
    return f"{count} {'line' if count == 1 else 'lines'} of the answer could not be read"


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _source(source: str, mask: Mask) -> str:
    return " ".join(mask(clean_text(source)).split())[:_SOURCE_LIMIT] or "unknown"


def _sentence(text: str | None, mask: Mask) -> str | None:
    return " ".join(mask(clean_text(text)).split()) or None if text else None
