"""Judges one component of Airflow: how many instances of it have a fresh heartbeat, and whose are missing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from quorate.checks.cluster import STATUS
from quorate.checks.finding import Finding, words
from quorate.model import Check, Reason, State, Verdict
from quorate.model.airflow import AirflowBeat, AirflowJob, HealthFacts, JobsFacts

_CALLED = {
    "scheduler": ("scheduler", "schedulers"),
    "triggerer": ("triggerer", "triggerers"),
    "dag_processor": ("DAG processor", "DAG processors"),
}
_SHOWN = 10
"""How many instances are named."""
_RUNNING = "running"
UNVERIFIED = "number_unverified"
"""The note that more were declared than could be seen."""
_CUT = "the list of jobs was cut while its rows were still fresh: who is not in it may be alive"


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """The instances of a component, one a host: those that are alive, those that are not, those from ahead.

    A heartbeat from further ahead than a fresh one may be old proves nothing: the clocks differ.
    """

    alive: tuple[AirflowJob, ...]
    stale: tuple[AirflowJob, ...]
    ahead: tuple[AirflowJob, ...]


def judged(check: Check, component: str, facts: JobsFacts | HealthFacts) -> Verdict:
    """Return the verdict of a component; its observed `alive` are of those that are declared, where named."""
    if isinstance(facts, HealthFacts):
        return _by_health(check, component, facts)
    return _by_jobs(check, component, facts)


def unverified(check: Check, component: str, why: Finding, cause: str) -> Verdict:
    """Return the verdict of a component of which nothing was seen."""
    finding = Finding(state=State.UNKNOWN, reason=why.reason, detail=why.detail)
    summary = f"{_many(component)} are NOT VERIFIED ({words(why.reason)})"
    observed = {"error": why.detail, "expected": _declared(check, component)["number"]}
    return _verdict(check, component, finding, summary, observed, cause=cause)


def counted(component: str, verdict: Verdict) -> str:
    """Return how many of a component are alive, such as `2 schedulers` or `at least 1 scheduler`."""
    alive = verdict.observed["alive"]
    least = "at least " if UNVERIFIED in verdict.notes else ""
    return f"{least}{alive} {_CALLED[component][alive != 1]}"


def _many(component: str) -> str:
    return _CALLED[component][1]


def _declared(check: Check, component: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = check.settings["components"][component]
    return found


def _by_jobs(check: Check, component: str, facts: JobsFacts) -> Verdict:
    max_age = check.settings["max_age"]
    declared = _declared(check, component)
    seen = _seen([job for job in facts.jobs if job.component == component], max_age)
    missing = {host: names for host, names in declared["hosts"].items() if not _is_on(names, seen.alive)}
    known = declared["hosts"].values()
    others = [job for job in seen.alive if known and not any(_is(names, job.hostname) for names in known)]
    number = declared["number"]
    alive = number - len(missing) if declared["hosts"] else len(seen.alive)
    # What was left out is older than what is shown: it matters only where that is fresh to its end.
    cut = facts.left_out > 0 and not any(job.age is None or job.age > max_age for job in facts.jobs)
    state, reason = _state(alive, number, seen, cut=cut)
    notes = ["clock_ahead"] if seen.ahead else []
    notes += ["list_cut"] if cut else []
    notes += ["standby"] if facts.standby else []
    finding = Finding(
        state=state,
        reason=reason,
        notes=tuple(notes),
        detail=None if state is State.OK else _detail(seen, missing, cut=cut),
    )
    observed: dict[str, object] = {"alive": alive, "expected": number, "jobs": _rows(seen)}
    observed |= {"missing": list(missing)} if missing else {}
    undeclared = [job.hostname for job in others]
    observed |= {"undeclared": undeclared} if undeclared else {}
    # Who counts is named first; who is alive but not declared stands behind.
    counting = tuple(job for job in seen.alive if job not in others)
    summary = _said(component, alive, number, replace(seen, alive=counting), reason)
    summary += f", missing {_few(list(missing))}" if missing and state is State.WARNING else ""
    summary += f", not declared: {_few(undeclared)}" if undeclared else ""
    return _verdict(check, component, finding, summary, observed, duration=facts.duration)


def _seen(jobs: Iterable[AirflowJob], max_age: float) -> Seen:
    """Return one instance a host: one that is alive if there is one, else that with the last heartbeat."""
    rank = {"alive": 0, "ahead": 1, "stale": 2}
    best: dict[str, tuple[str, AirflowJob]] = {}
    for job in jobs:
        age = _age(job)
        fresh = job.state == _RUNNING and age <= max_age
        what = "stale" if not fresh else "ahead" if age < -max_age else "alive"
        known = best.get(job.hostname)
        if known is None or (rank[what], age) < (rank[known[0]], _age(known[1])):
            best[job.hostname] = (what, job)
    ordered = sorted(best.values(), key=lambda found: (_age(found[1]), found[1].hostname))
    parts = {what: tuple(job for kind, job in ordered if kind == what) for what in rank}
    return Seen(**parts)


def _age(job: AirflowJob) -> float:
    return float("inf") if job.age is None else job.age


def _state(alive: int, number: int, seen: Seen, *, cut: bool) -> tuple[State, Reason]:
    if alive >= number:
        return State.OK, Reason.OK
    if cut:
        return State.UNKNOWN, Reason.UNPARSABLE
    if seen.alive:
        return State.WARNING, Reason.REDUNDANCY_LOST
    if seen.ahead:
        return State.UNKNOWN, Reason.CLOCK_OFF
    return State.CRITICAL, Reason.NONE_ALIVE


def _is_on(names: tuple[str, ...], jobs: Iterable[AirflowJob]) -> bool:
    return any(_is(names, job.hostname) for job in jobs)


def _is(names: tuple[str, ...], hostname: str) -> bool:
    """Tell whether a job's host is one that goes by these names; a short one stands for its full one."""
    found = hostname.lower().rstrip(".")
    for name in (each.lower() for each in names):
        if found == name or (found.partition(".")[0] == name and not _numeric(found)):
            return True
        if "." not in found and name.partition(".")[0] == found and not _numeric(name):
            return True
    return False


