"""The table "systemd units" of the semantics, column "on a node that must run it", row by row."""

import pytest
from seen import INFINITY, LSYNCD, RESTARTS, RESTS, RUNS, STARTS, farm, look, required, said, unit, verdicts

from quorate.model import JudgingSettings, UnitFacts

EXITED = unit("active/exited")


def restarted(times: int, age: float = 100.0) -> UnitFacts:
    return unit(n_restarts=times, active_age=age)


BY_ONE_LOOK = {
    "running": (RUNS, "OK ok"),
    "running, masked": (unit(load="masked"), "WARNING masked"),
    "running, not found": (unit(load="not-found"), "WARNING unit_not_found"),
    "running, bad setting": (unit(load="bad-setting"), "WARNING unit_broken"),
    "running, error": (unit(load="error"), "WARNING unit_broken"),
    "exited, oneshot": (unit("active/exited", type="oneshot"), "OK ok [no_process]"),
    "exited, simple": (EXITED, "WARNING exited"),
    "exited, forking": (unit("active/exited", type="forking"), "WARNING exited"),
    "exited, simple and masked": (unit("active/exited", load="masked"), "WARNING masked [exited]"),
    "exited, oneshot and masked": (
        unit("active/exited", load="masked", type="oneshot"),
        "WARNING masked [no_process]",
    ),
    "reloading": (unit("reloading/reload", state_age=5.0), "OK ok"),
    "refreshing": (unit("refreshing/refresh", state_age=5.0), "OK ok"),
    "reloading past its start limit": (unit("reloading/reload", state_age=91.0), "WARNING stuck_reloading"),
    "refreshing past its start limit": (
        unit("refreshing/refresh", state_age=91.0),
        "WARNING stuck_reloading",
    ),
    "reloading, age not told": (unit("reloading/reload", state_age=None), "OK ok"),
    "starting": (STARTS, "WARNING starting"),
    "starting, at its limit": (unit("activating/start", state_age=90.0), "WARNING starting"),
    "starting past its limit": (unit("activating/start", state_age=91.0), "CRITICAL stuck_starting"),
    "starting, no limit of its own": (
        unit("activating/start", state_age=299.0, start_limit=INFINITY),
        "WARNING starting",
    ),
    "starting past the setting": (
        unit("activating/start", state_age=301.0, start_limit=INFINITY),
        "CRITICAL stuck_starting",
    ),
    "starting past the setting, limit not told": (
        unit("activating/start", state_age=301.0, start_limit=None),
        "CRITICAL stuck_starting",
    ),
    "starting past its limit, since it left inactive": (
        unit("activating/start", state_age=None, starting_age=91.0),
        "CRITICAL stuck_starting",
    ),
    "starting, age not told": (unit("activating/start", state_age=None), "WARNING starting"),
    "starting again after two crashes": (
        unit("activating/start-pre", state_age=0.1, n_restarts=2),
        "WARNING starting",
    ),
    "starting again after three": (
        unit("activating/start-pre", state_age=0.1, n_restarts=3),
        "CRITICAL crash_loop",
    ),
    "crashed": (RESTARTS, "CRITICAL crashed"),
    "crashed, queued": (unit("activating/auto-restart-queued"), "CRITICAL crashed"),
    "crashed for the third time": (
        unit("activating/auto-restart", n_restarts=3),
        "CRITICAL crash_loop",
    ),
    "restarted once": (restarted(1), "WARNING restarted_recently"),
    "restarted within the window": (restarted(2, 899.0), "WARNING restarted_recently"),
    "restarted before the window": (restarted(9, 900.0), "OK ok"),
    "restarted three times": (restarted(3), "CRITICAL crash_loop"),
    "restarts not told": (unit(n_restarts=None, active_age=5.0), "OK ok"),
    "restarted, since when is not told": (
        unit(n_restarts=3, active_age=None),
        "OK ok [restarts_unverified]",
    ),
    "restarted and masked": (
        unit(load="masked", n_restarts=1, active_age=5.0),
        "WARNING masked [restarted_recently]",
    ),
    "stopping": (unit("deactivating/stop-sigterm", state_age=5.0), "WARNING stopping"),
    "stopping past its limit": (
        unit("deactivating/stop-sigterm", state_age=91.0),
        "CRITICAL stuck_stopping",
    ),
    "stopping, no limit of its own": (
        unit("deactivating/stop", state_age=299.0, stop_limit=INFINITY),
        "WARNING stopping",
    ),
    "stopping past the setting": (
        unit("deactivating/stop", state_age=301.0, stop_limit=INFINITY),
        "CRITICAL stuck_stopping",
    ),
    "inactive": (RESTS, "CRITICAL inactive"),
    "maintenance": (unit("maintenance/dead"), "CRITICAL inactive"),
    "inactive, not found": (unit("inactive/dead", "not-found"), "CRITICAL unit_not_found"),
    "inactive, masked": (unit("inactive/dead", "masked"), "CRITICAL masked"),
    "inactive, bad setting": (unit("inactive/dead", "bad-setting"), "CRITICAL unit_broken"),
    "inactive, error": (unit("inactive/dead", "error"), "CRITICAL unit_broken"),
    "inactive, load state of another word": (unit("inactive/dead", "stub"), "CRITICAL unit_broken"),
    "inactive, a start job is queued": (unit("inactive/dead", job=17), "WARNING starting"),
    "masked, a job is queued": (unit("inactive/dead", "masked", job=17), "CRITICAL masked"),
    "failed": (unit("failed/failed"), "CRITICAL failed"),
    "failed, masked": (unit("failed/failed", "masked"), "CRITICAL failed"),
    "failed by its stop signal": (
        unit("failed/failed", exec_main_code=1, exec_main_status=143),
        "CRITICAL failed",
    ),
    "another word": (unit("frozen/frozen"), "UNKNOWN unrecognised_state"),
    "no word": (unit(""), "UNKNOWN unrecognised_state"),
    "upper case is another word": (unit("ACTIVE/running"), "UNKNOWN unrecognised_state"),
}


