"""What the nodes of a Patroni cluster say together: who leads, who follows whom, and how far behind.

The words for roles and states are those of Patroni 2 to 4 (patroni/postgresql/misc.py). A word that none of
them knows proves nothing: who says it may lead as well as not.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from quorate.model import Check, CheckObservation
from quorate.model.patroni import PatroniFacts, PatroniMember, PatroniView

RUNNING = frozenset({"running", "streaming", "in archive recovery"})
_LEADS = frozenset({"master", "primary", "standby_leader"})
_FOLLOWS = frozenset({"replica", "sync_standby", "quorum_standby", "demoted", "uninitialized"})
_LED = frozenset({"leader", "master", "primary", "standby_leader"})
_DOWN = frozenset(
    {
        "initializing new cluster",
        "initdb failed",
        "running custom bootstrap script",
        "starting after custom bootstrap",
        "custom bootstrap failed",
        "creating replica",
        "starting",
        "start failed",
        "restarting",
        "restart failed",
        "stopping",
        "stopped",
        "crashed",
    }
)
"""States in which PostgreSQL takes no writes; `stop failed` is none of them."""

FRESH = 60.0
"""Seconds after which a view of the store is old: a node reads it every 10 s by default (`loop_wait`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """What the nodes that answered say, by host; `strangers` belong to another cluster than most.

    `leaders` say of themselves that they run as primary, or lead a standby cluster; `unclear` say nothing
    that tells whether they do.
    """

    nodes: Mapping[str, PatroniFacts]
    strangers: Mapping[str, PatroniFacts]
    addresses: Mapping[str, str]
    leaders: tuple[str, ...]
    unclear: tuple[str, ...]

    @property
    def scope(self) -> str:
        """The cluster's name, empty where no node tells it."""
        return next((facts.scope for facts in self.nodes.values() if facts.scope), "")

    @property
    def leader(self) -> PatroniFacts | None:
        """What the one leader says; None where there is none, or more than one."""
        return self.nodes[self.leaders[0]] if len(self.leaders) == 1 else None

    @property
    def views(self) -> list[PatroniView]:
        """The views of the store that could be had, the leader's first."""
        ordered = sorted(self.nodes, key=lambda host: host not in self.leaders)
        return [view for host in ordered if isinstance(view := self.nodes[host].view, PatroniView)]

    @property
    def fresh_views(self) -> list[PatroniView]:
        """The views that are not known to be old."""
        young = [f for f in self.nodes.values() if f.store_age is None or f.store_age <= FRESH]
        return [facts.view for facts in young if isinstance(facts.view, PatroniView)]

    @property
    def led_by(self) -> frozenset[str]:
        """The names of those that some view has as leader."""
        return frozenset(m.name for view in self.views for m in view.members if m.role in _LED)

    def seen(self, host: str) -> PatroniMember | None:
        """Return what the store has of a node: found by its name, else by an address that no other has."""
        facts = self.nodes.get(host)
        names = {host, facts.name if facts is not None else None}
        address = self.addresses[host]
        alone = Counter(self.addresses.values())[address] == 1
        for view in self.views:
            by_name = (member for member in view.members if member.name in names)
            by_address = (member for member in view.members if alone and address in member.addresses)
            found = next(by_name, None) or next(by_address, None)
            if found is not None:
                return found
        return None

    def streams(self, host: str) -> bool | None:
        """Tell whether a standby streams, from the leader or another one; None where that can't be told.

        Not every version says so of itself: then it does if some node says that it streams to it.
        """
        facts, seen = self.nodes[host], self.seen(host)
        if facts.streaming is not None:
            return facts.streaming
        names = {host, facts.name, self.addresses[host]}
        if seen is not None:
            names |= {seen.name, *seen.addresses}
        if any(name in names for other in self.nodes.values() for name in other.replicas):
            return True
        # By another name it may stream all the same, and from a node that did not answer.
        known = seen is not None or facts.name is not None
        source_silent = len(self.nodes) < len(self.addresses) and (seen is None or seen.source is not None)
        return None if not known or source_silent or self.leader is None else False

    def lag(self, host: str) -> int | None:
        """Return how many bytes a standby is behind in replaying; None where nobody knows.

        The greater of what the store has, which is some seconds old, and of what the two nodes say. On
        another timeline a standby may have gone further than the leader, which is no lag of 0.
        """
        leader, facts, seen = self.leader, self.nodes[host], self.seen(host)
        if leader is None or facts is leader:
            return None
        told = [seen.lag] if seen is not None and seen.lag_known and seen.lag is not None else []
        if leader.location is not None and facts.replayed is not None:
            behind = leader.location - facts.replayed
            told += [max(0, behind)] if behind > 0 or not timelines_differ(facts, leader) else []
        return max(told, default=None)


def timelines_differ(facts: PatroniFacts, leader: PatroniFacts) -> bool:
    """Tell whether two nodes are known to be on different timelines."""
    return None not in (facts.timeline, leader.timeline) and facts.timeline != leader.timeline


def cluster_of(check: Check, observation: CheckObservation) -> Cluster:
    """Return what the nodes of a check say together."""
    answering = {host: a for host, a in observation.answers.items() if isinstance(a, PatroniFacts)}
    scopes = Counter(facts.scope for facts in answering.values() if facts.scope)
    scope = scopes.most_common(1)[0][0] if scopes else ""
    nodes = {host: facts for host, facts in answering.items() if facts.scope in ("", scope)}
    return Cluster(
        nodes=nodes,
        strangers={host: facts for host, facts in answering.items() if host not in nodes},
        addresses={member["name"]: member["address"] for member in check.settings["members"]},
        leaders=tuple(h for h, f in nodes.items() if f.role in _LEADS and f.state in RUNNING),
        unclear=tuple(h for h, f in nodes.items() if _unclear(f)),
    )


def _unclear(facts: PatroniFacts) -> bool:
    if facts.role in _FOLLOWS or facts.state in _DOWN:
        return False
    return facts.role not in _LEADS or facts.state not in RUNNING
