"""Judges the units of a group on each of its hosts, and places the findings in verdicts with their causes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from quorate.checks.finding import Finding, words
from quorate.checks.roles import Roles, judge_unit
from quorate.checks.scene import Scene
from quorate.model import Group, HostObservation, Reason, State, UnitFacts, Unobserved, Verdict, unit_id

_NO_ROLES = Roles()
_NOT_ASKED = Unobserved(reason=Reason.NO_ANSWER)
_EXPLAINED_BY_VIP = frozenset(
    {
        Reason.PEER_UNVERIFIED,
        Reason.ACTIVE_NODE_UNKNOWN,
        Reason.ACTIVE_NODE_AMBIGUOUS,
        Reason.ACTIVE_WITHOUT_VIP,
    }
)


def unit_verdicts(group: Group, hosts: Mapping[str, Verdict], scene: Scene) -> list[Verdict]:
    """Return the verdicts of a group's units by host and unit; `hosts` are the verdicts of hosts by name."""
    return _tolerate(group, list(_verdicts(group, hosts, scene)))


def _verdicts(group: Group, hosts: Mapping[str, Verdict], scene: Scene) -> Iterator[Verdict]:
    roles = scene.roles.get(group.name, _NO_ROLES)
    for host in group.hosts:
        role = roles.of(host) if group.active_passive else None
        for unit in group.units:
            yield _verdict(group, hosts[host], unit, role, roles, scene)


def _verdict(group: Group, host: Verdict, unit: str, role: str | None, roles: Roles, scene: Scene) -> Verdict:
    assert host.host is not None  # noqa: S101  a host's verdict names it
    observation = scene.latest(host.host)
    facts = observation.units.get(unit, _NOT_ASKED)
    if isinstance(facts, UnitFacts):
        finding = judge_unit(group, host.host, unit, roles, scene.looks, scene.inventory.judging)
        cause = f"{group.name}/vip" if _explained_by_vip(unit, roles, finding) else None
    else:
        finding, cause = _not_seen(facts, observation, host, scene)
    name = unit_id(unit)
    return Verdict(
        id=f"{group.name}/{host.host}/{name}",
        kind="unit",
        group=group.name,
        host=host.host,
        unit=name,
        role=role,
        state=finding.state,
        reason=finding.reason,
        summary=_summary(name, host.host, role, facts, finding),
        detail=finding.detail,
        since=_since(finding, observation, scene.now),
        notes=finding.notes,
        observed=_observed(unit, facts, observation),
        expected=_expected(unit, role, roles),
        caused_by=cause,
        duration=observation.contact.duration,
    )


def _explained_by_vip(unit: str, roles: Roles, finding: Finding) -> bool:
    if unit not in roles.running or roles.active_node is not None:
        return False
    if finding.reason in _EXPLAINED_BY_VIP:
        return True
    # With no holder nothing starts the units; with two, each starts its own. Units that run on several nodes
    # though none holds the address are a danger of their own.
    return finding.reason is (Reason.SPLIT_BRAIN if roles.holders else Reason.INACTIVE)


def _not_seen(
    facts: Unobserved, observation: HostObservation, host: Verdict, scene: Scene
) -> tuple[Finding, str | None]:
    failure = observation.contact.failure
    logged_in = failure is None or failure.reason is Reason.CONNECTION_LOST
    if logged_in and facts.reason not in (Reason.CONNECTION_LOST, host.reason):
        # What went wrong is this question's own, whatever became of the connection after it.
        return Finding(state=State.UNKNOWN, reason=facts.reason, detail=facts.detail or None), None
    cause = "monitor" if scene.isolated and host.caused_by == "monitor" else host.id
    return Finding(state=State.UNKNOWN, reason=host.reason, detail=facts.detail or None), cause


def _since(finding: Finding, observation: HostObservation, now: datetime) -> datetime | None:
    if finding.age is None:
        return None
    return (observation.seen_at or now) - timedelta(seconds=finding.age)


def _summary(name: str, host: str, role: str | None, facts: UnitFacts | Unobserved, finding: Finding) -> str:
    where = f"{role.upper()} node {host}" if role else host
    state = facts.active_state.upper() if isinstance(facts, UnitFacts) else "UNKNOWN"
    match finding.reason:
        case Reason.OK | Reason.FAILED | Reason.INACTIVE:
            said = ""
        case Reason.PASSIVE_INACTIVE:
            said = " (expected)"
        case Reason.SPLIT_BRAIN | Reason.ROLE_MISPLACED:
            said = " (SPLIT BRAIN)"
        case reason:
            said = f" ({words(reason)})"
    return f"{name} on {where} is {state}{said}"


def _observed(unit: str, facts: UnitFacts | Unobserved, observation: HostObservation) -> dict[str, object]:
    if isinstance(facts, Unobserved):
        return {}
    seen: dict[str, object] = {
        "load_state": facts.load_state,
        "active_state": facts.active_state,
        "sub_state": facts.sub_state,
        "result": facts.result,
        "unit_file_state": facts.unit_file_state,
        "n_restarts": facts.n_restarts,
    }
    if unit in observation.restarts:
        seen["restarts_in_window"] = observation.restarts[unit]
    return seen


def _expected(unit: str, role: str | None, roles: Roles) -> dict[str, object]:
    if unit not in roles.running or role == "active":
        return {"active_state": "active"}
    return {"active_state": "inactive"} if role == "passive" else {}


def _tolerate(group: Group, verdicts: list[Verdict]) -> list[Verdict]:
    """Soften what is bad on no more hosts than the group tolerates; never for units of which one may run."""
    if not group.tolerates:
        return verdicts
    bad: dict[str | None, list[str]] = {}
    for verdict in verdicts:
        if verdict.state is State.CRITICAL:
            bad.setdefault(verdict.unit, []).append(verdict.id)
    one_runs = {unit_id(unit) for unit in group.active_only}
    tolerated = {
        i for unit, ids in bad.items() if unit not in one_runs and len(ids) <= group.tolerates for i in ids
    }
    return [
        replace(v, state=State.WARNING, notes=(*v.notes, "tolerated")) if v.id in tolerated else v
        for v in verdicts
    ]