@pytest.mark.parametrize(("facts", "expected"), BY_ONE_LOOK.values(), ids=BY_ONE_LOOK)
def test_state_of_a_required_unit(facts: UnitFacts, expected: str) -> None:
    assert said(required(facts)) == expected


ASKED_AGAIN = {
    "crashed, still": ((RESTARTS, RESTARTS), "CRITICAL crashed"),
    "crashed, again so": ((RESTARTS, unit(active_age=0.1), RESTARTS), "CRITICAL crashed"),
    "crashed, starting": ((RESTARTS, STARTS), "WARNING starting"),
    "crashed, running": ((RESTARTS, unit(active_age=0.5)), "WARNING restarted_recently"),
    "starting, running": ((STARTS, unit(active_age=0.5)), "OK ok"),
    "starting, failed": ((STARTS, unit("failed/failed")), "CRITICAL failed"),
    "stopping, inactive": ((unit("deactivating/stop"), RESTS), "CRITICAL inactive"),
    "inactive, running": ((RESTS, RUNS), "OK ok"),
}


@pytest.mark.parametrize(("looks", "expected"), ASKED_AGAIN.values(), ids=ASKED_AGAIN)
def test_unit_that_was_asked_again(looks: tuple[UnitFacts, ...], expected: str) -> None:
    assert said(required(*looks)) == expected


JOURNAL = {
    "the journal counts more than systemd": (restarted(1), 3, "CRITICAL crash_loop"),
    "the journal counts less than systemd": (restarted(9), 2, "WARNING restarted_recently"),
    "the journal knows none": (restarted(9), 0, "WARNING restarted_recently"),
    "the journal counts a crash loop": (
        unit("activating/auto-restart", n_restarts=1),
        3,
        "CRITICAL crash_loop",
    ),
    "the journal knows that crashes of one that starts again were long ago": (
        unit("activating/start-pre", state_age=0.1, n_restarts=9),
        1,
        "WARNING starting",
    ),
    "the journal counts a crash": (unit("activating/auto-restart", n_restarts=9), 1, "CRITICAL crashed"),
    "only the journal knows when": (unit(n_restarts=9, active_age=None), 1, "WARNING restarted_recently"),
    "only the journal knows that it was long ago": (unit(n_restarts=9, active_age=None), 0, "OK ok"),
}