def _numeric(name: str) -> bool:
    """Tell whether a name is an address, whose parts are no names."""
    return name.replace(".", "").isdigit() or ":" in name


def _said(component: str, alive: int, number: int, seen: Seen, reason: Reason) -> str:
    who = f" ({_few([f'{job.hostname} {_span(job.age)}' for job in seen.alive])})" if seen.alive else ""
    one, many = _CALLED[component]
    match reason:
        case Reason.OK if alive > number:
            return f"{alive} {many} alive, {number} declared{who}"
        case Reason.OK:
            return f"{alive} of {number} {many if number > 1 else one} alive{who}"
        case Reason.REDUNDANCY_LOST:
            return f"ONLY {alive} of {number} {many} alive{who}"
        case Reason.NONE_ALIVE:
            last = next((job for job in seen.stale if job.age is not None), None)
            since = (
                f"the last heartbeat is {_span(last.age)} old ({last.hostname})" if last else "no heartbeat"
            )
            return f"NO {one} is alive: {since}"
        case _:
            return f"{many} are NOT VERIFIED ({words(reason)}): {alive} of {number} alive{who}"


def _detail(seen: Seen, missing: Mapping[str, tuple[str, ...]], *, cut: bool) -> str | None:
    lines = [f"{job.hostname}: {_beat(job)}, state {job.state or 'none'}" for job in seen.stale]
    lines += [f"{job.hostname}: the last heartbeat is {_span(-(job.age or 0))} ahead" for job in seen.ahead]
    known = (*seen.stale, *seen.ahead)
    lines += [f"{host}: no heartbeat" for host, names in missing.items() if not _is_on(names, known)]
    return "; ".join(([_CUT] if cut else []) + _bounded(lines)) or None


