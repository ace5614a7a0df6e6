"""Judges a Patroni cluster: exactly one node runs as primary, and the others stream from it.

What a node says of itself counts more than what the configuration store has of it: the store knows one
leader at most, and a node that has lost the store may go on showing an old copy.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from quorate.checks.cluster import STATUS, Member, member_verdicts, node, unwell_detail
from quorate.checks.finding import Finding, words
from quorate.checks.patroni_cluster import RUNNING, Cluster, cluster_of, timelines_differ
from quorate.checks.quorum import NOT_ASKED, judge_quorum
from quorate.checks.scene import Scene
from quorate.model import Check, CheckObservation, NoReply, Reason, State, Verdict
from quorate.model.patroni import PatroniFacts
from quorate.model.resources import size_words

PRODUCT = "Patroni"
_ORDER = (
    Reason.SPLIT_BRAIN,
    Reason.NOT_A_MEMBER,
    Reason.UNHEALTHY,
    Reason.NOT_STREAMING,
    Reason.TIMELINE_DIFFERS,
    Reason.LAGGING,
    Reason.LAG_UNKNOWN,
    Reason.PENDING_RESTART,
)
"""Troubles of a node, worst first."""

_SAID = {
    Reason.UNHEALTHY: "NOT HEALTHY",
    Reason.NOT_STREAMING: "NOT STREAMING",
    Reason.TIMELINE_DIFFERS: "on ANOTHER TIMELINE",
    Reason.LAGGING: "LAGGING",
    Reason.LAG_UNKNOWN: "behind by an UNKNOWN LAG",
    Reason.PENDING_RESTART: "waiting for a RESTART",
}
"""What follows the node's name; the other troubles are the whole's own."""

_LEVELS = {
    Reason.NOT_STREAMING: "not_streaming",
    Reason.TIMELINE_DIFFERS: "timeline",
    Reason.PENDING_RESTART: "pending_restart",
}
_UNPROVEN = "uniqueness_unproven"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Trouble:
    """What is wrong although one node leads."""

    state: State
    reason: Reason
    said: str


def verdicts(check: Check, observation: CheckObservation, scene: Scene) -> list[Verdict]:
    """Return the verdict of a cluster, then of each node; of causes only the monitor, and the whole's."""
    cluster = cluster_of(check, observation)

    def judge(name: str, facts: PatroniFacts) -> Member:
        return _judge(check, name, facts, cluster)

    members = member_verdicts(check, observation, scene, PRODUCT, judge)
    whole = _whole(check, cluster, members)
    return [whole, *(replace(m, caused_by=check.name) if _explains(whole, m) else m for m in members)]


def unsettled(check: Check, observation: CheckObservation) -> bool:
    """Tell whether not exactly one node runs as primary, as it is for a moment while the leader changes."""
    cluster = cluster_of(check, observation)
    return bool(cluster.nodes) and len(cluster.leaders) != 1


def _judge(check: Check, name: str, facts: PatroniFacts, cluster: Cluster) -> Member:
    stranger = name in cluster.strangers
    troubles = dict(_strange(facts, cluster) if stranger else _troubles(check, name, facts, cluster))
    reason = next((r for r in _ORDER if r in troubles), Reason.OK)
    lag = None if stranger else cluster.lag(name)
    timeline = "" if facts.timeline is None else f", timeline {facts.timeline}"
    return Member(
        finding=Finding(
            state=State.OK if reason is Reason.OK else State.WARNING,
            reason=reason,
            notes=tuple(each.value for each in _ORDER if each in troubles and each is not reason),
            detail="; ".join(troubles[r] for r in _ORDER if r in troubles) or None,
        ),
        said=f"{_role(facts)}{timeline}{'' if lag is None else f', lag {size_words(lag)}'}",
        observed={
            "role": facts.role,
            "state": facts.state,
            "timeline": facts.timeline,
            "lag_bytes": lag,
            "version": facts.version,
        },
    )


def _role(facts: PatroniFacts) -> str:
    return "leader" if facts.role in ("master", "primary") else facts.role


def _strange(facts: PatroniFacts, cluster: Cluster) -> Iterator[tuple[Reason, str]]:
    yield Reason.NOT_A_MEMBER, f"it belongs to the cluster {facts.scope}, the others to {cluster.scope}"


def _troubles(check: Check, name: str, facts: PatroniFacts, cluster: Cluster) -> Iterator[tuple[Reason, str]]:
    if name in cluster.leaders and len(cluster.leaders) > 1:
        yield Reason.SPLIT_BRAIN, f"it runs as primary, on timeline {facts.timeline}, and so does another one"
    if facts.state not in RUNNING:
        yield Reason.UNHEALTHY, f"its PostgreSQL is {facts.state!r}"
    elif name in cluster.unclear:
        yield Reason.UNHEALTHY, f"its role is {facts.role!r}"
    if facts.pending_restart:
        yield Reason.PENDING_RESTART, "its settings wait for a restart"
    if cluster.leader is not None and facts is not cluster.leader:
        yield from _behind(check, name, facts, cluster, cluster.leader)


