"""Judges a RabbitMQ cluster whose management APIs are asked beside its AMQP.

A member is healthy if it takes logins and the members' lists agree that it is in the cluster. What is wrong
with the whole is told in this order: partitions, alarms, the quorum, lists that nobody could show, then what
only costs redundancy: members that are missing, members in maintenance, queues that hang by one member.
"""

from collections.abc import Mapping
from dataclasses import replace

from quorate.checks.cluster import STATUS, Member, blinded, member_verdicts, node, quorum_said, unwell_detail
from quorate.checks.finding import Finding, listed, words
from quorate.checks.quorum import Quorum, judge_quorum
from quorate.checks.rabbitmq_lists import Lists, closed, lists_of, outside
from quorate.checks.scene import Scene
from quorate.model import AmqpReply, Check, CheckObservation, Reason, State, Verdict

PRODUCT = "RabbitMQ"
_OF_THE_WHOLE = frozenset({Reason.PARTITIONED, Reason.ALARM})
"""What a member shows of that which is wrong with the whole."""


def verdicts(check: Check, observation: CheckObservation, scene: Scene) -> list[Verdict]:
    """Return the verdict of a cluster, then of each member; of causes only the monitor's and its own."""
    lists = lists_of(check, observation)
    logins = replace(observation, answers={name: observation.answers[name] for name in check.members})

    def judge(name: str, answer: AmqpReply) -> Member:
        return _judge(lists, name, answer)

    found = member_verdicts(check, logins, scene, PRODUCT, judge)
    members = [_with_lists(m, lists, logins.answers[m.host or ""]) for m in found]
    quorum = judge_quorum({m.host or "": m.reason for m in members}, check.settings["quorum"])
    whole = _whole(check, lists, members, quorum)
    return [whole, *(replace(m, caused_by=check.name) if _explains(check, whole, m) else m for m in members)]


def _judge(lists: Lists, name: str, answer: AmqpReply) -> Member:
    return Member(
        finding=_finding(lists, name),
        said=f"{answer.product} {answer.version}",
        observed={"product": answer.product, "version": answer.version, "cluster": answer.cluster},
    )


def _finding(lists: Lists, member: str) -> Finding:
    """Return what the lists say of a member that takes logins."""
    own = lists.names[member]
    if (wrong := outside(lists, member)) is not None:
        return Finding(state=State.WARNING, reason=wrong[0], detail=wrong[1])
    if own in lists.alarms:
        detail = f"it has an alarm: {listed(lists.alarms[own])}"
        return Finding(state=State.WARNING, reason=Reason.ALARM, detail=detail)
    if own in lists.drained:
        return _in_maintenance("it is drained")
    notes = ("queues_critical",) if member in lists.critical else ()
    if member not in lists.failed:
        return Finding(state=State.OK, reason=Reason.OK, notes=notes)
    failed = lists.failed[member]
    detail = f"its management API could not be asked: {words(failed.reason)} ({failed.detail})"
    return Finding(state=State.OK, reason=Reason.OK, notes=(*notes, "management_unverified"), detail=detail)


def _in_maintenance(detail: str, *notes: str) -> Finding:
    return Finding(state=State.WARNING, reason=Reason.IN_MAINTENANCE, notes=notes, detail=detail)


def _with_lists(member: Verdict, lists: Lists, answer: object) -> Verdict:
    """Return a member's verdict with what the lists tell of it, also where it takes no login."""
    name = member.host or ""
    observed = {**member.observed, "node": lists.names[name]}
    if name in lists.running:
        observed["running"] = sorted(lists.running[name])
    if name in lists.failed:
        observed["management_error"] = lists.failed[name].detail
    member = replace(member, observed=observed, duration=max(member.duration, _duration(lists, name)))
    if isinstance(answer, AmqpReply) or member.state is not State.WARNING:
        return member
    if lists.names[name] in lists.drained:
        finding = _in_maintenance(f"it is drained, and takes no login: {member.detail}")
    elif closed(lists, name, answer):
        seen = "the other nodes see it running, and it refuses clients and its management API"
        finding = _in_maintenance(
            f"{seen}: it is drained, or something before it refuses ({member.detail})", "maintenance_inferred"
        )
    else:
        return member
    return replace(
        member,
        reason=finding.reason,
        notes=finding.notes,
        detail=finding.detail,
        summary=f"{PRODUCT} on {name} is NOT HEALTHY ({words(finding.reason)})",
        observed={**observed, "error": finding.detail},
    )


def _duration(lists: Lists, member: str) -> float:
    answers = (lists.facts.get(member), lists.failed.get(member))
    return max((answer.duration for answer in answers if answer is not None), default=0.0)


def _explains(check: Check, whole: Verdict, member: Verdict) -> bool:
    """Tell whether the whole says why a member is as it is."""
    if whole.reason is Reason.SECRET_UNAVAILABLE:
        return True
    if member.state is not State.WARNING or whole.state is not State.CRITICAL:
        return False
    # An alarm keeps every publisher waiting, on the nodes without one, too.
    waits = whole.reason is Reason.ALARM and check.settings["depth"] == "round_trip"
    return whole.reason is member.reason in _OF_THE_WHOLE or (waits and member.reason is Reason.TIMEOUT)


def _whole(check: Check, lists: Lists, members: list[Verdict], quorum: Quorum) -> Verdict:
    finding, summary = _judged(lists, members, quorum)
    details = [finding.detail, unwell_detail(members)]
    return Verdict(
        id=check.name,
        kind=check.kind,
        group=check.name,
        state=finding.state,
        reason=finding.reason,
        summary=summary,
        detail="; ".join(detail for detail in details if detail) or None,
        notes=tuple(note for note in _notes(lists, members) if note != finding.reason.value),
        observed={
            "status": STATUS[finding.state],
            "healthy_nodes": len(quorum.healthy),
            "total": len(members),
            "nodes": [node(member) for member in members],
            **_observed(lists),
        },
        expected={"healthy_nodes": len(members)},
        caused_by="monitor" if finding.reason is quorum.reason and blinded(members, quorum) else None,
        duration=max(member.duration for member in members),
    )


