"""Which hosts are asked, and for what, and which checks."""

from collections.abc import Sequence
from dataclasses import dataclass

from quorate.model import KEEPALIVED, Check, Group, Inventory
from quorate.model.selectors import select, verdict_ids


@dataclass(frozen=True, kw_only=True, slots=True)
class HostPlan:
    """What one host is asked: the states of units, each once, whether its addresses, and for which checks.

    A host of an active/passive group is also asked for the last states of keepalived's VRRP instances where
    `vrrp` is set, and for the age of the markers at the paths in `sync`.
    """

    host: str
    units: tuple[str, ...] = ()
    addresses: bool = False
    checks: tuple[str, ...] = ()
    vrrp: bool = False
    sync: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a sweep asks; `selected` are the ids that it reports, None for all, chosen by `only`.

    `checks` are the names of the checks that are asked, at the same time as the hosts.
    """

    hosts: tuple[HostPlan, ...]
    checks: tuple[str, ...] = ()
    selected: frozenset[str] | None = None
    only: tuple[str, ...] = ()


def make_plan(inventory: Inventory, only: Sequence[str] = ()) -> Plan:
    """Plan a sweep of the whole inventory, or of what the selectors choose and whatever judging that needs.

    A group is asked as a whole, since roles and tolerance are judged over all its hosts; so are the jump
    hosts on the way. A check is asked as a whole as well, since a quorum is judged over all its members; one
    that asks hosts asks for them, too, and one whose meaning roles decide asks for those of its hosts.
    SelectorError where a selector matches nothing.
    """
    selected = select(verdict_ids(inventory), only) if only else None
    checks = [c for c in inventory.checks.values() if selected is None or _concerns(c, selected)]
    groups = [
        group
        for group in inventory.groups.values()
        if selected is None or _concerns(group, selected) or any(_decides(group, c) for c in checks)
    ]
    wanted = {host for group in groups for host in group.hosts}
    wanted |= {h for h in inventory.hosts if selected is None or f"host/{h}" in selected}
    wanted |= {host for check in checks if check.asks_hosts for host in check.hosts}
    hosts = [h for h in inventory.hosts if h in _with_jumps(inventory, wanted)]
    pairs = [
        group
        for group in groups
        if group.active_passive and (selected is None or f"{group.name}/failover" in selected)
    ]
    return Plan(
        hosts=tuple(_host_plan(host, groups, checks, pairs) for host in hosts),
        checks=tuple(check.name for check in checks),
        selected=selected,
        only=tuple(only),
    )


def _concerns(part: Group | Check, selected: frozenset[str]) -> bool:
    return any(i == part.name or i.startswith(part.name + "/") for i in selected)


def _decides(group: Group, check: Check) -> bool:
    return check.needs_roles and group.virtual_ip is not None and not set(group.hosts).isdisjoint(check.hosts)


def _with_jumps(inventory: Inventory, hosts: set[str]) -> set[str]:
    wanted = set(hosts)
    for host in hosts:
        jump = inventory.hosts[host].ssh.jump
        while jump is not None and jump not in wanted:
            wanted.add(jump)
            jump = inventory.hosts[jump].ssh.jump
    return wanted


def _host_plan(
    host: str, groups: Sequence[Group], checks: Sequence[Check], pairs: Sequence[Group]
) -> HostPlan:
    """Plan a host; `pairs` are the groups of which it is to be told whether a failover would work."""
    concerned = [group for group in groups if host in group.hosts]
    of_host = [group for group in pairs if host in group.hosts]
    markers = [group.active_passive.sync for group in of_host if group.active_passive]
    return HostPlan(
        host=host,
        units=tuple(dict.fromkeys(unit for group in concerned for unit in group.units)),
        addresses=any(group.virtual_ip for group in concerned),
        checks=tuple(check.name for check in checks if check.asks_hosts and host in check.hosts),
        vrrp=any(KEEPALIVED in group.units for group in of_host),
        sync=tuple(dict.fromkeys(marker.path for marker in markers if marker)),
    )
