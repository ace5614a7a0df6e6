"""Judges whether a host could be asked at all."""

from collections.abc import Iterable

from quorate.checks.finding import Finding
from quorate.model import Host, HostObservation, Reason, State, Unobserved

_BROKEN = frozenset({Reason.HOST_UNREACHABLE, Reason.SSH_UNRESPONSIVE, Reason.HOST_KEY_CHANGED})
"""Failures that are the host's own; every other one only says that it could not be verified."""


def judge_host(observation: HostObservation) -> Finding:
    """Judge a host by its latest look."""
    notes = ("sudo_denied",) if observation.sudo_refused else ()
    failure = observation.contact.failure
    if failure is None:
        lost = next((u for u in _unobserved(observation) if u.reason is Reason.CONNECTION_LOST), None)
        if lost is not None:
            return Finding(state=State.UNKNOWN, reason=lost.reason, detail=lost.detail, notes=notes)
        return Finding(state=State.OK, reason=Reason.OK, notes=notes, detail=observation.sudo_refused)
    state = State.CRITICAL if failure.reason in _BROKEN else State.UNKNOWN
    return Finding(state=state, reason=failure.reason, detail=failure.detail, notes=notes)


def _unobserved(observation: HostObservation) -> Iterable[Unobserved]:
    facts = [*observation.units.values(), observation.addresses]
    return (fact for fact in facts if isinstance(fact, Unobserved))


def cause_of_host(host: Host, finding: Finding, *, monitor_at_fault: bool) -> str | None:
    """Return the verdict that explains why a host could not be asked."""
    if finding.state.rank < State.UNKNOWN.rank:
        return None
    if monitor_at_fault:
        return "monitor"
    return f"host/{host.ssh.jump}" if finding.reason is Reason.JUMP_HOST_FAILED else None
