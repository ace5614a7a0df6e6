"""Judges an etcd cluster: a majority of the declared voters is healthy, they have a leader and no alarm."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from quorate.checks.cluster import (
    STATUS,
    Member,
    blinded,
    member_verdicts,
    node,
    quorum_said,
    unwell_detail,
)
from quorate.checks.finding import Finding, words
from quorate.checks.quorum import Quorum, judge_quorum
from quorate.checks.scene import Scene
from quorate.model import Check, CheckObservation, NoReply, Reason, State, Verdict
from quorate.model.etcd import EtcdFacts, EtcdMember

PRODUCT = "etcd"
_NONE = "NONE"
_UNREAD = frozenset(
    {
        Reason.AUTH_FAILED,
        Reason.UNPARSABLE,
        Reason.CERTIFICATE_INVALID,
        Reason.CERTIFICATE_EXPIRED,
    }
)
"""Answers that say nothing of the cluster: where all are like that, it is the question that is wrong."""

_FAILING = frozenset({Reason.TIMEOUT, Reason.CONNECT_FAILED, Reason.UNHEALTHY})
"""Why a member list does not come from a member that can't reach its leader (since etcd 3.5)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cluster:
    """What the members that answered say together, by host; `strangers` are in another cluster than most."""

    nodes: Mapping[str, EtcdFacts]
    strangers: Mapping[str, EtcdFacts]

    def listed(self, facts: EtcdFacts) -> tuple[EtcdMember, ...]:
        """Return the list of members by a member's own word, else by another's; empty where none has it."""
        lists = (each.members for each in (facts, *self.nodes.values()))
        return next((found for found in lists if not isinstance(found, NoReply)), ())

    @property
    def alarms(self) -> dict[str, list[str]]:
        """The alarms that any member tells of, by the host that raised them, or by its id."""
        hosts = {facts.member: host for host, facts in self.nodes.items()}
        names = {m.id: m.name for facts in self.nodes.values() for m in self.listed(facts) if m.name}
        found: dict[str, list[str]] = {}
        for facts in self.nodes.values():
            for member, alarm in () if isinstance(facts.alarms, NoReply) else facts.alarms:
                owner = found.setdefault(hosts.get(member) or names.get(member) or f"member {member}", [])
                owner += [alarm] if alarm not in (_NONE, *owner) else []
        return {owner: alarms for owner, alarms in found.items() if alarms}

    @property
    def leaderless(self) -> bool:
        """Whether none of those that answered sees a leader."""
        return bool(self.nodes) and all(facts.leader == 0 for facts in self.nodes.values())


def verdicts(check: Check, observation: CheckObservation, scene: Scene) -> list[Verdict]:
    """Return the verdict of a cluster, then of each member; of causes only the monitor, and the whole's."""
    observation = _refusals(observation)
    cluster = _cluster(observation)

    def judge(host: str, facts: EtcdFacts) -> Member:
        return _judge(host, facts, cluster)

    members = member_verdicts(check, observation, scene, PRODUCT, judge)
    # A member with an alarm is there, and counts: what the alarm stops is told by itself.
    reasons = {m.host or "": Reason.OK if m.reason is Reason.ALARM else m.reason for m in members}
    whole = _whole(check, cluster, members, judge_quorum(reasons, check.settings["quorum"]))
    return [whole, *(replace(m, caused_by=check.name) if _explains(whole, m) else m for m in members)]


def unsettled(_check: Check, observation: CheckObservation) -> bool:
    """Tell whether a member that answers sees no leader, as all do while one is elected."""
    return any(facts.leader == 0 for facts in _answering(observation).values())


def _answering(observation: CheckObservation) -> dict[str, EtcdFacts]:
    return {host: a for host, a in observation.answers.items() if isinstance(a, EtcdFacts)}


def _refusals(observation: CheckObservation) -> CheckObservation:
    """Return what was answered, with logins that were answered as no other service does for what they are."""
    return replace(observation, answers={host: _refusal(a) for host, a in observation.answers.items()})


def _refusal(answer: object) -> object:
    """Return what a login's status means: etcd refuses a wrong password with 400, and has none before 3.4.

    Of no other question a status comes as a reason; the transport says it at the end of the detail.
    """
    if not isinstance(answer, NoReply) or answer.reason is not Reason.UNEXPECTED_STATUS:
        return answer
    detail = answer.detail or ""
    if detail.endswith("status 400"):
        return replace(answer, reason=Reason.AUTH_FAILED)
    if detail.endswith("status 404"):
        return replace(answer, reason=Reason.UNPARSABLE, detail=f"{detail}: etcd has it since version 3.4")
    return answer


def _cluster(observation: CheckObservation) -> _Cluster:
    answering = _answering(observation)
    ids = Counter(facts.cluster for facts in answering.values()).most_common(1)
    nodes = {host: facts for host, facts in answering.items() if facts.cluster == ids[0][0]}
    return _Cluster(nodes=nodes, strangers={h: f for h, f in answering.items() if h not in nodes})


