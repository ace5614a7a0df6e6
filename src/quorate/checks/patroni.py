"""Judges a Patroni cluster: exactly one node runs as primary, and the others stream from it.

What a node says of itself counts more than what the configuration store has of it: the store knows one
leader at most, and a node that has lost the store goes on showing an old copy.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from quorate.checks.cluster import STATUS, Member, member_verdicts, node, unwell_detail
from quorate.checks.finding import Finding, words
from quorate.checks.quorum import NOT_ASKED
from quorate.checks.scene import Scene
from quorate.model import Check, CheckObservation, NoReply, Reason, State, Verdict
from quorate.model.patroni import PatroniFacts, PatroniMember, PatroniView

PRODUCT = "Patroni"
_LEADS = frozenset({"master", "primary", "standby_leader"})
_LED = frozenset({"leader", "standby_leader"})
_RUNNING = frozenset({"running", "streaming", "in archive recovery"})
_ORDER = (
    Reason.UNHEALTHY,
    Reason.NOT_STREAMING,
    Reason.TIMELINE_DIFFERS,
    Reason.LAGGING,
    Reason.LAG_UNKNOWN,
    Reason.PENDING_RESTART,
)
"""Troubles of a node, worst first."""
_LEVELS = {
    Reason.NOT_STREAMING: "not_streaming",
    Reason.TIMELINE_DIFFERS: "timeline",
    Reason.PENDING_RESTART: "pending_restart",
}


def verdicts(check: Check, observation: CheckObservation, scene: Scene) -> list[Verdict]:
    """Return the verdict of a cluster, then of each node; of causes only the monitor, and the whole's."""
    cluster = _Cluster.of(check, observation)

    def judge(name: str, facts: PatroniFacts) -> Member:
        return _judge(check, name, facts, cluster)

    members = member_verdicts(check, observation, scene, PRODUCT, judge)
    whole = _whole(check, cluster, members)
    return [whole, *(replace(m, caused_by=check.name) if _explains(whole, m) else m for m in members)]


def unsettled(check: Check, observation: CheckObservation) -> bool:
    """Tell whether not exactly one node runs as primary, as it is for a moment while the leader changes."""
    cluster = _Cluster.of(check, observation)
    return bool(cluster.answering) and len(cluster.leaders) != 1


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cluster:
    """What the nodes say together; `leaders` say of themselves that they run as primary."""

    answering: Mapping[str, PatroniFacts]
    addresses: Mapping[str, str]
    leaders: tuple[str, ...]

    @classmethod
    def of(cls, check: Check, observation: CheckObservation) -> "_Cluster":
        answering = {h: a for h, a in observation.answers.items() if isinstance(a, PatroniFacts)}
        leaders = tuple(h for h, a in answering.items() if a.role in _LEADS and a.state in _RUNNING)
        addresses = {member["name"]: member["address"] for member in check.settings["members"]}
        return cls(answering=answering, addresses=addresses, leaders=leaders)

    @property
    def leader(self) -> PatroniFacts | None:
        """What the one leader says."""
        return self.answering[self.leaders[0]] if len(self.leaders) == 1 else None

    @property
    def views(self) -> list[PatroniView]:
        """The store's views that could be had."""
        return [a.view for a in self.answering.values() if isinstance(a.view, PatroniView)]

    def names(self, host: str) -> frozenset[str]:
        """Return the names under which others know a node: its host's, its own, its address."""
        facts = self.answering.get(host)
        own = (facts.name,) if facts is not None and facts.name else ()
        return frozenset({host, self.addresses[host], *own})

    def seen(self, host: str) -> PatroniMember | None:
        """Return what the store has of a node, by the leader's view where there is one."""
        views = [self.leader.view] if self.leader is not None else []
        for view in [*(v for v in views if isinstance(v, PatroniView)), *self.views]:
            for member in view.members:
                if not self.names(host).isdisjoint({member.name, member.address}):
                    return member
        return None


def _judge(check: Check, name: str, facts: PatroniFacts, cluster: _Cluster) -> Member:
    troubles = dict(_troubles(check, name, facts, cluster))
    reason = next((r for r in _ORDER if r in troubles), Reason.OK)
    lag = _lag(name, facts, cluster)
    known = "" if lag is None else f", lag {lag} B"
    timeline = "" if facts.timeline is None else f", timeline {facts.timeline}"
    return Member(
        finding=Finding(
            state=State.OK if reason is Reason.OK else State.WARNING,
            reason=reason,
            notes=tuple(each.value for each in _ORDER if each in troubles and each is not reason),
            detail="; ".join(troubles[r] for r in _ORDER if r in troubles) or None,
        ),
        said=f"{_role(facts)}{timeline}{known}",
        observed={
            "role": _role(facts),
            "state": facts.state,
            "timeline": facts.timeline,
            "lag_bytes": lag,
            "version": facts.version,
        },
    )


