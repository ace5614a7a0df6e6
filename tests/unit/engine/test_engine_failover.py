"""What a sweep asks the nodes of a pair about a failover, when, and what it makes of refusals."""

from dataclasses import replace

from played import ACTIVE, PASSIVE, VIP, Moment, Player, journal, pair, reply

from quorate.engine import sweep
from quorate.engine.batches import another_look, look_batch
from quorate.model import Inventory, Report, State, Sync, Verdict
from quorate.plan import make_plan

MARKER = "/srv/airflow/.synced"


def marked() -> Inventory:
    inventory = pair()
    group = inventory.groups["nfs"]
    assert group.active_passive is not None
    sync = replace(group.active_passive, sync=Sync(path=MARKER, max_age=60.0))
    return replace(inventory, groups={"nfs": replace(group, active_passive=sync)})


def marker(age: int) -> Moment:
    return replace(PASSIVE, marker=reply(f"{1000 - age} {1000 - age}\n1000\n"))


async def swept(inventory: Inventory, player: Player) -> tuple[Report, dict[str, Verdict]]:
    report = await sweep(inventory, player, make_plan(inventory))
    return report, {verdict.id: verdict for verdict in report.verdicts}


def words(player: Player, host: str) -> list[list[str]]:
    """Return the programs that each look at a host starts."""
    batches = [[ask.argv[0] for ask in asks] for name, asks in player.batches if name == host]
    return [programs for programs in batches if "ip" in programs]


async def test_the_nodes_are_asked_in_the_batch_that_they_are_asked_anyway() -> None:
    player = Player(scenes={"nfs-1": [replace(ACTIVE, marker=reply("1 1\n1\n"))], "nfs-2": [marker(59)]})
    report, found = await swept(marked(), player)
    assert words(player, "nfs-2") == [["systemctl", "ip", "journalctl", "sh"]]
    assert found["nfs/failover"].summary == "a failover of nfs to nfs-2 would work"
    assert report.state is State.EXPECTED


async def test_what_is_found_is_a_warning_with_the_journals_behind_it() -> None:
    fault = replace(marker(61), keepalived=("(VI_1) Entering FAULT STATE",))
    player = Player(
        scenes={"nfs-1": [replace(ACTIVE, marker=reply("1 1\n1\n"))], "nfs-2": [fault]},
        further={"--unit=keepalived": journal("(VI_1) Entering FAULT STATE")},
    )
    _, found = await swept(marked(), player)
    verdict = found["nfs/failover"]
    assert (verdict.state, verdict.reason, verdict.notes) == (
        State.WARNING,
        "standby_fault",
        ("sync_stale",),
    )
    assert [(log.host, log.unit) for log in verdict.evidence] == [
        ("nfs-1", "keepalived"),
        ("nfs-2", "keepalived"),
    ]
    stale = Player(scenes={"nfs-1": [replace(ACTIVE, marker=reply("1 1\n1\n"))], "nfs-2": [marker(61)]})
    _, found = await swept(marked(), stale)
    assert (found["nfs/failover"].reason, found["nfs/failover"].evidence) == ("sync_stale", ())


async def test_another_look_asks_keepalived_anew_and_for_the_marker_no_more() -> None:
    was = replace(marker(0), keepalived=("(VI_1) Entering FAULT STATE",))
    moved = Moment(held=(VIP,), marker=reply("1 1\n1\n"))
    left = replace(PASSIVE, marker=reply("1 1\n1\n"))
    player = Player(scenes={"nfs-1": [left, left], "nfs-2": [was, moved, moved]})
    _, found = await swept(marked(), player)
    assert words(player, "nfs-2")[:2] == [
        ["systemctl", "ip", "journalctl", "sh"],
        ["systemctl", "ip", "journalctl"],
    ]
    assert found["nfs/failover"].summary == "a failover of nfs to nfs-1 would work"


async def test_sudo_that_refuses_is_a_note_of_the_host_and_no_alarm() -> None:
    refused = replace(PASSIVE, keepalived=reply(stderr="sudo: a password is required\n", exit_code=1))
    report, found = await swept(pair(), Player(scenes={"nfs-1": [ACTIVE], "nfs-2": [refused]}))
    assert found["host/nfs-2"].notes == ("sudo_denied",)
    assert "a password is required" in (found["host/nfs-2"].detail or "")
    assert found["host/nfs-1"].notes == ()
    assert (found["nfs/failover"].state, found["nfs/failover"].notes) == (State.OK, ("vrrp_state_unseen",))
    assert report.state is State.EXPECTED


async def test_a_journal_that_can_not_be_read_is_no_refusal_of_sudo() -> None:
    for answer in (
        reply(stderr="No journal files were opened due to insufficient permissions.\n", exit_code=1),
        reply(stderr="sh: 1: journalctl: not found\n", exit_code=127),
        reply("-- No entries --\n"),
    ):
        hidden = replace(PASSIVE, keepalived=answer)
        _, found = await swept(pair(), Player(scenes={"nfs-1": [ACTIVE], "nfs-2": [hidden]}))
        assert found["host/nfs-2"].notes == ()
        assert found["nfs/failover"].notes == ("vrrp_state_unseen",)


def test_another_look_leaves_out_what_is_asked_once() -> None:
    plan = make_plan(marked()).hosts[0]
    first, again = look_batch(plan, {}), look_batch(another_look(plan), {})
    assert first[: len(again)] == again
    assert len(first) == len(again) + 1
