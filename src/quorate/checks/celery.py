"""Judges Celery by the workers that answered a broadcast, and by the queues that they consume from.

A broker that could not be asked through says nothing of the workers: they are not verified then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from quorate.checks.cluster import STATUS
from quorate.checks.finding import Finding, words
from quorate.checks.scene import Scene
from quorate.model import CeleryReply, Check, CheckObservation, NoReply, Reason, State, Verdict

_SHOWN = 20
"""How many workers or queues are named that nobody declared."""
_IN_PLACE_OF_QUEUES = "it answered with something else than its queues"


def verdicts(check: Check, observation: CheckObservation, scene: Scene) -> list[Verdict]:
    """Return the verdict of all workers, then of each that is declared; of causes only the monitor."""
    answer = observation.answers[check.name]
    if isinstance(answer, NoReply):
        blind = scene.blind(observation.addresses[check.name], answer)
        return _unasked(check, answer, blind)
    seen = _Seen(check=check, reply=answer)
    members = [_member(seen, member["name"], member["worker"]) for member in check.settings["members"]]
    return [_whole(seen, members), *members]


def unsettled(check: Check, observation: CheckObservation) -> bool:
    """Tell whether a worker or a queue is missing, as for a moment it may be: a busy worker is late."""
    answer = observation.answers[check.name]
    if not isinstance(answer, CeleryReply):
        return False
    seen = _Seen(check=check, reply=answer)
    return bool(seen.missing or seen.unserved)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """Who answered, beside who is declared."""

    check: Check
    reply: CeleryReply

    @property
    def declared(self) -> dict[str, str]:
        """The names of the declared workers, by host."""
        return {member["name"]: member["worker"] for member in self.check.settings["members"]}

    @property
    def answered(self) -> set[str]:
        """The names of all workers that said anything."""
        return {*self.reply.workers, *self.reply.without_queues}

    @property
    def missing(self) -> list[str]:
        """The hosts whose worker did not answer."""
        return [host for host, worker in self.declared.items() if worker not in self.answered]

    @property
    def undeclared(self) -> list[str]:
        """The names of workers that answered and are not declared."""
        return sorted(self.answered - set(self.declared.values()))

    @property
    def unserved(self) -> list[str]:
        """The declared queues that no worker named."""
        consumed = {queue for queues in self.reply.workers.values() for queue in queues}
        return [queue for queue in self.check.settings["queues"] if queue not in consumed]


def _unasked(check: Check, answer: NoReply, blind: Finding | None) -> list[Verdict]:
    finding = blind or Finding(state=State.UNKNOWN, reason=answer.reason, detail=answer.detail)
    why = words(finding.reason)
    cause = "monitor" if blind else None
    observed = {"status": STATUS[State.UNKNOWN], "error": answer.detail}
    whole = _verdict(
        check,
        None,
        finding,
        f"Celery's workers are NOT VERIFIED ({why})",
        observed={**observed, "total": len(check.members)},
        expected=_expected(check),
        cause=cause,
        duration=answer.duration,
    )
    members = [
        _verdict(
            check,
            member["name"],
            finding,
            f"worker on {member['name']} is NOT VERIFIED ({why})",
            observed={**observed, "worker": member["worker"]},
            expected={"status": "healthy"},
            cause=cause or check.name,
            duration=answer.duration,
        )
        for member in check.settings["members"]
    ]
    return [whole, *members]


def _member(seen: _Seen, host: str, worker: str) -> Verdict:
    queues = seen.reply.workers.get(worker)
    finding = _judge(seen, worker)
    if finding.state is State.OK:
        summary = f"worker on {host} answers ({', '.join(queues or ()) or 'consumes from no queue'})"
    elif finding.reason is Reason.TIMEOUT:
        summary = f"worker on {host} does NOT ANSWER"
    else:
        summary = f"worker on {host} is NOT HEALTHY ({words(finding.reason)})"
    observed: dict[str, Any] = {
        "status": "healthy" if finding.state is State.OK else "failed",
        "worker": worker,
    }
    observed |= {"queues": list(queues)} if queues is not None else {"error": finding.detail}
    return _verdict(
        seen.check,
        host,
        finding,
        summary,
        observed=observed,
        expected={"status": "healthy"},
        duration=seen.reply.duration,
    )


def _judge(seen: _Seen, worker: str) -> Finding:
    if worker in seen.reply.workers:
        return Finding(state=State.OK, reason=Reason.OK)
    if worker in seen.reply.without_queues:
        return Finding(state=State.WARNING, reason=Reason.QUERY_FAILED, detail=_IN_PLACE_OF_QUEUES)
    detail = f"{worker} gave no answer within {seen.check.settings['timeout']:g} s"
    return Finding(state=State.WARNING, reason=Reason.TIMEOUT, detail=detail)


def _whole(seen: _Seen, members: list[Verdict]) -> Verdict:
    finding, summary = _of_all(seen, members)
    unwell = [member for member in members if member.state is not State.OK]
    details = [*(f"{member.host}: {member.detail}" for member in unwell), *_besides(seen, unwell)]
    observed = {
        "status": STATUS[finding.state],
        "answering": len(members) - len(seen.missing),
        "total": len(members),
        "workers": [{"host": member.host, **member.observed} for member in members],
        "undeclared": seen.undeclared[:_SHOWN],
    }
    return _verdict(
        seen.check,
        None,
        finding,
        summary,
        detail="; ".join(details) or None,
        observed=observed | ({"unserved": seen.unserved} if seen.unserved else {}),
        expected=_expected(seen.check),
        duration=seen.reply.duration,
    )


def _of_all(seen: _Seen, members: list[Verdict]) -> tuple[Finding, str]:
    """Return the first that holds: nobody there, a queue without a worker, a worker that is missing."""
    answer = f"{len(members) - len(seen.missing)}/{len(members)} workers answer"
    unread = _unread(seen)
    queues = ", ".join(seen.unserved)
    if len(seen.missing) == len(members):
        if seen.reply.unreadable:
            return _unknown(Reason.UNPARSABLE), f"Celery's workers are NOT VERIFIED (unparsable): {answer}"
        return _critical(Reason.NONE_ALIVE), f"Celery has NO WORKER: {answer}"
    if seen.unserved and unread is None:
        what = "queue has" if len(seen.unserved) == 1 else "queues have"
        return _critical(Reason.QUEUE_UNSERVED), f"Celery's {what} NO WORKER ({queues}): {answer}"
    if seen.unserved and unread is not None:
        return _unknown(unread), f"Celery's queues are NOT VERIFIED ({words(unread)}: {queues}): {answer}"
    if seen.missing:
        missing = ", ".join(seen.missing)
        return _warning(Reason.REDUNDANCY_LOST), f"Celery has lost redundancy: {answer}, missing {missing}"
    if unwell := [member for member in members if member.state is not State.OK]:
        named = ", ".join(member.host or "" for member in unwell)
        return _warning(unwell[0].reason), f"Celery's workers are NOT ALL HEALTHY ({named}): {answer}"
    return Finding(state=State.OK, reason=Reason.OK), f"Celery has all its workers: {answer}"


def _unread(seen: _Seen) -> Reason | None:
    """Return why some worker's queues are not known, so that no queue is proven to have none."""
    if seen.reply.without_queues:
        return Reason.QUERY_FAILED
    return Reason.UNPARSABLE if seen.reply.unreadable else None