def _role(facts: PatroniFacts) -> str:
    return "leader" if facts.role in ("master", "primary") else facts.role


def _troubles(
    check: Check, name: str, facts: PatroniFacts, cluster: _Cluster
) -> Iterator[tuple[Reason, str]]:
    if facts.state not in _RUNNING:
        yield Reason.UNHEALTHY, f"PostgreSQL is {facts.state!r}"
    if facts.pending_restart:
        yield Reason.PENDING_RESTART, "its settings wait for a restart"
    leader = cluster.leader
    if leader is None or facts is leader:
        return
    if _streams(name, facts, cluster) is False:
        yield Reason.NOT_STREAMING, "no node streams to it"
    if facts.timeline is not None and leader.timeline is not None and facts.timeline != leader.timeline:
        yield Reason.TIMELINE_DIFFERS, f"timeline {facts.timeline}, the leader's is {leader.timeline}"
    lag, seen = _lag(name, facts, cluster), cluster.seen(name)
    if lag is not None and lag > check.settings["lag"]["warning"]:
        yield Reason.LAGGING, f"{lag} bytes behind"
    elif lag is None and facts.state in _RUNNING:
        told = "unknown to Patroni" if seen is not None and not seen.lag_known else "not told"
        yield Reason.LAG_UNKNOWN, f"how far it is behind is {told}"


def _streams(name: str, facts: PatroniFacts, cluster: _Cluster) -> bool | None:
    """Tell whether a standby streams: from the leader or from another one; None where that can't be told."""
    if facts.streaming is not None:
        return facts.streaming
    fed = {each for other in cluster.answering.values() for each in other.replicas}
    if not cluster.names(name).isdisjoint(fed):
        return True
    every = len(cluster.answering) == len(cluster.addresses)
    return False if every or cluster.leader is not None else None


def _lag(name: str, facts: PatroniFacts, cluster: _Cluster) -> int | None:
    """Return how many bytes a standby is behind in replaying, by the nodes' own words, or by the store's."""
    leader, seen = cluster.leader, cluster.seen(name)
    if leader is None or facts is leader:
        return None
    told = [] if seen is None or not seen.lag_known or seen.lag is None else [seen.lag]
    if leader.location is not None and facts.replayed is not None:
        told.append(max(0, leader.location - facts.replayed))
    return max(told) if told else None


def _whole(check: Check, cluster: _Cluster, members: list[Verdict]) -> Verdict:
    finding, summary = _found(check, cluster, members)
    scope = next((facts.scope for facts in cluster.answering.values() if facts.scope), "")
    blind = finding.state is State.UNKNOWN and any(
        m.caused_by == "monitor" and m.reason is finding.reason for m in members
    )
    return Verdict(
        id=check.name,
        kind=check.kind,
        group=check.name,
        state=finding.state,
        reason=finding.reason,
        summary=f"{PRODUCT} {scope} {summary}" if scope else f"{PRODUCT} {summary}",
        detail=finding.detail or unwell_detail(members),
        notes=finding.notes,
        observed={
            "status": STATUS[finding.state],
            "leader": cluster.leaders[0] if len(cluster.leaders) == 1 else None,
            "primaries": list(cluster.leaders),
            "timeline": cluster.leader.timeline if cluster.leader else None,
            "answering": len(cluster.answering),
            "total": len(members),
            "nodes": [_node(member) for member in members],
        },
        expected={"primaries": 1, "answering": len(members)},
        caused_by="monitor" if blind else None,
        duration=max(member.duration for member in members),
    )


def _node(member: Verdict) -> dict[str, object]:
    told = ("role", "state", "timeline", "lag_bytes")
    return node(member) | {key: member.observed[key] for key in told if key in member.observed}


def _found(check: Check, cluster: _Cluster, members: list[Verdict]) -> tuple[Finding, str]:
    if len(cluster.leaders) > 1:
        said = f"has a SPLIT BRAIN: {' AND '.join(cluster.leaders)} run as primary"
        return Finding(state=State.CRITICAL, reason=Reason.SPLIT_BRAIN), said
    if not cluster.leaders:
        return _leaderless(cluster, members)
    return _led(check, cluster, members)


