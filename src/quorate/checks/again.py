"""Tells which hosts deserve another look, or a further question, before anything is judged of them.

When all is well nothing does, so asking again costs nothing then.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quorate.checks import units
from quorate.checks.roles import Looks, roles_of, running_hosts, unit_looks
from quorate.model import Addresses, Group, HostObservation, Inventory, UnitFacts


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
        if units.is_restarting(f) or (units.runs(f) and units.restarted_within(f, window))
    ]
    return FollowUp(
        system_state=bool(idle),
        triggers=tuple(sorted({name for f in idle for name in units.triggers(f)})),
        restarts=tuple(restarted),
    )


def _passive_units(inventory: Inventory, looks: Looks) -> set[tuple[str, str]]:
    """Return what rightly rests: units of passive nodes, unless another group wants them to run there."""
    passive, required = set(), set()
    for group in _asked(inventory, looks):
        roles = roles_of(group, looks) if group.active_passive else None
        for host in group.hosts:
            rightly = group.active_only if roles and roles.of(host) == "passive" else frozenset()
            passive |= {(host, unit) for unit in rightly}
            required |= {(host, unit) for unit in group.units if unit not in rightly}
    return passive - required


def unsettled(inventory: Inventory, looks: Looks) -> frozenset[str]:
    """Return the hosts to look at again, since what is in transition or contradicts the roles is not settled.

    Something is settled once two looks in a row agree on every host that it concerns. Hosts that share a
    virtual IP are looked at together, so that roles are judged by addresses of one moment.
    """
    concerned: set[str] = set()
    for hosts in _open_questions(inventory, looks):
        askable = {host for host in hosts if looks[host][-1].contact.failure is None}
        if not all(_agrees(looks[host]) for host in askable):
            concerned |= askable
    return frozenset(_with_peers(inventory, looks, concerned))


def _open_questions(inventory: Inventory, looks: Looks) -> Iterator[set[str]]:
    for host, seen in looks.items():
        if any(isinstance(f, UnitFacts) and _is_open(f, seen) for f in seen[-1].units.values()):
            yield {host}
    for group in _asked(inventory, looks):
        if group.virtual_ip and _contradicts_roles(group, looks):
            yield set(group.hosts)


def _is_open(facts: UnitFacts, seen: Sequence[HostObservation]) -> bool:
    return units.is_changing(facts) or (units.rests(facts) and units.is_starting_up(seen[-1]))


def _contradicts_roles(group: Group, looks: Looks) -> bool:
    holder = roles_of(group, looks).active_node
    if holder is None:
        return True
    for unit in group.active_only:
        running = running_hosts(group, unit, looks)
        seen = unit_looks(unit, looks[holder])
        if set(running) - {holder} or (seen and units.rests(seen[-1])):
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


def _with_peers(inventory: Inventory, looks: Looks, hosts: set[str]) -> set[str]:
    wanted = set(hosts)
    while True:
        peers = {
            host
            for group in _asked(inventory, looks)
            if group.virtual_ip and wanted & set(group.hosts)
            for host in group.hosts
            if looks[host][-1].contact.failure is None
        }
        if peers <= wanted:
            return wanted
        wanted |= peers


def _asked(inventory: Inventory, looks: Looks) -> list[Group]:
    return [group for group in inventory.groups.values() if all(host in looks for host in group.hosts)]