def _beat(job: AirflowJob) -> str:
    return "no heartbeat ever" if job.age is None else f"the last heartbeat is {_span(job.age)} old"


def _rows(seen: Seen) -> list[dict[str, object]]:
    jobs = (*seen.alive, *seen.ahead, *seen.stale)[: 2 * _SHOWN]
    return [{"hostname": j.hostname, "age_s": _rounded(j.age), "state": j.state} for j in jobs]


def _by_health(check: Check, component: str, facts: HealthFacts) -> Verdict:
    """Judge by the best instance alone: whether one is alive. More are not to be seen that way."""
    beat = facts.components[component]
    declared = _declared(check, component)
    number = declared["number"]
    alive, ahead = _of_beat(beat, check.settings["max_age"])
    one, many = _CALLED[component]
    unseen = bool(declared["hosts"]) or number > 1
    notes = ([UNVERIFIED] if unseen and alive else []) + (["clock_ahead"] if ahead else [])
    if alive:
        finding = Finding(state=State.OK, reason=Reason.OK, notes=tuple(notes))
        least = f"at least 1 of {number} {many}" if number > 1 else f"1 of 1 {one}"
        summary = f"{least} alive ({_span(beat.age)})"
    elif ahead:
        detail = f"the last heartbeat is {_span(-(beat.age or 0))} ahead"
        finding = Finding(state=State.UNKNOWN, reason=Reason.CLOCK_OFF, notes=tuple(notes), detail=detail)
        summary = f"{many} are NOT VERIFIED ({words(Reason.CLOCK_OFF)})"
    else:
        said = {True: "healthy", False: "unhealthy", None: "that none ever ran"}[beat.healthy]
        finding = Finding(state=State.CRITICAL, reason=Reason.NONE_ALIVE, detail=f"Airflow says: {said}")
        since = "no heartbeat" if beat.age is None else f"the last heartbeat is {_span(beat.age)} old"
        summary = f"NO {one} is alive: {since}"
    observed = {"alive": int(alive), "expected": number, "age_s": _rounded(beat.age)}
    return _verdict(check, component, finding, summary, observed, duration=facts.duration)


def _of_beat(beat: AirflowBeat, max_age: float) -> tuple[bool, bool]:
    """Return whether an instance is alive, and whether its heartbeat is from further ahead than it may be."""
    if not beat.healthy or beat.age is None or beat.age > max_age:
        return False, False
    return beat.age >= -max_age, beat.age < -max_age


def _verdict(
    check: Check,
    component: str,
    finding: Finding,
    summary: str,
    observed: Mapping[str, object],
    *,
    cause: str | None = None,
    duration: float = 0.0,
) -> Verdict:
    declared = _declared(check, component)
    expected: dict[str, object] = {"alive": declared["number"], "max_age_s": check.settings["max_age"]}
    expected |= {"hosts": list(declared["hosts"])} if declared["hosts"] else {}
    return Verdict(
        id=f"{check.name}/{component}",
        kind=check.kind,
        group=check.name,
        state=finding.state,
        reason=finding.reason,
        summary=summary,
        detail=finding.detail,
        notes=finding.notes,
        observed={"status": STATUS[finding.state], **observed},
        expected=expected,
        caused_by=cause,
        duration=duration,
    )


def _span(age: float | None) -> str:
    """Return a length of time in one unit, such as `4 s` or `5 min`; one that is not over is none."""
    seconds = max(age or 0.0, 0.0)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _rounded(age: float | None) -> float | None:
    return None if age is None else round(age, 1)


def _bounded(lines: list[str]) -> list[str]:
    left = len(lines) - _SHOWN
    return [*lines[:_SHOWN], f"and {left} more"] if left > 0 else lines


def _few(names: list[str]) -> str:
    return ", ".join(_bounded(names))
