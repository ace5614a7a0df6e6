"""Judges a RabbitMQ cluster by what each declared member answered; the quorum is the whole's alone.

Where the nodes' management APIs are asked as well, `rabbitmq_managed` has the rules.
"""

from dataclasses import replace

from quorate.checks import rabbitmq_lists, rabbitmq_managed
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
from quorate.model import AmqpReply, Check, CheckObservation, Reason, State, Verdict


def verdicts(check: Check, observation: CheckObservation, scene: Scene) -> list[Verdict]:
    """Return the verdict of a cluster, then of each member; of causes only the monitor and a secret."""
    if check.settings.get("management") is not None:
        return rabbitmq_managed.verdicts(check, observation, scene)
    members = member_verdicts(check, observation, scene, "RabbitMQ", _judge)
    quorum = judge_quorum({m.host or "": m.reason for m in members}, check.settings["quorum"])
    whole = _whole(check, members, quorum)
    explained = whole.reason is Reason.SECRET_UNAVAILABLE
    return [whole, *(replace(m, caused_by=check.name) if explained else m for m in members)]


def unsettled(check: Check, observation: CheckObservation) -> bool:
    """Tell whether the nodes' lists differ, or lack a node that is there, as when one joins or leaves."""
    return check.settings.get("management") is not None and rabbitmq_lists.may_pass(check, observation)


def _judge(_name: str, answer: AmqpReply) -> Member:
    return Member(
        finding=Finding(state=State.OK, reason=Reason.OK),
        said=f"{answer.product} {answer.version}",
        observed={"product": answer.product, "version": answer.version, "cluster": answer.cluster},
    )


def _whole(check: Check, members: list[Verdict], quorum: Quorum) -> Verdict:
    return Verdict(
        id=check.name,
        kind=check.kind,
        group=check.name,
        state=quorum.state,
        reason=quorum.reason,
        summary=quorum_said("RabbitMQ", quorum, members),
        detail=unwell_detail(members),
        observed={
            "status": STATUS[quorum.state],
            "healthy_nodes": len(quorum.healthy),
            "total": len(members),
            "nodes": [node(member) for member in members],
        },
        expected={"healthy_nodes": len(members)},
        caused_by="monitor" if blinded(members, quorum) else None,
        duration=max(member.duration for member in members),
    )
