"""Judges whether hosts could be asked at all."""

from collections.abc import Iterator
from dataclasses import replace

from quorate.checks.finding import Finding, words
from quorate.checks.scene import Scene
from quorate.model import Host, HostObservation, Reason, State, Unobserved, Verdict

_BROKEN = frozenset({Reason.HOST_UNREACHABLE, Reason.SSH_UNRESPONSIVE, Reason.HOST_KEY_CHANGED})
"""Failures that are the host's own; every other one only says that it could not be verified."""


def judge_host(observation: HostObservation) -> Finding:
    """Judge a host by its latest look."""
    notes = ("sudo_denied",) if observation.sudo_refused else ()
    failure = observation.contact.failure
    if failure is not None:
        state = State.CRITICAL if failure.reason in _BROKEN else State.UNKNOWN
        return Finding(state=state, reason=failure.reason, detail=failure.detail, notes=notes)
    for fact in _unobserved(observation):
        if fact.reason is Reason.CONNECTION_LOST:
            return Finding(state=State.UNKNOWN, reason=fact.reason, detail=fact.detail, notes=notes)
    return Finding(state=State.OK, reason=Reason.OK, notes=notes, detail=observation.sudo_refused)


def _unobserved(observation: HostObservation) -> Iterator[Unobserved]:
    yield from (fact for fact in observation.units.values() if isinstance(fact, Unobserved))
    if isinstance(observation.addresses, Unobserved):
        yield observation.addresses


def host_verdicts(scene: Scene) -> dict[str, Verdict]:
    """Return the verdict of every host that was asked, by name in inventory order."""
    findings = {host: judge_host(scene.latest(host)) for host in scene.inventory.hosts if host in scene.looks}
    return {host: _verdict(scene.inventory.hosts[host], findings, scene) for host in findings}


def _verdict(host: Host, findings: dict[str, Finding], scene: Scene) -> Verdict:
    contact, finding = scene.latest(host.name).contact, findings[host.name]
    cause = _cause(host, findings, monitor_at_fault=scene.fault is not None and contact.remote)
    if cause == "monitor":
        finding = replace(finding, state=State.UNKNOWN)
    where = f" ({host.address})" if host.address else ""
    # Never "is down": a host that could not be asked may work for all who can reach it.
    said = "answers" if finding.state is State.OK else f"could NOT be asked ({words(finding.reason)})"
    return Verdict(
        id=f"host/{host.name}",
        kind="host",
        host=host.name,
        state=finding.state,
        reason=finding.reason,
        summary=f"{host.name}{where} {said}",
        detail=finding.detail,
        notes=finding.notes,
        observed={"address": host.address, "login": finding.reason.value},
        expected={"login": "ok"},
        caused_by=cause,
        duration=contact.duration,
    )


def _cause(host: Host, findings: dict[str, Finding], *, monitor_at_fault: bool) -> str | None:
    """Return the verdict that explains why a host could not be asked; a jump host if it failed itself."""
    finding = findings[host.name]
    if finding.state.rank < State.UNKNOWN.rank:
        return None
    if monitor_at_fault:
        return "monitor"
    jump = findings.get(host.ssh.jump) if host.ssh.jump is not None else None
    if finding.reason is not Reason.JUMP_HOST_FAILED or jump is None or jump.state.rank < State.UNKNOWN.rank:
        return None
    return f"host/{host.ssh.jump}"
