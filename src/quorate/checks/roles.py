"""Who holds a group's virtual IP, and what its units may do on each node because of that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from quorate.checks import units
from quorate.checks.finding import Finding
from quorate.model import (
    Addresses,
    Group,
    HostObservation,
    Inventory,
    JudgingSettings,
    Reason,
    State,
    UnitFacts,
)

Looks = Mapping[str, Sequence[HostObservation]]
"""All looks at each host, oldest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Roles:
    """What the latest looks at a group's hosts prove, hosts in inventory order.

    `holders` hold the virtual IP, of `unasked` the addresses could not be asked. By active-only unit,
    `running` are the hosts on which it runs, `unseen` those on which its state could not be asked.
    """

    holders: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()
    running: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unseen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def active_node(self) -> str | None:
        """The one proven holder."""
        return self.holders[0] if len(self.holders) == 1 else None

    def of(self, host: str) -> str | None:
        """Return "active" or "passive", or None where that is not proven."""
        if len(self.holders) != 1:
            return None
        return "active" if host == self.holders[0] else "passive"


def asked_groups(inventory: Inventory, looks: Looks) -> list[Group]:
    """Return the groups of which every host was asked for all that judging the group needs."""
    return [
        group
        for group in inventory.groups.values()
        if all(_was_asked(group, looks.get(h)) for h in group.hosts)
    ]


def _was_asked(group: Group, seen: Sequence[HostObservation] | None) -> bool:
    if not seen or (group.virtual_ip and seen[-1].addresses is None):
        return False
    return all(unit in seen[-1].units for unit in group.units)


def roles_of(group: Group, looks: Looks) -> Roles:
    """Return the roles of a group's hosts by the latest look at each: addresses and units of one moment."""
    holders, unasked = [], []
    for host in group.hosts:
        addresses = looks[host][-1].addresses
        if not isinstance(addresses, Addresses):
            unasked.append(host)
        elif group.virtual_ip in addresses.held:
            holders.append(host)
    running, unseen = {}, {}
    for unit in group.active_only:
        facts = {host: looks[host][-1].units.get(unit) for host in group.hosts}
        running[unit] = tuple(h for h, f in facts.items() if isinstance(f, UnitFacts) and units.runs(f))
        unseen[unit] = tuple(h for h, f in facts.items() if not isinstance(f, UnitFacts))
    return Roles(holders=tuple(holders), unasked=tuple(unasked), running=running, unseen=unseen)


def unit_looks(unit: str, observations: Sequence[HostObservation]) -> list[UnitFacts]:
    """Return what was seen of a unit, oldest first; empty unless the latest look saw it."""
    if not isinstance(observations[-1].units.get(unit), UnitFacts):
        return []
    return [facts for o in observations if isinstance(facts := o.units.get(unit), UnitFacts)]


def judge_unit(
    group: Group, host: str, unit: str, roles: Roles, looks: Looks, settings: JudgingSettings
) -> Finding:
    """Judge a unit that was seen on a host, by the node's role where the group has roles for it."""
    seen = unit_looks(unit, looks[host])
    if unit not in roles.running:
        return units.judge_required(unit, seen, looks[host][-1], settings)
    active = roles.active_node
    if active is not None and host != active:
        finding = units.judge_passive(seen, peer_runs=active in roles.running[unit])
        if finding.reason is Reason.SPLIT_BRAIN:
            finding = replace(finding, detail=f"it runs on the active node {active} too")
        elif finding.reason is Reason.ROLE_MISPLACED:
            finding = replace(
                finding, detail=f"it runs here, and was not seen to run on the active node {active}"
            )
        contradicts = finding.reason in (Reason.SPLIT_BRAIN, Reason.ROLE_MISPLACED)
    else:
        finding = units.judge_required(unit, seen, looks[host][-1], settings)
        contradicts = finding.reason is Reason.INACTIVE or units.was_stopped(seen[-1])
    if len(roles.holders) > 1:
        return _two_holders(host, unit, roles, finding)
    if active is None:
        return _no_holder(host, unit, roles, finding, seen[-1])
    if contradicts and failover_in_progress(group, active, looks):
        return Finding(state=State.WARNING, reason=Reason.FAILOVER_IN_PROGRESS, age=finding.age)
    return finding


def failover_in_progress(group: Group, holder: str, looks: Looks) -> bool:
    """Tell whether the holder has just begun to take over: what it runs, it runs for less than the grace."""
    if group.active_passive is None:
        return False
    seen = [unit_looks(unit, looks[holder]) for unit in group.active_passive.units]
    ages = [facts[-1].active_age for facts in seen if facts and units.runs(facts[-1])]
    grace = group.active_passive.failover_grace
    return bool(ages) and all(age is not None and age < grace for age in ages)


def _two_holders(host: str, unit: str, roles: Roles, required: Finding) -> Finding:
    running = roles.running[unit]
    on_holders = [h for h in running if h in roles.holders]
    unseen = [h for h in roles.unseen[unit] if h in roles.holders]
    if host in running and len(running) > 1:
        return _critical(Reason.SPLIT_BRAIN, required)
    if host in running and host not in roles.holders:
        return _critical(Reason.ROLE_MISPLACED, required)
    if host in roles.holders and not unseen and (host in running or not on_holders):
        return required
    # Whether a holder that could not be asked runs it as well decides, so nothing is proven here.
    said = f"; the unit's state on {', '.join(unseen)} could not be asked" if unseen else ""
    detail = (
        f"{' and '.join(roles.holders)} hold the virtual IP, so which node is active is not decided{said}"
    )
    return Finding(state=State.UNKNOWN, reason=Reason.ACTIVE_NODE_AMBIGUOUS, detail=detail)


def _no_holder(host: str, unit: str, roles: Roles, required: Finding, facts: UnitFacts) -> Finding:
    running, unseen = roles.running[unit], roles.unseen[unit]
    if roles.unasked:
        detail = f"no node that answered holds the virtual IP; {', '.join(roles.unasked)} could not be asked"
        return Finding(state=State.UNKNOWN, reason=Reason.PEER_UNVERIFIED, detail=detail)
    if host in running:
        if len(running) > 1:
            return _critical(Reason.SPLIT_BRAIN, required)
        notes = () if required.state is State.OK else (required.reason.value,)
        return Finding(state=State.WARNING, reason=Reason.ACTIVE_WITHOUT_VIP, age=required.age, notes=notes)
    if running or unseen:
        # A unit runs nowhere only if every node says so.
        where = f"runs on {', '.join(running)}" if running else f"could not be seen on {', '.join(unseen)}"
        detail = f"it {where}, and no node holds the virtual IP"
        return Finding(state=State.UNKNOWN, reason=Reason.ACTIVE_NODE_UNKNOWN, detail=detail)
    if units.was_stopped(facts):
        # Whoever gave the address up stopped it: it is missing as the others are, and did not break.
        return replace(_critical(Reason.INACTIVE, required), notes=("stopped_by_signal",))
    return required


def _critical(reason: Reason, like: Finding) -> Finding:
    return Finding(state=State.CRITICAL, reason=reason, age=like.age)
