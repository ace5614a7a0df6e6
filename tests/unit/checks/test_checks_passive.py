"""The table "systemd units" of the semantics, column "on a passive node (active-only unit)", row by row."""

import pytest
from seen import (
    FAILED,
    KEEPALIVED,
    LSYNCD,
    RESTARTS,
    RESTS,
    RUNS,
    STARTS,
    Fact,
    look,
    pair,
    passive,
    said,
    unit,
    verdicts,
)

from quorate.model import Reason, UnitFacts, Unobserved

NOT_SEEN = Unobserved(reason=Reason.COMMAND_TIMEOUT)


def ended(code: int, status: int, load: str = "loaded", **more: object) -> UnitFacts:
    """Return a unit that failed: exited (1), was killed (2) or dumped core (3) with a status or signal."""
    facts = {"result": "exit-code" if code == 1 else "signal", "kill_signal": 15} | more
    return unit("failed/failed", load, exec_main_code=code, exec_main_status=status, **facts)


BY_ONE_LOOK = {
    "running": (RUNS, "CRITICAL split_brain"),
    "running, masked": (unit(load="masked"), "CRITICAL split_brain"),
    "running, not found": (unit(load="not-found"), "CRITICAL split_brain"),
    "exited": (unit("active/exited", type="oneshot"), "CRITICAL split_brain"),
    "reloading": (unit("reloading/reload"), "CRITICAL split_brain"),
    "refreshing": (unit("refreshing/refresh"), "CRITICAL split_brain"),
    "restarted recently": (unit(n_restarts=1, active_age=5.0), "CRITICAL split_brain"),
    "starting": (STARTS, "WARNING starting"),
    "starting past its limit": (unit("activating/start", state_age=91.0), "WARNING starting"),
    "crashed": (RESTARTS, "WARNING failed_on_passive"),
    "crash loop": (unit("activating/auto-restart", n_restarts=99), "WARNING failed_on_passive"),
    "stopping": (unit("deactivating/stop"), "WARNING stopping"),
    "stopping past its limit": (unit("deactivating/stop", state_age=9999.0), "WARNING stopping"),
    "inactive": (RESTS, "EXPECTED passive_inactive"),
    "maintenance": (unit("maintenance/dead"), "EXPECTED passive_inactive"),
    "inactive, a job is queued": (unit("inactive/dead", job=17), "EXPECTED passive_inactive"),
    "inactive, not found": (unit("inactive/dead", "not-found"), "WARNING unit_not_found"),
    "inactive, masked": (unit("inactive/dead", "masked"), "WARNING masked"),
    "inactive, bad setting": (unit("inactive/dead", "bad-setting"), "WARNING unit_broken"),
    "inactive, error": (unit("inactive/dead", "error"), "WARNING unit_broken"),
    "failed": (FAILED, "WARNING failed_on_passive"),
    "failed, masked": (ended(1, 1, "masked"), "WARNING failed_on_passive"),
    "failed, nothing told": (unit("failed/failed", result=None), "WARNING failed_on_passive"),
    "exited with 143": (ended(1, 143), "EXPECTED passive_inactive [stopped_by_signal]"),
    "exited with 130": (ended(1, 130), "EXPECTED passive_inactive [stopped_by_signal]"),
    "killed by SIGTERM": (ended(2, 15), "EXPECTED passive_inactive [stopped_by_signal]"),
    "killed by SIGINT": (ended(2, 2), "EXPECTED passive_inactive [stopped_by_signal]"),
    "killed by the signal that stops it": (
        ended(2, 3, kill_signal=3),
        "EXPECTED passive_inactive [stopped_by_signal]",
    ),
    "exited by the signal that stops it": (
        ended(1, 131, kill_signal=3),
        "EXPECTED passive_inactive [stopped_by_signal]",
    ),
    "killed by another signal": (ended(2, 9), "WARNING failed_on_passive"),
    "exited with the number of a signal": (ended(1, 15), "WARNING failed_on_passive"),
    "dumped core": (ended(3, 15, result="core-dump"), "WARNING failed_on_passive"),
    "killed since it did not start in time": (ended(2, 15, result="timeout"), "WARNING failed_on_passive"),
    "restarted too often": (ended(1, 143, result="start-limit-hit"), "WARNING failed_on_passive"),
    "exited with 143, masked": (ended(1, 143, "masked"), "WARNING masked"),
    "exited with 143, not found": (ended(1, 143, "not-found"), "WARNING unit_not_found"),
    "another word": (unit("frozen/frozen"), "UNKNOWN unrecognised_state"),
}


