"""Which logs a sweep fetches, for whom, and that failing to have them changes nothing else."""

from dataclasses import replace

import pytest
from played import (
    ACTIVE,
    FAILED,
    PASSIVE,
    RESTS,
    RUNS,
    STARTS,
    VIP,
    Moment,
    Player,
    cluster,
    farm,
    journal,
    pair,
    reply,
)

from quorate.engine import sweep
from quorate.model import Check, Group, Inventory, NoReply, Reason, Report, Secret, State, Verdict
from quorate.plan import make_plan

BROKEN = Moment(units={"haproxy.service": FAILED})
DOWN = NoReply(reason=Reason.HOST_UNREACHABLE, detail="no route")


async def swept(inventory: Inventory, player: Player, *only: str) -> dict[str, Verdict]:
    report: Report = await sweep(inventory, player, make_plan(inventory, only))
    assert player.under_way == 0
    return {verdict.id: verdict for verdict in report.verdicts}


def fetched(player: Player) -> list[tuple[str, tuple[str, ...]]]:
    """Return whose journals were fetched, by batch."""
    logs = [(host, asks) for host, asks in player.batches if any("--header" in ask.argv for ask in asks)]
    return [
        (
            host,
            tuple(
                word.removeprefix("--unit=")
                for ask in asks
                for word in ask.argv
                if word.startswith("--unit=")
            ),
        )
        for host, asks in logs
    ]


async def test_nothing_is_fetched_when_all_is_well() -> None:
    player = Player(scenes={"nfs-1": [ACTIVE], "nfs-2": [PASSIVE]})
    found = await swept(pair(), player)
    assert found["nfs/nfs-2/lsyncd"].state is State.EXPECTED
    assert fetched(player) == []
    assert all(verdict.evidence == () for verdict in found.values())


async def test_journal_of_what_is_bad_explains_it() -> None:
    player = Player(scenes={"web-1": [BROKEN]}, further={"haproxy.service": journal("boom", "bang")})
    found = await swept(farm("web-1"), player)
    (log,) = found["web/web-1/haproxy"].evidence
    assert (log.source, log.host, log.unit) == ("journal", "web-1", "haproxy")
    assert log.lines == tuple(f"2026-01-01T00:00:00.000000Z lsyncd: {said}" for said in ("boom", "bang"))
    assert log.error is None
    assert found["host/web-1"].evidence == ()


STATES = {
    "warning": (STARTS, State.WARNING, True),
    "critical": (RESTS, State.CRITICAL, True),
    "unknown": ({"ActiveState": "frozen", "SubState": "odd"}, State.UNKNOWN, True),
    "ok": (RUNS, State.OK, False),
}


@pytest.mark.parametrize(("properties", "state", "wanted"), STATES.values(), ids=STATES)
async def test_states_that_need_explaining(properties: dict[str, str], state: State, wanted: bool) -> None:
    player = Player(scenes={"web-1": [Moment(units={"haproxy.service": properties})]})
    found = await swept(farm("web-1"), player)
    assert found["web/web-1/haproxy"].state is state
    assert bool(fetched(player)) is wanted


async def test_each_journal_is_fetched_once_a_host_and_shared() -> None:
    names = ("a", "b")
    units = ("haproxy.service", "other.service")
    groups = [Group(name=name, hosts=("web-1", "web-2"), units=units) for name in names]
    bad = Moment(units=dict.fromkeys(units, FAILED))
    player = Player(
        scenes={"web-1": [bad], "web-2": [Moment()]}, further={"haproxy": journal("x"), "other": journal("y")}
    )
    found = await swept(cluster(*groups), player)
    assert fetched(player) == [("web-1", units)]
    assert found["a/web-1/haproxy"].evidence == found["b/web-1/haproxy"].evidence
    assert found["a/web-1/haproxy"].evidence[0].lines[0].endswith("x")
    assert found["a/web-1/other"].evidence[0].lines[0].endswith("y")


async def test_host_that_cannot_be_asked_is_not_asked_for_logs() -> None:
    player = Player(scenes={"web-1": [DOWN], "web-2": [BROKEN]})
    found = await swept(farm("web-1", "web-2"), player)
    assert [host for host, _ in fetched(player)] == ["web-2"]
    assert found["web/web-1/haproxy"].evidence == ()


async def test_virtual_ip_that_nobody_holds_is_explained_by_keepalived() -> None:
    player = Player(
        scenes={"nfs-1": [Moment()], "nfs-2": [PASSIVE]}, further={"keepalived": journal("FAULT")}
    )
    found = await swept(pair(), player)
    assert [(e.host, e.unit) for e in found["nfs/vip"].evidence] == [
        ("nfs-1", "keepalived"),
        ("nfs-2", "keepalived"),
    ]
    assert fetched(player) == [
        ("nfs-1", ("keepalived.service", "lsyncd.service")),
        ("nfs-2", ("keepalived.service", "lsyncd.service")),
    ]


async def test_virtual_ip_of_a_group_without_keepalived_has_no_log_of_its_own() -> None:
    group = Group(name="web", hosts=("web-1", "web-2"), units=("haproxy.service",), vip=VIP)
    player = Player(scenes={"web-1": [Moment()], "web-2": [Moment()]})
    found = await swept(cluster(group), player)
    assert found["web/vip"].reason is Reason.NO_ACTIVE_NODE
    assert found["web/vip"].evidence == ()
    assert fetched(player) == []


async def test_number_of_lines_is_the_inventory_s() -> None:
    player = Player(scenes={"web-1": [BROKEN]})
    await swept(farm("web-1"), player)
    words = [word for _, asks in player.batches for ask in asks for word in ask.argv]
    assert "--lines=5" in words


