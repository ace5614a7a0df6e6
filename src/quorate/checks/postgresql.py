"""Judges what a database answered at an address that writes go to."""

from collections.abc import Mapping

from quorate.checks.finding import Finding, words
from quorate.checks.outside import place
from quorate.checks.scene import Scene
from quorate.model import (
    Check,
    CheckObservation,
    NoReply,
    PostgresReply,
    Reason,
    ServiceReply,
    State,
    Verdict,
)

_DEFAULT_QUERY = "SELECT COUNT(*) FROM dag"
_CRITICAL = frozenset({Reason.CONNECT_FAILED, Reason.TIMEOUT, Reason.QUERY_FAILED, Reason.READ_ONLY})
"""Failures that are the database's own; every other one only says that it could not be verified."""

_STATUS = {State.OK: "healthy", State.UNKNOWN: "unknown", State.CRITICAL: "failed"}
_FAILED = {
    Reason.CONNECT_FAILED: "could NOT connect to {}",
    Reason.TIMEOUT: "got NO ANSWER in time from {}",
    Reason.QUERY_FAILED: "is answered at {}, but its query FAILED",
    Reason.READ_ONLY: "found a READ-ONLY server at {}",
}


def verdicts(check: Check, observation: CheckObservation, scene: Scene) -> list[Verdict]:
    """Return the one verdict of a check; its cause only where that is the monitor."""
    answer = observation.answers[check.name]
    blind = scene.blind(observation.addresses[check.name], answer)
    finding = blind or _judge(answer)
    return [
        Verdict(
            id=check.name,
            kind=check.kind,
            group=check.name,
            state=finding.state,
            reason=finding.reason,
            summary=f"{check.name} {_said(check, answer, finding)}",
            detail=finding.detail,
            observed={"status": _STATUS[finding.state], **_observed(check, answer)},
            expected={"status": "healthy"},
            caused_by="monitor" if blind else None,
            duration=answer.duration,
        )
    ]


def _judge(answer: ServiceReply | NoReply) -> Finding:
    if isinstance(answer, NoReply):
        state = State.CRITICAL if answer.reason in _CRITICAL else State.UNKNOWN
        return Finding(state=state, reason=answer.reason, detail=answer.detail)
    if isinstance(answer, PostgresReply) and answer.in_recovery:
        detail = "a standby answered (pg_is_in_recovery), through an address that writes go to"
        return Finding(state=State.CRITICAL, reason=Reason.READ_ONLY, detail=detail)
    return Finding(state=State.OK, reason=Reason.OK)


def _said(check: Check, answer: ServiceReply | NoReply, finding: Finding) -> str:
    where = place(check.settings["host"], check.settings["port"])
    if isinstance(answer, PostgresReply) and finding.state is State.OK:
        written = " and takes writes" if answer.wrote else ""
        return f"answers at {where}{written} ({_value(check, answer)})"
    if finding.state is State.CRITICAL:
        return _FAILED[finding.reason].format(where)
    return f"is NOT VERIFIED at {where} ({words(finding.reason)})"


def _value(check: Check, answer: PostgresReply) -> str:
    if answer.value is None:
        return "the query has no value"
    return f"{answer.value} dags" if _counts_dags(check, answer) else f"value {answer.value}"


def _counts_dags(check: Check, answer: PostgresReply) -> bool:
    return check.settings["query"] == _DEFAULT_QUERY and isinstance(answer.value, int)


def _observed(check: Check, answer: ServiceReply | NoReply) -> Mapping[str, object]:
    if isinstance(answer, NoReply):
        return {"error": answer.detail}
    if not isinstance(answer, PostgresReply):
        return {}
    found: dict[str, object] = {"value": answer.value}
    if _counts_dags(check, answer):
        found["dags"] = answer.value
    found["in_recovery"] = answer.in_recovery
    if check.settings["depth"] == "write":
        found["wrote"] = answer.wrote
    return found