@pytest.mark.parametrize(("facts", "expected"), BY_ONE_LOOK.values(), ids=BY_ONE_LOOK)
def test_state_of_an_active_only_unit_on_the_passive_node(facts: UnitFacts, expected: str) -> None:
    assert said(passive(facts)) == expected


ASKED_AGAIN = {
    "starting, running": ((STARTS, RUNS), "CRITICAL split_brain"),
    "starting, inactive": ((STARTS, RESTS), "EXPECTED passive_inactive"),
    "stopping, inactive": ((unit("deactivating/stop"), RESTS), "EXPECTED passive_inactive"),
    "stopping, running": ((unit("deactivating/stop"), RUNS), "CRITICAL split_brain"),
    "crashed, running": ((RESTARTS, RUNS), "CRITICAL split_brain"),
    "running, inactive": ((RUNS, RESTS), "EXPECTED passive_inactive"),
}


@pytest.mark.parametrize(("looks", "expected"), ASKED_AGAIN.values(), ids=ASKED_AGAIN)
def test_passive_unit_that_was_asked_again(looks: tuple[UnitFacts, ...], expected: str) -> None:
    assert said(passive(*looks)) == expected


PEERS = {
    "inactive, active node: running": (RESTS, RUNS, "EXPECTED passive_inactive"),
    "inactive, active node: inactive": (RESTS, RESTS, "EXPECTED passive_inactive"),
    "inactive, active node: failed": (RESTS, FAILED, "EXPECTED passive_inactive"),
    "inactive, active node: not seen": (RESTS, NOT_SEEN, "EXPECTED passive_inactive"),
    "running, active node: reloading": (RUNS, unit("reloading/reload"), "CRITICAL split_brain"),
    "running, active node: inactive": (RUNS, RESTS, "CRITICAL role_misplaced"),
    "running, active node: failed": (RUNS, FAILED, "CRITICAL role_misplaced"),
    "running, active node: starting": (RUNS, STARTS, "CRITICAL role_misplaced"),
    "running, active node: not seen": (RUNS, NOT_SEEN, "CRITICAL role_misplaced"),
    "masked and running, active node: inactive": (unit(load="masked"), RESTS, "CRITICAL role_misplaced"),
}


@pytest.mark.parametrize(("facts", "peer", "expected"), PEERS.values(), ids=PEERS)
def test_passive_unit_beside_the_active_node(facts: UnitFacts, peer: Fact, expected: str) -> None:
    assert said(passive(facts, peer=peer)) == expected


def test_active_node_is_judged_as_one_that_must_run_the_unit() -> None:
    seen = [look("nfs-1", {LSYNCD: RESTS}, vip=True), look("nfs-2", {LSYNCD: RESTS}, vip=False)]
    found = verdicts(pair(), seen)
    assert said(found["nfs/nfs-1/lsyncd"]) == "CRITICAL inactive"
    assert said(found["nfs/nfs-2/lsyncd"]) == "EXPECTED passive_inactive"


def test_unit_that_is_not_active_only_must_run_on_every_node() -> None:
    seen = [look("nfs-1", {KEEPALIVED: RUNS}, vip=True), look("nfs-2", {KEEPALIVED: RESTS}, vip=False)]
    inventory = pair(units=(KEEPALIVED,), only=())
    found = verdicts(inventory, seen)
    assert said(found["nfs/nfs-1/keepalived"]) == "OK ok"
    assert said(found["nfs/nfs-2/keepalived"]) == "CRITICAL inactive"
    assert found["nfs/nfs-2/keepalived"].role == "passive"