@pytest.mark.parametrize(("facts", "counted", "expected"), JOURNAL.values(), ids=JOURNAL)
def test_restarts_are_counted_in_the_journal(facts: UnitFacts, counted: int, expected: str) -> None:
    verdict = required(facts, restarts={LSYNCD: counted})
    assert said(verdict) == expected
    assert verdict.observed["restarts_in_window"] == counted


SOCKET, TIMER = (
    unit("inactive/dead", triggered_by=("a.socket",)),
    unit("inactive/dead", triggered_by=("a.timer",)),
)
FOLLOWED_UP = {
    "still starting up": (RESTS, {"system_state": "starting"}, "WARNING starting"),
    "initializing": (RESTS, {"system_state": "initializing"}, "WARNING starting"),
    "started up": (RESTS, {"system_state": "running"}, "CRITICAL inactive"),
    "started up, degraded": (RESTS, {"system_state": "degraded"}, "CRITICAL inactive"),
    "not found while starting up": (
        unit("inactive/dead", "not-found"),
        {"system_state": "starting"},
        "CRITICAL unit_not_found",
    ),
    "its socket is active": (SOCKET, {"triggers": {"a.socket": "active"}}, "OK ok [waiting]"),
    "its timer is active": (TIMER, {"triggers": {"a.timer": "active"}}, "OK ok [waiting]"),
    "its socket is not": (SOCKET, {"triggers": {"a.socket": "inactive"}}, "CRITICAL inactive"),
    "its socket could not be asked": (SOCKET, {"triggers": {}}, "CRITICAL inactive"),
    "another's socket is active": (RESTS, {"triggers": {"a.socket": "active"}}, "CRITICAL inactive"),
    "a target is no trigger": (
        unit("inactive/dead", triggered_by=("a.target",)),
        {"triggers": {"a.target": "active"}},
        "CRITICAL inactive",
    ),
    "masked though its socket is active": (
        unit("inactive/dead", "masked", triggered_by=("a.socket",)),
        {"triggers": {"a.socket": "active"}},
        "CRITICAL masked",
    ),
}


@pytest.mark.parametrize(("facts", "answers", "expected"), FOLLOWED_UP.values(), ids=FOLLOWED_UP)
def test_unit_at_rest_is_judged_by_what_was_asked_further(
    facts: UnitFacts, answers: dict[str, object], expected: str
) -> None:
    assert said(required(facts, followed_up=True, **answers)) == expected


SETTINGS = JudgingSettings(restart_limit=5, restart_window=60.0, start_timeout=30.0, stop_timeout=40.0)
BY_SETTINGS = {
    "restart limit": (restarted(4, 5.0), "WARNING restarted_recently"),
    "restart limit reached": (restarted(5, 5.0), "CRITICAL crash_loop"),
    "restart window": (restarted(9, 61.0), "OK ok"),
    "start timeout": (
        unit("activating/start", state_age=31.0, start_limit=INFINITY),
        "CRITICAL stuck_starting",
    ),
    "stop timeout": (
        unit("deactivating/stop", state_age=41.0, stop_limit=INFINITY),
        "CRITICAL stuck_stopping",
    ),
    "own limit goes first": (unit("activating/start", state_age=31.0), "WARNING starting"),
}


@pytest.mark.parametrize(("facts", "expected"), BY_SETTINGS.values(), ids=BY_SETTINGS)
def test_limits_come_from_the_settings(facts: UnitFacts, expected: str) -> None:
    assert said(required(facts, settings=SETTINGS)) == expected


OTHER_KINDS = {
    "exited mount": ("srv-nfs.mount", unit("active/exited", type=None), "OK ok"),
    "mounted": ("srv-nfs.mount", unit("active/mounted", type=None), "OK ok"),
    "listening": ("rpcbind.socket", unit("active/listening", type=None), "OK ok"),
    "waiting timer": ("backup.timer", unit("active/waiting", type=None), "OK ok"),
    "dead socket": ("rpcbind.socket", unit("inactive/dead", type=None), "CRITICAL inactive"),
}


@pytest.mark.parametrize(("name", "facts", "expected"), OTHER_KINDS.values(), ids=OTHER_KINDS)
def test_other_kinds_of_unit_are_judged_by_their_active_state(
    name: str, facts: UnitFacts, expected: str
) -> None:
    found = verdicts(farm(units=(name,)), [look("web-1", {name: facts})])
    assert said(found[f"web/web-1/{name}"]) == expected