def _leaderless(cluster: _Cluster, members: list[Verdict]) -> tuple[Finding, str]:
    """Judge what has no node that says it leads: proven if all answer, or if the store knows no leader."""
    silent = [member for member in members if member.host not in cluster.answering]
    failed = _failed_view(cluster)
    notes = ("dcs_failed",) if failed is not None else ()
    if not silent:
        finding = Finding(state=State.CRITICAL, reason=Reason.NO_LEADER, notes=notes, detail=failed)
        return finding, f"has NO LEADER: none of {len(members)} nodes runs as primary"
    named = {m.name for view in cluster.views for m in view.members if m.role in _LED}
    if cluster.views and not named:
        who = ", ".join(m.host or "" for m in silent)
        finding = Finding(state=State.CRITICAL, reason=Reason.NO_LEADER, notes=notes)
        return finding, f"has NO LEADER: its configuration store knows none, {who} did not answer"
    reason = _shared(silent)
    if not cluster.answering:
        finding = Finding(state=State.UNKNOWN, reason=reason)
        return finding, f"is NOT VERIFIED ({words(reason)}): none of {len(members)} nodes answered"
    who = ", ".join(m.host or "" for m in silent)
    led = f", which {', '.join(sorted(named))} is said to be," if named else ""
    detail = "; ".join(filter(None, (unwell_detail(members), failed))) or None
    finding = Finding(state=State.UNKNOWN, reason=reason, notes=notes, detail=detail)
    return finding, f"has a leader{led} that is NOT VERIFIED: {who} did not answer ({words(reason)})"


def _shared(silent: list[Verdict]) -> Reason:
    """Return why the silent ones were not heard: what the first one says that had its chance."""
    own = [m.reason for m in silent if m.reason not in NOT_ASKED]
    return (
        own[0]
        if own and len(own) == len(silent)
        else next(m.reason for m in silent if m.reason in NOT_ASKED or not own)
    )


def _failed_view(cluster: _Cluster) -> str | None:
    """Return why no node can show the store's view; None where one can."""
    if cluster.views or not cluster.answering:
        return None
    return next(a.view.detail for a in cluster.answering.values() if isinstance(a.view, NoReply))


def _led(check: Check, cluster: _Cluster, members: list[Verdict]) -> tuple[Finding, str]:
    found = list(_warnings(check, cluster, members))
    leader = cluster.leaders[0]
    critical = [each for each in found if each[0] is State.CRITICAL]
    if not found:
        followers = len(members) - 1
        lags = [m.observed["lag_bytes"] for m in members if m.observed.get("lag_bytes") is not None]
        most = f", lag {max(lags)} B" if lags else ""
        timeline = cluster.leader.timeline if cluster.leader else None
        said = f"has leader {leader}, {followers} following, timeline {timeline}{most}"
        return Finding(state=State.OK, reason=Reason.OK), said
    state, reason, said = (critical or found)[0]
    notes = tuple(dict.fromkeys(each.value for _, each, _ in found if each is not reason))
    return Finding(state=state, reason=reason, notes=notes), f"has leader {leader}, but {said}"


def _warnings(check: Check, cluster: _Cluster, members: list[Verdict]) -> Iterator[tuple[State, Reason, str]]:
    """Yield what is wrong although one node leads, worst first."""
    silent = [m for m in members if m.host not in cluster.answering]
    if silent:
        who = ", ".join(f"{m.host} ({words(m.reason)})" for m in silent)
        yield State.WARNING, Reason.REDUNDANCY_LOST, f"has LOST REDUNDANCY: {who}"
    if any(facts.failsafe for facts in cluster.answering.values()):
        yield State.WARNING, Reason.FAILSAFE, "runs in FAILSAFE mode: its configuration store is away"
    if _failed_view(cluster) is not None:
        yield State.WARNING, Reason.DCS_FAILED, "can't show what its CONFIGURATION STORE has"
    if any(facts.paused for facts in cluster.answering.values()) or any(v.paused for v in cluster.views):
        yield State.WARNING, Reason.PAUSED, "is PAUSED: nobody takes over by itself"
    unwell = [m for m in members if m.host in cluster.answering and m.state is not State.OK]
    for reason in _ORDER:
        having = [m for m in unwell if m.reason is reason or reason.value in m.notes]
        if having:
            who = ", ".join(m.host or "" for m in having)
            yield _level(check, reason, having), reason, f"{who} is {words(reason).upper()}"


def _level(check: Check, reason: Reason, having: list[Verdict]) -> State:
    if reason is Reason.LAGGING:
        most: Any = max(m.observed["lag_bytes"] for m in having)
        return State.CRITICAL if most > check.settings["lag"]["critical"] else State.WARNING
    level = check.settings["levels"].get(_LEVELS.get(reason, ""), "warning")
    return State.CRITICAL if level == "critical" else State.WARNING


def _explains(whole: Verdict, member: Verdict) -> bool:
    """Tell whether the whole says all that a member says: what a node lacks follows from who leads."""
    if whole.reason is Reason.SECRET_UNAVAILABLE:
        return True
    return whole.state is State.CRITICAL and member.reason in _ORDER
