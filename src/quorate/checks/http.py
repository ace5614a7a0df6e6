"""Judges an HTTP answer: its status, its body, how long it took, and when the certificate ends."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from quorate.checks.cluster import STATUS
from quorate.checks.finding import Finding, words
from quorate.checks.scene import Scene
from quorate.checks.tcp import milliseconds
from quorate.model import Check, CheckObservation, NoReply, Reason, State, Verdict
from quorate.model.http import HttpFacts

_DAY = 86400.0
_REFUSED = (401, 403)

_CRITICAL = frozenset(
    {Reason.CONNECT_FAILED, Reason.TIMEOUT, Reason.CERTIFICATE_INVALID, Reason.CERTIFICATE_EXPIRED}
)
"""Failures that are the server's own; every other one only says that it could not be verified."""

_FAILED = {
    Reason.CONNECT_FAILED: "got NO ANSWER from {}",
    Reason.TIMEOUT: "got NO ANSWER in time from {}",
    Reason.CERTIFICATE_INVALID: "found a certificate that is NOT VALID at {}",
    Reason.CERTIFICATE_EXPIRED: "found an EXPIRED certificate at {}",
    Reason.CERTIFICATE_EXPIRES: "found a certificate that is ABOUT TO EXPIRE at {}",
    Reason.UNEXPECTED_STATUS: "got an UNEXPECTED STATUS from {}",
    Reason.UNEXPECTED_BODY: "got an UNEXPECTED BODY from {}",
    Reason.SLOW: "is answered SLOWLY at {}",
}


def verdicts(check: Check, observation: CheckObservation, scene: Scene) -> list[Verdict]:
    """Return the one verdict of a check; its cause only where that is the monitor."""
    answer = observation.answers[check.name]
    blind = scene.blind(observation.addresses[check.name], answer)
    finding = blind or _judge(check, answer, scene.now)
    return [
        Verdict(
            id=check.name,
            kind=check.kind,
            group=check.name,
            state=finding.state,
            reason=finding.reason,
            summary=f"{check.name} {_said(check, answer, finding, scene.now)}",
            detail=finding.detail,
            observed={"status": STATUS[finding.state], **_observed(answer, finding, scene.now)},
            expected=_expected(check.settings),
            caused_by="monitor" if blind else None,
            duration=answer.duration,
        )
    ]


def _judge(check: Check, answer: HttpFacts | NoReply, now: datetime) -> Finding:
    """Return what is worst; what is equally bad is told in the order of a look at it: status, body, …"""
    if isinstance(answer, NoReply):
        state = State.CRITICAL if answer.reason in _CRITICAL else State.UNKNOWN
        return Finding(state=state, reason=answer.reason, detail=answer.detail)
    settings = check.settings
    found = [
        finding
        for finding in (
            _of_status(answer, settings["status"]),
            _of_body(answer, settings["contains"]) if answer.status in settings["status"] else None,
            _of_certificate(answer.certificate_ends, settings["certificate"], now),
            _of_duration(answer.duration, settings["slow"]),
        )
        if finding is not None
    ]
    if not found:
        return Finding(state=State.OK, reason=Reason.OK)
    worst = max(found, key=lambda finding: finding.state.rank)
    details = dict.fromkeys([worst.detail, *(finding.detail for finding in found)])
    return Finding(state=worst.state, reason=worst.reason, detail="; ".join(filter(None, details)))


def _of_status(answer: HttpFacts, expected: tuple[int, ...]) -> Finding | None:
    if answer.status in expected:
        return None
    wanted = " or ".join(map(str, expected))
    seen = f"status {answer.status} in place of {wanted}"
    seen += f", to {answer.location}" if answer.location is not None else ""
    seen += f"; the body begins with {answer.begins}" if answer.begins is not None else ""
    if answer.status in _REFUSED:
        return Finding(state=State.UNKNOWN, reason=Reason.AUTH_FAILED, detail=seen)
    return Finding(state=State.CRITICAL, reason=Reason.UNEXPECTED_STATUS, detail=seen)


def _of_body(answer: HttpFacts, wanted: str | None) -> Finding | None:
    if wanted is None or answer.contains:
        return None
    begins = f"it begins with {answer.begins}" if answer.begins is not None else "it is empty"
    detail = f"the body does not contain {wanted!r}; {begins}"
    return Finding(state=State.CRITICAL, reason=Reason.UNEXPECTED_BODY, detail=detail)


def _of_certificate(
    ends: datetime | None, limits: Mapping[str, float] | None, now: datetime
) -> Finding | None:
    if ends is None or limits is None:
        return None
    left = (ends - now).total_seconds()
    if left <= 0:
        detail = f"the certificate ended on {ends:%Y-%m-%d}"
        return Finding(state=State.CRITICAL, reason=Reason.CERTIFICATE_EXPIRED, detail=detail)
    if left > max(limits["warning"], limits["critical"]):
        return None
    state = State.CRITICAL if left <= limits["critical"] else State.WARNING
    detail = f"the certificate ends on {ends:%Y-%m-%d}, {_days(ends, now)}"
    return Finding(state=state, reason=Reason.CERTIFICATE_EXPIRES, detail=detail)


def _of_duration(duration: float, slow: float) -> Finding | None:
    if duration <= slow:
        return None
    detail = f"the answer took {milliseconds(duration)} ms, more than {milliseconds(slow)} ms"
    return Finding(state=State.WARNING, reason=Reason.SLOW, detail=detail)


def _days_left(ends: datetime, now: datetime) -> int:
    """Return the full days that are left, less than 0 from the moment of its end on."""
    return math.floor((ends - now).total_seconds() / _DAY)


def _days(ends: datetime, now: datetime) -> str:
    days = _days_left(ends, now)
    return "in less than a day" if days == 0 else f"in {days} day{'s' if days != 1 else ''}"


def _said(check: Check, answer: HttpFacts | NoReply, finding: Finding, now: datetime) -> str:
    url = check.settings["url"]
    if isinstance(answer, HttpFacts) and finding.state is State.OK:
        ends = answer.certificate_ends
        certificate = f", its certificate ends {_days(ends, now)}" if ends is not None and ends > now else ""
        return f"answers {answer.status} at {url} (in {milliseconds(answer.duration)} ms{certificate})"
    if finding.state is State.UNKNOWN:
        return f"is NOT VERIFIED at {url} ({words(finding.reason)})"
    return _FAILED[finding.reason].format(url)


def _observed(answer: HttpFacts | NoReply, finding: Finding, now: datetime) -> Mapping[str, Any]:
    if isinstance(answer, NoReply):
        return {"error": finding.detail}
    seen: dict[str, Any] = {"code": answer.status, "latency_ms": round(answer.duration * 1000, 1)}
    if answer.certificate_ends is not None:
        seen["certificate_days_left"] = _days_left(answer.certificate_ends, now)
        seen["certificate_ends"] = f"{answer.certificate_ends:%Y-%m-%dT%H:%M:%SZ}"
    return seen if finding.state is State.OK else seen | {"error": finding.detail}


def _expected(settings: Mapping[str, Any]) -> dict[str, Any]:
    expected: dict[str, Any] = {"code": list(settings["status"])}
    if settings["contains"] is not None:
        expected["contains"] = settings["contains"]
    return expected | {"latency_ms": round(settings["slow"] * 1000, 1)}