def _observed(lists: Lists) -> Mapping[str, object]:
    queues = _critical(lists)
    return {
        "sides": [list(members) for members in lists.sides.values()],
        "alarms": [f"{lists.called(name)}: {', '.join(kinds)}" for name, kinds in lists.alarms.items()],
        "queues_critical": len(queues),
        "unverified": list(lists.failed),
    }


def _notes(lists: Lists, members: list[Verdict]) -> list[str]:
    """Return, as short codes, what there is beside the reason of the whole."""
    of_members = [note for member in members for note in member.notes]
    found = {
        "in_maintenance": any(member.reason is Reason.IN_MAINTENANCE for member in members),
        "maintenance_inferred": "maintenance_inferred" in of_members,
        "queues_critical": bool(lists.critical),
        "management_unverified": "management_unverified" in of_members,
        "alarms_unverified": bool(lists.nodes) and not lists.alarms_known,
        "queues_unverified": lists.queues_unknown,
    }
    return [note for note, holds in found.items() if holds]


def _judged(lists: Lists, members: list[Verdict], quorum: Quorum) -> tuple[Finding, str]:
    """Return the worst that is wrong with the whole, and how it is said."""
    if lists.partitioned:
        said = _of_sides(lists)
        finding = Finding(state=State.CRITICAL, reason=Reason.PARTITIONED, detail=said)
        return finding, f"{PRODUCT} is PARTITIONED: {said}"
    if lists.alarms:
        short = "; ".join(f"{listed(kinds)} on {lists.called(name)}" for name, kinds in lists.alarms.items())
        finding = Finding(state=State.CRITICAL, reason=Reason.ALARM, detail=f"short of {short}")
        return finding, f"{PRODUCT} has an ALARM, and keeps publishers waiting: {short}"
    if quorum.state not in (State.OK, State.WARNING):
        return Finding(state=quorum.state, reason=quorum.reason), quorum_said(PRODUCT, quorum, members)
    if not lists.nodes:
        return _unverified(lists, members, quorum)
    return _of_redundancy(lists, members, quorum)


def _of_sides(lists: Lists) -> str:
    if len(lists.sides) > 1:
        sides = [(listed(of), listed(_called(lists, seen)) or "none") for seen, of in lists.sides.items()]
        if all(of == seen for of, seen in sides):
            first, *others = (of for of, _ in sides)
            other = "the other" if len(others) == 1 else "another"
            return "; ".join([f"{first} on one side", *(f"{of} on {other}" for of in others)])
        return "; ".join(f"{of} with {seen}" for of, seen in sides)
    parted = lists.parted.items()
    return "; ".join(f"{lists.called(name)} parted from {listed(_called(lists, of))}" for name, of in parted)


def _called(lists: Lists, nodes: frozenset[str] | tuple[str, ...]) -> list[str]:
    return sorted(lists.called(name) for name in nodes)


def _unverified(lists: Lists, members: list[Verdict], quorum: Quorum) -> tuple[Finding, str]:
    """Return what is left where no node could show its list: logins prove no cluster."""
    reasons = [failed.reason for failed in lists.failed.values()]
    reason = reasons[0] if len(set(reasons)) == 1 else next(r for r in reasons if r is not Reason.AUTH_FAILED)
    details = {member: failed.detail for member, failed in lists.failed.items()}
    alike = len(set(details.values())) == 1
    said = next(iter(details.values())) if alike else "; ".join(f"{m}: {d}" for m, d in details.items())
    logins = f"{len(quorum.healthy)}/{len(members)} nodes take logins"
    finding = Finding(state=State.UNKNOWN, reason=reason, detail=f"no management API could be asked: {said}")
    return finding, f"{PRODUCT}'s cluster is NOT VERIFIED ({words(reason)}): {logins}"


def _of_redundancy(lists: Lists, members: list[Verdict], quorum: Quorum) -> tuple[Finding, str]:
    """Return what only costs redundancy; what a missing member brings with it is told of that member."""
    unwell = [member for member in members if member.state is not State.OK]
    drained = [member.host or "" for member in unwell if member.reason is Reason.IN_MAINTENANCE]
    critical = _critical(lists)
    hanging = (
        f"queues that would lose their quorum with one more node: {listed(critical)}" if critical else None
    )
    healthy = f"{len(quorum.healthy)}/{len(members)} nodes healthy"
    if drained and len(drained) == len(unwell):
        finding = Finding(state=State.WARNING, reason=Reason.IN_MAINTENANCE, detail=hanging)
        return finding, f"{PRODUCT} is IN MAINTENANCE on {listed(drained)}: {healthy}"
    if critical and not unwell:
        finding = Finding(state=State.WARNING, reason=Reason.QUEUES_CRITICAL, detail=hanging)
        hang = "queue that HANGS" if len(critical) == 1 else "queues that HANG"
        return finding, f"{PRODUCT} has {len(critical)} {hang} BY ONE NODE: {listed(critical)}"
    finding = Finding(state=quorum.state, reason=quorum.reason, detail=hanging)
    return finding, quorum_said(PRODUCT, quorum, members)


def _critical(lists: Lists) -> tuple[str, ...]:
    return tuple(dict.fromkeys(queue for queues in lists.critical.values() for queue in queues))
