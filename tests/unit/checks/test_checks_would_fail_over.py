"""Would a failover work now: what the standby lacks is a warning, what could not be seen of it a note."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

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
    Look,
    farm,
    look,
    pair,
    said,
    unit,
    unreachable,
    verdicts,
)

from quorate.checks.failover import ORDER
from quorate.model import (
    Inventory,
    Reason,
    State,
    Sync,
    SyncMarker,
    UnitFacts,
    Unobserved,
    Verdict,
)

SERVER = "nfs-server.service"
MARKER = "/srv/airflow/.synced"
UNITS = (LSYNCD, SERVER, KEEPALIVED)
HIDDEN = Unobserved(reason=Reason.NO_ANSWER, detail="sudo refused journalctl")
LATE = Unobserved(reason=Reason.COMMAND_TIMEOUT, detail="no answer within 3 s")


def nfs(*names: str, max_age: float | None = None) -> Inventory:
    """Return a pair of which lsyncd and nfs-server are active-only, with a marker where it has a limit."""
    inventory = pair(*names, units=UNITS, only=UNITS[:2])
    group = inventory.groups["nfs"]
    assert group.active_passive is not None
    sync = None if max_age is None else Sync(path=MARKER, max_age=max_age)
    marked = replace(group, active_passive=replace(group.active_passive, sync=sync))
    return replace(inventory, groups={"nfs": marked})


def active(units: Mapping[str, Fact] | None = None, **more: Any) -> Look:
    facts = {LSYNCD: RUNS, SERVER: RUNS, KEEPALIVED: RUNS} | dict(units or {})
    return look("nfs-1", facts, **({"vip": True, "vrrp": {"VI_1": "MASTER"}} | more))


def standby(units: Mapping[str, Fact] | None = None, host: str = "nfs-2", **more: Any) -> Look:
    facts = {LSYNCD: RESTS, SERVER: RESTS, KEEPALIVED: RUNS} | dict(units or {})
    return look(host, facts, **({"vip": False, "vrrp": {"VI_1": "BACKUP"}} | more))


def failover(*seen: Look, inventory: Inventory | None = None) -> Verdict:
    return verdicts(inventory or nfs(), seen)["nfs/failover"]


def at_boot(facts: UnitFacts, state: str | None = "enabled") -> UnitFacts:
    return replace(facts, unit_file_state=state)


def marked(age: float | None) -> dict[str, SyncMarker]:
    return {MARKER: SyncMarker(age=age)}


def test_a_standby_that_lacks_nothing_would_take_over() -> None:
    verdict = failover(active(), standby(sync=marked(299.0)), inventory=nfs(max_age=300.0))
    assert said(verdict) == "OK ok"
    assert verdict.summary == "a failover of nfs to nfs-2 would work"
    assert (verdict.kind, verdict.group, verdict.host, verdict.unit) == ("failover", "nfs", None, None)
    assert verdict.detail is None
    assert verdict.observed["active_node"] == "nfs-1"
    assert verdict.observed["standbys"]["nfs-2"]["vrrp"] == {"VI_1": "BACKUP"}
    assert verdict.observed["standbys"]["nfs-2"]["sync_age_s"] == 299.0
    assert verdict.expected == {"vrrp": "BACKUP", "load_state": "loaded", "sync_max_age_s": 300.0}


def test_groups_without_roles_have_no_such_verdict() -> None:
    assert "web/failover" not in verdicts(farm("web-1"), [look("web-1", {LSYNCD: RUNS})])


MASKED, GONE = unit("inactive/dead", "masked"), unit("inactive/dead", "not-found")
BROKEN = unit("inactive/dead", "bad-setting")
STANDBYS: dict[str, tuple[Look, str, str]] = {
    "keepalived is in FAULT": (
        standby(vrrp={"VI_1": "FAULT"}),
        "WARNING standby_fault",
        "keepalived on nfs-2 is in FAULT STATE: VI_1",
    ),
    "one of several instances is": (
        standby(vrrp={"VI_1": "BACKUP", "VI_2": "FAULT", "VI_3": "FAULT"}),
        "WARNING standby_fault",
        "keepalived on nfs-2 is in FAULT STATE: VI_2, VI_3",
    ),
    "another instance holds another address": (standby(vrrp={"A": "MASTER", "B": "BACKUP"}), "OK ok", ""),
    "keepalived does not run": (
        standby({KEEPALIVED: RESTS}, vrrp={"VI_1": "BACKUP"}),
        "WARNING standby_fault < nfs/nfs-2/keepalived",
        "keepalived on nfs-2 is INACTIVE",
    ),
    "keepalived is crashing": (
        standby({KEEPALIVED: RESTARTS}),
        "WARNING standby_fault < nfs/nfs-2/keepalived",
        "keepalived on nfs-2 is ACTIVATING",
    ),
    "keepalived is starting": (
        standby({KEEPALIVED: STARTS}),
        "WARNING standby_fault",
        "keepalived on nfs-2 is ACTIVATING",
    ),
    "no state in the journal": (standby(vrrp={}), "OK ok [vrrp_state_unseen]", "is not seen in the journal"),
    "the journal can't be read": (
        standby(vrrp=HIDDEN),
        "OK ok [vrrp_state_unseen]",
        "of keepalived: sudo refused journalctl",
    ),
    "the journal was not asked": (standby(vrrp=None), "OK ok [vrrp_state_unseen]", "is not seen"),
    "the journal tells of the other's days alone": (
        standby(vrrp={"VI_1": "MASTER"}),
        "OK ok [vrrp_state_unseen]",
        "no instance in BACKUP STATE",
    ),
    "keepalived could not be asked": (
        standby({KEEPALIVED: LATE}, vrrp=LATE),
        "OK ok [vrrp_state_unseen]",
        "no answer within 3 s",
    ),
    "a unit is masked": (standby({LSYNCD: MASKED}), "WARNING would_not_start", "lsyncd is masked on nfs-2"),
    "a unit is not found": (standby({SERVER: GONE}), "WARNING would_not_start", "nfs-server is not found"),
    "a unit is broken": (standby({LSYNCD: BROKEN}), "WARNING would_not_start", "lsyncd is broken on nfs-2"),
    "a unit's file can't be loaded": (
        standby({LSYNCD: unit("inactive/dead", "error")}),
        "WARNING would_not_start",
        "lsyncd is broken on nfs-2",
    ),
    "a unit's file has a word of its own": (
        standby({LSYNCD: unit("inactive/dead", "stub")}),
        "WARNING would_not_start",
        "lsyncd is stub on nfs-2",
    ),
    "two units": (
        standby({LSYNCD: MASKED, SERVER: GONE}),
        "WARNING would_not_start",
        "lsyncd is masked on nfs-2\nnfs-server is not found on nfs-2",
    ),
    "a unit that runs there, and is masked": (
        standby({LSYNCD: unit(load="masked")}),
        "WARNING would_not_start < nfs/nfs-2/lsyncd",
        "lsyncd is masked on nfs-2",
    ),
    "a unit that failed may be started again": (standby({LSYNCD: FAILED}), "OK ok", ""),
    "a unit could not be asked": (
        standby({LSYNCD: LATE}),
        "OK ok [standby_unverified]",
        "lsyncd on nfs-2 could not be asked (command timeout)",
    ),
    "the standby is down": (
        unreachable("nfs-2", UNITS),
        "OK ok [standby_unverified]",
        "nfs-2 could not be asked (host unreachable)",
    ),
    "its addresses could not be asked": (standby(vip=LATE), "OK ok", ""),
}


@pytest.mark.parametrize(("seen", "expected", "detail"), STANDBYS.values(), ids=STANDBYS)
def test_the_standby(seen: Look, expected: str, detail: str) -> None:
    verdict = failover(active(), seen)
    assert said(verdict) == expected
    assert detail in (verdict.detail or "")
    assert bool(detail) is bool(verdict.detail)


MARKERS: dict[str, tuple[Mapping[str, SyncMarker | Unobserved], str, str]] = {
    "fresh": (marked(0.0), "OK ok", ""),
    "as old as it may be": (marked(300.0), "OK ok", ""),
    "older": (marked(301.0), "WARNING sync_stale", f"{MARKER} on nfs-2 is 301 s old, more than 300 s"),
    "missing": (marked(None), "WARNING sync_stale", f"{MARKER} is missing on nfs-2"),
    "not seen": ({MARKER: LATE}, "OK ok [sync_unseen]", "could not be asked: no answer within 3 s"),
    "not asked": ({}, "OK ok [sync_unseen]", f"how old {MARKER} is on nfs-2 could not be asked"),
}


@pytest.mark.parametrize(("sync", "expected", "detail"), MARKERS.values(), ids=MARKERS)
def test_the_marker_of_what_was_copied(
    sync: Mapping[str, SyncMarker | Unobserved], expected: str, detail: str
) -> None:
    # The marker of the active node, which is the original, tells nothing of the copy.
    verdict = failover(active(sync=marked(None)), standby(sync=sync), inventory=nfs(max_age=300.0))
    assert said(verdict) == expected
    assert detail in (verdict.detail or "")


def test_a_marker_that_is_not_declared_is_not_judged() -> None:
    assert said(failover(active(), standby(sync=marked(None)))) == "OK ok"


def test_the_marker_is_that_of_the_first_look_the_states_are_those_of_the_last() -> None:
    looks = {
        "nfs-1": [active(), active()],
        "nfs-2": [standby(sync=marked(9999.0), vrrp={"VI_1": "FAULT"}), standby()],
    }
    verdict = verdicts(nfs(max_age=300.0), looks)["nfs/failover"]
    assert said(verdict) == "WARNING sync_stale"


ENABLED: dict[str, tuple[Fact, Fact, str]] = {
    "on neither": (at_boot(RUNS, "disabled"), at_boot(RESTS, "disabled"), "OK ok"),
    "on the active node": (at_boot(RUNS), at_boot(RESTS, "disabled"), "OK ok"),
    "on the standby": (at_boot(RUNS, "disabled"), at_boot(RESTS), "OK ok"),
    "on both": (at_boot(RUNS), at_boot(RESTS), "WARNING enabled_at_boot"),
    "on both until the next boot": (
        at_boot(RUNS, "enabled-runtime"),
        at_boot(RESTS, "enabled-runtime"),
        "OK ok",
    ),
    "on one until the next boot": (at_boot(RUNS), at_boot(RESTS, "enabled-runtime"), "OK ok"),
    "static": (at_boot(RUNS, "static"), at_boot(RESTS, "static"), "OK ok"),
    "not told": (at_boot(RUNS, None), at_boot(RESTS, None), "OK ok"),
    "not seen on the active node": (LATE, at_boot(RESTS), "OK ok [enabled_at_boot_unseen]"),
    "not seen on the standby": (at_boot(RUNS), LATE, "OK ok [standby_unverified]"),
}


@pytest.mark.parametrize(("first", "second", "expected"), ENABLED.values(), ids=ENABLED)
def test_what_starts_at_boot_on_both_would_split_the_pair(first: Fact, second: Fact, expected: str) -> None:
    verdict = failover(active({LSYNCD: first}), standby({LSYNCD: second}))
    assert said(verdict) == expected
    if verdict.reason is Reason.ENABLED_AT_BOOT:
        assert verdict.detail is not None
        assert "lsyncd is enabled at boot on nfs-1 and nfs-2" in verdict.detail
        assert verdict.summary.startswith("a failover of nfs to nfs-2 would NOT be safe (lsyncd is enabled")


def test_keepalived_is_enabled_on_both_and_rightly() -> None:
    both = {KEEPALIVED: at_boot(RUNS)}
    assert said(failover(active(both), standby(both))) == "OK ok"


def test_the_worst_is_the_reason_and_the_others_are_notes() -> None:
    lacking = standby(
        {LSYNCD: at_boot(MASKED), SERVER: at_boot(RESTS)}, vrrp={"VI_1": "FAULT"}, sync=marked(None)
    )
    verdict = failover(active({SERVER: at_boot(RUNS)}), lacking, inventory=nfs(max_age=300.0))
    notes = " ".join(reason.value for reason in ORDER[1:])
    assert said(verdict) == f"WARNING standby_fault [{notes}]"
    assert len((verdict.detail or "").splitlines()) == 4
    unseen = replace(lacking, vrrp=HIDDEN, sync={MARKER: LATE})
    without = failover(active({SERVER: at_boot(RUNS)}), unseen, inventory=nfs(max_age=300.0))
    assert said(without) == "WARNING would_not_start [enabled_at_boot vrrp_state_unseen sync_unseen]"


def test_what_has_no_cause_does_not_hide_behind_what_has_one() -> None:
    seen = standby({KEEPALIVED: RESTS}, sync=marked(None))
    assert said(failover(active(), seen)) == "WARNING standby_fault < nfs/nfs-2/keepalived"
    stale = failover(active(), seen, inventory=nfs(max_age=300.0))
    assert said(stale) == "WARNING standby_fault [sync_stale]"


def test_of_several_standbys_each_has_to_be_fit() -> None:
    names = ("nfs-1", "nfs-2", "nfs-3")
    fit = [active(), standby(), standby(host="nfs-3")]
    assert failover(*fit, inventory=nfs(*names)).summary == "a failover of nfs to nfs-2, nfs-3 would work"
    third = standby({LSYNCD: MASKED}, host="nfs-3")
    verdict = failover(active(), standby(vrrp={}), third, inventory=nfs(*names))
    assert said(verdict) == "WARNING would_not_start [vrrp_state_unseen]"
    assert "(lsyncd is masked on nfs-3)" in verdict.summary


NOT_VERIFIED: dict[str, tuple[tuple[Look, Look], str]] = {
    "nobody holds the address": (
        (active(vip=False), standby(vrrp={"VI_1": "FAULT"})),
        "active_node_unknown",
    ),
    "both do": ((active(), standby(vip=True, vrrp={"VI_1": "FAULT"})), "active_node_ambiguous"),
    "the holder can't be asked": ((unreachable("nfs-1", UNITS), standby()), "active_node_unknown"),
    "none can be asked": ((unreachable("nfs-1", UNITS), unreachable("nfs-2", UNITS)), "active_node_unknown"),
}


@pytest.mark.parametrize(("seen", "reason"), NOT_VERIFIED.values(), ids=NOT_VERIFIED)
def test_without_a_proven_active_node_it_is_a_consequence(seen: tuple[Look, Look], reason: str) -> None:
    verdict = failover(*seen)
    assert said(verdict) == f"UNKNOWN {reason} < nfs/vip"
    assert verdict.summary == "whether nfs could fail over is NOT VERIFIED (no active node is proven)"


def test_a_pair_in_motion_is_not_judged() -> None:
    verdict = failover(
        active({LSYNCD: unit(active_age=5.0), SERVER: unit(active_age=7.0)}),
        standby({LSYNCD: unit("deactivating/stop"), SERVER: MASKED}, vrrp={"VI_1": "FAULT"}),
    )
    assert said(verdict) == "OK ok [failover_in_progress]"
    assert "NOT JUDGED" in verdict.summary


def test_what_copies_the_data_is_broken_and_no_marker_tells_its_age() -> None:
    verdict = failover(active({LSYNCD: unit("failed/failed")}), standby())
    assert said(verdict) == "OK ok [sync_unseen]"
    assert verdict.summary == "nothing that was seen stands against a failover of nfs to nfs-2"
    assert "lsyncd on ACTIVE node nfs-1 is FAILED; without a `sync` marker nothing tells" in (
        verdict.detail or ""
    )


@pytest.mark.parametrize("verdict", [failover(active(), seen) for seen, _, _ in STANDBYS.values()])
def test_it_never_says_more_than_a_warning_nor_promises_what_was_not_seen(verdict: Verdict) -> None:
    assert verdict.state in (State.OK, State.WARNING)
    assert verdict.failure_type is None
    assert ("would work" in verdict.summary) is (said(verdict) == "OK ok")
    assert ("would NOT" in verdict.summary) is (verdict.state is State.WARNING)
