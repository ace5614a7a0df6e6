"""A judgement before it is placed in a report."""

from collections.abc import Sequence
from dataclasses import dataclass

from quorate.model import Reason, State

NOT_TRIED = frozenset(
    {Reason.INTERRUPTED, Reason.SWEEP_TIMEOUT, Reason.SECRET_UNAVAILABLE, Reason.INTERNAL_ERROR}
)
"""Ends of a question before it had its chance to be answered, so that silence proves nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What was judged of one thing, without its name; `age` in seconds since it is so."""

    state: State
    reason: Reason
    notes: tuple[str, ...] = ()
    detail: str | None = None
    age: float | None = None


def words(reason: Reason) -> str:
    """Return a reason as a person reads it."""
    return reason.value.replace("_", " ")


def listed(names: Sequence[str], most: int = 10) -> str:
    """Return names as a sentence holds them; of more than `most` the rest is counted."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
