"""Judges the resources of hosts: the worst measure decides, the others that are over a limit are notes."""

from collections.abc import Iterator, Mapping
from math import isfinite

from quorate.checks.cluster import STATUS
from quorate.checks.measures import Pair, measures
from quorate.checks.on_hosts import cause_of, counted, details, named, share, tally, unseen, worst_of
from quorate.checks.scene import Scene
from quorate.model import Check, CheckObservation, NoReply, Reason, State, Verdict
from quorate.model.resources import FolderFacts, Missing, MountFacts, ResourceFacts, SystemFacts, size_words

_BUSY = frozenset({Reason.CPU_HIGH, Reason.LOAD_HIGH, Reason.MEMORY_HIGH})
"""What the processes at the top may explain."""


def verdicts(check: Check, observation: CheckObservation, scene: Scene) -> list[Verdict]:
    """Return the verdict of all hosts together, then of each."""
    blind = unseen(check, observation, scene, "resources")
    members = [
        blind[name] if name in blind else _member(check, name, facts)
        for name, facts in observation.answers.items()
    ]
    return [_whole(check, members), *members]


def _member(check: Check, host: str, facts: ResourceFacts) -> Verdict:
    found = list(measures(facts, check.settings["limits"]))
    state = max((measure.state for measure in found), key=lambda s: s.rank, default=State.OK)
    reason = next((measure.reason for measure in found if measure.state is state), Reason.OK)
    unwell = [measure for measure in found if measure.state is not State.OK]
    notes = [measure.reason.value for measure in unwell if measure.reason is not reason]
    notes += [note for measure in found for note in measure.notes]
    lines = [measure.detail for measure in unwell if measure.detail]
    if _BUSY & {measure.reason for measure in unwell}:
        lines += _top(facts.system)
    said = ", ".join(measure.said for measure in found if measure.listed or measure in unwell)
    return Verdict(
        id=f"{check.name}/{host}",
        kind=check.kind,
        group=check.name,
        host=host,
        state=state,
        reason=reason,
        summary=f"{host}: {said or 'nothing is measured'}",
        detail="\n".join(lines) or None,
        notes=tuple(dict.fromkeys(notes)),
        observed={"status": STATUS[state], **_observed(check, facts)},
        expected={"status": "healthy", **_expected(check.settings["limits"])},
        duration=facts.duration,
    )


def _top(system: SystemFacts | NoReply) -> Iterator[str]:
    if isinstance(system, NoReply):
        return
    own = " (this login sees its own alone)" if system.partial else ""
    if system.top_cpu:
        took = ", ".join(f"{p.name} ({p.pid}) {p.percent:.0f} %" for p in system.top_cpu)
        yield f"most CPU, in percent of one core{own}: {took}"
    if system.top_memory:
        held = ", ".join(f"{p.name} ({p.pid}) {size_words(p.bytes)}" for p in system.top_memory)
        yield f"most memory{own}: {held}"


def _expected(limits: Mapping[str, Pair]) -> dict[str, object]:
    """Return the lower limit of each measure that has one."""
    return {f"{name}_below": min(pair) for name, pair in limits.items() if isfinite(min(pair))}


def _observed(check: Check, facts: ResourceFacts) -> dict[str, object]:
    seen = _seen_system(facts.system)
    seen["mounts"] = {path: _seen_mount(mount) for path, mount in facts.mounts.items()}
    if facts.log_folder is not None:
        seen["log_folder"] = {"path": check.settings["log_folder"], **_seen_folder(facts.log_folder)}
    return seen


def _seen_system(system: SystemFacts | NoReply) -> dict[str, object]:
    if isinstance(system, NoReply):
        return {"error": system.detail}
    return {
        "cores": system.cores,
        "cpu_percent": _figure(system.cpu_percent),
        "load": None if isinstance(system.load, NoReply) else list(system.load),
        "memory_total_bytes": system.memory_total_bytes,
        "memory_used_percent": _figure(system.memory_used_percent),
        "top_cpu": [{"pid": p.pid, "name": p.name, "percent": round(p.percent, 1)} for p in system.top_cpu],
        "top_memory": [{"pid": p.pid, "name": p.name, "bytes": p.bytes} for p in system.top_memory],
    }


def _seen_mount(mount: MountFacts | Missing | NoReply) -> dict[str, object]:
    if not isinstance(mount, MountFacts):
        return {"error": mount.detail}
    return {
        "mounted_on": mount.mounted_on,
        "size_bytes": mount.size_bytes,
        "used_percent": _figure(mount.used_percent),
        "inodes_used_percent": _figure(mount.inodes_used_percent),
    }


def _seen_folder(folder: FolderFacts | Missing | NoReply) -> dict[str, object]:
    if isinstance(folder, FolderFacts):
        return {"bytes": folder.bytes, "complete": folder.complete}
    return {"bytes": None, "complete": False, "error": folder.detail}


def _figure(value: float | NoReply | None) -> float | None:
    return round(value, 1) if isinstance(value, int | float) else None


def _whole(check: Check, members: list[Verdict]) -> Verdict:
    worst = worst_of(members)
    return Verdict(
        id=check.name,
        kind=check.kind,
        group=check.name,
        state=worst.state,
        reason=worst.reason,
        summary=f"resources {_said(members)}",
        detail=details(members),
        observed={"status": STATUS[worst.state], **tally(members)},
        expected={"healthy": len(members)},
        caused_by=cause_of(worst),
        duration=max(member.duration for member in members),
    )


def _said(members: list[Verdict]) -> str:
    over = named(members, State.CRITICAL, State.WARNING)
    unverified = named(members, State.UNKNOWN)
    total = len(members)
    parts = [f"are OVER their limits on {share(over, total)}"] if over else []
    parts += [f"are NOT VERIFIED on {share(unverified, total)}"] if unverified else []
    return " and ".join(parts) or f"are within their limits on {counted(total)}"
