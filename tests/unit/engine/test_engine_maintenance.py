"""A sweep applies maintenance by its own clock: of the inventory, and what it is given besides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from played import FAILED, Moment, Player, farm, journal

from quorate.engine import sweep
from quorate.model import Maintenance, Report, State
from quorate.plan import make_plan

BROKEN = Moment(units={"haproxy.service": FAILED})
HOUR = timedelta(hours=1)


def entry(select: str, begin: datetime, length: timedelta) -> Maintenance:
    return Maintenance(select=select, until=begin + length, reason="upgrade")


async def swept(
    *only: str, declared: tuple[Maintenance, ...] = (), given: tuple[Maintenance, ...] = ()
) -> Report:
    inventory = replace(farm("web-1", "web-2"), maintenance=declared)
    player = Player(
        scenes={"web-1": [BROKEN], "web-2": [Moment()]}, further={"haproxy.service": journal("boom")}
    )
    return await sweep(inventory, player, make_plan(inventory, only), maintenance=given)


async def test_what_fails_in_maintenance_keeps_its_state_and_its_log_and_raises_no_alarm() -> None:
    now = datetime.now(UTC)
    report = await swept(declared=(entry("web/web-1", now, HOUR),))
    found = {v.id: v for v in report.verdicts}
    failed = found["web/web-1/haproxy"]
    assert (failed.state, failed.reason, failed.notes) == (State.CRITICAL, "failed", ("maintenance",))
    assert failed.evidence[0].lines
    assert found["host/web-1"].notes == ()
    assert (report.state, report.root_causes, report.counts["critical"]) == (State.OK, (), 1)
    assert [(e.select, e.reason, e.expired) for e in report.maintenance] == [("web/web-1", "upgrade", False)]


async def test_an_entry_that_is_over_changes_nothing_and_is_reported() -> None:
    now = datetime.now(UTC)
    report = await swept(declared=(entry("web/web-1", now, -HOUR),))
    assert report.state is State.CRITICAL
    assert [(e.select, e.expired) for e in report.maintenance] == [("web/web-1", True)]


async def test_what_is_given_goes_with_what_is_declared() -> None:
    now = datetime.now(UTC)
    report = await swept(declared=(entry("web/web-1", now, -HOUR),), given=(entry("web", now, HOUR),))
    assert report.state is State.OK
    assert [(e.select, e.expired) for e in report.maintenance] == [("web/web-1", True), ("web", False)]


async def test_a_part_of_the_cluster_that_is_all_in_maintenance_is_well() -> None:
    now = datetime.now(UTC)
    report = await swept("web/web-1", given=(entry("web", now, HOUR),))
    assert [v.id for v in report.verdicts] == ["web/web-1/haproxy"]
    assert report.state is State.OK
