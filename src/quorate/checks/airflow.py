"""Judges Airflow by the heartbeats of its components; what can't be asked is the whole's, and their cause."""

from typing import Any

from quorate.checks import airflow_components as components
from quorate.checks.cluster import STATUS
from quorate.checks.finding import Finding, words
from quorate.checks.outside import place
from quorate.checks.scene import Scene
from quorate.model import Check, CheckObservation, NoReply, Reason, State, Verdict
from quorate.model.airflow import JOBS, HealthFacts, JobsFacts

_CRITICAL = frozenset(
    {
        Reason.CONNECT_FAILED,
        Reason.TIMEOUT,
        Reason.UNHEALTHY,
        Reason.CERTIFICATE_INVALID,
        Reason.CERTIFICATE_EXPIRED,
    }
)
"""Failures that are Airflow's own, since nobody else is served either; others prove nothing of it."""

_FAILED = {
    Reason.CONNECT_FAILED: "{} can NOT be reached at {}",
    Reason.TIMEOUT: "{} gives NO ANSWER in time at {}",
    Reason.UNHEALTHY: "{} is UNHEALTHY at {}",
    Reason.CERTIFICATE_INVALID: "{} has a certificate that is NOT VALID at {}",
    Reason.CERTIFICATE_EXPIRED: "{} has an EXPIRED certificate at {}",
}
_NO_DATABASE = "the API server can't use the metadata database"


def verdicts(check: Check, observation: CheckObservation, scene: Scene) -> list[Verdict]:
    """Return the verdict of Airflow, then of each component that is declared; of causes only the monitor."""
    answer = observation.answers[check.name]
    blind = scene.blind(observation.addresses[check.name], answer)
    asked = blind or _asked(answer, observation.answers.get(JOBS))
    facts = _facts(check, observation)
    members = [
        components.unverified(check, name, asked, "monitor" if blind else check.name)
        if facts is None
        else components.judged(check, name, facts)
        for name in check.members
    ]
    duration = max(each.duration for each in observation.answers.values())
    return [_whole(check, asked, facts, members, duration, blind="monitor" if blind else None), *members]


def _asked(answer: Any, jobs: Any) -> Finding:
    """Judge the asking alone: whether Airflow answers at all, and says of itself what it has to."""
    if isinstance(answer, NoReply):
        state = State.CRITICAL if answer.reason in _CRITICAL else State.UNKNOWN
        return Finding(state=state, reason=answer.reason, detail=answer.detail)
    if isinstance(answer, HealthFacts) and not answer.database:
        return Finding(state=State.CRITICAL, reason=Reason.UNHEALTHY, detail=_NO_DATABASE)
    if isinstance(jobs, NoReply):
        # The server has answered beside that: whatever is missing, it is not Airflow that is out of reach.
        state = State.CRITICAL if jobs.reason is Reason.UNHEALTHY else State.UNKNOWN
        return Finding(state=state, reason=jobs.reason, detail=jobs.detail)
    return Finding(state=State.OK, reason=Reason.OK)


def _facts(check: Check, observation: CheckObservation) -> JobsFacts | HealthFacts | None:
    """Return what the components are judged by: the jobs, or the health answer where no user is set."""
    answer = observation.answers[check.name]
    if isinstance(answer, JobsFacts):
        return answer
    if JOBS in observation.answers:
        jobs = observation.answers[JOBS]
        return jobs if isinstance(jobs, JobsFacts) else None
    return answer if isinstance(answer, HealthFacts) and answer.database else None


def _whole(
    check: Check,
    asked: Finding,
    facts: JobsFacts | HealthFacts | None,
    members: list[Verdict],
    duration: float,
    *,
    blind: str | None,
) -> Verdict:
    unwell = [member for member in members if member.state is not State.OK]
    worst = max(unwell, key=lambda member: member.state.rank, default=None)
    leads = worst is not None and worst.state.rank > asked.state.rank
    state, reason = (worst.state, worst.reason) if leads and worst else (asked.state, asked.reason)
    cause = worst.id if leads and worst and state.rank >= State.UNKNOWN.rank else blind
    details = [asked.detail] if asked.detail else []
    if facts is not None:  # else all of them say the same
        several = len(unwell) > 1
        details += [f"{_short(m)}: {m.detail}" if several else m.detail for m in unwell if m.detail]
    return Verdict(
        id=check.name,
        kind=check.kind,
        group=check.name,
        state=state,
        reason=reason,
        summary=_said(check, asked, members) if not leads else "; ".join(m.summary for m in unwell),
        detail="\n".join(details) or None,
        notes=tuple(dict.fromkeys(note for member in members for note in member.notes)),
        observed={"status": STATUS[state], **_seen(asked, members)},
        expected={"status": "healthy", **{_short(m): m.observed["expected"] for m in members}},
        caused_by=cause,
        duration=duration,
    )


def _seen(asked: Finding, members: list[Verdict]) -> dict[str, object]:
    seen: dict[str, object] = {_short(m): m.observed["alive"] for m in members if "alive" in m.observed}
    return seen if asked.detail is None else {"error": asked.detail, **seen}


def _short(member: Verdict) -> str:
    return member.id.rpartition("/")[2]


def _said(check: Check, asked: Finding, members: list[Verdict]) -> str:
    settings = check.settings
    of_api = settings["way"] == "api"
    where = settings["url"] if of_api else place(settings["host"], settings["port"])
    what = "Airflow's API" if of_api else "Airflow's database"
    if asked.state is State.OK:
        said = ", ".join(components.counted(_short(m), m) for m in members)
        return f"Airflow is alive: {said}" if said else f"{what} answers at {where}"
    if asked.state is State.UNKNOWN:
        return f"Airflow's heartbeats are NOT VERIFIED at {where} ({words(asked.reason)})"
    return _FAILED[asked.reason].format(what, where)
