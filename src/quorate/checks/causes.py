"""Names what explains a failed check: a verdict that is itself CRITICAL or UNKNOWN, on the path in use.

The table is ROWS, at the end. A row says which verdicts it is about, which reasons of theirs it explains,
by which verdicts, nearest first, and for which reasons of those. What is in no row has no cause: a refused
login, a failed query, a table that is locked.

A refused port is an answer, and so are words of the service itself such as 'too many clients': whoever
answers has been reached, so neither its host nor its virtual IP explains the failure.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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


def with_causes(
    verdicts: Sequence[Verdict], inventory: Inventory, observations: Mapping[str, CheckObservation]
) -> list[Verdict]:
    """Return all verdicts of a sweep, those of checks with their causes."""
    known = {verdict.id: verdict for verdict in verdicts}
    for verdict in verdicts:
        check = inventory.checks.get(verdict.group or "") if verdict.group in observations else None
        if check is not None and verdict.caused_by is None and verdict.state.rank >= State.WARNING.rank:
            seen = observations[check.name]
            case = Case(verdict=verdict, check=check, observation=seen, inventory=inventory, known=known)
            known[verdict.id] = replace(verdict, caused_by=_cause(case))
    for name in observations:
        if name in known:
            known[name] = _by_members(inventory.checks[name], known)
    return [known[verdict.id] for verdict in verdicts]


def _cause(case: Case) -> str | None:
    for row in ROWS:
        if not row.is_about(case):
            continue
        for cause in row.by(case):
            found = case.known.get(cause)
            if found is not None and cause != case.verdict.id and _explains(found, row.because):
                return cause
    return None


def _explains(cause: Verdict, reasons: frozenset[Reason] | None) -> bool:
    if reasons is None:
        return cause.state is State.CRITICAL
    return cause.state in (State.CRITICAL, State.UNKNOWN) and cause.reason in reasons


def _by_members(check: Check, known: Mapping[str, Verdict]) -> Verdict:
    """Return a whole that lacks members, with the first one's cause, where each of these has one."""
    whole = known[check.name]
    members = [known[i] for name in check.members if (i := f"{check.name}/{name}") in known]
    unwell = [member for member in members if member.state is not State.OK]
    if whole.caused_by is not None or whole.reason not in TOO_FEW or not unwell:
        return whole
    causes = [member.caused_by for member in unwell]
    others = [cause for cause in causes if cause is not None and not cause.startswith(check.name)]
    return replace(whole, caused_by=others[0]) if others and all(causes) else whole


# Where to look: the ids of verdicts that may explain a case, nearest first.


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
    """Yield the units of the servers that the short backends lead to."""
    for source in _short(case):
        group = case.inventory.groups[source.group]
        yield from (f"{group.name}/{host}/{unit_id(source.unit)}" for host in group.hosts)


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
    """Yield the units of a component of Airflow, and the hosts on which they could not be asked."""
    unit = COMPONENTS.get(case.member)
    for group in case.inventory.groups.values():
        if unit in group.units:
            for host in group.hosts:
                yield from (f"{group.name}/{host}/{unit_id(unit or '')}", f"host/{host}")


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


# For what.

