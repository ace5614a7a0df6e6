"""Judges load balancers by how many servers of each declared backend they have up.

What counts is what a balancer that answers sees: two servers of a backend that may have one are a danger
whichever balancer is in use, and so are two balancers that each have another one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from quorate.checks.cluster import STATUS, Member, blinded, member_verdicts, quorum_said, unwell_detail
from quorate.checks.finding import Finding, listed, words
from quorate.checks.quorum import NOT_ASKED, Quorum, judge_quorum
from quorate.checks.scene import Scene
from quorate.model import Check, CheckObservation, Reason, State, Verdict
from quorate.model.haproxy import HaproxyBackend, HaproxyFacts

PRODUCT = "HAProxy"
_NO_WAY = frozenset({Reason.CONNECT_FAILED, Reason.TIMEOUT})
_ORDER = (Reason.TOO_MANY_UP, Reason.TOO_FEW_UP, Reason.BACKEND_MISSING)
_PASSING = frozenset({Reason.TOO_MANY_UP, Reason.TOO_FEW_UP})
"""What a switch-over shows for a moment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """What is wrong with a backend, as one balancer sees it, or as `hosts` see it together."""

    reason: Reason
    backend: str
    hosts: tuple[str, ...]
    said: str


def verdicts(check: Check, observation: CheckObservation, scene: Scene) -> list[Verdict]:
    """Return the verdict of the load balancers together, then of each; of causes only the monitor's."""

    def judge(host: str, facts: HaproxyFacts) -> Member:
        return _judge(check, host, facts)

    members = member_verdicts(check, observation, scene, PRODUCT, judge)
    problems = [*_of_each(check, observation), *_of_all(check, observation)]
    whole = _whole(check, observation, members, problems, _in_use(members, scene))
    return [whole, *(replace(m, caused_by=check.name) if _explains(whole, m) else m for m in members)]


def _in_use(members: list[Verdict], scene: Scene) -> list[Verdict]:
    """Return the balancers that hold a virtual IP, and that all who come through it depend on."""
    active = {roles.active_node for roles in scene.roles.values()}
    return [member for member in members if member.host in active]


def unsettled(check: Check, observation: CheckObservation) -> bool:
    """Tell whether some backend has too few or too many servers up, as it has while a leader changes."""
    problems = [*_of_each(check, observation), *_of_all(check, observation)]
    return any(problem.reason in _PASSING for problem in problems)


def _answering(observation: CheckObservation) -> dict[str, HaproxyFacts]:
    return {host: a for host, a in observation.answers.items() if isinstance(a, HaproxyFacts)}


def _of_each(check: Check, observation: CheckObservation) -> Iterator[Problem]:
    for host, facts in _answering(observation).items():
        yield from _problems(check, host, facts)


def _problems(check: Check, host: str, facts: HaproxyFacts) -> Iterator[Problem]:
    for name, limits in check.settings["backends"].items():
        backend = facts.backends.get(name)
        if backend is None:
            there = sorted({*facts.backends, *facts.others})
            others = f"there are {listed(there)}" if there else "there is none at all"
            reason, said = Reason.BACKEND_MISSING, f"the statistics have no such backend; {others}"
        elif limits["max_up"] is not None and len(backend.up) > limits["max_up"]:
            up = f"{_counted(backend)} ({listed(backend.up)})"
            reason, said = Reason.TOO_MANY_UP, f"{up}, at most {limits['max_up']} may be"
        elif len(backend.up) < limits["min_up"]:
            down = [f"{server.name} {server.status}" for server in backend.servers if not server.up]
            up = f"{_counted(backend)} ({listed(down)})" if down else _counted(backend)
            reason, said = Reason.TOO_FEW_UP, f"{up}, at least {limits['min_up']} must be"
        else:
            continue
        yield Problem(reason=reason, backend=name, hosts=(host,), said=said)


def _of_all(check: Check, observation: CheckObservation) -> Iterator[Problem]:
    """Yield backends of which each balancer has few enough up, and all together too many.

    Servers are compared by name, so only where the balancers call them by the same names.
    """
    answering = _answering(observation)
    for name, limits in check.settings["backends"].items():
        seen = {host: facts.backends[name] for host, facts in answering.items() if name in facts.backends}
        named = {frozenset(server.name for server in backend.servers) for backend in seen.values()}
        up = {server for backend in seen.values() for server in backend.up}
        most = limits["max_up"]
        if most is None or len(named) != 1 or len(up) <= most:
            continue
        if all(len(backend.up) <= most for backend in seen.values()):
            ways = "; ".join(f"{host} has {listed(of.up) or 'none'} up" for host, of in seen.items())
            said = f"{ways}: together {len(up)}, at most {most} may be"
            yield Problem(reason=Reason.TOO_MANY_UP, backend=name, hosts=tuple(seen), said=said)


def _judge(check: Check, host: str, facts: HaproxyFacts) -> Member:
    problems = list(_problems(check, host, facts))
    unchecked = any(s.up and not s.checked for backend in facts.backends.values() for s in backend.servers)
    worst = next((reason for reason in _ORDER if any(p.reason is reason for p in problems)), Reason.OK)
    return Member(
        finding=Finding(
            state=State.WARNING if problems else State.OK,
            reason=worst,
            notes=("unchecked",) if unchecked else (),
            detail="; ".join(f"{p.backend}: {p.said}" for p in problems) or None,
        ),
        said=", ".join(f"{name}: {_counted(backend)}" for name, backend in facts.backends.items()),
        observed={"backends": {name: _seen(backend) for name, backend in facts.backends.items()}},
    )


