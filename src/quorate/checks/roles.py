"""Who holds a group's virtual IP, and what its units may do on each node because of that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quorate.checks import units
from quorate.checks.finding import Finding
from quorate.model import (
    Addresses,
    Group,
    HostObservation,
    JudgingSettings,
    Reason,
    State,
    UnitFacts,
)

Looks = Mapping[str, Sequence[HostObservation]]
"""All looks at each host, oldest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Roles:
    """Hosts that hold the virtual IP, and hosts whose addresses could not be asked, in inventory order."""

    holders: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()

    @property
    def active_node(self) -> str | None:
        """The one proven holder."""
        return self.holders[0] if len(self.holders) == 1 else None

    def of(self, host: str) -> str | None:
        """Return "active" or "passive", or None where that is not proven."""
        if self.active_node is None:
            return None
        return "active" if host == self.active_node else "passive"


def roles_of(group: Group, looks: Looks) -> Roles:
    """Return the roles of a group's hosts by the addresses of the latest look at each."""
    holders, unasked = [], []
    for host in group.hosts:
        addresses = looks[host][-1].addresses
        if not isinstance(addresses, Addresses):
            unasked.append(host)
        elif group.virtual_ip in addresses.held:
            holders.append(host)
    return Roles(holders=tuple(holders), unasked=tuple(unasked))


def unit_looks(unit: str, observations: Sequence[HostObservation]) -> list[UnitFacts]:
    """Return what was seen of a unit, oldest first; empty unless the latest look saw it."""
    if not observations or not isinstance(observations[-1].units.get(unit), UnitFacts):
        return []
    return [facts for o in observations if isinstance(facts := o.units.get(unit), UnitFacts)]


def running_hosts(group: Group, unit: str, looks: Looks) -> list[str]:
    """Return the hosts of a group on which the unit runs by the latest look."""
    seen = {host: unit_looks(unit, looks[host]) for host in group.hosts}
    return [host for host, facts in seen.items() if facts and units.runs(facts[-1])]


def judge_unit(
    group: Group, host: str, unit: str, roles: Roles, looks: Looks, settings: JudgingSettings
) -> Finding:
    """Judge a unit that was seen on a host, by the node's role where the group has roles for it."""
    seen = unit_looks(unit, looks[host])
    required = units.judge_required(unit, seen, looks[host][-1], settings)
    if unit not in group.active_only:
        return required
    running = running_hosts(group, unit, looks)
    if len(roles.holders) > 1:
        return _two_holders(host, roles, running, seen[-1], required)
    if roles.active_node is None:
        return _no_holder(host, roles, running, required)
    if host == roles.active_node:
        finding, contradicts = required, required.reason is Reason.INACTIVE
    else:
        finding = units.judge_passive(seen, peer_runs=roles.active_node in running)
        contradicts = finding.reason in (Reason.SPLIT_BRAIN, Reason.ROLE_MISPLACED)
    if contradicts and failover_in_progress(group, roles.active_node, looks):
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


def _two_holders(host: str, roles: Roles, running: list[str], facts: UnitFacts, required: Finding) -> Finding:
    running_holders = [h for h in running if h in roles.holders]
    if host in running:
        if len(running) > 1:
            return _critical(Reason.SPLIT_BRAIN, required)
        return required if host in roles.holders else _critical(Reason.ROLE_MISPLACED, required)
    if host in roles.holders and not running_holders:
        return required
    return Finding(
        state=State.UNKNOWN,
        reason=Reason.ACTIVE_NODE_AMBIGUOUS,
        detail=f"{' and '.join(roles.holders)} hold the virtual IP, so which node is active is not decided",
        age=required.age if units.rests(facts) else None,
    )


def _no_holder(host: str, roles: Roles, running: list[str], required: Finding) -> Finding:
    if roles.unasked:
        detail = f"no node that answered holds the virtual IP; {', '.join(roles.unasked)} could not be asked"
        return Finding(state=State.UNKNOWN, reason=Reason.PEER_UNVERIFIED, detail=detail)
    if not running:
        return required
    if host not in running:
        detail = f"runs on {', '.join(running)}, but no node holds the virtual IP"
        return Finding(state=State.UNKNOWN, reason=Reason.ACTIVE_NODE_UNKNOWN, detail=detail)
    if len(running) > 1:
        return _critical(Reason.SPLIT_BRAIN, required)
    return Finding(state=State.WARNING, reason=Reason.ACTIVE_WITHOUT_VIP, age=required.age)


def _critical(reason: Reason, like: Finding) -> Finding:
    return Finding(state=State.CRITICAL, reason=reason, age=like.age)
