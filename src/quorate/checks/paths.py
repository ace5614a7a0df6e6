"""The paths that questions of checks take through the cluster: which verdicts lie on one, nearest first."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quorate.model import Check, CheckObservation, Group, Inventory, NoReply, Reason, State, Verdict, unit_id

UNITS = {
    "rabbitmq": "rabbitmq-server.service",
    "patroni": "patroni.service",
    "etcd": "etcd.service",
    "haproxy": "haproxy.service",
    "celery": "airflow-worker.service",
}
"""The unit of a kind's members, where a check does not name it by `logs_from`."""
COMPONENTS = {
    "scheduler": "airflow-scheduler.service",
    "triggerer": "airflow-triggerer.service",
    "dag_processor": "airflow-dag-processor.service",
}
"""The units of Airflow's components."""
BALANCER = UNITS["haproxy"]


GONE = frozenset({Reason.HOST_UNREACHABLE, Reason.SSH_UNRESPONSIVE})
"""A host that serves nothing any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A verdict that may have a cause, with all that is known around it; `known` are verdicts by id."""

    verdict: Verdict
    check: Check
    observation: CheckObservation
    inventory: Inventory
    known: Mapping[str, Verdict]

    @property
    def is_member(self) -> bool:
        """Whether it is a member of the check and not the whole."""
        return self.verdict.id != self.check.name

    @property
    def member(self) -> str:
        """The member's name, or the check's own."""
        return self.verdict.id.removeprefix(f"{self.check.name}/")

    @property
    def address(self) -> str | None:
        """Where it was asked; None where it was asked through others."""
        return self.observation.addresses.get(self.member)

    @property
    def source(self) -> Group | None:
        """The group whose unit's log explains the check, where it names one."""
        source = self.check.logs_from
        return self.inventory.groups.get(source.group) if source is not None else None

    @property
    def silent(self) -> bool:
        """Whether nothing at all came back from where it was asked."""
        answer = self.observation.answers.get(self.member)
        return isinstance(answer, NoReply) and not answer.answered

    def checks(self, kind: str, hosts: Iterable[str] = ()) -> Iterator[str]:
        """Yield the checks of a kind that have one of the hosts; all of the kind where no host is given."""
        wanted = set(hosts)
        for check in self.inventory.checks.values():
            if check.kind == kind and (not wanted or not wanted.isdisjoint(check.hosts)):
                yield check.name


def explains(cause: Verdict, reasons: frozenset[Reason] | None) -> bool:
    """Tell whether a verdict may explain others: broken or not verified, for one of the reasons."""
    if reasons is None:
        return cause.state is State.CRITICAL
    return cause.state in (State.CRITICAL, State.UNKNOWN) and cause.reason in reasons


def own_host(case: Case) -> Iterator[str]:
    """Yield the host that a member is on, where it was asked at that host's address, or through others."""
    host = case.inventory.hosts.get(case.member)
    if host is not None and case.address in (None, host.address):
        yield f"host/{host.name}"


def own_unit(case: Case) -> Iterator[str]:
    """Yield the unit that a member is, on its host."""
    for group, unit in _units(case):
        if case.member in group.hosts:
            yield f"{group.name}/{case.member}/{unit_id(unit)}"


def _units(case: Case) -> Iterator[tuple[Group, str]]:
    source = case.check.logs_from
    if source is not None:
        yield from [(case.source, source.unit)] if case.source is not None else ()
        return
    unit = UNITS.get(case.check.kind)
    for group in case.inventory.groups.values():
        if unit in group.units:
            yield group, unit


def own_whole(case: Case) -> Iterator[str]:
    """Yield the check of which a member is one, where others of it answer."""
    if case.known[case.check.name].observed.get("answering"):
        yield case.check.name


def virtual_ip(case: Case) -> Iterator[str]:
    """Yield the virtual IP that was asked."""
    yield from (f"{group.name}/vip" for group in _behind(case))


