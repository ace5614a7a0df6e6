"""Places the findings of all checks in the verdicts of a report, in report order and with their causes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from quorate.checks.finding import Finding, words
from quorate.checks.hosts import cause_of_host, judge_host
from quorate.checks.monitor import MonitorFault, monitor_fault
from quorate.checks.roles import Looks, Roles, judge_unit, roles_of
from quorate.model import (
    Check,
    Group,
    HostObservation,
    Inventory,
    Reason,
    State,
    UnitFacts,
    Unobserved,
    Verdict,
    unit_id,
)

_EXPLAINED_BY_VIP = frozenset(
    {
        Reason.PEER_UNVERIFIED,
        Reason.ACTIVE_NODE_UNKNOWN,
        Reason.ACTIVE_NODE_AMBIGUOUS,
        Reason.ACTIVE_WITHOUT_VIP,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """All verdicts in report order, and the proven active node of each active/passive group."""

    verdicts: tuple[Verdict, ...]
    active_nodes: Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scene:
    """What every part of one judgement looks at."""

    inventory: Inventory
    looks: Looks
    now: datetime
    fault: MonitorFault | None
    roles: Mapping[str, Roles]

    def latest(self, host: str) -> HostObservation:
        return self.looks[host][-1]

    @property
    def isolated(self) -> bool:
        return self.fault is not None and self.fault.reason is Reason.MONITOR_ISOLATED


def judge(inventory: Inventory, looks: Looks, *, now: datetime, whole: bool) -> Judgement:
    """Judge what was seen of the hosts in `looks`; groups and hosts that were not asked are left out.

    `whole` tells that the whole inventory was asked; `now` is the monitor's own clock in UTC, from which
    ages on the hosts are counted back.
    """
    contacts = {host: seen[-1].contact for host, seen in looks.items()}
    asked = [g for g in inventory.groups.values() if all(host in looks for host in g.hosts)]
    scene = _Scene(
        inventory=inventory,
        looks=looks,
        now=now,
        fault=monitor_fault(contacts, whole=whole),
        roles={group.name: roles_of(group, looks) for group in asked if group.virtual_ip},
    )
    hosts = {host: _host_verdict(host, scene) for host in inventory.hosts if host in looks}
    vips = [_vip_verdict(group, hosts, scene) for group in asked if group.virtual_ip]
    by_group = [_tolerate(group, list(_unit_verdicts(group, hosts, scene))) for group in asked]
    verdicts = [
        *_monitor_verdicts(scene),
        *hosts.values(),
        *vips,
        *(verdict for group in by_group for verdict in group),
        *(_unsupported(check) for check in inventory.checks.values()),
    ]
    active = {
        name: scene.roles[name].active_node if name in scene.roles else None
        for name, group in inventory.groups.items()
        if group.active_passive
    }
    return Judgement(verdicts=tuple(verdicts), active_nodes=active)


def _monitor_verdicts(scene: _Scene) -> Iterator[Verdict]:
    if scene.fault is None:
        return
    isolated = (
        "isolated, or all are down"
        if scene.isolated
        else f"the same for every host: {words(scene.fault.reason)}"
    )
    yield Verdict(
        id="monitor",
        kind="monitor",
        state=State.UNKNOWN,
        reason=scene.fault.reason,
        summary=f"the monitor cannot see the cluster ({isolated})",
        detail=scene.fault.detail,
    )


def _host_verdict(name: str, scene: _Scene) -> Verdict:
    host, observation = scene.inventory.hosts[name], scene.latest(name)
    finding = judge_host(observation)
    cause = cause_of_host(
        host, finding, monitor_at_fault=scene.fault is not None and observation.contact.remote
    )
    if cause == "monitor":
        finding = replace(finding, state=State.UNKNOWN)
    where = f" ({host.address})" if host.address else ""
    said = "answers" if finding.state is State.OK else f"is {_host_word(finding)} ({words(finding.reason)})"
    return Verdict(
        id=f"host/{name}",
        kind="host",
        host=name,
        state=finding.state,
        reason=finding.reason,
        summary=f"{name}{where} {said}",
        detail=finding.detail,
        notes=finding.notes,
        observed={"address": host.address, "answered": observation.contact.answered},
        expected={"answered": True},
        caused_by=cause,
        duration=observation.contact.duration,
    )


def _host_word(finding: Finding) -> str:
    return (
        "NOT VERIFIED"
        if finding.state is State.UNKNOWN
        else "DOWN"
        if finding.reason is Reason.HOST_UNREACHABLE
        else "CRITICAL"
    )


def _vip_verdict(group: Group, hosts: Mapping[str, Verdict], scene: _Scene) -> Verdict:
    roles = scene.roles[group.name]
    finding, said = _judge_vip(group, roles)
    cause = None
    if finding.reason is Reason.ACTIVE_NODE_UNKNOWN:
        cause = next((hosts[h].id for h in roles.unasked if hosts[h].state.rank >= State.UNKNOWN.rank), None)
        if cause is not None and scene.isolated and scene.latest(cause.removeprefix("host/")).contact.remote:
            cause = "monitor"
    return Verdict(
        id=f"{group.name}/vip",
        kind="vip",
        group=group.name,
        state=finding.state,
        reason=finding.reason,
        summary=f"VIP {group.virtual_ip} of {group.name} {said}",
        notes=finding.notes,
        detail=_why_unasked(roles, scene),
        observed={
            "address": group.virtual_ip,
            "holders": list(roles.holders),
            "unasked": list(roles.unasked),
        },
        expected={"holders": 1},
        caused_by=cause,
        duration=max(scene.latest(host).contact.duration for host in group.hosts),
    )


def _judge_vip(group: Group, roles: Roles) -> tuple[Finding, str]:
    if len(roles.holders) > 1:
        said = f"is held by {' AND '.join(roles.holders)}"
        return Finding(state=State.CRITICAL, reason=Reason.DUPLICATE_VIP), said
    if roles.active_node is not None:
        notes = ("uniqueness_unproven",) if roles.unasked else ()
        return Finding(state=State.OK, reason=Reason.OK, notes=notes), f"is held by {roles.active_node}"
    if roles.unasked:
        said = f"has no known holder: {', '.join(roles.unasked)} could not be asked"
        return Finding(state=State.UNKNOWN, reason=Reason.ACTIVE_NODE_UNKNOWN), said
    said = f"is held by NOBODY (asked: {', '.join(group.hosts)})"
    return Finding(state=State.CRITICAL, reason=Reason.NO_ACTIVE_NODE), said


def _why_unasked(roles: Roles, scene: _Scene) -> str | None:
    said = []
    for host in roles.unasked:
        addresses = scene.latest(host).addresses
        if isinstance(addresses, Unobserved):
            said.append(
                f"{host}: {words(addresses.reason)}" + (f" ({addresses.detail})" if addresses.detail else "")
            )
    return "; ".join(said) or None


def _unit_verdicts(group: Group, hosts: Mapping[str, Verdict], scene: _Scene) -> Iterator[Verdict]:
    for host in group.hosts:
        for unit in group.units:
            yield _unit_verdict(group, hosts[host], unit, scene)


def _unit_verdict(group: Group, host: Verdict, unit: str, scene: _Scene) -> Verdict:
    assert host.host is not None  # noqa: S101  a host's verdict names it
    observation = scene.latest(host.host)
    roles = scene.roles.get(group.name, Roles())
    facts = observation.units.get(unit, Unobserved(reason=Reason.NO_ANSWER))
    if isinstance(facts, UnitFacts):
        finding = judge_unit(group, host.host, unit, roles, scene.looks, scene.inventory.judging)
        cause = f"{group.name}/vip" if _explained_by_vip(group, unit, roles, finding) else None
    else:
        finding, cause = _not_seen(facts, host, scene)
    role = roles.of(host.host) if group.active_passive else None
    return Verdict(
        id=f"{group.name}/{host.host}/{unit_id(unit)}",
        kind="unit",
        group=group.name,
        host=host.host,
        unit=unit_id(unit),
        role=role,
        state=finding.state,
        reason=finding.reason,
        summary=_unit_summary(unit, host.host, role, facts, finding),
        detail=finding.detail,
        since=_since(finding, observation, scene.now),
        notes=finding.notes,
        observed=_observed(unit, facts, observation),
        expected=_expected(group, unit, roles, host.host),
        caused_by=cause,
        duration=observation.contact.duration,
    )


def _since(finding: Finding, observation: HostObservation, now: datetime) -> datetime | None:
    if finding.age is None:
        return None
    return (observation.seen_at or now) - timedelta(seconds=finding.age)


def _explained_by_vip(group: Group, unit: str, roles: Roles, finding: Finding) -> bool:
    if unit not in group.active_only or roles.active_node is not None:
        return False
    if finding.reason in _EXPLAINED_BY_VIP:
        return True
    # With no holder nothing starts the units; with two, each starts its own. Units that run on several nodes
    # though none holds the address are a danger of their own.
    return finding.reason is (Reason.SPLIT_BRAIN if roles.holders else Reason.INACTIVE)


def _not_seen(facts: Unobserved, host: Verdict, scene: _Scene) -> tuple[Finding, str | None]:
    if host.state.rank < State.UNKNOWN.rank:
        return Finding(state=State.UNKNOWN, reason=facts.reason, detail=facts.detail or None), None
    cause = "monitor" if scene.isolated and host.caused_by == "monitor" else host.id
    return Finding(state=State.UNKNOWN, reason=host.reason, detail=facts.detail or None), cause


def _unit_summary(
    unit: str, host: str, role: str | None, facts: UnitFacts | Unobserved, finding: Finding
) -> str:
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
    return f"{unit_id(unit)} on {where} is {state}{said}"


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


def _expected(group: Group, unit: str, roles: Roles, host: str) -> dict[str, object]:
    if unit not in group.active_only or roles.of(host) == "active":
        return {"active_state": "active"}
    return {"active_state": "inactive"} if roles.of(host) == "passive" else {}


def _tolerate(group: Group, verdicts: list[Verdict]) -> list[Verdict]:
    """Soften what is bad on no more hosts than the group tolerates; never for units of which one may run."""
    tolerated = set()
    for unit in set(group.units) - group.active_only:
        bad = [v for v in verdicts if v.unit == unit_id(unit) and v.state is State.CRITICAL]
        if len(bad) <= group.tolerates:
            tolerated |= {v.id for v in bad}
    return [
        replace(v, state=State.WARNING, notes=(*v.notes, "tolerated")) if v.id in tolerated else v
        for v in verdicts
    ]


def _unsupported(check: Check) -> Verdict:
    return Verdict(
        id=check.name,
        kind=check.kind,
        group=check.name,
        state=State.UNKNOWN,
        reason=Reason.UNSUPPORTED_KIND,
        summary=f"{check.name} is NOT VERIFIED (this version cannot ask checks of kind {check.kind})",
        detail="take the check out of the inventory, or use a version of quorate that knows its kind",
    )
