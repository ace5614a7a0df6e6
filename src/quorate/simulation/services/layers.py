"""How the services of the cluster stand upon each other, and all upon the machines.

    etcd ──► Patroni ──► HAProxy ──► the database behind the virtual IP ──► Airflow
    machines ──► RabbitMQ, NFS

Each layer is what the machines and the layer below make of it, unless a scenario says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from quorate.simulation.cluster import SimulatedCluster
from quorate.simulation.data import recorded
from quorate.simulation.services.etcd import EtcdMember, EtcdSite
from quorate.simulation.services.haproxy import DOWN, UP
from quorate.simulation.services.patroni import LEADING, PatroniNode, PatroniSite
from quorate.simulation.services.state import Manner
from quorate.simulation.services.words import EVERY, NOTHING, Told
from quorate.simulation.state import SimulatedHost, Ssh
from quorate.simulation.units import full_name

_REACH = {Ssh.SILENT: Manner.SILENT, Ssh.MUTE: Manner.MUTE, Ssh.REFUSED: Manner.REFUSED}
"""A host that is off, hung or has nothing that listens is so for its services too."""
_GONE = frozenset({Manner.SILENT, Manner.MUTE, Manner.REFUSED, Manner.NO_BACKEND})
"""Manners of what serves nobody, the other members of its cluster included."""
_AT_WORK = frozenset({"active", "reloading", "refreshing"})
_BACKENDS = {5000: "write", 6000: "read", 8081: "web"}
"""What HAProxy serves at which port."""
_UNUSABLE = _GONE | {Manner.CLOSES, Manner.SLOW}
"""Manners of a database that Airflow can't use."""
_LOST = 240.0
"""Seconds ago that a component's last heartbeat was whose host has gone."""
_COMPONENTS = {"scheduler": "airflow-scheduler", "dag_processor": "airflow-dag-processor"}


