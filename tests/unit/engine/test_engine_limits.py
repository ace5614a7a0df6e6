"""A sweep that ends early: what was found is kept, the rest is said to be unknown, nothing runs on."""

import asyncio

from played import ACTIVE, FAILED, HANGS, RUNS, STARTS, Moment, Player, Scene, farm, pair

from quorate.engine import Limits, sweep
from quorate.engine.fan_out import fan_out
from quorate.model import Inventory, JudgingSettings, NoReply, Reason, Report
from quorate.plan import make_plan

FINE, BROKEN, STARTING = (Moment(units={"haproxy.service": state}) for state in (RUNS, FAILED, STARTS))


def limits(seconds: float) -> Limits:
    return Limits(deadline=asyncio.get_running_loop().time() + seconds)


async def swept(inventory: Inventory, player: Player, until: Limits) -> dict[str, str]:
    before = asyncio.all_tasks()
    report = await sweep(inventory, player, make_plan(inventory), limits=until)
    assert player.under_way == 0, "no question goes on"
    assert asyncio.all_tasks() == before, "no task is left"
    return said(report)


def said(report: Report) -> dict[str, str]:
    return {v.id: f"{v.state.name} {v.reason}" for v in report.verdicts}


def three(*scenes: Scene) -> Player:
    return Player(scenes={f"web-{n}": [scene] for n, scene in enumerate(scenes, start=1)})


async def test_what_has_not_answered_when_the_time_is_over_is_unknown() -> None:
    found = await swept(farm("web-1", "web-2", "web-3"), three(FINE, BROKEN, HANGS), limits(0.3))
    assert found == {
        "host/web-1": "OK ok",
        "host/web-2": "OK ok",
        "host/web-3": "UNKNOWN sweep_timeout",
        "web/web-1/haproxy": "OK ok",
        "web/web-2/haproxy": "CRITICAL failed",
        "web/web-3/haproxy": "UNKNOWN sweep_timeout",
    }


async def test_sweep_without_any_time_asks_nothing_and_knows_nothing() -> None:
    player = three(FINE, FINE)
    found = await swept(farm("web-1", "web-2"), player, limits(-1.0))
    assert player.asked == []
    assert set(found.values()) == {"UNKNOWN sweep_timeout"}
    assert "monitor" not in found


async def test_hosts_that_all_ran_into_the_end_do_not_make_the_monitor_isolated() -> None:
    found = await swept(farm("web-1", "web-2"), three(HANGS, HANGS), limits(0.3))
    assert "monitor" not in found


async def test_operator_s_stop_keeps_what_was_found() -> None:
    player = three(FINE, BROKEN, HANGS)
    until = Limits()
    asyncio.get_running_loop().call_later(0.3, until.stop.set)
    inventory = farm("web-1", "web-2", "web-3")
    report = await sweep(inventory, player, make_plan(inventory), limits=until)
    assert report.interrupted
    assert player.under_way == 0
    assert said(report)["host/web-3"] == "UNKNOWN interrupted"
    assert said(report)["web/web-2/haproxy"] == "CRITICAL failed"
    assert said(report)["web/web-3/haproxy"] == "UNKNOWN interrupted"
    broken = next(v for v in report.verdicts if v.id == "web/web-2/haproxy")
    assert [e.error for e in broken.evidence] == ["the sweep was interrupted before the answer came"]


async def test_stop_ends_a_pause_between_looks() -> None:
    inventory = farm("web-1", judging=JudgingSettings(interval=60.0))
    player = three(STARTING)
    until = Limits()
    asyncio.get_running_loop().call_later(0.3, until.stop.set)
    async with asyncio.timeout(5):
        found = await swept(inventory, player, until)
    assert found["web/web-1/haproxy"] == "WARNING starting"
    assert player.looks("web-1") == 1


async def test_end_of_the_sweep_ends_a_pause_between_looks() -> None:
    inventory = farm("web-1", judging=JudgingSettings(interval=60.0))
    player = three(STARTING)
    async with asyncio.timeout(5):
        found = await swept(inventory, player, limits(0.3))
    assert found["web/web-1/haproxy"] == "WARNING starting"
    assert player.looks("web-1") == 1


async def test_later_look_that_the_end_cuts_off_leaves_what_was_found() -> None:
    player = Player(scenes={"nfs-1": [Moment(), HANGS], "nfs-2": [Moment(), ACTIVE]})
    found = await swept(pair(), player, limits(0.3))
    assert found["host/nfs-1"] == "OK ok"
    assert found["nfs/vip"] == "CRITICAL no_active_node"
    assert player.looks("nfs-1") == 2


async def test_follow_up_that_the_end_cuts_off_leaves_what_was_found() -> None:
    player = Player(
        scenes={
            "web-1": [Moment(units={"haproxy.service": {"ActiveState": "inactive", "SubState": "dead"}})]
        },
        further={"is-system-running": HANGS},
    )
    found = await swept(farm("web-1"), player, limits(0.3))
    assert found == {"host/web-1": "OK ok", "web/web-1/haproxy": "CRITICAL inactive"}


async def test_logs_that_the_end_cuts_off_say_so_and_change_nothing() -> None:
    player = Player(scenes={"web-1": [BROKEN]}, further={"journalctl": HANGS})
    inventory = farm("web-1")
    report = await sweep(inventory, player, make_plan(inventory), limits=limits(0.3))
    assert player.under_way == 0
    assert said(report)["web/web-1/haproxy"] == "CRITICAL failed"
    assert [e.error for e in report.verdicts[-1].evidence] == [
        "the sweep's time ended before the answer came"
    ]


async def test_sweep_that_is_cancelled_leaves_nothing_running() -> None:
    player = three(HANGS, FINE)
    inventory = farm("web-1", "web-2")
    before = asyncio.all_tasks()
    task = asyncio.create_task(sweep(inventory, player, make_plan(inventory)))
    await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert player.under_way == 0
    assert asyncio.all_tasks() == before


async def test_job_that_cancels_itself_has_no_answer() -> None:
    async def gives_up() -> int:
        raise asyncio.CancelledError

    async def answers() -> int:
        return 1

    came = await fan_out({"a": gives_up(), "b": answers()}, Limits())
    assert came["b"] == 1
    assert isinstance(came["a"], NoReply)
    assert came["a"].reason is Reason.INTERRUPTED
