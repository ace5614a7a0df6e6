"""Judges hosts' clocks against the monitor's, and the monitor's where all others disagree with it alike.

An answer says that a clock was read between asking and coming, so an offset is only known give or take half
of that time. A limit is exceeded where it is beyond that, and kept where it is within it all the same.
"""

from collections.abc import Mapping
from dataclasses import replace
from statistics import median

from quorate.checks.cluster import STATUS
from quorate.checks.finding import Finding, listed
from quorate.checks.on_hosts import FEW, cause_of, counted, details, named, share, tally, unseen, worst_of
from quorate.checks.scene import Scene
from quorate.model import Check, CheckObservation, Reason, State, Verdict
from quorate.model.resources import ClockFacts


def verdicts(check: Check, observation: CheckObservation, scene: Scene) -> list[Verdict]:
    """Return the verdict of all clocks together, then of each host's."""
    blind = unseen(check, observation, scene, "clock")
    facts = {name: seen for name, seen in observation.answers.items() if isinstance(seen, ClockFacts)}
    remote = {name: seen for name, seen in facts.items() if scene.latest(name).contact.remote}
    own = _monitors_offset(remote, check.settings["warning"])
    members = []
    for name in observation.answers:
        if name in blind:
            members.append(blind[name])
            continue
        finding = _judge(facts[name], check)
        if own is not None:
            # This machine agrees with the monitor, whose clock is its own: so it is the one that is off.
            finding = _right() if name in remote else _off(own, 0.0, check, "the other hosts")
        members.append(_member(check, name, facts[name], finding))
    return [_whole(check, members, own), *members]


def _monitors_offset(remote: Mapping[str, ClockFacts], warning: float) -> float | None:
    """Return how far the monitor's clock is ahead, where two or more hosts say so and none denies it."""
    off = [seen.offset for seen in remote.values() if abs(seen.offset) - seen.uncertainty > warning]
    if len(off) < 2 or any(abs(seen.offset) + seen.uncertainty <= warning for seen in remote.values()):
        return None
    # One answer that came too slowly to tell contradicts nobody.
    least = max(seen.offset - seen.uncertainty for seen in remote.values())
    most = min(seen.offset + seen.uncertainty for seen in remote.values())
    return -median(off) if least - most <= warning else None


def _right() -> Finding:
    return Finding(state=State.OK, reason=Reason.OK, notes=("monitor_clock",))


def _judge(seen: ClockFacts, check: Check) -> Finding:
    least = abs(seen.offset) - seen.uncertainty
    most = abs(seen.offset) + seen.uncertainty
    if least > check.settings["warning"]:
        return _off(seen.offset, seen.uncertainty, check, "the monitor")
    if most <= check.settings["warning"]:
        return Finding(state=State.OK, reason=Reason.OK)
    if most <= check.settings["critical"]:
        return Finding(state=State.OK, reason=Reason.OK, notes=("imprecise",))
    detail = f"the answer took {2 * seen.uncertainty:.1f} s, too long to tell the time by"
    return Finding(state=State.UNKNOWN, reason=Reason.COMMAND_TIMEOUT, detail=detail)


def _off(offset: float, uncertainty: float, check: Check, others: str) -> Finding:
    is_critical = abs(offset) - uncertainty > check.settings["critical"]
    limit = check.settings["critical" if is_critical else "warning"]
    detail = f"its clock is {_distance(offset)} that of {others}, the limit is {span(limit)}"
    detail += f" (give or take {span(uncertainty)})" if uncertainty else ""
    return Finding(
        state=State.CRITICAL if is_critical else State.WARNING, reason=Reason.CLOCK_OFF, detail=detail
    )


def _distance(offset: float) -> str:
    return f"{span(abs(offset))} {'ahead of' if offset > 0 else 'behind'}"


def span(seconds: float) -> str:
    """Return a length of time as people compare clocks: `3 ms`, `2.5 s`, `1 h 30 min`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    for size, name, below in ((1440, "d", "h"), (60, "h", "min")):
        if minutes >= size:
            rest = minutes % size // (60 if name == "d" else 1)
            return f"{minutes // size} {name}" + (f" {rest} {below}" if rest else "")
    return f"{minutes} min"


def _member(check: Check, host: str, seen: ClockFacts, finding: Finding) -> Verdict:
    match finding.state:
        case State.OK if finding.notes == ("monitor_clock",):
            said = f"clock of {host} agrees with those of the other hosts"
        case State.OK:
            said = f"clock of {host} is within {span(abs(seen.offset) + seen.uncertainty)} of the monitor's"
        case State.UNKNOWN:
            said = f"clock of {host} is NOT VERIFIED (its answer came too slowly)"
        case _:
            said = f"clock of {host} is OFF: {(finding.detail or '').removeprefix('its clock is ')}"
    return Verdict(
        id=f"{check.name}/{host}",
        kind=check.kind,
        group=check.name,
        host=host,
        state=finding.state,
        reason=finding.reason,
        summary=said,
        detail=finding.detail,
        notes=finding.notes,
        observed={
            "status": STATUS[finding.state],
            "offset_s": round(seen.offset, 3),
            "uncertainty_s": round(seen.uncertainty, 3),
        },
        expected={"status": "healthy", "offset_below_s": check.settings["warning"]},
        duration=seen.duration,
    )


def _whole(check: Check, members: list[Verdict], own: float | None) -> Verdict:
    worst = worst_of(members)
    whole = Verdict(
        id=check.name,
        kind=check.kind,
        group=check.name,
        state=worst.state,
        reason=worst.reason,
        summary=_said(members),
        detail=details(members),
        observed={"status": STATUS[worst.state], **tally(members)},
        expected={"healthy": len(members)},
        caused_by=cause_of(worst),
        duration=max(member.duration for member in members),
    )
    return whole if own is None else _of_monitor(check, whole, members, own)


def _of_monitor(check: Check, whole: Verdict, members: list[Verdict], own: float) -> Verdict:
    """Return the whole where it is the monitor's clock that is off: no host explains that."""
    agreed = [member.host or "" for member in members if "monitor_clock" in member.notes]
    finding = _off(own, 0.0, check, f"{len(agreed)} hosts, which agree with each other")
    said = f"the MONITOR's clock is OFF: {_distance(own)} that of {listed(agreed, FEW)}"
    whole = replace(
        whole,
        summary=said,
        detail=f"the monitor: {finding.detail}" + (f"\n{whole.detail}" if whole.detail else ""),
        observed={**whole.observed, "monitor_offset_s": round(own, 3)},
    )
    if whole.state.rank > finding.state.rank:
        return whole  # a host whose clock could not be read is worse than a warning
    status = STATUS[finding.state]
    return replace(
        whole,
        state=finding.state,
        reason=finding.reason,
        caused_by=None,
        observed={**whole.observed, "status": status},
    )


def _said(members: list[Verdict]) -> str:
    off = named(members, State.CRITICAL, State.WARNING)
    unverified = named(members, State.UNKNOWN)
    total = len(members)
    parts = [f"are OFF on {share(off, total)}"] if off else []
    parts += [f"are NOT VERIFIED on {share(unverified, total)}"] if unverified else []
    return f"clocks {' and '.join(parts) or f'agree with the monitor on {counted(total)}'}"
