"""How often a sweep looks at a host, what it asks further, and what it reports of that."""

from dataclasses import replace

import pytest
from played import (
    ACTIVE,
    CRASHED,
    FAILED,
    PASSIVE,
    RESTS,
    RUNS,
    STARTS,
    VIP,
    Moment,
    Player,
    Scene,
    farm,
    journal,
    pair,
    reply,
)

from quorate.engine import sweep
from quorate.model import Inventory, JudgingSettings, NoReply, Reason, Report, State
from quorate.plan import make_plan

DOWN = NoReply(reason=Reason.HOST_UNREACHABLE, detail="no TCP connection to 192.0.2.1:22: timed out")


async def swept(inventory: Inventory, player: Player, *only: str) -> Report:
    report = await sweep(inventory, player, make_plan(inventory, only), evidence=False)
    assert player.under_way == 0
    return report


def said(report: Report) -> dict[str, str]:
    causes = {v.id: f" < {v.caused_by}" if v.caused_by else "" for v in report.verdicts}
    return {v.id: f"{v.state.name} {v.reason}{causes[v.id]}" for v in report.verdicts}


def web(state: dict[str, str]) -> Moment:
    return Moment(units={"haproxy.service": state})


async def test_one_look_is_enough_when_all_is_well() -> None:
    player = Player(scenes={"nfs-1": [ACTIVE], "nfs-2": [PASSIVE]})
    report = await swept(pair(), player)
    assert player.asked == [("nfs-1", "look"), ("nfs-2", "look")]
    assert said(report) == {
        "host/nfs-1": "OK ok",
        "host/nfs-2": "OK ok",
        "nfs/vip": "OK ok",
        "nfs/failover": "OK ok",
        "nfs/nfs-1/lsyncd": "OK ok",
        "nfs/nfs-1/keepalived": "OK ok",
        "nfs/nfs-2/lsyncd": "EXPECTED passive_inactive",
        "nfs/nfs-2/keepalived": "OK ok",
    }
    assert report.active_nodes == {"nfs": "nfs-1"}
    assert report.state is State.EXPECTED
    assert report.cluster == "test"
    assert not report.interrupted


async def test_states_are_asked_before_the_addresses_in_one_batch() -> None:
    player = Player(scenes={"nfs-1": [ACTIVE], "nfs-2": [PASSIVE]})
    await swept(pair(), player)
    words = [ask.argv[0] for ask in player.batches[0][1]]
    assert words == ["systemctl", "ip", "journalctl"]


BOTH = {"lsyncd.service": RUNS}
PAIRS: dict[str, tuple[list[Scene], list[Scene], int, str]] = {
    "a holder is found at the second look, and confirmed": (
        [Moment(), ACTIVE],
        [PASSIVE],
        3,
        "OK ok",
    ),
    "nobody holds it, twice": ([Moment()], [PASSIVE], 2, "CRITICAL no_active_node"),
    "both hold it, twice": (
        [ACTIVE],
        [Moment(held=(VIP,), units={"lsyncd.service": RESTS})],
        2,
        "CRITICAL duplicate_vip",
    ),
    "it moves on with every look": (
        [Moment(), ACTIVE, Moment()],
        [Moment(), Moment(), ACTIVE],
        3,
        "OK ok",
    ),
    "one node is down, and it held it": ([DOWN], [PASSIVE], 2, "UNKNOWN active_node_unknown"),
    "one node is down, and the other holds it": ([ACTIVE], [DOWN], 1, "OK ok"),
}


@pytest.mark.parametrize(("first", "second", "looks", "vip"), PAIRS.values(), ids=PAIRS)
async def test_contradicting_roles_are_looked_at_until_two_looks_agree(
    first: list[Scene], second: list[Scene], looks: int, vip: str
) -> None:
    player = Player(scenes={"nfs-1": first, "nfs-2": second})
    report = await swept(pair(), player)
    assert max(player.looks("nfs-1"), player.looks("nfs-2")) == looks
    assert said(report)["nfs/vip"].partition(" <")[0] == vip


async def test_host_that_is_down_is_not_looked_at_again() -> None:
    player = Player(scenes={"nfs-1": [DOWN], "nfs-2": [PASSIVE]})
    report = await swept(pair(), player)
    assert (player.looks("nfs-1"), player.looks("nfs-2")) == (1, 2)
    assert said(report)["nfs/nfs-2/lsyncd"] == "UNKNOWN peer_unverified < nfs/vip"
    assert said(report)["nfs/vip"] == "UNKNOWN active_node_unknown < host/nfs-1"


