"""What checks share that ask hosts themselves: members that stand each for itself, and the worst of them."""

from collections.abc import Mapping, Sequence

from quorate.checks.cluster import STATUS
from quorate.checks.finding import listed, words
from quorate.checks.hosts import host_verdicts
from quorate.checks.scene import Scene
from quorate.model import Check, CheckObservation, NoReply, State, Verdict

FEW = 6
"""How many hosts are named in a summary."""


def unseen(check: Check, observation: CheckObservation, scene: Scene, what: str) -> dict[str, Verdict]:
    """Return the verdicts of hosts that gave no answer at all, by name; `what` is not verified there.

    A host that could not be asked carries its own reason and is the cause, unless the monitor is isolated.
    """
    hosts = host_verdicts(scene)
    return {
        name: _unseen(check, hosts[name], answer, scene, what)
        for name, answer in observation.answers.items()
        if isinstance(answer, NoReply)
    }


def _unseen(check: Check, host: Verdict, answer: NoReply, scene: Scene, what: str) -> Verdict:
    cause, reason = None, answer.reason
    if scene.latest(host.host or "").contact.failure is not None:
        cause = "monitor" if scene.isolated and host.caused_by == "monitor" else host.id
        reason = host.reason
    return Verdict(
        id=f"{check.name}/{host.host}",
        kind=check.kind,
        group=check.name,
        host=host.host,
        state=State.UNKNOWN,
        reason=reason,
        summary=f"{what} of {host.host} is NOT VERIFIED ({words(reason)})",
        detail=answer.detail or None,
        observed={"status": STATUS[State.UNKNOWN], "error": answer.detail},
        expected={"status": "healthy"},
        caused_by=cause,
        duration=answer.duration,
    )


def worst_of(members: Sequence[Verdict]) -> Verdict:
    """Return the member that stands for all: the worst, and of several one that nothing else explains."""
    return max(members, key=lambda member: (member.state.rank, member.caused_by is None))


def details(members: Sequence[Verdict]) -> str | None:
    """Return what there is to say of members that are not well; what all say alike, only once."""
    unwell = [member for member in members if member.state is not State.OK]
    said = {member.detail for member in unwell}
    if len(unwell) > 1 and len(said) == 1:
        return said.pop()
    return "\n".join(f"{m.host}: {m.detail or words(m.reason)}" for m in unwell) or None


def named(members: Sequence[Verdict], *states: State) -> list[str]:
    """Return the names of the members in these states."""
    return [member.host or "" for member in members if member.state in states]


def cause_of(worst: Verdict) -> str | None:
    """Return the whole's cause: the member that stands for all, where that is more than a warning.

    Of an isolated monitor nothing is worth more than the word that it is.
    """
    if worst.caused_by == "monitor":
        return "monitor"
    return worst.id if worst.state.rank >= State.UNKNOWN.rank else None


def counted(number: int) -> str:
    """Return a number of hosts in words."""
    return f"{number} host" if number == 1 else f"{number} hosts"


def share(names: Sequence[str], total: int) -> str:
    """Return how many of the hosts are meant, and which."""
    return f"{len(names)} of {counted(total)}: {listed(names, FEW)}"


def tally(members: Sequence[Verdict]) -> Mapping[str, object]:
    """Return what the whole has observed of its members."""
    return {
        "total": len(members),
        "healthy": len(named(members, State.OK)),
        "over": named(members, State.WARNING, State.CRITICAL),
        "unverified": named(members, State.UNKNOWN),
    }