def _seen(backend: HaproxyBackend) -> dict[str, object]:
    seen: dict[str, object] = {
        "up": list(backend.up),
        "down": [server.name for server in backend.servers if not server.up],
    }
    counts = {"sessions": backend.sessions, "queue": backend.queue}
    return seen | {key: value for key, value in counts.items() if value is not None}


def _counted(backend: HaproxyBackend) -> str:
    return f"{len(backend.up)} of {len(backend.servers)} servers up"


def _explains(whole: Verdict, member: Verdict) -> bool:
    """Tell whether the whole says all that a member says."""
    if whole.reason is Reason.SECRET_UNAVAILABLE:
        return True
    return whole.state is State.CRITICAL and member.reason in _ORDER


def _whole(
    check: Check,
    observation: CheckObservation,
    members: list[Verdict],
    problems: list[Problem],
    in_use: list[Verdict],
) -> Verdict:
    answering = _answering(observation)
    # Whoever answers balances; of these one is enough, and what each has up is judged apart.
    reached = judge_quorum(
        {m.host or "": Reason.OK if m.host in answering else m.reason for m in members}, needed=1
    )
    finding, summary = _leading(problems) or _of_answers(reached, members, in_use)
    together = [f"{p.backend}: {p.said}" for p in problems if len(p.hosts) > 1]
    backends: Mapping[str, Any] = check.settings["backends"]
    observed: dict[str, object] = {
        "status": STATUS[finding.state],
        "answering": len(answering),
        "total": len(members),
        "backends": {name: _by_host(answering, name) for name in backends},
    }
    short = [name for name in backends if any(p.backend == name and p.reason in _PASSING for p in problems)]
    return Verdict(
        id=check.name,
        kind=check.kind,
        group=check.name,
        state=finding.state,
        reason=finding.reason,
        summary=summary,
        detail="; ".join([*together, *filter(None, [unwell_detail(members)])]) or None,
        notes=tuple(dict.fromkeys(note for member in members for note in member.notes)),
        observed=observed | ({"short": short} if short else {}),
        expected={
            "answering": len(members),
            "backends": {name: _limits(of) for name, of in backends.items()},
        },
        caused_by="monitor" if not problems and blinded(members, reached) else None,
        duration=max(member.duration for member in members),
    )


def _by_host(answering: Mapping[str, HaproxyFacts], name: str) -> dict[str, object]:
    return {
        host: list(facts.backends[name].up) for host, facts in answering.items() if name in facts.backends
    }


def _limits(backend: Mapping[str, Any]) -> dict[str, object]:
    return {key: backend[key] for key in ("min_up", "max_up") if backend[key] is not None}


def _leading(problems: list[Problem]) -> tuple[Finding, str] | None:
    """Return the worst problem of the backends, with the hosts that all have it."""
    if not problems:
        return None
    reason = next(reason for reason in _ORDER if any(p.reason is reason for p in problems))
    first = next(p for p in problems if p.reason is reason)
    alike = [p for p in problems if (p.reason, p.backend, p.said) == (reason, first.backend, first.said)]
    where = f"{PRODUCT} on {listed([host for problem in alike for host in problem.hosts])}"
    match reason:
        case Reason.TOO_MANY_UP:
            summary = f"{where} sends {first.backend} to TOO MANY servers: {first.said}"
        case Reason.TOO_FEW_UP:
            summary = f"{where} has TOO FEW servers for {first.backend}: {first.said}"
        case _:
            summary = f"{where} LACKS the backend {first.backend}"
    return Finding(state=State.CRITICAL, reason=reason), summary


def _silent(in_use: list[Verdict]) -> tuple[Finding, str] | None:
    """Return what follows where the holder of the virtual IP does not answer: nobody gets through."""
    for member in in_use:
        if member.reason in _NO_WAY and member.state is State.WARNING:
            summary = f"{PRODUCT} on {member.host}, holder of the virtual IP, does NOT ANSWER"
            return Finding(state=State.CRITICAL, reason=member.reason), summary
    return None


def _of_answers(reached: Quorum, members: list[Verdict], in_use: list[Verdict]) -> tuple[Finding, str]:
    """Return what follows from who answers, where every backend that could be seen is as declared."""
    if reached.healthy and (silent := _silent(in_use)):
        return silent
    answer = f"{len(reached.healthy)}/{len(members)} hosts answer"
    state, reason = reached.state, reached.reason
    if state is State.CRITICAL:
        # Whoever says anything at all may balance all the same: then nothing is proven.
        other = next((m.reason for m in members if m.reason not in _NO_WAY | NOT_ASKED), None)
        state = State.CRITICAL if other is None else State.UNKNOWN
        reason = other or Reason.CONNECT_FAILED
    match state:
        case State.OK:
            summary = f"{PRODUCT} balances as declared: {answer}"
        case State.WARNING:
            summary = quorum_said(PRODUCT, reached, members)
        case State.CRITICAL:
            summary = f"{PRODUCT} does NOT ANSWER: {answer}"
        case _:
            summary = f"{PRODUCT}'s backends are NOT VERIFIED ({words(reason)}): {answer}"
    return Finding(state=state, reason=reason), summary