TRANSITIONS: dict[str, tuple[list[Scene], int, str]] = {
    "running": ([web(RUNS)], 1, "OK ok"),
    "failed": ([web(FAILED)], 1, "CRITICAL failed"),
    "inactive": ([web(RESTS)], 1, "CRITICAL inactive"),
    "starting, still": ([web(STARTS)], 2, "WARNING starting"),
    "starting, then running": ([web(STARTS), web(RUNS)], 3, "OK ok"),
    "crashed, still": ([web(CRASHED)], 2, "CRITICAL crashed"),
    "crashed, again so": ([web(CRASHED), web(RUNS), web(CRASHED)], 3, "CRITICAL crashed"),
    "crashed, then running": ([web(CRASHED), web(RUNS)], 3, "WARNING restarted_recently"),
    "samples are used up": ([web(STARTS), web(CRASHED), web(STARTS), web(RUNS)], 3, "WARNING starting"),
}


@pytest.mark.parametrize(("scenes", "looks", "expected"), TRANSITIONS.values(), ids=TRANSITIONS)
async def test_what_is_in_transition_is_looked_at_until_two_looks_agree(
    scenes: list[Scene], looks: int, expected: str
) -> None:
    player = Player(scenes={"web-1": scenes, "web-2": [web(RUNS)]})
    report = await swept(farm("web-1", "web-2"), player)
    assert player.looks("web-1") == looks
    assert player.looks("web-2") == 1
    assert said(report)["web/web-1/haproxy"] == expected


@pytest.mark.parametrize("samples", [1, 2, 5])
async def test_samples_are_a_setting(samples: int) -> None:
    scenes = [web(CRASHED), web(STARTS)] * 4
    inventory = farm("web-1", judging=JudgingSettings(samples=samples, interval=0.0))
    player = Player(scenes={"web-1": scenes})
    await swept(inventory, player)
    assert player.looks("web-1") == samples


async def test_unit_at_rest_is_asked_further_whether_the_system_still_starts() -> None:
    player = Player(
        scenes={"web-1": [web(RESTS)]}, further={"is-system-running": reply("starting\n", exit_code=1)}
    )
    report = await swept(farm("web-1"), player)
    assert said(report)["web/web-1/haproxy"] == "WARNING starting"
    assert player.asked == [("web-1", "look"), ("web-1", "follow-up")] * 2


async def test_unit_that_its_socket_will_start_is_well() -> None:
    waits = RESTS | {"TriggeredBy": "haproxy.socket"}
    socket = reply(
        "Id=haproxy.socket\nNames=haproxy.socket\nLoadState=loaded\nActiveState=active\nSubState=listening\n"
    )
    player = Player(
        scenes={"web-1": [web(waits)]},
        further={"is-system-running": reply("running\n"), "haproxy.socket": socket},
    )
    report = await swept(farm("web-1"), player)
    assert said(report)["web/web-1/haproxy"] == "OK ok"
    assert player.asked == [("web-1", "look"), ("web-1", "follow-up")]


async def test_restarts_are_counted_in_the_journal() -> None:
    restarted = RUNS | {"NRestarts": "1", "ActiveEnterTimestampMonotonic": str(int(99_990e6))}
    player = Player(scenes={"web-1": [web(restarted)]}, further={"MESSAGE_ID": journal("a", "b", "c")})
    report = await swept(farm("web-1"), player)
    assert said(report)["web/web-1/haproxy"] == "CRITICAL crash_loop"
    assert player.asked == [("web-1", "look"), ("web-1", "follow-up")]


async def test_follow_up_that_fails_leaves_the_look_as_it_was() -> None:
    player = Player(scenes={"web-1": [web(RESTS)]}, further={"is-system-running": OSError("gone")})
    report = await swept(farm("web-1"), player)
    assert said(report) == {"host/web-1": "OK ok", "web/web-1/haproxy": "CRITICAL inactive"}


async def test_sudo_that_refuses_the_count_of_restarts_is_a_note_of_the_host() -> None:
    restarted = RUNS | {"NRestarts": "1", "ActiveEnterTimestampMonotonic": str(int(99_990e6))}
    refused = reply(stderr="sudo: a password is required\n", exit_code=1)
    player = Player(scenes={"web-1": [web(restarted)]}, further={"MESSAGE_ID": refused})
    report = await swept(farm("web-1"), player)
    host, unit = report.verdicts
    assert host.notes == ("sudo_denied",)
    assert host.state is State.OK
    assert said(report)[unit.id] == "WARNING restarted_recently"


async def test_later_look_that_ran_out_of_time_leaves_what_was_found() -> None:
    late = Moment(unanswered=Reason.COMMAND_TIMEOUT)
    player = Player(scenes={"web-1": [web(CRASHED), late]})
    report = await swept(farm("web-1"), player)
    assert said(report)["web/web-1/haproxy"] == "CRITICAL crashed"


async def test_nodes_of_a_pair_are_never_judged_by_looks_of_different_moments() -> None:
    # nfs-1 takes over; nfs-2 gives up, but only its first look came in time.
    late = Moment(unanswered=Reason.COMMAND_TIMEOUT)
    player = Player(
        scenes={"nfs-1": [Moment(units={"lsyncd.service": RESTS}), ACTIVE], "nfs-2": [Moment(), late]}
    )
    report = await swept(pair(), player)
    assert said(report)["nfs/vip"] == "CRITICAL no_active_node"
    assert said(report)["nfs/nfs-2/lsyncd"] == "WARNING active_without_vip < nfs/vip"