def _besides(seen: _Seen, unwell: list[Verdict]) -> Iterable[str]:
    """Yield what helps to find out why workers seem to be missing."""
    if unwell and seen.undeclared:
        shown = ", ".join(seen.undeclared[:_SHOWN])
        yield f"others answered that are not declared: {shown}"
    if seen.reply.unreadable:
        yield f"{seen.reply.unreadable} answers could not be read"


def _unknown(reason: Reason) -> Finding:
    return Finding(state=State.UNKNOWN, reason=reason)


def _critical(reason: Reason) -> Finding:
    return Finding(state=State.CRITICAL, reason=reason)


def _warning(reason: Reason) -> Finding:
    return Finding(state=State.WARNING, reason=reason)


def _expected(check: Check) -> dict[str, Any]:
    expected: dict[str, Any] = {"answering": len(check.members)}
    return expected | ({"queues": list(check.settings["queues"])} if check.settings["queues"] else {})


def _verdict(
    check: Check,
    host: str | None,
    finding: Finding,
    summary: str,
    *,
    observed: dict[str, Any],
    expected: dict[str, Any],
    duration: float,
    detail: str | None = None,
    cause: str | None = None,
) -> Verdict:
    return Verdict(
        id=check.name if host is None else f"{check.name}/{host}",
        kind=check.kind,
        group=check.name,
        host=host,
        state=finding.state,
        reason=finding.reason,
        summary=summary,
        detail=detail or finding.detail,
        observed=observed,
        expected=expected,
        caused_by=cause,
        duration=duration,
    )