def _judge(host: str, facts: EtcdFacts, cluster: _Cluster) -> Member:
    reason, detail, notes = _trouble(host, facts, cluster)
    leads = facts.leader != 0 and facts.leader == facts.member
    return Member(
        finding=Finding(
            state=State.OK if reason is Reason.OK else State.WARNING,
            reason=reason,
            notes=notes,
            detail=detail,
        ),
        said=f"etcd {facts.version}{', leader' if leads else ''}",
        observed={"version": facts.version, "leader": leads, "db_size_bytes": facts.db_size},
    )


def _trouble(host: str, facts: EtcdFacts, cluster: _Cluster) -> tuple[Reason, str | None, tuple[str, ...]]:
    if host in cluster.strangers:
        return Reason.NOT_A_MEMBER, "it is a member of another cluster than most others", ()
    listed = cluster.listed(facts)
    own = next((each for each in listed if each.id == facts.member), None)
    if facts.learner or (own is not None and own.learner):
        return Reason.NOT_A_MEMBER, "it is a learner, which has no vote", ("learner",)
    if listed and own is None:
        return Reason.NOT_A_MEMBER, "the list of members does not have it", ()
    if facts.leader == 0:
        return Reason.NO_LEADER, "; ".join(facts.errors) or "it sees no leader", ()
    notes = () if listed else ("members_unverified",)
    if host in cluster.alarms:
        return Reason.ALARM, f"it has raised {', '.join(cluster.alarms[host])}", notes
    if facts.errors:
        return Reason.UNHEALTHY, "; ".join(facts.errors), notes
    if isinstance(facts.members, NoReply) and facts.members.reason in _FAILING:
        return facts.members.reason, facts.members.detail, notes
    return Reason.OK, None, notes


def _whole(check: Check, cluster: _Cluster, members: list[Verdict], quorum: Quorum) -> Verdict:
    finding, summary = _found(cluster, members, quorum)
    leaders = [host for host, facts in cluster.nodes.items() if facts.leader and facts.leader == facts.member]
    unverified = cluster.nodes and all(isinstance(f.alarms, NoReply) for f in cluster.nodes.values())
    notes = dict.fromkeys((*finding.notes, *(note for member in members for note in member.notes)))
    healthy = [member for member in members if member.reason is Reason.OK]
    return Verdict(
        id=check.name,
        kind=check.kind,
        group=check.name,
        state=finding.state,
        reason=finding.reason,
        summary=summary,
        detail=unwell_detail(members),
        notes=(*notes, *(("alarms_unverified",) if unverified else ())),
        observed={
            "status": STATUS[finding.state],
            "healthy_nodes": len(healthy),
            "total": len(members),
            "leader": leaders[0] if len(leaders) == 1 else None,
            "alarms": cluster.alarms,
            "nodes": [_node(member) for member in members],
        },
        expected={"healthy_nodes": len(members)},
        caused_by="monitor" if finding.reason is quorum.reason and blinded(members, quorum) else None,
        duration=max(member.duration for member in members),
    )


def _node(member: Verdict) -> dict[str, object]:
    told = ("version", "leader", "db_size_bytes")
    return node(member) | {key: member.observed[key] for key in told if key in member.observed}


def _found(cluster: _Cluster, members: list[Verdict], quorum: Quorum) -> tuple[Finding, str]:
    alarmed = (Reason.ALARM.value,) if cluster.alarms else ()
    # Without a majority there can be no leader: then it is the majority that is missing.
    if cluster.leaderless and len(cluster.nodes) >= quorum.needed:
        finding = Finding(state=State.CRITICAL, reason=Reason.NO_LEADER, notes=alarmed)
        return finding, f"{PRODUCT} has NO LEADER: none of {len(cluster.nodes)} members that answer sees one"
    reasons = {member.reason for member in members}
    if not quorum.healthy and reasons <= _UNREAD:
        reason = members[0].reason
        said = f"{PRODUCT}'s quorum is NOT VERIFIED ({words(reason)})"
        return Finding(state=State.UNKNOWN, reason=reason), said
    if cluster.alarms and quorum.state is not State.CRITICAL:
        said = ", ".join(f"{' and '.join(alarms)} on {owner}" for owner, alarms in cluster.alarms.items())
        notes = () if quorum.reason is Reason.OK else (quorum.reason.value,)
        return Finding(
            state=State.CRITICAL, reason=Reason.ALARM, notes=notes
        ), f"{PRODUCT} has an ALARM: {said}"
    finding = Finding(state=quorum.state, reason=quorum.reason, notes=alarmed)
    return finding, quorum_said(PRODUCT, quorum, members)


def _explains(whole: Verdict, member: Verdict) -> bool:
    """Tell whether the whole says all that a member says."""
    if whole.reason is Reason.SECRET_UNAVAILABLE:
        return True
    if whole.state is not State.CRITICAL:
        return False
    leaderless = whole.reason is Reason.QUORUM_LOST and member.reason is Reason.NO_LEADER
    return leaderless or member.reason is whole.reason
