"""Judges a cluster by its declared members: none is ever more than impaired, the whole has the quorum."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from quorate.checks.finding import Finding, words
from quorate.checks.outside import place
from quorate.checks.quorum import NOT_ASKED, Quorum
from quorate.checks.scene import Scene
from quorate.model import Check, CheckObservation, NoReply, Reason, State, Verdict

STATUS = {
    State.OK: "healthy",
    State.WARNING: "degraded",
    State.UNKNOWN: "unknown",
    State.CRITICAL: "failed",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """What was judged of a member's facts: `said` is what a healthy one is, `observed` what was seen."""

    finding: Finding
    said: str
    observed: Mapping[str, object] = field(default_factory=dict)


def member_verdicts(
    check: Check,
    observation: CheckObservation,
    scene: Scene,
    product: str,
    judge: Callable[[str, Any], Member],
) -> list[Verdict]:
    """Return the verdict of each member; of causes only the monitor.

    `judge` is given the name and the facts of a member that answered. `product` is what a member is one of.
    """
    members = {member["name"]: member for member in check.settings["members"]}
    return [
        _member(
            check, members[name], answer, scene.blind(observation.addresses[name], answer), product, judge
        )
        for name, answer in observation.answers.items()
    ]


def _member(
    check: Check,
    member: Mapping[str, Any],
    answer: Any,
    blind: Finding | None,
    product: str,
    judge: Callable[[str, Any], Member],
) -> Verdict:
    name, where = member["name"], place(member["address"], member["port"])
    observed: dict[str, object] = {"status": "healthy", "address": where}
    if isinstance(answer, NoReply):
        finding = blind or _unanswered(answer)
    else:
        judged = judge(name, answer)
        finding = judged.finding
        observed |= judged.observed
    if finding.state is State.OK:
        summary = f"{name} answers at {where} ({judged.said})"
    else:
        unasked = finding.reason in NOT_ASKED
        said = "NOT VERIFIED" if unasked else "NOT HEALTHY"
        summary = f"{product} on {name} is {said} ({words(finding.reason)})"
        observed |= {"status": "unknown" if unasked else "failed", "error": finding.detail}
    return Verdict(
        id=f"{check.name}/{name}",
        kind=check.kind,
        group=check.name,
        host=name,
        state=finding.state,
        reason=finding.reason,
        summary=summary,
        detail=finding.detail,
        notes=finding.notes,
        observed=observed,
        expected={"status": "healthy"},
        caused_by="monitor" if blind else None,
        duration=getattr(answer, "duration", 0.0),
    )


def _unanswered(answer: NoReply) -> Finding:
    # What is missing for all of them alike is told once, by the whole; a member is never more than impaired.
    unasked = answer.reason in NOT_ASKED - {Reason.SECRET_UNAVAILABLE}
    state = State.UNKNOWN if unasked else State.WARNING
    return Finding(state=state, reason=answer.reason, detail=answer.detail)


def quorum_said(product: str, quorum: Quorum, members: list[Verdict]) -> str:
    """Return how many members of a cluster are healthy, and who is missing, in one sentence."""
    healthy = f"{len(quorum.healthy)}/{len(members)} nodes healthy"
    match quorum.state:
        case State.OK:
            return f"{product} has all its nodes: {healthy}"
        case State.WARNING:
            return _said_of_redundancy(product, healthy, members)
        case State.CRITICAL:
            return f"{product} QUORUM LOST: Only {healthy}"
        case _:
            known = f": {healthy}" if quorum.healthy else ""
            return f"{product}'s quorum is NOT VERIFIED ({words(quorum.reason)}){known}"


def _said_of_redundancy(product: str, healthy: str, members: list[Verdict]) -> str:
    """Return who is missing; of a node that had no chance to answer only that it is not known."""
    unasked = [m.host or "" for m in members if m.state is State.UNKNOWN]
    missing = [m.host or "" for m in members if m.state is State.WARNING]
    lost = "has lost redundancy" if missing else "has its quorum, its redundancy is NOT VERIFIED"
    parts = [f"{product} {lost}: {healthy}"]
    parts += [f"missing {', '.join(missing)}"] if missing else []
    parts += [f"not verified {', '.join(unasked)}"] if unasked else []
    return ", ".join(parts)


def unwell_detail(members: list[Verdict]) -> str | None:
    """Return what each member said that is not healthy; what all of them say alike only once."""
    unwell = [member for member in members if member.state is not State.OK]
    details = {member.detail for member in unwell}
    if len(unwell) > 1 and len(details) == 1:
        return details.pop()
    return "; ".join(f"{m.host}: {words(m.reason)} ({m.detail})" for m in unwell) or None


def node(member: Verdict) -> dict[str, object]:
    """Return what the whole's verdict has observed of a member."""
    seen: dict[str, object] = {"node": member.host, "status": member.observed["status"]}
    return seen | {"error": member.detail} if member.detail is not None else seen


def blinded(members: list[Verdict], quorum: Quorum) -> bool:
    """Tell whether the quorum is unknown because the monitor sees none of those that it misses."""
    return quorum.state is State.UNKNOWN and any(
        m.caused_by == "monitor" and m.reason is quorum.reason for m in members
    )
