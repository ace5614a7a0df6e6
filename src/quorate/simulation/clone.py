"""Makes many hosts of the example cluster's fourteen, for measurements."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from quorate.simulation.cluster import SimulatedCluster
from quorate.simulation.state import Interface, SimulatedAddress, SimulatedHost


def cloned(cluster: SimulatedCluster, count: int) -> SimulatedCluster:
    """Return a cluster of `count` hosts: the first as they are, then copies of all of them, `-2`, `-3`, ….

    A copy's addresses lie in 198.18.0.0/15, the range for benchmarks (RFC 2544). The last copy may be cut
    short: a group keeps those of its hosts that exist, and is left out where that leaves it none, or
    leaves a virtual IP with one host alone. There are no checks, because those are of one cluster.
    """
    size = len(cluster.hosts)
    copies = -(-count // size)
    if copies > 512:
        raise ValueError(f"{count} hosts are too many to simulate: {512 * size} at most")
    hosts: dict[str, SimulatedHost] = {}
    groups: dict[str, Any] = {}
    for number in range(1, copies + 1):
        copied = [_copied(host, number) for host in cluster.hosts.values()]
        hosts |= {host.name: host for host in copied[: count - len(hosts)]}
        for name, group in cluster.groups.items():
            shrunk = _group(group, number, hosts)
            if shrunk is not None:
                groups[_name(name, number)] = shrunk
    return replace(cluster, hosts=hosts, groups=groups, declared=tuple(hosts), checks={}, task_logs=())


def _name(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def _at(address: str, number: int) -> str:
    if number == 1 or ":" in address:
        return address
    return f"198.{18 + number // 256}.{number % 256}.{address.rsplit('.', 1)[1]}"


def _copied(host: SimulatedHost, number: int) -> SimulatedHost:
    if number == 1:
        return host
    return replace(
        host,
        name=_name(host.name, number),
        address=_at(host.address, number),
        interfaces=tuple(_interface(interface, number) for interface in host.interfaces),
    )


def _interface(interface: Interface, number: int) -> Interface:
    moved = tuple(
        SimulatedAddress(local=_at(a.local, number), prefix=a.prefix, flags=a.flags)
        for a in interface.addresses
    )
    return replace(interface, addresses=moved)


def _group(group: Mapping[str, Any], number: int, hosts: Mapping[str, Any]) -> dict[str, Any] | None:
    members = [name for member in group["hosts"] if (name := _name(member, number)) in hosts]
    if not members or (len(members) < 2 and ("vip" in group or "active_passive" in group)):
        return None
    changed = {**group, "hosts": members}
    if "vip" in group:
        changed["vip"] = _at(group["vip"], number)
    if "active_passive" in group:
        pair = group["active_passive"]
        changed["active_passive"] = {**pair, "vip": _at(pair["vip"], number)}
    return changed
