"""Judges whether ports take connections, and how quickly; several places stand each for itself."""

from collections.abc import Mapping
from typing import Any

from quorate.checks.cluster import STATUS
from quorate.checks.finding import Finding, words
from quorate.checks.outside import place
from quorate.checks.scene import Scene
from quorate.model import Check, CheckObservation, NoReply, Reason, State, TcpReply, Verdict

BROKEN = frozenset({Reason.CONNECT_FAILED, Reason.TIMEOUT})
"""Failures that are the port's own; every other one only says that it could not be verified."""

_FAILED = {
    Reason.CONNECT_FAILED: "could NOT connect to {}",
    Reason.TIMEOUT: "got NO ANSWER in time from {}",
}


def verdicts(check: Check, observation: CheckObservation, scene: Scene) -> list[Verdict]:
    """Return the verdict of the one place, or of all of them together and then of each."""
    if not check.members:
        where = place(check.settings["host"], check.settings["port"])
        return [_of_place(check, check.name, where, observation, scene)]
    places = {
        member["name"]: place(member["address"], member["port"]) for member in check.settings["members"]
    }
    members = [_of_place(check, name, places[name], observation, scene) for name in observation.answers]
    return [_whole(check, members), *members]


def _of_place(check: Check, name: str, where: str, observation: CheckObservation, scene: Scene) -> Verdict:
    answer = observation.answers[name]
    blind = scene.blind(observation.addresses[name], answer)
    finding = blind or _judge(answer, check.settings["slow"])
    own = name == check.name
    return Verdict(
        id=name if own else f"{check.name}/{name}",
        kind=check.kind,
        group=check.name,
        host=None if own else name,
        state=finding.state,
        reason=finding.reason,
        summary=f"{name} {_said(where, answer, finding)}",
        detail=finding.detail,
        observed={"status": STATUS[finding.state], "address": where, **_observed(answer, finding)},
        expected={"status": "healthy", "latency_ms": round(check.settings["slow"] * 1000, 1)},
        caused_by="monitor" if blind else None,
        duration=answer.duration,
    )


def _judge(answer: TcpReply | NoReply, slow: float) -> Finding:
    if isinstance(answer, NoReply):
        state = State.CRITICAL if answer.reason in BROKEN else State.UNKNOWN
        return Finding(state=state, reason=answer.reason, detail=answer.detail)
    if answer.duration > slow:
        detail = f"the connection took {milliseconds(answer.duration)} ms, more than {milliseconds(slow)} ms"
        return Finding(state=State.WARNING, reason=Reason.SLOW, detail=detail)
    return Finding(state=State.OK, reason=Reason.OK)


def milliseconds(seconds: float) -> str:
    """Return a length of time in milliseconds, as people write it: `0.3`, `25`, `1250`."""
    return f"{seconds * 1000:.1f}" if seconds < 0.01 else f"{seconds * 1000:.0f}"


def _said(where: str, answer: TcpReply | NoReply, finding: Finding) -> str:
    if isinstance(answer, TcpReply):
        slowly = "SLOWLY " if finding.reason is Reason.SLOW else ""
        return f"takes connections {slowly}at {where} (in {milliseconds(answer.duration)} ms)"
    if finding.state is State.CRITICAL:
        return _FAILED[finding.reason].format(where)
    return f"is NOT VERIFIED at {where} ({words(finding.reason)})"


def _observed(answer: TcpReply | NoReply, finding: Finding) -> Mapping[str, Any]:
    if isinstance(answer, TcpReply):
        return {"latency_ms": round(answer.duration * 1000, 1)}
    return {"error": finding.detail}


def _whole(check: Check, members: list[Verdict]) -> Verdict:
    worst = max(members, key=lambda member: member.state.rank)
    reachable = [member for member in members if member.state in (State.OK, State.WARNING)]
    unwell = [member for member in members if member.state is not State.OK]
    cause = worst.id if worst.state in (State.CRITICAL, State.UNKNOWN) else None
    return Verdict(
        id=check.name,
        kind=check.kind,
        group=check.name,
        state=worst.state,
        reason=worst.reason,
        summary=f"{check.name} takes connections at {_said_of_all(worst.state, len(reachable), members)}",
        detail="; ".join(f"{member.host}: {member.detail}" for member in unwell) or None,
        observed={
            "status": STATUS[worst.state],
            "reachable": len(reachable),
            "total": len(members),
            "places": [{"name": member.host, **member.observed} for member in members],
        },
        expected={"reachable": len(members)},
        caused_by=cause,
        duration=max(member.duration for member in members),
    )


def _said_of_all(worst: State, reachable: int, members: list[Verdict]) -> str:
    total = len(members)
    named = ", ".join(f"{m.host} ({words(m.reason)})" for m in members if m.state is worst)
    match worst:
        case State.CRITICAL:
            return f"ONLY {reachable}/{total} places: without {named}"
        case State.UNKNOWN:
            return f"{reachable}/{total} places, NOT VERIFIED: {named}"
        case State.WARNING:
            return f"all {total} places, SLOWLY: {named}"
        case _:
            return f"all {total} places"