async def test_a_journal_of_long_messages_has_no_more_lines_than_the_inventory_says() -> None:
    said = journal("Traceback:\n  one\n  two", "Traceback:\n  three\n  four")
    player = Player(scenes={"web-1": [BROKEN]}, further={"haproxy.service": said})
    (log,) = (await swept(farm("web-1"), player))["web/web-1/haproxy"].evidence
    assert [line.split()[-1] for line in log.lines] == ["one", "two", "Traceback:", "three", "four"]
    assert not log.truncated


async def test_no_evidence_asks_for_none() -> None:
    player = Player(scenes={"web-1": [BROKEN]})
    inventory = farm("web-1")
    report = await sweep(inventory, player, make_plan(inventory), evidence=False)
    assert fetched(player) == []
    assert report.verdicts[-1].evidence == ()


async def test_only_fetches_what_is_reported() -> None:
    player = Player(scenes={"web-1": [BROKEN], "web-2": [BROKEN]})
    await swept(farm("web-1", "web-2"), player, "web/web-2")
    assert [host for host, _ in fetched(player)] == ["web-2"]


FAILURES = {
    "sudo refuses": (
        reply(stderr="sudo: a password is required\n", exit_code=1),
        "sudo refused journalctl",
    ),
    "journalctl is missing": (
        reply(stderr="sh: journalctl: not found\n", exit_code=127),
        "journalctl cannot be run",
    ),
    "the question ran past its limit": (
        NoReply(reason=Reason.COMMAND_TIMEOUT, detail="no answer within 10 s"),
        "no answer within 10 s",
    ),
    "the answer is garbage": (reply("?\n"), "holds no entry that can be read"),
    "a fault of quorate": (ZeroDivisionError("x"), "a fault in quorate: ZeroDivisionError"),
}


@pytest.mark.parametrize(("answer", "error"), FAILURES.values(), ids=FAILURES)
async def test_logs_that_cannot_be_had_say_so_and_change_nothing_else(answer: object, error: str) -> None:
    good = await swept(farm("web-1", "web-2"), Player(scenes={"web-1": [BROKEN], "web-2": [Moment()]}))
    player = Player(scenes={"web-1": [BROKEN], "web-2": [Moment()]}, further={"haproxy.service": answer})
    found = await swept(farm("web-1", "web-2"), player)
    (log,) = found["web/web-1/haproxy"].evidence
    assert error in (log.error or "")
    assert log.lines == ()

    def judged(verdicts: dict[str, Verdict]) -> list[tuple[object, ...]]:
        return [(v.id, v.state, v.reason, v.summary, v.caused_by) for v in verdicts.values()]

    assert judged(found) == judged(good)


async def test_journal_without_lines_is_no_failure() -> None:
    player = Player(scenes={"web-1": [BROKEN]}, further={"haproxy.service": reply("-- No entries --\n")})
    (log,) = (await swept(farm("web-1"), player))["web/web-1/haproxy"].evidence
    assert (log.lines, log.error) == ((), None)


async def test_sudo_that_refuses_logs_is_a_note_of_the_host() -> None:
    refused = reply(stderr="sudo: a password is required\n", exit_code=1)
    player = Player(scenes={"web-1": [BROKEN], "web-2": [BROKEN]}, further={"journalctl": refused})
    found = await swept(farm("web-1", "web-2"), player)
    assert found["host/web-1"].notes == ("sudo_denied",)
    assert found["host/web-1"].state is State.OK
    assert "a password is required" in (found["host/web-1"].detail or "")
    assert found["web/web-1/haproxy"].notes == ()


async def test_where_a_volatile_journal_begins_is_said() -> None:
    header = reply(
        "File path: /run/log/journal/0/system.journal\n"
        "Head realtime timestamp: Thu 2026-01-01 00:00:00 UTC (647473b2a3800)\n"
    )
    player = Player(scenes={"web-1": [BROKEN]}, further={"--header": header, "haproxy.service": journal("x")})
    (log,) = (await swept(farm("web-1"), player))["web/web-1/haproxy"].evidence
    assert "volatile" in (log.note or "")


def with_secret(inventory: Inventory, *, file: str) -> Inventory:
    check = Check(name="database", kind="patroni", settings={"password": Secret(file=file)})
    return replace(inventory, checks={"database": check})


async def test_secrets_of_the_inventory_are_masked_in_details_and_logs(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    file = tmp_path_factory.mktemp("secrets") / "password"
    file.write_text("correct horse\n", encoding="utf-8")
    closed = NoReply(reason=Reason.LOGIN_CLOSED, detail="the host said: \x1b[31mcorrect horse\x1b[0m")
    player = Player(
        scenes={"web-1": [BROKEN], "web-2": [closed]},
        further={"haproxy.service": journal("connecting with correct horse")},
    )
    found = await swept(with_secret(farm("web-1", "web-2"), file=str(file)), player)
    assert found["host/web-2"].detail == "the host said: ***"
    assert found["web/web-1/haproxy"].evidence[0].lines[0].endswith("connecting with ***")
    assert "correct horse" not in repr(found)


async def test_secret_that_cannot_be_had_costs_nothing() -> None:
    player = Player(scenes={"web-1": [BROKEN]})
    for file in ("/nowhere/at/all", "~nobody-of-this-name/secret"):
        found = await swept(with_secret(farm("web-1"), file=file), player)
        assert found["web/web-1/haproxy"].reason is Reason.FAILED


async def test_duplicate_holders_are_explained_on_each_of_them() -> None:
    both = Moment(held=(VIP,))
    player = Player(scenes={"nfs-1": [both], "nfs-2": [both]})
    found = await swept(pair(), player)
    assert [e.host for e in found["nfs/vip"].evidence] == ["nfs-1", "nfs-2"]
    assert found["nfs/nfs-2/lsyncd"].caused_by == "nfs/vip"
