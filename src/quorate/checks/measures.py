"""Holds each figure of a host's resources against its limits; what could not be had is never a figure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf

from quorate.checks.finding import words
from quorate.model import NoReply, Reason, State
from quorate.model.resources import (
    FolderFacts,
    Missing,
    MountFacts,
    ResourceFacts,
    SystemFacts,
    percent_words,
    size_words,
)

Pair = tuple[float, float]
"""From where on it is a warning, and from where on critical; infinite for never."""

LASTING = 0.7
"""The load of the last minute for each core, from which on a busy CPU has been busy for about a minute."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """One thing that was measured: how it stands, how that is said in few words, and what there is to add.

    Those that are not `listed` are told only where they are not well.
    """

    state: State
    reason: Reason
    said: str
    detail: str | None = None
    notes: tuple[str, ...] = ()
    listed: bool = True


def measures(facts: ResourceFacts, limits: Mapping[str, Pair]) -> Iterator[Measure]:
    """Yield each measure of a host; without a limit, one that could not be had is no fault."""
    if not isinstance(facts.system, NoReply):
        yield from _system(facts.system, limits)
    elif any(_is_limited(limits[name]) for name in ("cpu", "load", "memory")):
        yield _unknown("CPU, load and memory", facts.system)
    for path, mount in facts.mounts.items():
        yield from _mount(path, mount, limits)
    if facts.log_folder is not None:
        yield _log_folder(facts.log_folder, limits["log_folder_size"])


def _system(system: SystemFacts, limits: Mapping[str, Pair]) -> Iterator[Measure]:
    if system.cpu_percent is not None:
        yield _cpu(system, system.cpu_percent, limits["cpu"])
    yield _load(system, limits["load"])
    memory = _percent("memory", system.memory_used_percent, limits["memory"], Reason.MEMORY_HIGH)
    yield replace(memory, said=memory.said.replace("memory", "MEMORY")) if _is_over(memory) else memory


def _cpu(system: SystemFacts, percent: float | NoReply, limits: Pair) -> Measure:
    found = _percent("CPU", percent, limits, Reason.CPU_HIGH)
    load = None if isinstance(system.load, NoReply) or not system.cores else system.load[0] / system.cores
    # A moment's figure alone alarms nobody: a worker that starts a task is as busy as one that hangs.
    if found.state is not State.CRITICAL or (load is not None and load >= LASTING):
        return found
    detail = f"{found.detail}, but the load of the last minute does not say that it lasts"
    return replace(found, state=State.WARNING, detail=detail, notes=("burst",))


def _load(system: SystemFacts, limits: Pair) -> Measure:
    if isinstance(system.load, NoReply):
        return _unknown("load", system.load, limits)
    if system.cores is None:
        why = NoReply(reason=Reason.UNPARSABLE, detail="the number of cores can't be told")
        return _unknown("load", why, limits)
    value = system.load[1] / system.cores
    figures = f"{value:.1f} for each core"
    detail = f"load of 5 minutes: {figures}"
    found = _judged(value, limits, Reason.LOAD_HIGH, f"load {figures}", detail, "{:g}".format)
    said = f"LOAD HIGH ({figures})" if _is_over(found) else found.said
    return replace(found, said=said, listed=False)


def _mount(path: str, mount: MountFacts | Missing | NoReply, limits: Mapping[str, Pair]) -> Iterator[Measure]:
    if isinstance(mount, Missing):
        said = f"{path} MISSING"
        yield Measure(state=State.WARNING, reason=Reason.MOUNT_MISSING, said=said, detail=mount.detail)
        return
    if isinstance(mount, NoReply):
        yield _unknown(path, mount, min(limits["disk"], limits["inodes"]))
        return
    on = f" (on {mount.mounted_on})" if mount.mounted_on != path else ""
    disk = _percent(path, mount.used_percent, limits["disk"], Reason.DISK_FULL, "FULL", more=on)
    yield disk
    if mount.inodes_used_percent is not None:
        what = f"{path} inodes"
        inodes = _percent(
            what, mount.inodes_used_percent, limits["inodes"], Reason.INODES_FULL, "FULL", more=on
        )
        yield replace(inodes, listed=False)


def _log_folder(folder: FolderFacts | Missing | NoReply, limits: Pair) -> Measure:
    if isinstance(folder, Missing):
        # Not every host has it: where no tasks run, nobody logs.
        notes = ("no_log_folder",)
        return Measure(state=State.OK, reason=Reason.OK, said="no log folder", notes=notes, listed=False)
    if isinstance(folder, NoReply):
        return _unknown("log folder", folder, limits)
    size = size_words(folder.bytes) if folder.complete else f"at least {size_words(folder.bytes)}"
    why = f" ({folder.why})" if folder.why else ""
    detail = f"log folder: {size}{why}"
    found = _judged(folder.bytes, limits, Reason.LOG_FOLDER_LARGE, f"log folder {size}", detail, size_words)
    said = f"log folder LARGE ({size})" if _is_over(found) else found.said
    return replace(found, said=said, notes=() if folder.complete else ("partly_counted",))


def _percent(
    what: str,
    percent: float | NoReply,
    limits: Pair,
    reason: Reason,
    word: str = "HIGH",
    *,
    more: str = "",
) -> Measure:
    if isinstance(percent, NoReply):
        return _unknown(what, percent, limits)
    figure = percent_words(percent)
    detail = f"{what}{more}: {figure} in use"
    found = _judged(percent, limits, reason, f"{what} {figure}", detail, "{:g} %".format)
    return replace(found, said=f"{what} {word} ({figure})") if _is_over(found) else found


def _judged(
    value: float, limits: Pair, reason: Reason, said: str, detail: str, form: Callable[[float], str]
) -> Measure:
    """Return the measure of a value, with the limit that it is over in its detail."""
    warning, critical = limits
    if value >= critical:
        state, limit = State.CRITICAL, critical
    elif value >= warning:
        state, limit = State.WARNING, warning
    else:
        return Measure(state=State.OK, reason=Reason.OK, said=said, detail=detail)
    return Measure(state=state, reason=reason, said=said, detail=f"{detail}, the limit is {form(limit)}")


def _unknown(what: str, why: NoReply, limits: Pair = (0.0, 0.0)) -> Measure:
    said = f"{what} NOT VERIFIED ({words(why.reason)})"
    if not _is_limited(limits):
        return Measure(state=State.OK, reason=Reason.OK, said=said, detail=why.detail)
    return Measure(state=State.UNKNOWN, reason=why.reason, said=said, detail=why.detail)


def _is_limited(limits: Pair) -> bool:
    return min(limits) < inf


def _is_over(measure: Measure) -> bool:
    return measure.state in (State.WARNING, State.CRITICAL)
