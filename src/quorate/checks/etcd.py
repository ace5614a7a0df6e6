"""Judges an etcd cluster: a majority of the declared voters is healthy, they have a leader and no alarm."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from quorate.checks.cluster import (
    STATUS,
    Member,
    blinded,
    member_verdicts,
    node,
    quorum_said,
    unwell_detail,
)
from quorate.checks.finding import Finding
from quorate.checks.quorum import Quorum, judge_quorum
from quorate.checks.scene import Scene
from quorate.model import Check, CheckObservation, NoReply, Reason, State, Verdict
from quorate.model.etcd import EtcdFacts

PRODUCT = "etcd"
_NONE = "NONE"


def verdicts(check: Check, observation: CheckObservation, scene: Scene) -> list[Verdict]:
    """Return the verdict of a cluster, then of each member; of causes only the monitor, and the whole's."""
    answering = _answering(observation)

    def judge(_name: str, facts: EtcdFacts) -> Member:
        return _judge(facts, answering)

    members = member_verdicts(check, observation, scene, PRODUCT, judge)
    quorum = judge_quorum({m.host or "": m.reason for m in members}, check.settings["quorum"])
    whole = _whole(check, answering, members, quorum)
    return [whole, *(replace(m, caused_by=check.name) if _explains(whole, m) else m for m in members)]


def unsettled(_check: Check, observation: CheckObservation) -> bool:
    """Tell whether a member that answers sees no leader, as all do while one is elected."""
    return any(facts.leader == 0 for facts in _answering(observation).values())


def _answering(observation: CheckObservation) -> dict[str, EtcdFacts]:
    return {host: a for host, a in observation.answers.items() if isinstance(a, EtcdFacts)}


def _judge(facts: EtcdFacts, answering: Mapping[str, EtcdFacts]) -> Member:
    reason, detail = _trouble(facts, answering)
    notes = ("members_unverified",) if isinstance(facts.members, NoReply) else ()
    return Member(
        finding=Finding(
            state=State.OK if reason is Reason.OK else State.WARNING,
            reason=reason,
            notes=notes,
            detail=detail,
        ),
        said=f"etcd {facts.version}{', leader' if facts.leader == facts.member else ''}",
        observed={
            "version": facts.version,
            "leader": facts.leader == facts.member,
            "db_size_bytes": facts.db_size,
        },
    )


def _trouble(facts: EtcdFacts, answering: Mapping[str, EtcdFacts]) -> tuple[Reason, str | None]:
    (cluster, _), *_ = Counter(each.cluster for each in answering.values()).most_common(1)
    if facts.cluster != cluster:
        return Reason.NOT_A_MEMBER, "it is a member of another cluster than most others"
    if not isinstance(facts.members, NoReply):
        own = next((each for each in facts.members if each.id == facts.member), None)
        if own is None:
            return Reason.NOT_A_MEMBER, "the list of members does not have it"
        if own.learner:
            return Reason.NOT_A_MEMBER, "it is a learner, which has no vote"
    if facts.leader == 0:
        return Reason.NO_LEADER, "; ".join(facts.errors) or "it sees no leader"
    alarms = [alarm for member, alarm in _alarms(answering) if member == facts.member]
    if alarms:
        return Reason.ALARM, f"it has raised {', '.join(alarms)}"
    if facts.errors:
        return Reason.UNHEALTHY, "; ".join(facts.errors)
    return Reason.OK, None


def _alarms(answering: Mapping[str, EtcdFacts]) -> list[tuple[int, str]]:
    """Return the alarms that any member tells of, each once."""
    return list(dict.fromkeys(_each_alarm(answering)))


def _each_alarm(answering: Mapping[str, EtcdFacts]) -> Iterator[tuple[int, str]]:
    for facts in answering.values():
        if not isinstance(facts.alarms, NoReply):
            yield from (each for each in facts.alarms if each[1] != _NONE)


def _whole(
    check: Check, answering: Mapping[str, EtcdFacts], members: list[Verdict], quorum: Quorum
) -> Verdict:
    finding, summary = _found(answering, members, quorum)
    leaders = [host for host, facts in answering.items() if facts.leader and facts.leader == facts.member]
    return Verdict(
        id=check.name,
        kind=check.kind,
        group=check.name,
        state=finding.state,
        reason=finding.reason,
        summary=summary,
        detail=finding.detail or unwell_detail(members),
        notes=tuple(dict.fromkeys(note for member in members for note in member.notes)),
        observed={
            "status": STATUS[finding.state],
            "healthy_nodes": len(quorum.healthy),
            "total": len(members),
            "leader": leaders[0] if len(leaders) == 1 else None,
            "nodes": [node(member) for member in members],
        },
        expected={"healthy_nodes": len(members)},
        caused_by="monitor" if finding.reason is quorum.reason and blinded(members, quorum) else None,
        duration=max(member.duration for member in members),
    )


def _found(answering: Mapping[str, EtcdFacts], members: list[Verdict], quorum: Quorum) -> tuple[Finding, str]:
    alarms = _alarms(answering)
    if alarms:
        owners = {facts.member: host for host, facts in answering.items()}
        said = ", ".join(f"{alarm} on {owners.get(member, 'a member')}" for member, alarm in alarms)
        finding = Finding(state=State.CRITICAL, reason=Reason.ALARM, detail=unwell_detail(members))
        return finding, f"{PRODUCT} has an ALARM: {said}"
    leaderless = [host for host, facts in answering.items() if facts.leader == 0]
    # Without a majority there can be no leader: then it is the majority that is missing.
    if answering and len(leaderless) == len(answering) >= quorum.needed:
        finding = Finding(state=State.CRITICAL, reason=Reason.NO_LEADER)
        return finding, f"{PRODUCT} has NO LEADER: none of {len(answering)} members sees one"
    return Finding(state=quorum.state, reason=quorum.reason), quorum_said(PRODUCT, quorum, members)


def _explains(whole: Verdict, member: Verdict) -> bool:
    """Tell whether the whole says all that a member says."""
    if whole.reason is Reason.SECRET_UNAVAILABLE:
        return True
    if whole.state is not State.CRITICAL:
        return False
    return member.reason is whole.reason or (
        whole.reason is Reason.QUORUM_LOST and member.reason is Reason.NO_LEADER
    )
