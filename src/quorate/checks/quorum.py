"""Judges whether enough members of a cluster are healthy, by the rules "Quorum" of the semantics."""

from collections.abc import Mapping
from dataclasses import dataclass

from quorate.checks.finding import NOT_TRIED
from quorate.model import Reason, State

_BLIND = frozenset(
    {
        Reason.MONITOR_ISOLATED,
        Reason.NAME_UNRESOLVED,
        Reason.UNSUPPORTED_KIND,
        Reason.SECRET_UNAVAILABLE,
    }
)
"""What is wrong with the monitor itself: what it still sees of a cluster proves no quorum."""

NOT_ASKED = NOT_TRIED | _BLIND
"""Why a member had no chance to show whether it is healthy; every other reason is its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Quorum:
    """What the declared members of a cluster prove together: `needed` of them have to be `healthy`."""

    state: State
    reason: Reason
    healthy: tuple[str, ...]
    missing: tuple[str, ...]
    needed: int


def judge_quorum(members: Mapping[str, Reason], needed: int | None = None) -> Quorum:
    """Judge a cluster by the reason of each declared member; `needed` is a majority unless it is set."""
    needed = len(members) // 2 + 1 if needed is None else needed
    healthy = tuple(name for name, reason in members.items() if reason is Reason.OK)
    missing = tuple(name for name in members if name not in healthy)
    state, reason = _judge(list(members.values()), len(healthy), needed)
    return Quorum(state=state, reason=reason, healthy=healthy, missing=missing, needed=needed)


def _judge(reasons: list[Reason], healthy: int, needed: int) -> tuple[State, Reason]:
    unasked = [reason for reason in reasons if reason in NOT_ASKED]
    failed = {reason for reason in reasons if reason not in NOT_ASKED and reason is not Reason.OK}
    # Where everybody refuses the login, it is the login that is wrong as likely as the cluster.
    refused = not healthy and failed == {Reason.AUTH_FAILED}
    if healthy == len(reasons):
        return State.OK, Reason.OK
    blind = next((reason for reason in unasked if reason in _BLIND), None)
    if healthy >= needed and blind is None:
        return State.WARNING, Reason.REDUNDANCY_LOST
    if unasked:
        if healthy + len(unasked) < needed and not refused:
            return State.CRITICAL, Reason.QUORUM_LOST
        return State.UNKNOWN, blind or unasked[0]
    if refused:
        return State.UNKNOWN, Reason.AUTH_FAILED
    return State.CRITICAL, Reason.QUORUM_LOST
