"""Judges a RabbitMQ cluster by what each declared member answered; the quorum is the whole's alone."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from quorate.checks.finding import Finding, words
from quorate.checks.outside import place
from quorate.checks.quorum import NOT_ASKED, Quorum, judge_quorum
from quorate.checks.scene import Scene
from quorate.model import (
    AmqpReply,
    Check,
    CheckObservation,
    NoReply,
    Reason,
    ServiceReply,
    State,
    Verdict,
)

_STATUS = {
    State.OK: "healthy",
    State.WARNING: "degraded",
    State.UNKNOWN: "unknown",
    State.CRITICAL: "failed",
}


def verdicts(check: Check, observation: CheckObservation, scene: Scene) -> list[Verdict]:
    """Return the verdict of a cluster, then of each member; of causes only the monitor and a secret."""
    settings = {member["name"]: member for member in check.settings["members"]}
    members = [
        _member(check, settings[name], answer, scene.blind(observation.addresses[name], answer))
        for name, answer in observation.answers.items()
    ]
    quorum = judge_quorum({m.host or "": m.reason for m in members}, check.settings["quorum"])
    whole = _whole(check, members, quorum)
    explained = whole.reason is Reason.SECRET_UNAVAILABLE
    return [whole, *(replace(m, caused_by=check.name) if explained else m for m in members)]


def _member(
    check: Check, member: Mapping[str, Any], answer: ServiceReply | NoReply, blind: Finding | None
) -> Verdict:
    name, where = member["name"], place(member["address"], member["port"])
    finding = blind or _judge(answer)
    observed: dict[str, object] = {"status": "healthy", "address": where}
    if isinstance(answer, AmqpReply):
        summary = f"{name} answers at {where} ({answer.product} {answer.version})"
        observed |= {"product": answer.product, "version": answer.version, "cluster": answer.cluster}
    else:
        unasked = finding.reason in NOT_ASKED
        said = "NOT VERIFIED" if unasked else "NOT HEALTHY"
        summary = f"RabbitMQ on {name} is {said} ({words(finding.reason)})"
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
        observed=observed,
        expected={"status": "healthy"},
        caused_by="monitor" if blind else None,
        duration=answer.duration,
    )


def _judge(answer: ServiceReply | NoReply) -> Finding:
    if not isinstance(answer, NoReply):
        return Finding(state=State.OK, reason=Reason.OK)
    # What is missing for all of them alike is told once, by the whole; a member is never more than impaired.
    unasked = answer.reason in NOT_ASKED - {Reason.SECRET_UNAVAILABLE}
    state = State.UNKNOWN if unasked else State.WARNING
    return Finding(state=state, reason=answer.reason, detail=answer.detail)


def _whole(check: Check, members: list[Verdict], quorum: Quorum) -> Verdict:
    unwell = [member for member in members if member.state is not State.OK]
    blind = any(m.caused_by == "monitor" and m.reason is quorum.reason for m in members)
    return Verdict(
        id=check.name,
        kind=check.kind,
        group=check.name,
        state=quorum.state,
        reason=quorum.reason,
        summary=_said(quorum, members),
        detail=_detail(unwell),
        observed={
            "status": _STATUS[quorum.state],
            "healthy_nodes": len(quorum.healthy),
            "total": len(members),
            "nodes": [_node(member) for member in members],
        },
        expected={"healthy_nodes": len(members)},
        caused_by="monitor" if blind and quorum.state is State.UNKNOWN else None,
        duration=max(member.duration for member in members),
    )


def _said(quorum: Quorum, members: list[Verdict]) -> str:
    healthy = f"{len(quorum.healthy)}/{len(members)} nodes healthy"
    match quorum.state:
        case State.OK:
            return f"RabbitMQ has all its nodes: {healthy}"
        case State.WARNING:
            return _said_of_redundancy(healthy, members)
        case State.CRITICAL:
            return f"RabbitMQ QUORUM LOST: Only {healthy}"
        case _:
            known = f": {healthy}" if quorum.healthy else ""
            return f"RabbitMQ's quorum is NOT VERIFIED ({words(quorum.reason)}){known}"


def _said_of_redundancy(healthy: str, members: list[Verdict]) -> str:
    """Return who is missing; of a node that had no chance to answer only that it is not known."""
    unasked = [m.host or "" for m in members if m.state is State.UNKNOWN]
    missing = [m.host or "" for m in members if m.state is State.WARNING]
    lost = "has lost redundancy" if missing else "has its quorum, its redundancy is NOT VERIFIED"
    parts = [f"RabbitMQ {lost}: {healthy}"]
    parts += [f"missing {', '.join(missing)}"] if missing else []
    parts += [f"not verified {', '.join(unasked)}"] if unasked else []
    return ", ".join(parts)


def _detail(unwell: list[Verdict]) -> str | None:
    """Return what each member said that is not healthy; what all of them say alike only once."""
    details = {member.detail for member in unwell}
    if len(unwell) > 1 and len(details) == 1:
        return details.pop()
    return "; ".join(f"{m.host}: {words(m.reason)} ({m.detail})" for m in unwell) or None


def _node(member: Verdict) -> dict[str, object]:
    node: dict[str, object] = {"node": member.host, "status": member.observed["status"]}
    return node | {"error": member.detail} if member.detail is not None else node