async def test_later_look_that_finds_the_host_gone_counts() -> None:
    lost = NoReply(reason=Reason.CONNECTION_LOST, detail="the connection was lost")
    player = Player(scenes={"nfs-1": [Moment(), lost], "nfs-2": [PASSIVE]})
    report = await swept(pair(), player)
    assert said(report)["host/nfs-1"] == "UNKNOWN connection_lost"
    assert said(report)["nfs/vip"] == "UNKNOWN active_node_unknown < host/nfs-1"


async def test_fault_in_one_host_s_question_costs_that_host_alone() -> None:
    player = Player(scenes={"web-1": [RuntimeError("secret-text")], "web-2": [web(RUNS)], "web-3": [DOWN]})
    report = await swept(farm("web-1", "web-2", "web-3"), player)
    assert said(report) == {
        "host/web-1": "UNKNOWN internal_error",
        "host/web-2": "OK ok",
        "host/web-3": "CRITICAL host_unreachable",
        "web/web-1/haproxy": "UNKNOWN internal_error < host/web-1",
        "web/web-2/haproxy": "OK ok",
        "web/web-3/haproxy": "UNKNOWN host_unreachable < host/web-3",
    }
    detail = report.verdicts[0].detail or ""
    assert "RuntimeError" in detail
    assert "secret-text" not in detail


async def test_fault_in_a_later_look_leaves_what_was_found() -> None:
    player = Player(scenes={"web-1": [web(CRASHED), RuntimeError("late")]})
    report = await swept(farm("web-1"), player)
    assert said(report)["web/web-1/haproxy"] == "CRITICAL crashed"


async def test_only_reports_what_was_chosen_and_what_explains_it() -> None:
    player = Player(scenes={"nfs-1": [DOWN], "nfs-2": [PASSIVE]})
    report = await swept(pair(), player, "nfs/nfs-2/lsyncd")
    assert said(report) == {
        "host/nfs-1": "CRITICAL host_unreachable",
        "nfs/vip": "UNKNOWN active_node_unknown < host/nfs-1",
        "nfs/nfs-2/lsyncd": "UNKNOWN peer_unverified < nfs/vip",
    }
    assert report.active_nodes == {"nfs": None}


async def test_only_reports_the_monitor_where_it_is_the_cause() -> None:
    refused = NoReply(reason=Reason.SSH_AUTH_FAILED, detail="Permission denied (publickey)")
    player = Player(scenes={"nfs-1": [refused], "nfs-2": [refused]})
    report = await swept(pair(), player, "nfs/nfs-2/lsyncd")
    assert list(said(report)) == ["monitor", "host/nfs-2", "nfs/nfs-2/lsyncd"]


async def test_only_a_host_asks_whether_it_answers() -> None:
    player = Player(scenes={"nfs-1": [ACTIVE], "nfs-2": [PASSIVE]})
    report = await swept(pair(), player, "host/nfs-1", "host/nfs-2")
    assert said(report) == {"host/nfs-1": "OK ok", "host/nfs-2": "OK ok"}
    assert player.batches == [("nfs-1", ()), ("nfs-2", ())]


async def test_isolation_needs_the_whole_inventory() -> None:
    player = Player(scenes={"web-1": [DOWN], "web-2": [DOWN]})
    inventory = farm("web-1", "web-2")
    assert said(await swept(inventory, player))["monitor"] == "UNKNOWN monitor_isolated"
    assert "monitor" not in said(await swept(inventory, player, "web"))


async def test_fault_on_this_machine_says_nothing_of_the_others() -> None:
    inventory = farm("web-1", "web-2", "me")
    here = replace(inventory.hosts["me"], address=None, local=True)
    inventory = replace(inventory, hosts={**inventory.hosts, "me": here})
    player = Player(scenes={"web-1": [DOWN], "web-2": [DOWN], "me": [RuntimeError("here")]})
    found = said(await swept(inventory, player))
    assert found["monitor"] == "UNKNOWN monitor_isolated"
    assert found["host/me"] == "UNKNOWN internal_error"


async def test_progress_tells_each_host_that_was_asked() -> None:
    told: list[tuple[str, int, int]] = []
    inventory = farm("web-1", "web-2")
    player = Player(scenes={"web-1": [web(RUNS)], "web-2": [DOWN]})
    plan = make_plan(inventory)
    await sweep(inventory, player, plan, evidence=False, progress=lambda *step: told.append(step))
    assert told == [("web-1", 1, 2), ("web-2", 2, 2)]


async def test_host_has_one_deadline_for_all_its_questions() -> None:
    player = Player(scenes={"web-1": [web(CRASHED)]})
    inventory = farm("web-1")
    await sweep(inventory, player, make_plan(inventory))
    assert {kind for _, kind in player.asked} == {"look", "follow-up", "logs"}
    assert len(player.deadlines["web-1"]) == 1
