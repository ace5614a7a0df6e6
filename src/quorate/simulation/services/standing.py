"""How the services of the cluster stand, from the state of its machines and from what a scenario says."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from quorate.simulation.cluster import SimulatedCluster
from quorate.simulation.data import recorded
from quorate.simulation.services.state import Manner, SimulatedDatabase, SimulatedNode, SimulatedService
from quorate.simulation.state import SimulatedHost, Ssh
from quorate.simulation.units import full_name

Key = tuple[str, str]
"""A check and one of its members; a check that has no members has one service, under its own name twice."""

_REACH = {Ssh.SILENT: Manner.SILENT, Ssh.MUTE: Manner.MUTE, Ssh.REFUSED: Manner.REFUSED}
"""A host that is off, hung or has nothing that listens is so for its services too."""

_AT_WORK = frozenset({"active", "reloading", "refreshing"})


def services_of(cluster: SimulatedCluster, password: Callable[[str], str]) -> dict[Key, SimulatedService]:
    """Return the services of the cluster's checks; `password` tells that of a check's user."""
    found: dict[Key, SimulatedService] = {}
    for name, check in cluster.checks.items():
        told = cluster.services.get(name, {})
        for key, service in _services(name, check, cluster, password):
            manner = told.get(key[1], told.get("*"))
            found[key] = service if manner is None else replace(service, manner=manner)
    return found


def _services(
    name: str, check: Mapping[str, Any], cluster: SimulatedCluster, password: Callable[[str], str]
) -> Iterator[tuple[Key, SimulatedService]]:
    match check["kind"]:
        case "postgresql":
            yield (
                (name, name),
                SimulatedDatabase(
                    database=check["database"],
                    user=check["user"],
                    password=password(name),
                    tables=cluster.tables,
                    manner=_database(check, cluster),
                ),
            )
        case "rabbitmq":
            for member in check["hosts"]:
                host = cluster.hosts[member]
                yield (
                    (name, member),
                    SimulatedNode(
                        cluster=f"rabbit@{check['hosts'][0]}",
                        vhost=check["vhost"],
                        user=check["user"],
                        password=password(name),
                        manner=_of_unit(host, check["logs_from"]["unit"]),
                    ),
                )


def _of_unit(host: SimulatedHost, unit: str) -> Manner:
    """Return how a service answers that a unit of the host provides."""
    reach = _REACH.get(host.ssh, Manner.NORMAL)
    if reach is Manner.NORMAL and not _at_work(host, unit):
        return Manner.REFUSED
    return reach


def _database(check: Mapping[str, Any], cluster: SimulatedCluster) -> Manner:
    """Return how the database answers: through HAProxy on a holder of its address, to Patroni's leader."""
    holders = [host for host in cluster.hosts.values() if _holds(host, check["host"])]
    if not holders:
        return Manner.SILENT
    fronts = [_of_unit(host, "haproxy") for host in holders]
    if Manner.NORMAL not in fronts:
        return fronts[0]
    source = check["logs_from"]
    nodes = [cluster.hosts[name] for name in cluster.machines[source["group"]]]
    voters = [host for host in nodes if "etcd.service" in host.units]
    agreed = [host for host in voters if _of_unit(host, "etcd") is Manner.NORMAL]
    has_quorum = not voters or len(agreed) > len(voters) // 2
    # When the leader fails, the next takes over: any node whose Patroni runs would lead.
    leads = has_quorum and any(_of_unit(host, source["unit"]) is Manner.NORMAL for host in nodes)
    return Manner.NORMAL if leads else Manner.NO_BACKEND


def _holds(host: SimulatedHost, address: str) -> bool:
    usable = (a for i in host.interfaces if i.up and i.name != "lo" for a in i.addresses)
    return any(a.local == address and not {"tentative", "dadfailed"} & set(a.flags) for a in usable)


def _at_work(host: SimulatedHost, name: str) -> bool:
    unit = host.units.get(full_name(name))
    if unit is None:
        return False
    told = {**dict(recorded(unit.template)), **unit.properties}
    return told["ActiveState"] in _AT_WORK
