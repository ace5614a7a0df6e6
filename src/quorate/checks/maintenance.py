"""Marks what is being worked on: such verdicts keep their state, and count for nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from quorate.model import MAINTENANCE, DeclaredMaintenance, Maintenance, Verdict
from quorate.model.selectors import matching


def with_maintenance(
    verdicts: Sequence[Verdict], entries: Iterable[Maintenance], now: datetime
) -> list[Verdict]:
    """Return the verdicts, those that an entry selects with the note that says so; `now` has a time zone.

    An entry that is over selects nothing. No other verdict keeps such a note, whoever gave it one.
    """
    ids = tuple(verdict.id for verdict in verdicts)
    chosen = {i for entry in entries if not _is_over(entry, now) for i in matching(ids, entry.select)}
    return [_marked(verdict, in_maintenance=verdict.id in chosen) for verdict in verdicts]


def declared(entries: Iterable[Maintenance], now: datetime) -> tuple[DeclaredMaintenance, ...]:
    """Return the entries as they stand now, in their order."""
    return tuple(
        DeclaredMaintenance(
            select=entry.select,
            until=entry.until.astimezone(UTC),
            reason=entry.reason,
            expired=_is_over(entry, now),
        )
        for entry in entries
    )


def _is_over(entry: Maintenance, now: datetime) -> bool:
    return entry.until <= now


def _marked(verdict: Verdict, *, in_maintenance: bool) -> Verdict:
    if in_maintenance is verdict.in_maintenance:
        return verdict
    others = tuple(note for note in verdict.notes if note != MAINTENANCE)
    return replace(verdict, notes=(*others, MAINTENANCE) if in_maintenance else others)
