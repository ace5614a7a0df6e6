"""Tells which hosts deserve another look, or a further question, before anything is judged of them.

When all is well nothing does, so asking again costs nothing then.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from quorate.checks import units
from quorate.checks.roles import Looks, asked_groups, roles_of
from quorate.model import Addresses, Group, HostObservation, Inventory, Reason, UnitFacts, Unobserved


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowUp:
    """Further questions to one host about what its latest look showed."""

    system_state: bool = False
    triggers: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()


def follow_ups(inventory: Inventory, looks: Looks) -> dict[str, FollowUp]:
    """Return the questions that decide what a first answer leaves open, by host."""
    passive = _passive_units(inventory, looks)
    found = {}
    for host, seen in looks.items():
        if seen[-1].followed_up or seen[-1].contact.failure is not None:
            continue
        facts = {
            unit: f
            for unit, f in seen[-1].units.items()
            if isinstance(f, UnitFacts) and (host, unit) not in passive
        }
        follow_up = _follow_up(facts, inventory.judging.restart_window)
        if follow_up != FollowUp():
            found[host] = follow_up
    return found


def _follow_up(facts: dict[str, UnitFacts], window: float) -> FollowUp:
    idle = [f for f in facts.values() if units.rests(f) and f.load_state == "loaded" and not f.job]
    restarted = [
        unit
        for unit, f in facts.items()
        if units.is_restarting(f)
        or units.is_restarted(f)
        or (units.runs(f) and units.restarted_within(f, window))
    ]
    return FollowUp(
        system_state=bool(idle),
        triggers=tuple(sorted({name for f in idle for name in units.triggers(f)})),
        restarts=tuple(restarted),
    )


def _passive_units(inventory: Inventory, looks: Looks) -> set[tuple[str, str]]:
    """Return what rightly rests: units of passive nodes, unless another group wants them to run there."""
    passive, required = set(), set()
    for group in asked_groups(inventory, looks):
        roles = roles_of(group, looks) if group.active_passive else None
        for host in group.hosts:
            rightly = group.active_only if roles and roles.of(host) == "passive" else frozenset()
            passive |= {(host, unit) for unit in rightly}
            required |= {(host, unit) for unit in group.units if unit not in rightly}
    return passive - required


def ran_out_of_time(before: HostObservation, after: HostObservation) -> bool:
    """Tell whether a later look lacks what the one before it saw, only because the time was up."""
    units_lost = any(
        isinstance(before.units.get(unit), UnitFacts) and _timed_out(fact)
        for unit, fact in after.units.items()
    )
    return units_lost or (isinstance(before.addresses, Addresses) and _timed_out(after.addresses))


def _timed_out(fact: object) -> bool:
    return isinstance(fact, Unobserved) and fact.reason is Reason.COMMAND_TIMEOUT


def unsettled(inventory: Inventory, looks: Looks) -> frozenset[str]:
    """Return the hosts to look at again, since what is in transition or contradicts the roles is not settled.

    What was once open is settled as soon as two looks in a row agree on every host that it concerns. Hosts
    that share a virtual IP are looked at together, so that roles are judged by addresses of one moment.
    """
    groups = asked_groups(inventory, looks)
    concerned: set[str] = set()
    for hosts in _open_questions(groups, looks):
        askable = {host for host in hosts if looks[host][-1].contact.failure is None}
        if not all(_agrees(looks[host]) for host in askable):
            concerned |= askable
    return frozenset(_with_peers(groups, looks, concerned))


def _open_questions(groups: Sequence[Group], looks: Looks) -> Iterator[set[str]]:
    for host, seen in looks.items():
        # More than one look was taken only because something was open.
        if len(seen) > 1 or _is_changing(seen[-1]):
            yield {host}
    for group in groups:
        if group.virtual_ip and _contradicts_roles(group, looks):
            yield set(group.hosts)


def _is_changing(seen: HostObservation) -> bool:
    starting_up = units.is_starting_up(seen)
    return any(
        isinstance(f, UnitFacts) and (units.is_changing(f) or (starting_up and units.rests(f)))
        for f in seen.units.values()
    )


def _contradicts_roles(group: Group, looks: Looks) -> bool:
    roles = roles_of(group, looks)
    holder = roles.active_node
    if holder is None:
        return True
    for unit in group.active_only:
        facts = looks[holder][-1].units.get(unit)
        if set(roles.running[unit]) - {holder}:
            return True
        if not isinstance(facts, UnitFacts):
            continue
        missing = units.rests(facts) and not units.waits(facts, looks[holder][-1])
        # What its last stop left as failed is about to be started where a failover is under way.
        if missing or units.was_stopped(facts):
            return True
    return False


def _agrees(seen: Sequence[HostObservation]) -> bool:
    return len(seen) > 1 and _signature(seen[-1]) == _signature(seen[-2])


def _signature(observation: HostObservation) -> object:
    addresses = observation.addresses.held if isinstance(observation.addresses, Addresses) else None
    states = {
        unit: (f.active_state, units.is_restarting(f), units.is_queued(f))
        if isinstance(f, UnitFacts)
        else None
        for unit, f in observation.units.items()
    }
    return addresses, states


def sharing_vip(inventory: Inventory, looks: Looks, hosts: Set[str]) -> frozenset[str]:
    """Return the hosts with all those that have to be looked at in the same moment as one of them."""
    return frozenset(_with_peers(asked_groups(inventory, looks), looks, hosts))


def _with_peers(groups: Sequence[Group], looks: Looks, hosts: Set[str]) -> set[str]:
    wanted = set(hosts)
    grown = bool(wanted)
    while grown:
        peers = {
            host
            for group in groups
            if group.virtual_ip and not wanted.isdisjoint(group.hosts)
            for host in group.hosts
            if looks[host][-1].contact.failure is None
        }
        grown = not peers <= wanted
        wanted |= peers
    return wanted
