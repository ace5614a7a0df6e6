"""Reads out of the members' own lists who is in a RabbitMQ cluster, and what else its nodes say of it.

Each node lists all nodes, and which of them run, as it sees them itself. The lists of a cluster are the same.
Where they differ, those who agree are a side; the greatest side, where there is one, counts as the cluster.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from quorate.checks.finding import listed
from quorate.model import AmqpReply, Check, CheckObservation, NoReply, Reason
from quorate.model.rabbitmq import ManagementFacts, RabbitNode


@dataclass(frozen=True, kw_only=True)
class Lists:
    """What the members' management APIs say, by member; `failed` are those whose list could not be had."""

    members: Mapping[str, Mapping[str, Any]]
    facts: Mapping[str, ManagementFacts]
    failed: Mapping[str, NoReply]

    @cached_property
    def nodes(self) -> Mapping[str, Mapping[str, RabbitNode]]:
        """The list of each member that has one, by the nodes' names."""
        return {
            member: {node.name: node for node in facts.nodes}
            for member, facts in self.facts.items()
            if not isinstance(facts.nodes, NoReply)
        }

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The name of each member's node: what it calls itself, else as declared, else as it is listed."""
        return {member: self._name(member) for member in self.members}

    def _name(self, member: str) -> str:
        facts = self.facts.get(member)
        if facts is not None and facts.node is not None:
            return facts.node
        return self._expected(member)

    def _expected(self, member: str) -> str:
        declared: str | None = self.members[member].get("node")
        short = f"rabbit@{member.partition('.')[0]}"
        if declared is not None:
            return declared
        # With long names, a node's name ends in its domain.
        known = {name for nodes in self.nodes.values() for name in nodes if name.startswith(f"{short}.")}
        return known.pop() if len(known) == 1 else short

    def misplaced(self, member: str) -> str | None:
        """Return what is wrong where another node answers in a member's place, else None."""
        facts, declared = self.facts.get(member), self.members[member].get("node")
        if facts is None or facts.node is None:
            return None
        if declared is not None and facts.node != declared:
            return f"it answers as {facts.node}, and is declared as {declared}"
        others = [other for other, name in self.names.items() if name == facts.node and other != member]
        if others and self._expected(member) != facts.node:
            return f"it answers as {facts.node}, which is {others[0]}"
        return None

    def called(self, node: str) -> str:
        """Return the member whose node it is, or the node's own name."""
        return next((member for member, name in self.names.items() if name == node), node)

    @cached_property
    def running(self) -> Mapping[str, frozenset[str]]:
        """The nodes that each member sees running."""
        return {
            member: frozenset(node.name for node in nodes.values() if node.running)
            for member, nodes in self.nodes.items()
        }

    @cached_property
    def sides(self) -> Mapping[frozenset[str], tuple[str, ...]]:
        """The members that agree on who runs, by what they see running, the most members and nodes first."""
        found: dict[frozenset[str], tuple[str, ...]] = {}
        for member, seen in self.running.items():
            found[seen] = (*found.get(seen, ()), member)
        return dict(sorted(found.items(), key=lambda side: (-len(side[1]), -len(side[0]))))

    @cached_property
    def cluster(self) -> frozenset[str] | None:
        """The nodes that run as the greatest side sees it; None where no side is the greatest."""
        sizes = [(len(members), len(seen)) for seen, members in self.sides.items()]
        alone = len(sizes) == 1 or (len(sizes) > 1 and sizes[0] > sizes[1])
        return next(iter(self.sides)) if alone else None

    @cached_property
    def parted(self) -> Mapping[str, tuple[str, ...]]:
        """The nodes that some list shows as parted from others, with these."""
        found: dict[str, tuple[str, ...]] = {}
        for nodes in self.nodes.values():
            found |= {node.name: node.partitions for node in nodes.values() if node.partitions}
        return found

    @property
    def partitioned(self) -> bool:
        """Whether a partition is seen by any node, or the lists differ."""
        return bool(self.parted) or len(self.sides) > 1

    @cached_property
    def alarms(self) -> Mapping[str, tuple[str, ...]]:
        """What each node is short of, by the node's name, as anyone says."""
        found: dict[str, dict[str, None]] = {}
        for node, resource in self._alarms():
            found.setdefault(node, {})[resource] = None
        return {node: tuple(resources) for node, resources in found.items()}

    def _alarms(self) -> Iterator[tuple[str, str]]:
        for nodes in self.nodes.values():
            yield from ((node.name, kind) for node in nodes.values() for kind in node.alarms or ())
        for facts in self.facts.values():
            if isinstance(facts.alarms, tuple):
                yield from ((alarm.node, alarm.resource) for alarm in facts.alarms)

    @property
    def alarms_known(self) -> bool:
        """Whether anyone tells of alarms; each node knows those of all."""
        told = any(isinstance(facts.alarms, tuple) for facts in self.facts.values())
        return told or any(n.alarms is not None for nodes in self.nodes.values() for n in nodes.values())

    @cached_property
    def drained(self) -> frozenset[str]:
        """The nodes that are in maintenance as some list says."""
        return frozenset(
            node.name for nodes in self.nodes.values() for node in nodes.values() if node.drained
        )

    @cached_property
    def critical(self) -> Mapping[str, tuple[str, ...]]:
        """The members without which queues would lose their quorum, with these queues."""
        asked = {member: facts.queues for member, facts in self.facts.items()}
        return {member: queues for member, queues in asked.items() if isinstance(queues, tuple) and queues}

    @property
    def queues_unknown(self) -> bool:
        """Whether some member has the health check of queues, and its answer could not be had."""
        return any(isinstance(facts.queues, NoReply) for facts in self.facts.values())


