"""Judges one systemd unit by what systemd says of it; ActiveState first, LoadState second.

The rules are the table "systemd units" of the semantics, a function a row, once for a node that must run
the unit and once for a passive node that must not.
"""

from collections.abc import Sequence

from quorate.checks.finding import Finding
from quorate.model import HostObservation, JudgingSettings, Reason, State, UnitFacts

_RUNNING = frozenset({"active", "reloading", "refreshing"})
_AT_REST = frozenset({"inactive", "maintenance"})
_TRIGGERS = (".socket", ".timer", ".path")
"""Paths as well: the semantics name sockets and timers, and a path that is active starts its unit alike."""
_WOULD_NOT_START = {
    Reason.MASKED: "it runs, but would not start again: the unit is masked",
    Reason.UNIT_NOT_FOUND: "it runs, but would not start again: its unit file is gone",
    Reason.UNIT_BROKEN: "it runs, but would not start again: its unit file can't be loaded",
}
_STARTING_UP = frozenset({"initializing", "starting"})
_CLD_EXITED, _CLD_KILLED = 1, 2
_SIGINT, _SIGTERM = 2, 15


def runs(facts: UnitFacts) -> bool:
    """Tell whether the unit runs now."""
    return facts.active_state in _RUNNING


def rests(facts: UnitFacts) -> bool:
    """Tell whether the unit is at rest: not running, not failed, not in between."""
    return facts.active_state in _AT_REST


def is_restarting(facts: UnitFacts) -> bool:
    """Tell whether systemd is waiting to start the unit again after a crash."""
    return facts.active_state == "activating" and facts.sub_state.startswith("auto-restart")


def is_restarted(facts: UnitFacts) -> bool:
    """Tell whether the unit is starting because systemd starts it again after a crash."""
    return facts.active_state == "activating" and bool(facts.n_restarts)


def is_queued(facts: UnitFacts) -> bool:
    """Tell whether the unit is at rest with a job waiting to start it."""
    return rests(facts) and facts.load_state == "loaded" and bool(facts.job)


def is_changing(facts: UnitFacts) -> bool:
    """Tell whether the unit is on its way to another state, so that it is worth another look."""
    return facts.active_state in ("activating", "deactivating") or is_queued(facts)


def triggers(facts: UnitFacts) -> tuple[str, ...]:
    """Return the units that start this one on demand."""
    return tuple(name for name in facts.triggered_by if name.endswith(_TRIGGERS))


def waits(facts: UnitFacts, observation: HostObservation) -> bool:
    """Tell whether the unit rests because an active socket or timer will start it when it is wanted."""
    return rests(facts) and any(observation.triggers.get(name) == "active" for name in triggers(facts))


def restarted_within(facts: UnitFacts, window: float) -> bool:
    """Tell whether systemd started the unit anew within the window, or may have where it tells no time."""
    return bool(facts.n_restarts) and (facts.active_age is None or facts.active_age < window)


def is_starting_up(observation: HostObservation) -> bool:
    """Tell whether the host's systemd has not finished booting."""
    return observation.system_state in _STARTING_UP


def judge_required(
    unit: str, looks: Sequence[UnitFacts], observation: HostObservation, settings: JudgingSettings
) -> Finding:
    """Judge a unit on a node that must run it, by its looks, oldest first, and its host's latest answers."""
    facts = looks[-1]
    match facts.active_state:
        case "active":
            return _active(unit, looks, observation, settings)
        case "reloading" | "refreshing":
            stuck = _past(facts.state_age, facts.start_limit, settings.start_timeout)
            return _warning(Reason.STUCK_RELOADING, facts) if stuck else _ok(facts)
        case "activating":
            return _activating(unit, looks, observation, settings)
        case "deactivating":
            stuck = _past(facts.state_age, facts.stop_limit, settings.stop_timeout)
            return _critical(Reason.STUCK_STOPPING, facts) if stuck else _warning(Reason.STOPPING, facts)
        case "inactive" | "maintenance":
            return _at_rest(facts, observation)
        case "failed":
            return _critical(Reason.FAILED, facts)
        case _:
            return _unrecognised(facts)


def judge_passive(looks: Sequence[UnitFacts], *, peer_runs: bool) -> Finding:
    """Judge an active-only unit on a passive node; `peer_runs` tells whether the active node runs it too."""
    facts = looks[-1]
    if runs(facts):
        return _critical(Reason.SPLIT_BRAIN if peer_runs else Reason.ROLE_MISPLACED, facts)
    if is_restarting(facts):
        return _warning(Reason.FAILED_ON_PASSIVE, facts)
    match facts.active_state:
        case "activating":
            return _warning(Reason.STARTING, facts)
        case "deactivating":
            return _warning(Reason.STOPPING, facts)
        case "failed" if not stopped_by_signal(facts):
            return _warning(Reason.FAILED_ON_PASSIVE, facts)
        case "inactive" | "maintenance" | "failed" if facts.load_state != "loaded":
            return _warning(_load_reason(facts), facts)
        case "inactive" | "maintenance":
            return _expected(facts)
        case "failed":
            return _expected(facts, "stopped_by_signal")
        case _:
            return _unrecognised(facts)