def server_host(case: Case) -> Iterator[str]:
    """Yield the host whose address was asked."""
    yield from (f"host/{host}" for host in _at(case))


def unit_behind(case: Case) -> Iterator[str]:
    """Yield the `logs_from` unit on the host that has the address, its own or a virtual one."""
    source, group = case.check.logs_from, case.source
    if source is None or group is None:
        return
    hosts = [*_at(case), *(host for behind in _behind(case) for host in _holders(case, behind))]
    yield from (f"{group.name}/{host}/{unit_id(source.unit)}" for host in hosts if host in group.hosts)


def balancer_unit(case: Case) -> Iterator[str]:
    """Yield the load balancer's unit on the host that holds the virtual IP."""
    for group in _behind(case):
        if BALANCER in group.units:
            yield from (f"{group.name}/{host}/{unit_id(BALANCER)}" for host in _holders(case, group))


def balancers(case: Case) -> Iterator[str]:
    """Yield the checks of the load balancers behind the virtual IP."""
    for group in _behind(case):
        yield from case.checks("haproxy", group.hosts)


def patroni(case: Case) -> Iterator[str]:
    """Yield the check of the Patroni cluster whose log the check names, or of every one."""
    yield from case.checks("patroni", case.source.hosts if case.source is not None else ())


def patroni_of_servers(case: Case) -> Iterator[str]:
    """Yield the check of the Patroni cluster that the short backends lead to."""
    hosts = {
        group_host for source in _short(case) for group_host in case.inventory.groups[source.group].hosts
    }
    if hosts:
        yield from case.checks("patroni", hosts)


def units_of_servers(case: Case) -> Iterator[str]:
    """Yield why servers of the short backends are down: their units, or their hosts."""
    for source in _short(case):
        yield from _down(case, case.inventory.groups[source.group], source.unit)


def etcd(case: Case) -> Iterator[str]:
    """Yield the check of the etcd cluster on the same hosts, or of the only one."""
    found = list(case.checks("etcd", case.check.hosts))
    every = list(case.checks("etcd"))
    yield from found or (every if len(every) == 1 else [])


def database(case: Case) -> Iterator[str]:
    """Yield the checks of databases."""
    yield from case.checks("postgresql")


def broker(case: Case) -> Iterator[str]:
    """Yield the check of the broker that a check asks through."""
    yield from case.checks("rabbitmq", (broker["name"] for broker in case.check.settings.get("brokers", ())))


def component_units(case: Case) -> Iterator[str]:
    """Yield why a component is missing, its units or their hosts, if they explain all that are missing."""
    unit = COMPONENTS.get(case.member, "")
    groups = [group for group in case.inventory.groups.values() if unit in group.units]
    found = [cause for group in groups for cause in _down(case, group, unit)]
    missing = case.verdict.observed.get("expected", 0) - case.verdict.observed.get("alive", 0)
    yield from found if len(found) >= missing else ()


def _down(case: Case, group: Group, unit: str) -> Iterator[str]:
    """Yield for each host of a group what keeps a unit down there: itself, or a host that is gone."""
    for host in group.hosts:
        for cause, reasons in ((f"{group.name}/{host}/{unit_id(unit)}", None), (f"host/{host}", GONE)):
            if cause in case.known and explains(case.known[cause], reasons):
                yield cause
                break


def _behind(case: Case) -> list[Group]:
    return [group for group in case.inventory.groups.values() if group.virtual_ip == case.address is not None]


def _at(case: Case) -> list[str]:
    return [host.name for host in case.inventory.hosts.values() if host.address == case.address is not None]


def _holders(case: Case, group: Group) -> Sequence[str]:
    vip = case.known.get(f"{group.name}/vip")
    return vip.observed.get("holders", ()) if vip is not None else ()


def _short(case: Case) -> list[Any]:
    """Return the units behind the backends of a load balancer that have too few or too many servers."""
    backends = case.check.settings.get("backends", {})
    short = case.verdict.observed.get("short", ())
    return [backends[name]["served_by"] for name in short if backends[name].get("served_by")]