def lists_of(check: Check, observation: CheckObservation) -> Lists:
    """Return what the management APIs of a check's members said."""
    facts: dict[str, ManagementFacts] = {}
    failed: dict[str, NoReply] = {}
    for member in check.members:
        answer = observation.answers[f"{member}/management"]
        if isinstance(answer, NoReply):
            failed[member] = answer
            continue
        facts[member] = answer
        if isinstance(answer.nodes, NoReply):
            failed[member] = answer.nodes
    members = {member["name"]: member for member in check.settings["members"]}
    return Lists(members=members, facts=facts, failed=failed)


def outside(lists: Lists, member: str) -> tuple[Reason, str] | None:
    """Return why a member that takes logins is not in the cluster by the lists, else None."""
    name, cluster = lists.names[member], lists.cluster
    if (wrong := lists.misplaced(member)) is not None:
        return Reason.NOT_A_MEMBER, wrong
    if member in lists.running and lists.running[member] != cluster:
        return _on_another_side(lists, member)
    if name in lists.parted:
        return (
            Reason.PARTITIONED,
            f"it is parted from {listed([lists.called(n) for n in lists.parted[name]])}",
        )
    if cluster is not None and name not in cluster:
        return Reason.NOT_A_MEMBER, f"{_by_others(lists, member)} not see {name} running"
    return None


def _on_another_side(lists: Lists, member: str) -> tuple[Reason, str]:
    own = f"it sees {listed(sorted(lists.running[member])) or 'no node'} running"
    others = [other for other, seen in lists.running.items() if seen == lists.cluster]
    known = any(lists.names[member] in lists.nodes[other] for other in others)
    if others and not known:
        return Reason.NOT_A_MEMBER, f"{own}, and {listed(others)} do not list {lists.names[member]}"
    seen = [
        f"{listed(of)} {'see' if len(of) > 1 else 'sees'} {listed(sorted(side)) or 'none'}"
        for side, of in lists.sides.items()
        if member not in of
    ]
    return Reason.PARTITIONED, "; ".join([own, *seen])


def _by_others(lists: Lists, member: str) -> str:
    others = [other for other in lists.running if other != member]
    return f"{listed(others)} do" if others else "it does"


def closed(lists: Lists, member: str, answer: Any) -> bool:
    """Tell whether a node runs in the cluster, and itself refuses clients and its management API alike.

    That is what maintenance mode does, and how it shows where the version does not tell of it: the node's
    listeners are closed, and it stays in the cluster.
    """
    management = lists.failed.get(member)
    running = lists.cluster is not None and lists.names[member] in lists.cluster
    return running and _refused(answer) and _refused(management)


def _refused(answer: Any) -> bool:
    return isinstance(answer, NoReply) and answer.reason is Reason.CONNECT_FAILED and answer.answered


def may_pass(check: Check, observation: CheckObservation) -> bool:
    """Tell whether the lists show what they show for a moment when a node joins or leaves."""
    lists = lists_of(check, observation)
    if lists.partitioned:
        return True
    answers = {member: observation.answers[member] for member in check.members}
    return any(
        outside(lists, member) is not None if isinstance(answer, AmqpReply) else closed(lists, member, answer)
        for member, answer in answers.items()
    )