def stopped_by_signal(facts: UnitFacts) -> bool:
    """Tell whether a failed unit only ended by the signal that stops it, as programs without a handler do.

    Killed by it, or exited with 128 plus its number (130, 143). A unit that did not start in time is killed
    by the same signal, and one that was restarted too often fails whatever ended it last: systemd gives
    them results of their own. Source: systemd.kill(5), sigaction(2), org.freedesktop.systemd1(5).
    """
    if facts.result not in (None, "exit-code", "signal"):
        return False
    signals = {_SIGINT, _SIGTERM} | ({facts.kill_signal} if facts.kill_signal else set())
    if facts.exec_main_code == _CLD_KILLED:
        return facts.exec_main_status in signals
    return facts.exec_main_code == _CLD_EXITED and facts.exec_main_status in {128 + s for s in signals}


def was_stopped(facts: UnitFacts) -> bool:
    """Tell whether the unit is called failed only because of how it was stopped."""
    return facts.active_state == "failed" and stopped_by_signal(facts)


def _active(
    unit: str, looks: Sequence[UnitFacts], observation: HostObservation, settings: JudgingSettings
) -> Finding:
    facts = looks[-1]
    warnings = []
    if facts.load_state in ("masked", "not-found", "bad-setting", "error"):
        warnings.append(_load_reason(facts))
    exited = facts.sub_state == "exited" and unit.endswith(".service")
    if exited and facts.type != "oneshot":
        warnings.append(Reason.EXITED)
    if _restarted(unit, looks, observation, settings):
        if _restarts(unit, facts, observation) >= settings.restart_limit:
            return _crash_loop(unit, facts, observation, settings)
        warnings.append(Reason.RESTARTED_RECENTLY)
    notes = ("no_process",) if exited and facts.type == "oneshot" else ()
    if warnings:
        notes = (*(reason.value for reason in warnings[1:]), *notes)
        detail = _WOULD_NOT_START.get(warnings[0])
        return Finding(
            state=State.WARNING, reason=warnings[0], notes=notes, age=facts.active_age, detail=detail
        )
    if facts.n_restarts and facts.active_age is None and unit not in observation.restarts:
        notes = (*notes, "restarts_unverified")
    return _ok(facts, *notes)


def _restarted(
    unit: str, looks: Sequence[UnitFacts], observation: HostObservation, settings: JudgingSettings
) -> bool:
    facts = looks[-1]
    if any(is_restarting(look) for look in looks):
        return True
    if not restarted_within(facts, settings.restart_window):
        return False
    # Without the unit's age only the journal can tell whether the restarts are recent.
    return facts.active_age is not None or observation.restarts.get(unit, 0) > 0


def _crash_loop(
    unit: str, facts: UnitFacts, observation: HostObservation, settings: JudgingSettings
) -> Finding:
    number = _restarts(unit, facts, observation)
    counted = f"within {settings.restart_window / 60:g} min" if unit in observation.restarts else "so far"
    detail = f"systemd restarted it {number} times {counted}"
    return Finding(state=State.CRITICAL, reason=Reason.CRASH_LOOP, age=facts.state_age, detail=detail)


def _restarts(unit: str, facts: UnitFacts, observation: HostObservation) -> int:
    counted = observation.restarts.get(unit)
    return counted if counted is not None else facts.n_restarts or 0


def _activating(
    unit: str, looks: Sequence[UnitFacts], observation: HostObservation, settings: JudgingSettings
) -> Finding:
    facts = looks[-1]
    # systemd counts no start that a person ordered. A loop may show itself between two crashes at every look.
    crashed = is_restarted(facts) or any(is_restarting(look) for look in looks)
    if crashed and _restarts(unit, facts, observation) >= settings.restart_limit:
        return _crash_loop(unit, facts, observation, settings)
    if is_restarting(facts):
        return _critical(Reason.CRASHED, facts)
    age = facts.starting_age if facts.state_age is None else facts.state_age
    if _past(age, facts.start_limit, settings.start_timeout):
        return _critical(Reason.STUCK_STARTING, facts)
    return _warning(Reason.STARTING, facts)


def _at_rest(facts: UnitFacts, observation: HostObservation) -> Finding:
    if facts.load_state != "loaded":
        return _critical(_load_reason(facts), facts)
    if waits(facts, observation):
        return _ok(facts, "waiting")
    if is_queued(facts) or is_starting_up(observation):
        return _warning(Reason.STARTING, facts)
    return _critical(Reason.INACTIVE, facts)


def _load_reason(facts: UnitFacts) -> Reason:
    match facts.load_state:
        case "masked":
            return Reason.MASKED
        case "not-found":
            return Reason.UNIT_NOT_FOUND
        case _:
            return Reason.UNIT_BROKEN


def _past(age: float | None, own_limit: float | None, default_limit: float) -> bool:
    limit = default_limit if own_limit is None or own_limit == float("inf") else own_limit
    return age is not None and age > limit


def _ok(facts: UnitFacts, *notes: str) -> Finding:
    return Finding(state=State.OK, reason=Reason.OK, notes=notes, age=facts.state_age)


def _expected(facts: UnitFacts, *notes: str) -> Finding:
    return Finding(state=State.EXPECTED, reason=Reason.PASSIVE_INACTIVE, notes=notes, age=facts.state_age)


def _warning(reason: Reason, facts: UnitFacts) -> Finding:
    return Finding(state=State.WARNING, reason=reason, age=facts.state_age)


def _critical(reason: Reason, facts: UnitFacts) -> Finding:
    return Finding(state=State.CRITICAL, reason=reason, age=facts.state_age)


def _unrecognised(facts: UnitFacts) -> Finding:
    return Finding(
        state=State.UNKNOWN,
        reason=Reason.UNRECOGNISED_STATE,
        detail=f"systemd calls the unit {facts.active_state!r}, which is no state that is known here",
    )
