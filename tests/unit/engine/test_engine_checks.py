"""Checks in a sweep: asked beside the hosts, bounded by it, explained by journals, their secrets kept."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import pytest
from played import FAILED, HANGS, RUNS, Moment, Player, Scene, cluster, journal, reply

from quorate.engine import Limits, SecretUnavailableError, sweep
from quorate.engine.fan_out import fan_out
from quorate.model import (
    AmqpReply,
    Check,
    Group,
    Host,
    Inventory,
    LogsFrom,
    NoReply,
    PostgresReply,
    Reason,
    Report,
    Secret,
    ServiceReply,
    State,
)
from quorate.plan import make_plan

NODES = ("rabbit-1", "rabbit-2", "rabbit-3")
RABBIT = "rabbitmq-server.service"
PASSWORD = "correct horse"
UP = AmqpReply(product="RabbitMQ", version="3.10.8")
DAGS = PostgresReply(value=42, in_recovery=False)
REFUSED = NoReply(reason=Reason.CONNECT_FAILED, detail="Connection refused", answered=True)
DOWN = NoReply(reason=Reason.HOST_UNREACHABLE, detail="no TCP connection to 192.0.2.12:22")
FINE, BROKEN = Moment(units={RABBIT: RUNS}), Moment(units={RABBIT: FAILED})

Answers = Mapping[tuple[str, int], ServiceReply | NoReply | Exception | str]


def prod() -> Inventory:
    """Return three brokers, their check, and one of a database whose logs come from them as well."""
    hosts = {name: Host(name=name, address=f"192.0.2.1{at}") for at, name in enumerate(NODES, start=1)}
    login = {"user": "airflow_user", "password": Secret(env="PASSWORD")}
    logs = LogsFrom(group="rabbitmq", unit=RABBIT)
    db = Check(
        name="db",
        kind="postgresql",
        logs_from=logs,
        settings=MappingProxyType(
            login
            | {"host": "192.0.2.210", "port": 5000, "database": "airflow_db", "parameters": ()}
            | {"query": "SELECT COUNT(*) FROM dag", "connect_timeout": 5.0, "statement_timeout": 5.0}
            | {"depth": "read"}
        ),
    )
    members = tuple({"name": h.name, "address": h.address, "port": 5672} for h in hosts.values())
    mq = Check(
        name="mq",
        kind="rabbitmq",
        logs_from=logs,
        hosts=NODES,
        members=NODES,
        settings=MappingProxyType(
            login | {"members": members, "vhost": "/", "timeout": 5.0, "quorum": None, "depth": "connect"}
        ),
    )
    inventory = cluster(Group(name="rabbitmq", hosts=NODES, units=(RABBIT,)))
    return replace(inventory, hosts=hosts, checks={"db": db, "mq": mq})


def player(*scenes: Scene, answers: Answers | None = None, **more: object) -> Player:
    """Return hosts that play, all of them well unless told, and services that answer unless told."""
    played = dict(zip(NODES, ([scene] for scene in (*scenes, *[FINE] * 3)), strict=False))
    services: Answers = {(f"192.0.2.1{at}", 5672): UP for at in (1, 2, 3)} | {("192.0.2.210", 5000): DAGS}
    return Player(scenes=played, services={**services, **(answers or {})}, **more)


async def swept(
    actor: Player,
    *only: str,
    until: Limits | None = None,
    resolve: Callable[[Secret], str] = lambda _: PASSWORD,
    inventory: Inventory | None = None,
) -> Report:
    inventory = inventory or prod()
    before = asyncio.all_tasks()
    report = await sweep(inventory, actor, make_plan(inventory, only), limits=until, resolve=resolve)
    assert actor.under_way == 0, "no question goes on"
    assert asyncio.all_tasks() == before, "no task is left"
    return report


def said(report: Report) -> dict[str, str]:
    causes = {v.id: f" < {v.caused_by}" if v.caused_by else "" for v in report.verdicts}
    return {v.id: f"{v.state.name} {v.reason}{causes[v.id]}" for v in report.verdicts}


def checks(report: Report) -> dict[str, str]:
    return {i: words for i, words in said(report).items() if i.partition("/")[0] in ("db", "mq")}


def limits(seconds: float) -> Limits:
    return Limits(deadline=asyncio.get_running_loop().time() + seconds)


async def test_all_well() -> None:
    actor = player()
    report = await swept(actor)
    assert set(said(report).values()) == {"OK ok"}
    assert list(checks(report)) == ["db", "mq", "mq/rabbit-1", "mq/rabbit-2", "mq/rabbit-3"]
    assert {ask.password for ask in actor.service_asks} == {PASSWORD}
    assert ("rabbit-1", "logs") not in actor.asked


async def test_services_do_not_wait_for_hosts_nor_hosts_for_services() -> None:
    found = said(await swept(player(HANGS, HANGS, HANGS), until=limits(0.3)))
    assert (found["host/rabbit-1"], found["db"], found["mq"]) == ("UNKNOWN sweep_timeout", "OK ok", "OK ok")
    mute: Answers = dict.fromkeys(player().services, HANGS)
    found = said(await swept(player(answers=mute), until=limits(0.3)))
    assert (found["host/rabbit-1"], found["db"]) == ("OK ok", "UNKNOWN sweep_timeout")


async def test_what_one_service_does_costs_no_other() -> None:
    broken: Answers = {("192.0.2.11", 5672): RuntimeError("a fault"), ("192.0.2.210", 5000): KeyError("x")}
    found = checks(await swept(player(answers=broken)))
    assert found == {
        "db": "UNKNOWN internal_error",
        "mq": "WARNING redundancy_lost",
        "mq/rabbit-1": "UNKNOWN internal_error",
        "mq/rabbit-2": "OK ok",
        "mq/rabbit-3": "OK ok",
    }


async def test_what_has_not_answered_in_time_is_unknown_and_the_rest_is_kept() -> None:
    mute: Answers = {("192.0.2.12", 5672): HANGS, ("192.0.2.210", 5000): HANGS}
    assert checks(await swept(player(answers=mute), until=limits(0.3))) == {
        "db": "UNKNOWN sweep_timeout",
        "mq": "WARNING redundancy_lost",
        "mq/rabbit-1": "OK ok",
        "mq/rabbit-2": "UNKNOWN sweep_timeout",
        "mq/rabbit-3": "OK ok",
    }
    proof: Answers = {(f"192.0.2.1{at}", 5672): REFUSED for at in (1, 3)}
    found = checks(await swept(player(answers={**mute, **proof}), until=limits(0.3)))
    assert found["mq"] == "CRITICAL quorum_lost"


async def test_the_operator_s_stop_and_a_sweep_without_time() -> None:
    until = Limits()
    asyncio.get_running_loop().call_later(0.2, until.stop.set)
    found = checks(await swept(player(answers={("192.0.2.210", 5000): HANGS}), until=until))
    assert (found["db"], found["mq"]) == ("UNKNOWN interrupted", "OK ok")
    actor = player()
    assert set(checks(await swept(actor, until=limits(-1.0))).values()) == {"UNKNOWN sweep_timeout"}
    assert actor.service_asks == []


async def test_a_cancelled_sweep_leaves_no_question_behind() -> None:
    actor = player(answers={("192.0.2.210", 5000): HANGS})
    before = asyncio.all_tasks()
    running = asyncio.create_task(swept(actor))
    while not actor.service_asks:  # noqa: ASYNC110  the player has no event of it
        await asyncio.sleep(0.001)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (actor.under_way, asyncio.all_tasks()) == (0, before)


async def test_a_check_alone_asks_no_host() -> None:
    for only in ("db", "mq"):
        actor = player()
        report = await swept(actor, only)
        assert {v.group for v in report.verdicts} == {only}
        assert actor.asked == []


async def test_a_member_alone_is_judged_with_its_cluster_and_reported_alone() -> None:
    actor = player(answers={("192.0.2.12", 5672): REFUSED})
    assert said(await swept(actor, "mq/rabbit-2")) == {"mq/rabbit-2": "WARNING connect_failed"}
    assert len(actor.service_asks) == 3
    assert [host for host, kind in actor.asked if kind == "look"] == []


async def test_a_host_alone_asks_no_check() -> None:
    actor = player()
    await swept(actor, "host/rabbit-1")
    assert actor.service_asks == []


async def test_what_explains_a_member_is_reported_with_it() -> None:
    actor = player(FINE, DOWN, answers={("192.0.2.12", 5672): REFUSED})
    assert said(await swept(actor, "mq", "rabbitmq"))["host/rabbit-2"] == "CRITICAL host_unreachable"


def missing(_: Secret) -> str:
    raise SecretUnavailableError("the environment variable PASSWORD is not set, or empty")


def hostile(_: Secret) -> str:
    raise ValueError(f"the backend says that it is {PASSWORD}")


@pytest.mark.parametrize(
    ("resolve", "detail"),
    [
        (missing, "the environment variable PASSWORD is not set, or empty"),
        (hostile, "the environment variable PASSWORD cannot be read (ValueError)"),
    ],
)
async def test_a_secret_that_can_t_be_had_connects_to_nothing(
    resolve: Callable[[Secret], str], detail: str
) -> None:
    actor = player()
    report = await swept(actor, resolve=resolve)
    assert checks(report) == {
        "db": "UNKNOWN secret_unavailable",
        "mq": "UNKNOWN secret_unavailable",
        **{f"mq/{name}": "WARNING secret_unavailable < mq" for name in NODES},
    }
    assert actor.service_asks == []
    assert next(v.detail for v in report.verdicts if v.id == "db") == f"the password can't be had: {detail}"
    assert PASSWORD not in repr(report)


async def test_a_secret_that_hangs_holds_up_nothing_but_its_check() -> None:
    release = threading.Event()

    def hanging(_: Secret) -> str:
        release.wait(20)
        return PASSWORD

    began = time.monotonic()
    try:
        report = await swept(player(), resolve=hanging, until=limits(0.3))
    finally:
        release.set()
    assert checks(report)["db"] == "UNKNOWN sweep_timeout"
    assert said(report)["host/rabbit-1"] == "OK ok"
    assert time.monotonic() - began < 10


def logs(report: Report, verdict: str) -> list[tuple[str | None, str | None, Sequence[str]]]:
    found = next(v for v in report.verdicts if v.id == verdict)
    assert {(e.source, e.unit) for e in found.evidence} <= {("journal", "rabbitmq-server")}
    return [(e.host, e.error, [line.rpartition(": ")[2] for line in e.lines]) for e in found.evidence]


async def test_a_failed_check_has_the_journal_of_every_host_of_its_group_once_fetched() -> None:
    actor = player(
        BROKEN,
        DOWN,
        answers={("192.0.2.210", 5000): REFUSED, ("192.0.2.11", 5672): REFUSED},
        further={"rabbitmq-server.service": journal("boom")},
    )
    report = await swept(actor)
    every = [("rabbit-1", None, ["boom"]), ("rabbit-2", DOWN.detail, []), ("rabbit-3", None, ["boom"])]
    assert logs(report, "db") == every
    assert logs(report, "mq") == every
    assert logs(report, "mq/rabbit-1") == [("rabbit-1", None, ["boom"])]
    assert logs(report, "mq/rabbit-2") == []
    assert logs(report, "rabbitmq/rabbit-1/rabbitmq-server") == [("rabbit-1", None, ["boom"])]
    assert sorted(host for host, kind in actor.asked if kind == "logs") == ["rabbit-1", "rabbit-3"]


async def test_hosts_are_contacted_for_logs_only_when_their_check_failed() -> None:
    actor = player(
        answers={("192.0.2.210", 5000): REFUSED}, further={"rabbitmq-server.service": journal("boom")}
    )
    report = await swept(actor, "db")
    assert [host for host, _, _ in logs(report, "db")] == list(NODES)
    assert {kind for _, kind in actor.asked} == {"logs"}
    assert [v.id for v in report.verdicts] == ["db"]


async def test_a_host_whose_log_hangs_is_bounded_by_the_sweep() -> None:
    actor = player(answers={("192.0.2.210", 5000): REFUSED}, further={"rabbitmq-server.service": HANGS})
    report = await swept(actor, "db", until=limits(0.3))
    assert said(report) == {"db": "CRITICAL connect_failed"}
    assert [error for _, error, _ in logs(report, "db")] == [
        "the sweep's time ended before the answer came"
    ] * 3


async def test_secrets_stand_in_nothing_that_services_said() -> None:
    told = f"\x1b[31mno login for {PASSWORD} \x07"
    answers: Answers = {
        ("192.0.2.210", 5000): replace(DAGS, value=told),
        ("192.0.2.11", 5672): NoReply(reason=Reason.AUTH_FAILED, detail=told, answered=True),
        ("192.0.2.12", 5672): replace(UP, version=told, cluster=told),
    }
    actor = player(answers=answers, further={"rabbitmq-server.service": reply("", stderr=PASSWORD)})
    report = await swept(actor)
    database = next(v for v in report.verdicts if v.id == "db")
    assert database.observed["value"] == "no login for *** "
    assert PASSWORD not in repr(report)
    assert "\x1b" not in repr(report)


async def test_a_password_that_was_read_is_masked_although_it_can_t_be_read_again() -> None:
    reads: list[str] = []

    def once(_: Secret) -> str:
        reads.append("read")
        if threading.current_thread() is threading.main_thread():
            pytest.fail("a secret was read on the event loop")
        return f"{PASSWORD} {len(reads)}"

    said_no = NoReply(reason=Reason.AUTH_FAILED, detail=f"{PASSWORD} 1, {PASSWORD} 2", answered=True)
    report = await swept(player(answers={("192.0.2.210", 5000): said_no}), resolve=once)
    assert PASSWORD not in repr(report)


async def test_kinds_that_nobody_can_ask_are_reported_and_ask_nothing() -> None:
    inventory = replace(prod(), checks={"etcd": Check(name="etcd", kind="of-tomorrow")})
    actor = player()
    report = await swept(actor, inventory=inventory)
    assert said(report)["etcd"] == "UNKNOWN unsupported_kind"
    assert (report.state, actor.service_asks) == (State.UNKNOWN, [])


class OutOfTime(BaseException):
    """What ends a process's work from outside, as Airflow's time-out of a task does."""


async def test_what_ends_the_work_from_outside_is_passed_on_and_leaves_nothing_running() -> None:
    async def ends() -> None:
        raise OutOfTime

    async with asyncio.timeout(2):  # the others are not waited for
        with pytest.raises(OutOfTime):
            await fan_out({"a": ends(), "b": asyncio.sleep(60)}, Limits())
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_ends_the_work_while_it_is_being_stopped_is_passed_on_as_well() -> None:
    async def ends_late() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise OutOfTime

    with pytest.raises(OutOfTime):
        await fan_out({"a": ends_late()}, limits(0.05))
    assert asyncio.all_tasks() == {asyncio.current_task()}