NO_WAY = frozenset({Reason.CONNECT_FAILED, Reason.TIMEOUT})
TOO_FEW = frozenset(
    {Reason.REDUNDANCY_LOST, Reason.QUORUM_LOST, Reason.NO_LEADER, Reason.NONE_ALIVE, *NO_WAY}
)
UNREACHABLE = frozenset({Reason.HOST_UNREACHABLE})
GONE = frozenset({Reason.HOST_UNREACHABLE, Reason.SSH_UNRESPONSIVE})
UNHELD = frozenset({Reason.NO_ACTIVE_NODE, Reason.DUPLICATE_VIP, Reason.ACTIVE_NODE_UNKNOWN})
LEADERLESS = frozenset({Reason.NO_LEADER, Reason.SPLIT_BRAIN})
WITHOUT_QUORUM = frozenset({Reason.QUORUM_LOST, Reason.NO_LEADER, Reason.ALARM})
UNBALANCED = frozenset({Reason.TOO_FEW_UP, Reason.TOO_MANY_UP, Reason.BACKEND_MISSING, Reason.CONNECT_FAILED})
NO_BROKER = frozenset({Reason.QUORUM_LOST, Reason.PARTITIONED, Reason.ALARM})
CRITICAL = None
"""Whatever is CRITICAL explains it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of the table; without `kinds` it is about all kinds, with `silent` about no answer at all."""

    part: str
    reasons: frozenset[Reason]
    by: Callable[[Case], Iterable[str]]
    because: frozenset[Reason] | None
    kinds: frozenset[str] = frozenset()
    silent: bool = False

    def is_about(self, case: Case) -> bool:
        """Tell whether the row speaks of a verdict."""
        return (
            (self.part == "member") == case.is_member
            and case.verdict.reason in self.reasons
            and (not self.kinds or case.check.kind in self.kinds)
            and (case.silent or not self.silent)
        )


def _of(*kinds: str) -> frozenset[str]:
    return frozenset(kinds)


HUNG = frozenset({Reason.SSH_UNRESPONSIVE})
NO_API = NO_WAY | {Reason.UNHEALTHY, Reason.UNEXPECTED_STATUS}
NO_DATABASE = NO_WAY | {Reason.READ_ONLY}
MISSING = frozenset({Reason.NONE_ALIVE, Reason.REDUNDANCY_LOST})
_R = Reason

ROWS = (
    # what             its reasons                        explained by        for these reasons of that
    Row(part="member", reasons=NO_WAY, by=own_host, because=UNREACHABLE, silent=True),
    Row(part="member", reasons=frozenset({_R.TIMEOUT}), by=own_host, because=GONE, kinds=_of("celery")),
    Row(part="member", reasons=frozenset({_R.TIMEOUT}), by=own_host, because=HUNG),
    Row(part="member", reasons=NO_WAY, by=own_unit, because=CRITICAL),
    Row(part="member", reasons=MISSING, by=component_units, because=CRITICAL, kinds=_of("airflow")),
    Row(part="member", reasons=MISSING, by=database, because=CRITICAL, kinds=_of("airflow")),
    Row(part="member", reasons=NO_WAY, by=broker, because=NO_BROKER, kinds=_of("celery")),
    Row(part="whole", reasons=NO_WAY, by=virtual_ip, because=UNHELD, silent=True),
    Row(part="whole", reasons=NO_WAY, by=server_host, because=UNREACHABLE, silent=True),
    Row(part="whole", reasons=frozenset({_R.TIMEOUT}), by=server_host, because=HUNG),
    Row(part="whole", reasons=NO_WAY, by=unit_behind, because=CRITICAL),
    Row(part="whole", reasons=NO_WAY, by=balancer_unit, because=CRITICAL),
    Row(part="whole", reasons=NO_API | NO_DATABASE, by=balancers, because=UNBALANCED),
    Row(part="whole", reasons=NO_DATABASE, by=patroni, because=LEADERLESS, kinds=_of("postgresql")),
    Row(part="whole", reasons=NO_API, by=database, because=CRITICAL, kinds=_of("airflow")),
    Row(part="whole", reasons=UNBALANCED, by=patroni_of_servers, because=LEADERLESS, kinds=_of("haproxy")),
    Row(part="whole", reasons=UNBALANCED, by=units_of_servers, because=CRITICAL, kinds=_of("haproxy")),
    Row(
        part="whole",
        reasons=frozenset({_R.NO_LEADER, _R.DCS_FAILED}),
        by=etcd,
        because=WITHOUT_QUORUM,
        kinds=_of("patroni"),
    ),
    Row(part="whole", reasons=NO_WAY | MISSING, by=broker, because=NO_BROKER, kinds=_of("celery")),
)
"""The table; the first row that finds a cause gives it."""