@dataclass(frozen=True, kw_only=True)
class Layers:
    """The services of a cluster, each upon those below it."""

    cluster: SimulatedCluster

    # ------------------------------------------------------------ machines

    def told(self, kind: str, member: str) -> Told:
        """Return what the scenario says of a member of a check of this kind."""
        by_member = self.cluster.services.get(kind, {})
        return by_member.get(member, by_member.get(EVERY, NOTHING))

    def hosts_of(self, unit: str) -> tuple[str, ...]:
        """Return the hosts of the example cluster that a unit is on."""
        return self.cluster.machines.get(full_name(unit), ())

    def of_unit(self, host: str, unit: str) -> Manner:
        """Return how a service answers that a unit of a host provides."""
        machine = self.cluster.hosts[host]
        reach = _REACH.get(machine.ssh, Manner.NORMAL)
        return reach if reach is not Manner.NORMAL or _at_work(machine, unit) else Manner.REFUSED

    def manner(self, kind: str, host: str, unit: str) -> Manner:
        """Return how a member of a cluster answers that a unit provides, unless the scenario says it."""
        return self.told(kind, host).manner or self.of_unit(host, unit)

    def _serves(self, kind: str, host: str, unit: str) -> bool:
        """Tell whether a member is there for the others of its cluster."""
        return self.manner(kind, host, unit) not in _GONE

    def holder(self, address: str, unit: str) -> tuple[Manner, str | None]:
        """Return how a unit answers behind an address, and on which host; that which works before others."""
        hosts = [name for name, host in self.cluster.hosts.items() if _holds(host, address)]
        found = [(self.of_unit(host, unit), host) for host in hosts]
        working = [each for each in found if each[0] is Manner.NORMAL]
        return next(iter(working or found), (Manner.SILENT, None))

    # ------------------------------------------------------------ etcd

    @cached_property
    def _voters(self) -> list[str]:
        return [host for host in self.hosts_of("etcd") if "etcd.service" in self.cluster.hosts[host].units]

    @cached_property
    def has_quorum(self) -> bool:
        """Whether etcd has one; where there is no etcd, nothing depends on it."""
        return not self._voters or len(self._agreed) > len(self._voters) // 2

    @cached_property
    def _agreed(self) -> list[str]:
        return [
            host
            for host in self._voters
            if self._serves("etcd", host, "etcd") and self.told("etcd", host).keys.get("leader", True)
        ]

    def etcd(self, own: str) -> EtcdSite:
        """Return what the member on a host answers."""
        members = []
        for host in self.hosts_of("etcd"):
            keys = {key: value for key, value in self.told("etcd", host).keys.items() if key != "leader"}
            members.append(EtcdMember(name=host, address=self.cluster.hosts[host].address, **keys))
        leader = self._agreed[0] if self.has_quorum and own in self._agreed else None
        return EtcdSite(own=own, members=tuple(members), leader=leader)

    # ------------------------------------------------------------ Patroni

    @cached_property
    def _running(self) -> list[str]:
        return [host for host in self.hosts_of("patroni") if self._serves("patroni", host, "patroni")]

    def _role(self, host: str) -> str | None:
        role: str | None = self.told("patroni", host).keys.get("role")
        return role

    @cached_property
    def _could_lead(self) -> str | None:
        """The node that leads, or did before etcd lost its majority."""
        chosen = [host for host in self._running if self._role(host) in LEADING]
        free = [host for host in self._running if self._role(host) is None]
        return next(iter(chosen or free), None)

    @cached_property
    def leader(self) -> str | None:
        """The node that holds the leader's lock; when one fails, the next takes over."""
        return self._could_lead if self.has_quorum else None

    @cached_property
    def nodes(self) -> Mapping[str, PatroniNode]:
        """The nodes whose Patroni runs, as each sees itself."""
        paused = any(self.told("patroni", host).keys.get("paused") for host in self._running)
        first = self.hosts_of("patroni")[:1]
        found = {}
        for host in self._running:
            keys = {key: value for key, value in self.told("patroni", host).keys.items() if key != "dcs"}
            node = PatroniNode(
                name=host,
                address=self.cluster.hosts[host].address,
                role="leader" if host == self.leader else "replica",
                timeline=12 if self._could_lead in (*first, None) else 13,
                paused=paused,
                dcs_seen=2.0 if self.has_quorum else 180.0,
            )
            found[host] = replace(node, **{**keys, "paused": paused})
        return found

    def patroni(self, own: str) -> PatroniSite | None:
        """Return what the node on a host answers, None where its Patroni does not run."""
        if own not in self.nodes:
            return None
        dcs = self.told("patroni", own).keys.get("dcs", True)
        return PatroniSite(own=own, nodes=tuple(self.nodes.values()), leader=self._could_lead, dcs=dcs)

    def _answers_checks(self, host: str) -> bool:
        running = host in self.nodes and self.nodes[host].state in ("running", "streaming")
        return running and self.manner("patroni", host, "patroni") is Manner.NORMAL

    # ------------------------------------------------------------ HAProxy

    def backends(self, balancer: str) -> Mapping[str, Mapping[str, str]]:
        """Return the status of the servers of each backend, as a balancer sees them."""
        databases, webs = self.hosts_of("patroni"), self.hosts_of("airflow-webserver")
        up = {
            "write": [host for host in databases if self._answers_checks(host) and host == self.leader],
            "read": [host for host in databases if self._answers_checks(host) and host != self.leader],
            "web": [host for host in webs if self.of_unit(host, "airflow-webserver") is Manner.NORMAL],
        }
        servers = {"write": databases, "read": databases, "web": webs}
        found = {
            name: {server: UP if server in up[name] else DOWN for server in servers[name]} for name in servers
        }
        for name, told in self.told("haproxy", balancer).keys.items():
            if told is None:
                found.pop(name, None)
            elif isinstance(told, Mapping):
                found[name] = {**found.get(name, {}), **told}
            else:
                every = dict.fromkeys((*found.get(name, {}), *told))
                found[name] = {server: UP if server in told else DOWN for server in every}
        return found

    def behind(self, address: str, port: int) -> tuple[Manner, list[str]]:
        """Return how what HAProxy serves at an address answers, and the servers that it has for it."""
        manner, balancer = self.holder(address, "haproxy")
        if manner is not Manner.NORMAL or balancer is None:
            return manner, []
        servers = self.backends(balancer).get(_BACKENDS.get(port, ""), {})
        return manner, [server for server, status in servers.items() if status == UP]

    def database(self, address: str, port: int) -> Manner:
        """Return how the database answers there: through HAProxy, to whom that takes for the leader."""
        manner, servers = self.behind(address, port)
        if manner is not Manner.NORMAL:
            return manner
        if not servers:
            return Manner.NO_BACKEND
        return Manner.NORMAL if servers[0] == self.leader else Manner.STANDBY

    def web(self, address: str, port: int) -> Manner:
        """Return how a web server behind HAProxy answers there."""
        manner, servers = self.behind(address, port)
        return Manner.UNAVAILABLE if manner is Manner.NORMAL and not servers else manner

    # ------------------------------------------------------------ Airflow

    def airflow_database(self, address: str) -> bool:
        """Tell whether Airflow can use its database, behind the same address."""
        told = [each.manner for each in self.cluster.services.get("postgresql", {}).values()]
        manner = next((each for each in told if each is not None), None) or self.database(address, 5000)
        return manner not in _UNUSABLE

    def beats(self) -> dict[str, dict[str, float]]:
        """Return how many seconds ago each component's heartbeat was, by the component and the host."""
        return {
            component: {
                host: age
                for at, host in enumerate(self.hosts_of(unit))
                if (age := self._beat(host, unit, at)) is not None
            }
            for component, unit in _COMPONENTS.items()
        }

    def _beat(self, host: str, unit: str, at: int) -> float | None:
        machine = self.cluster.hosts[host]
        found = machine.units.get(full_name(unit))
        if machine.ssh in _REACH:
            return _LOST if found is not None and _at_work(machine, unit) else None
        if _at_work(machine, unit):
            return 2.0 + 1.5 * at
        return found.ages.get("StateChange") if found is not None else None

    # ------------------------------------------------------------ RabbitMQ

    @cached_property
    def brokers(self) -> list[str]:
        """The hosts whose RabbitMQ is there for the others."""
        hosts = self.hosts_of("rabbitmq-server")
        return [host for host in hosts if self._serves("rabbitmq", host, "rabbitmq-server")]

    def sees(self, own: str, other: str) -> bool | None:
        """Return whether the broker on a host sees another running; None where it does not list it."""
        if own == other:
            return True
        mine, its = self.told("rabbitmq", own).keys, self.told("rabbitmq", other).keys
        if mine.get("apart") or its.get("apart"):
            return None
        return other in self.brokers and mine.get("partitioned", False) == its.get("partitioned", False)


def _holds(host: SimulatedHost, address: str) -> bool:
    usable = (a for i in host.interfaces if i.up and i.name != "lo" for a in i.addresses)
    return any(a.local == address and not {"tentative", "dadfailed"} & set(a.flags) for a in usable)


def _at_work(host: SimulatedHost, name: str) -> bool:
    unit = host.units.get(full_name(name))
    if unit is None:
        return False
    told = {**dict(recorded(unit.template)), **unit.properties}
    return told["ActiveState"] in _AT_WORK
