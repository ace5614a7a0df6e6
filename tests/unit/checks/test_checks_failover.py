"""Section "Asked again" of the semantics: the contradictions of a pair while a failover is under way."""

from dataclasses import replace

import pytest
from seen import FAILED, KEEPALIVED, LSYNCD, RESTS, RUNS, STARTS, Fact, look, pair, said, unit, verdicts

from quorate.model import UnitFacts

NFS_SERVER = "nfs-server.service"


def young(age: float | None = 5.0) -> UnitFacts:
    return unit(active_age=age)


# nfs-1 holds the virtual IP: (lsyncd, nfs-server) there, then on nfs-2; what is said in the same order.
FAILOVER = {
    "the holder has yet to start one": (
        (young(), RESTS),
        (RESTS, RESTS),
        ("OK ok", "WARNING failover_in_progress"),
        ("EXPECTED passive_inactive", "EXPECTED passive_inactive"),
    ),
    "the holder has yet to start one that its last stop left as failed": (
        (young(), unit("failed/failed", result="exit-code", exec_main_code=1, exec_main_status=143)),
        (RESTS, RESTS),
        ("OK ok", "WARNING failover_in_progress"),
        ("EXPECTED passive_inactive", "EXPECTED passive_inactive"),
    ),
    "the holder's unit failed by itself": (
        (young(), FAILED),
        (RESTS, RESTS),
        ("OK ok", "CRITICAL failed"),
        ("EXPECTED passive_inactive", "EXPECTED passive_inactive"),
    ),
    "the other has yet to stop one": (
        (young(), young()),
        (RUNS, RESTS),
        ("OK ok", "OK ok"),
        ("WARNING failover_in_progress", "EXPECTED passive_inactive"),
    ),
    "one has yet to move": (
        (young(), RESTS),
        (RESTS, RUNS),
        ("OK ok", "WARNING failover_in_progress"),
        ("EXPECTED passive_inactive", "WARNING failover_in_progress"),
    ),
    "the other stops": (
        (young(), STARTS),
        (RESTS, unit("deactivating/stop")),
        ("OK ok", "WARNING starting"),
        ("EXPECTED passive_inactive", "WARNING stopping"),
    ),
    "the grace is over": (
        (young(60.0), RESTS),
        (RESTS, RUNS),
        ("OK ok", "CRITICAL inactive"),
        ("EXPECTED passive_inactive", "CRITICAL role_misplaced"),
    ),
    "one unit of the holder is settled": (
        (young(), RUNS),
        (RUNS, RUNS),
        ("OK ok", "OK ok"),
        ("CRITICAL split_brain", "CRITICAL split_brain"),
    ),
    "the holder runs none": (
        (RESTS, RESTS),
        (RUNS, RESTS),
        ("CRITICAL inactive", "CRITICAL inactive"),
        ("CRITICAL role_misplaced", "EXPECTED passive_inactive"),
    ),
    "how long is not told": (
        (young(None), RESTS),
        (RESTS, RUNS),
        ("OK ok", "CRITICAL inactive"),
        ("EXPECTED passive_inactive", "CRITICAL role_misplaced"),
    ),
    "a failure is no contradiction": (
        (young(), FAILED),
        (RESTS, FAILED),
        ("OK ok", "CRITICAL failed"),
        ("EXPECTED passive_inactive", "WARNING failed_on_passive"),
    ),
    "a unit that is not there is no contradiction": (
        (young(), unit("inactive/dead", "not-found")),
        (RESTS, RESTS),
        ("OK ok", "CRITICAL unit_not_found"),
        ("EXPECTED passive_inactive", "EXPECTED passive_inactive"),
    ),
    "settled": (
        (RUNS, RUNS),
        (RUNS, RESTS),
        ("OK ok", "OK ok"),
        ("CRITICAL split_brain", "EXPECTED passive_inactive"),
    ),
}


@pytest.mark.parametrize(
    ("holder", "other", "said_of_holder", "said_of_other"), FAILOVER.values(), ids=FAILOVER
)
def test_contradictions_of_a_failover_under_way_are_warnings(
    holder: tuple[Fact, Fact],
    other: tuple[Fact, Fact],
    said_of_holder: tuple[str, str],
    said_of_other: tuple[str, str],
) -> None:
    units = (LSYNCD, NFS_SERVER)
    seen = [
        look("nfs-1", dict(zip(units, holder, strict=True)), vip=True),
        look("nfs-2", dict(zip(units, other, strict=True)), vip=False),
    ]
    found = verdicts(pair(units=units), seen)
    names = ("lsyncd", "nfs-server")
    assert tuple(said(found[f"nfs/nfs-1/{name}"]) for name in names) == said_of_holder
    assert tuple(said(found[f"nfs/nfs-2/{name}"]) for name in names) == said_of_other


def test_grace_of_a_failover_is_the_group_s() -> None:
    inventory = pair(units=(LSYNCD, NFS_SERVER))
    group = inventory.groups["nfs"]
    assert group.active_passive is not None
    patient = replace(group, active_passive=replace(group.active_passive, failover_grace=120.0))
    seen = [
        look("nfs-1", {LSYNCD: young(119.0), NFS_SERVER: RESTS}, vip=True),
        look("nfs-2", {LSYNCD: RESTS, NFS_SERVER: RESTS}, vip=False),
    ]
    found = verdicts(replace(inventory, groups={"nfs": patient}), seen)
    assert said(found["nfs/nfs-1/nfs-server"]) == "WARNING failover_in_progress"


def test_failover_does_not_soften_a_unit_that_must_run_on_both() -> None:
    seen = [
        look("nfs-1", {LSYNCD: young(), KEEPALIVED: RESTS}, vip=True),
        look("nfs-2", {LSYNCD: RESTS, KEEPALIVED: RUNS}, vip=False),
    ]
    found = verdicts(pair(units=(LSYNCD, KEEPALIVED), only=(LSYNCD,)), seen)
    assert said(found["nfs/nfs-1/keepalived"]) == "CRITICAL inactive"