def _behind(
    check: Check, name: str, facts: PatroniFacts, cluster: Cluster, leader: PatroniFacts
) -> Iterator[tuple[Reason, str]]:
    if cluster.streams(name) is False:
        yield Reason.NOT_STREAMING, "nobody streams to it"
    differ = timelines_differ(facts, leader)
    if differ:
        yield Reason.TIMELINE_DIFFERS, f"it is on timeline {facts.timeline}, the leader on {leader.timeline}"
    lag, limit = cluster.lag(name), check.settings["lag"]["warning"]
    if lag is not None and lag > limit:
        yield Reason.LAGGING, f"it is {size_words(lag)} behind, more than {size_words(limit)}"
    elif lag is None and facts.state in RUNNING and not differ:
        yield Reason.LAG_UNKNOWN, "how far it is behind is not known"


def _whole(check: Check, cluster: Cluster, members: list[Verdict]) -> Verdict:
    finding, said = _found(check, cluster, members)
    blind = finding.state is State.UNKNOWN and any(
        m.caused_by == "monitor" and m.reason is finding.reason for m in members
    )
    details = [unwell_detail(members), _failed_view(cluster)]
    return Verdict(
        id=check.name,
        kind=check.kind,
        group=check.name,
        state=finding.state,
        reason=finding.reason,
        summary=f"{PRODUCT} {cluster.scope}: {said}" if cluster.scope else f"{PRODUCT}: {said}",
        detail=finding.detail or "; ".join(filter(None, details)) or None,
        notes=finding.notes,
        observed={
            "status": STATUS[finding.state],
            "leader": cluster.leaders[0] if len(cluster.leaders) == 1 else None,
            "primaries": list(cluster.leaders),
            "timeline": cluster.leader.timeline if cluster.leader is not None else None,
            "answering": len(cluster.nodes),
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


def _found(check: Check, cluster: Cluster, members: list[Verdict]) -> tuple[Finding, str]:
    if len(cluster.leaders) > 1:
        primaries = [f"{host} (timeline {cluster.nodes[host].timeline})" for host in cluster.leaders]
        finding = Finding(state=State.CRITICAL, reason=Reason.SPLIT_BRAIN, notes=_paused(cluster))
        return finding, f"SPLIT BRAIN, {' AND '.join(primaries)} run as primary"
    return _led(check, cluster, members) if cluster.leaders else _leaderless(cluster, members)


def _paused(cluster: Cluster) -> tuple[str, ...]:
    paused = any(f.paused for f in cluster.nodes.values()) or any(v.paused for v in cluster.views)
    return (Reason.PAUSED.value,) if paused else ()


def _leaderless(cluster: Cluster, members: list[Verdict]) -> tuple[Finding, str]:
    """Judge a cluster of which no node says that it leads.

    That nobody does is proven if all nodes say so; or if some do, and the store knows no leader either.
    """
    silent = {m.host or "": m.reason for m in members if "role" not in m.observed}
    notes = (*((Reason.DCS_FAILED.value,) if _failed_view(cluster) else ()), *_paused(cluster))
    roles = ", ".join(f"{host} is {_role(f)} and {f.state}" for host, f in cluster.nodes.items())
    if not silent and not cluster.unclear:
        finding = Finding(state=State.CRITICAL, reason=Reason.NO_LEADER, notes=notes)
        return finding, f"NO LEADER, none of {len(members)} nodes runs as primary ({roles})"
    if cluster.unclear and not silent:
        finding = Finding(state=State.UNKNOWN, reason=Reason.UNHEALTHY, notes=notes)
        return finding, f"its leader is NOT VERIFIED ({roles})"
    who = f"{', '.join(silent)} did not answer"
    if cluster.fresh_views and not (cluster.unclear or cluster.led_by or NOT_ASKED & set(silent.values())):
        finding = Finding(state=State.CRITICAL, reason=Reason.NO_LEADER, notes=notes)
        return finding, f"NO LEADER, its configuration store knows none, and {who}"
    reason = next((r for r in silent.values() if r in NOT_ASKED), next(iter(silent.values())))
    if not cluster.nodes:
        said = f"NOT VERIFIED ({words(reason)}), none of {len(members)} nodes answered"
        return Finding(state=State.UNKNOWN, reason=reason), said
    finding = Finding(state=State.UNKNOWN, reason=reason, notes=notes)
    led = f"the configuration store has {', '.join(sorted(cluster.led_by))}, but " if cluster.led_by else ""
    return finding, f"its leader is NOT VERIFIED, {led}{who} ({words(reason)})"


def _failed_view(cluster: Cluster) -> str | None:
    """Return why no node can show what the store has; None where one can."""
    if cluster.views:
        return None
    failed = [f"{h}: {f.view.detail}" for h, f in cluster.nodes.items() if isinstance(f.view, NoReply)]
    return failed[0] if failed else None


def _led(check: Check, cluster: Cluster, members: list[Verdict]) -> tuple[Finding, str]:
    (leader,) = cluster.leaders
    timeline = (
        "" if cluster.nodes[leader].timeline is None else f", timeline {cluster.nodes[leader].timeline}"
    )
    found = sorted(_all_troubles(check, cluster, members), key=lambda each: -each.state.rank)
    if not found:
        followers = [host for host in cluster.nodes if host != leader]
        lags = [lag for host in followers if (lag := cluster.lag(host)) is not None]
        most = f", lag {size_words(max(lags))}" if lags else ""
        said = f"leader {leader}, {_following(cluster, followers)}{timeline}{most}"
        return Finding(state=State.OK, reason=Reason.OK), said
    unproven = len(cluster.nodes) + len(cluster.strangers) < len(members) or bool(cluster.unclear)
    others = [each.reason.value for each in found if each.reason is not found[0].reason]
    finding = Finding(
        state=found[0].state,
        reason=found[0].reason,
        notes=tuple(dict.fromkeys([*others, *([_UNPROVEN] if unproven else [])])),
    )
    return finding, f"leader {leader}{timeline}, but {'; '.join(each.said for each in found)}"


def _following(cluster: Cluster, followers: list[str]) -> str:
    streaming = all(cluster.streams(host) for host in followers)
    replicas = "1 replica" if len(followers) == 1 else f"{len(followers) or 'no'} replicas"
    return f"{replicas} {'streaming' if streaming else 'following'}" if followers else replicas


def _all_troubles(check: Check, cluster: Cluster, members: list[Verdict]) -> Iterator[_Trouble]:
    """Yield what is wrong although one node leads, in the order of its weight."""
    reasons = {m.host or "": Reason.OK if m.host in cluster.nodes else m.reason for m in members}
    reached = judge_quorum(reasons, needed=1)  # one that answers and leads is enough
    if reached.missing:
        # What the monitor can't see is not lost: it is not verified.
        lost = [host for host in reached.missing if reasons[host] not in NOT_ASKED]
        said = "REDUNDANCY LOST" if lost else "its redundancy is NOT VERIFIED"
        who = ", ".join(f"{host} ({words(reasons[host])})" for host in reached.missing)
        yield _Trouble(state=reached.state, reason=reached.reason, said=f"{said}: {who}")
    if any(facts.failsafe for facts in cluster.nodes.values()):
        said = "it runs in FAILSAFE MODE, without its configuration store"
        yield _Trouble(state=State.WARNING, reason=Reason.FAILSAFE, said=said)
    if _failed_view(cluster) is not None:
        said = "no node can read the CONFIGURATION STORE"
        yield _Trouble(state=State.WARNING, reason=Reason.DCS_FAILED, said=said)
    if _paused(cluster):
        said = "it is PAUSED, so nobody takes over by itself"
        yield _Trouble(state=State.WARNING, reason=Reason.PAUSED, said=said)
    for reason in _ORDER:
        having = [m for m in members if m.host in cluster.nodes and _has(m, reason)]
        if having and reason in _SAID:
            said = f"{', '.join(m.host or '' for m in having)} {'is' if len(having) == 1 else 'are'}"
            yield _Trouble(state=_level(check, reason, having), reason=reason, said=f"{said} {_SAID[reason]}")


def _has(member: Verdict, reason: Reason) -> bool:
    return member.reason is reason or reason.value in member.notes


def _level(check: Check, reason: Reason, having: list[Verdict]) -> State:
    settings: Mapping[str, Any] = check.settings
    if reason is Reason.LAGGING:
        lags: list[Any] = [m.observed["lag_bytes"] for m in having]
        return State.CRITICAL if max(lags) > settings["lag"]["critical"] else State.WARNING
    level = settings["levels"].get(_LEVELS.get(reason, ""))
    return State.CRITICAL if level == "critical" else State.WARNING


def _explains(whole: Verdict, member: Verdict) -> bool:
    """Tell whether the whole says all that a member says: what a node lacks follows from who leads."""
    if whole.reason is Reason.SECRET_UNAVAILABLE:
        return True
    if whole.state not in (State.CRITICAL, State.UNKNOWN) or member.reason not in _ORDER:
        return False
    leaderless = whole.reason in (Reason.NO_LEADER, Reason.SPLIT_BRAIN)
    return member.reason is whole.reason or (leaderless and member.reason is Reason.UNHEALTHY)
