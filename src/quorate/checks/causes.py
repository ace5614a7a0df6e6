"""Names what explains a failed check: a verdict that is itself CRITICAL or UNKNOWN, on the path in use.

The table is ROWS. A row says which verdicts it is about, which reasons of theirs it explains,
by which verdicts, nearest first, and for which reasons of those. What is in no row has no cause: a refused
login, a failed query, a table that is locked.

A refused port is an answer, and so are words of the service itself such as 'too many clients': whoever
answers has been reached, so neither its host nor its virtual IP explains the failure.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from quorate.checks import paths
from quorate.checks.paths import GONE, Case, explains
from quorate.model import Check, CheckObservation, Inventory, Reason, State, Verdict

NO_WAY = frozenset({Reason.CONNECT_FAILED, Reason.TIMEOUT})
TOO_FEW = frozenset(
    {Reason.REDUNDANCY_LOST, Reason.QUORUM_LOST, Reason.NO_LEADER, Reason.NONE_ALIVE, *NO_WAY}
)
UNREACHABLE = frozenset({Reason.HOST_UNREACHABLE})
UNHELD = frozenset({Reason.NO_ACTIVE_NODE, Reason.DUPLICATE_VIP, Reason.ACTIVE_NODE_UNKNOWN})
LEADERLESS = frozenset({Reason.NO_LEADER, Reason.SPLIT_BRAIN})
WITHOUT_QUORUM = frozenset({Reason.QUORUM_LOST, Reason.NO_LEADER, Reason.ALARM})
SHORT = frozenset({Reason.TOO_FEW_UP})
UNBALANCED = frozenset({Reason.TOO_FEW_UP, Reason.TOO_MANY_UP, Reason.BACKEND_MISSING, *NO_WAY})
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
    Row(part="member", reasons=NO_WAY, by=paths.own_host, because=UNREACHABLE, silent=True),
    Row(part="member", reasons=frozenset({_R.TIMEOUT}), by=paths.own_host, because=GONE, kinds=_of("celery")),
    Row(part="member", reasons=frozenset({_R.TIMEOUT}), by=paths.own_host, because=HUNG),
    Row(part="member", reasons=NO_WAY, by=paths.own_unit, because=CRITICAL),
    Row(part="member", reasons=MISSING, by=paths.component_units, because=CRITICAL, kinds=_of("airflow")),
    Row(part="member", reasons=MISSING, by=paths.database, because=CRITICAL, kinds=_of("airflow")),
    Row(part="member", reasons=NO_WAY, by=paths.broker, because=NO_BROKER, kinds=_of("celery")),
    Row(part="member", reasons=NO_WAY, by=paths.own_whole, because=NO_WAY, kinds=_of("haproxy")),
    Row(part="whole", reasons=NO_WAY, by=paths.virtual_ip, because=UNHELD, silent=True),
    Row(part="whole", reasons=NO_WAY, by=paths.server_host, because=UNREACHABLE, silent=True),
    Row(part="whole", reasons=frozenset({_R.TIMEOUT}), by=paths.server_host, because=HUNG),
    Row(part="whole", reasons=NO_WAY, by=paths.unit_behind, because=CRITICAL),
    Row(part="whole", reasons=NO_WAY, by=paths.balancer_unit, because=CRITICAL),
    Row(part="whole", reasons=NO_API | NO_DATABASE, by=paths.balancers, because=UNBALANCED),
    Row(part="whole", reasons=NO_DATABASE, by=paths.patroni, because=LEADERLESS, kinds=_of("postgresql")),
    Row(part="whole", reasons=NO_API, by=paths.database, because=CRITICAL, kinds=_of("airflow")),
    Row(
        part="whole",
        reasons=UNBALANCED,
        by=paths.patroni_of_servers,
        because=LEADERLESS,
        kinds=_of("haproxy"),
    ),
    Row(part="whole", reasons=SHORT, by=paths.units_of_servers, because=CRITICAL, kinds=_of("haproxy")),
    Row(
        part="whole",
        reasons=frozenset({_R.NO_LEADER, _R.DCS_FAILED, _R.FAILSAFE}),
        by=paths.etcd,
        because=WITHOUT_QUORUM,
        kinds=_of("patroni"),
    ),
    Row(part="whole", reasons=NO_WAY | MISSING, by=paths.broker, because=NO_BROKER, kinds=_of("celery")),
)
"""The table; the first row that finds a cause gives it."""


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
            if found is not None and cause != case.verdict.id and explains(found, row.because):
                return cause
    return None


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
