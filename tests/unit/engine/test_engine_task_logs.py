"""The logs of schedulers and workers are searched here, on all hosts at once, whatever a host does."""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from played import RUNS, block, reply

from quorate.engine import Limits, SecretUnavailableError, collect_task_logs
from quorate.engine import task_logs as room
from quorate.model import (
    Ask,
    Contact,
    Evidence,
    EvidenceSettings,
    Group,
    Host,
    Inventory,
    LogsFrom,
    NoReply,
    Reason,
    Reply,
    Secret,
    ServiceAsk,
    SshSettings,
    TaskInstance,
)
from quorate.probes.journal import SEARCHED_LINES, Journal

ID = "01a2048a-43c7-7f33-b9d1-ba8fc5407208"
TASK = TaskInstance(id=ID, dag_id="ha_health", task_id="check_nfs", run_id="manual__2026+00:00; rm -rf $(x)")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def journal(*messages: str, second: int = 0, step: int = 1) -> Reply:
    began = datetime(2026, 11, 22, 18, 35, second, tzinfo=UTC)
    lines = [
        json.dumps(
            {
                "__REALTIME_TIMESTAMP": str(int((began - EPOCH).total_seconds() + step * n) * 1_000_000),
                "SYSLOG_IDENTIFIER": "airflow",
                "_PID": "9",
                "MESSAGE": message,
            }
        )
        for n, message in enumerate(messages)
    ]
    return reply("".join(line + "\n" for line in lines))


Scene = Mapping[str, Reply | NoReply] | NoReply | Exception | None
"""Answers by a word of the question; why the host can't be asked; what is raised; None: it never answers."""


@dataclass(kw_only=True)
class Hosts:
    """An asker that plays one scene a host, and keeps what it was asked."""

    scenes: Mapping[str, Scene]
    batches: list[tuple[str, tuple[Ask, ...]]] = field(default_factory=list)
    deadlines: dict[str, float] = field(default_factory=dict)
    at_once: int = 0
    most_at_once: int = 0

    async def ask(
        self, host: str, asks: Sequence[Ask], *, deadline: float
    ) -> tuple[Contact, tuple[Reply | NoReply, ...]]:
        self.batches.append((host, tuple(asks)))
        self.deadlines[host] = deadline
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0.01)
            scene = self.scenes[host]
            if scene is None:
                await asyncio.get_running_loop().create_future()
            if isinstance(scene, Exception):
                raise scene
            if isinstance(scene, NoReply):
                return Contact(host=host, failure=scene), (scene,) * len(asks)
            assert isinstance(scene, Mapping)
            return Contact(host=host), tuple(_answer(scene, ask) for ask in asks)
        finally:
            self.at_once -= 1

    async def ask_service(self, ask: ServiceAsk, *, deadline: float) -> NoReply:
        raise AssertionError(f"no service is asked for logs: {ask}, {deadline}")


def _answer(scene: Mapping[str, Reply | NoReply], ask: Ask) -> Reply | NoReply:
    said = " ".join(ask.argv)
    return next((answer for word, answer in scene.items() if word in said), reply())


def cluster(*, ssh: SshSettings | None = None, **more: object) -> Inventory:
    ssh = ssh or SshSettings()
    hosts = ("scheduler-1", "scheduler-2", "celery-1")
    defaults = {
        "task_logs": (
            LogsFrom(group="scheduler", unit="airflow-scheduler.service"),
            LogsFrom(group="celery", unit="airflow-worker.service"),
        )
    }
    return Inventory(
        name="test",
        hosts={name: Host(name=name, address="192.0.2.1", ssh=ssh) for name in hosts},
        groups={
            "scheduler": Group(name="scheduler", hosts=hosts[:2], units=("airflow-scheduler.service",)),
            "celery": Group(name="celery", hosts=hosts[2:], units=("airflow-worker.service",)),
        },
        **(defaults | more),  # type: ignore[arg-type]  # settings by name
    )


QUIET: dict[str, Scene] = {"scheduler-1": {}, "scheduler-2": {}, "celery-1": {}}


async def collected(hosts: Hosts, inventory: Inventory | None = None, **options: object) -> Evidence:
    given = {"limits": Limits(), "resolve": _nothing} | options
    return await collect_task_logs(inventory or cluster(), hosts, TASK, **given)  # type: ignore[arg-type]  # by name


def _nothing(secret: Secret) -> str:
    raise SecretUnavailableError("none")


async def test_lines_of_all_hosts_are_merged_in_time_order() -> None:
    hosts = Hosts(
        scenes={
            "scheduler-1": {"journalctl": journal(f"queued {ID}", "other", second=1)},
            "scheduler-2": {"journalctl": journal(f"finished {ID}", second=9)},
            "celery-1": {"journalctl": journal(f"started {ID}", "x", f"ended {ID}", second=4)},
        }
    )
    found = await collected(hosts)
    assert found.lines == (
        f"2026-11-22T18:35:01.000000Z scheduler-1 airflow[9]: queued {ID}",
        f"2026-11-22T18:35:04.000000Z celery-1 airflow[9]: started {ID}",
        f"2026-11-22T18:35:06.000000Z celery-1 airflow[9]: ended {ID}",
        f"2026-11-22T18:35:09.000000Z scheduler-2 airflow[9]: finished {ID}",
    )
    assert (found.source, found.host, found.unit, found.error) == ("airflow", None, None, None)
    assert hosts.most_at_once == 3


async def test_nothing_of_the_task_is_in_a_question() -> None:
    hosts = Hosts(scenes=QUIET)
    await collected(hosts, cluster(evidence=EvidenceSettings(since=600.0)))
    asked = {ask.argv for _, asks in hosts.batches for ask in asks if ask.argv[0] == "journalctl"}
    assert {argv[-3:] for argv in asked} == {
        (f"--lines={SEARCHED_LINES}", "--since=-600s", "--unit=airflow-scheduler.service"),
        (f"--lines={SEARCHED_LINES}", "--since=-600s", "--unit=airflow-worker.service"),
    }
    assert "check_nfs" not in str(hosts.batches)


async def test_no_lines_say_what_was_searched() -> None:
    found = await collected(Hosts(scenes=QUIET))
    assert (found.lines, found.error) == ((), None)
    assert found.note == (
        "searched the last 15 min of airflow-scheduler on scheduler-1, scheduler-2; "
        "airflow-worker on celery-1"
    )


async def test_an_inventory_that_names_no_services() -> None:
    hosts = Hosts(scenes={})
    found = await collected(hosts, cluster(task_logs=()))
    assert "names no service to search" in (found.note or "")
    assert hosts.batches == []


async def test_a_host_and_unit_named_twice_is_asked_once() -> None:
    twice = (LogsFrom(group="celery", unit="airflow-worker.service"),) * 2
    hosts = Hosts(scenes={"celery-1": {"journalctl": journal(f"a {ID}")}})
    found = await collected(hosts, cluster(task_logs=twice))
    assert len(found.lines) == 1
    assert [host for host, _ in hosts.batches] == ["celery-1"]


async def test_hosts_that_fail_are_named_and_cost_the_others_nothing() -> None:
    down = NoReply(reason=Reason.HOST_UNREACHABLE, detail="no TCP connection to 192.0.2.1:22")
    hosts = Hosts(
        scenes={
            "scheduler-1": down,
            "scheduler-2": RuntimeError("hunter2 in an exception"),
            "celery-1": {"journalctl": journal(f"a {ID}")},
        }
    )
    found = await collected(hosts)
    assert len(found.lines) == 1
    assert "scheduler-1: no TCP connection to 192.0.2.1:22" in (found.error or "")
    assert "scheduler-2: a fault in quorate: RuntimeError" in (found.error or "")
    assert "hunter2" not in (found.error or "")


async def test_what_has_not_answered_in_time_is_named() -> None:
    hosts = Hosts(scenes={**QUIET, "celery-1": None})
    limits = Limits(deadline=asyncio.get_running_loop().time() + 0.1)
    found = await collected(hosts, limits=limits)
    assert found.error == "celery-1: the sweep's time ended before the answer came"
    late = await collected(hosts, limits=Limits(deadline=0.0))
    assert (late.error or "").startswith("scheduler-1, scheduler-2, celery-1: the sweep's time ended")


async def test_each_host_has_its_own_time() -> None:
    hosts = Hosts(scenes=QUIET)
    now = asyncio.get_running_loop().time()
    await collected(hosts, cluster(ssh=SshSettings(host_timeout=7.0)))
    assert all(6.9 < deadline - now < 8 for deadline in hosts.deadlines.values())


async def test_a_journal_that_is_hidden_or_refused_is_no_empty_one() -> None:
    refused = reply(stderr="sudo: a password is required\n", exit_code=1)
    found = await collected(Hosts(scenes={**QUIET, "celery-1": {"journalctl": refused}}))
    assert "celery-1: airflow-worker: sudo refused journalctl" in (found.error or "")
    hint = reply(stderr="Hint: You are currently not seeing messages from other users and the system.\n")
    hidden = Hosts(scenes={**QUIET, "celery-1": {"--lines=0": hint}})
    found = await collected(hidden, cluster(ssh=SshSettings(sudo=False)))
    assert "celery-1: airflow-worker: the journal is not visible" in (found.error or "")
    assert "scheduler" not in (found.error or "")


async def test_a_unit_is_looked_for_by_its_own_name_not_by_an_alias() -> None:
    alias = {"Id": "celery.service", "Names": "celery.service airflow-worker.service"}
    scene = {
        "systemctl": reply(block("celery.service", RUNS | alias)),
        "--unit=celery.service": journal(f"a {ID}"),
    }
    found = await collected(Hosts(scenes={**QUIET, "celery-1": scene}))
    assert [line.rpartition(": ")[2] for line in found.lines] == [f"a {ID}"]


async def test_a_journal_that_was_not_searched_to_its_beginning_says_so() -> None:
    full = journal(*["noise"] * (SEARCHED_LINES - 1), f"a {ID}", step=0)
    found = await collected(Hosts(scenes={**QUIET, "celery-1": {"journalctl": full}}))
    assert len(found.lines) == 1
    assert (
        f"of airflow-worker on celery-1 only the newest {SEARCHED_LINES} lines, from 2026-11-22T18:35:00Z"
        in (found.note or "")
    )


async def test_secrets_are_masked_and_lines_counted() -> None:
    noise = journal(*(f"{n} {ID} pass phrase hunter2hunter2" for n in range(30)))
    inventory = cluster(ssh=SshSettings(password=Secret(airflow_connection="ssh_prod")))
    hosts = Hosts(scenes={**QUIET, "celery-1": {"journalctl": noise}})
    found = await collected(hosts, inventory, lines=4, resolve=lambda _: "hunter2hunter2")
    assert [line.split(": ")[1] for line in found.lines] == [
        f"{n} {ID} pass phrase ***" for n in range(26, 30)
    ]


async def test_reading_and_searching_do_not_hold_up_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: dict[str, int] = {}
    for name in ("parse_journal", "find_entries", "evidence_of_task"):
        monkeypatch.setattr(room, name, seen_in(threads, name))
    alias = {"Id": "celery.service", "Names": "celery.service airflow-worker.service"}
    scene = {"systemctl": reply(block("celery.service", RUNS | alias)), "--unit=celery": journal(f"a {ID}")}
    found = await collected(Hosts(scenes={**QUIET, "celery-1": scene}))
    assert len(found.lines) == 1
    assert set(threads) == {"parse_journal", "find_entries", "evidence_of_task"}
    assert threading.get_ident() not in threads.values()


def seen_in(threads: dict[str, int], name: str) -> Callable[..., object]:
    """Return a function of the room itself, which also keeps the thread that it runs in."""
    function = getattr(room, name)

    def kept(*args: object, **options: object) -> object:
        threads[name] = threading.get_ident()
        return function(*args, **options)

    return kept


async def test_limits_hold_while_a_journal_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()
    monkeypatch.setattr(room, "parse_journal", lambda _: goes_on.wait(5) and Journal())
    limits = Limits(deadline=asyncio.get_running_loop().time() + 0.1)
    async with asyncio.timeout(2):
        found = await collected(Hosts(scenes=QUIET), limits=limits)
    goes_on.set()
    assert (found.error or "").startswith("scheduler-1, scheduler-2, celery-1: the sweep's time ended")


async def test_a_search_that_is_cancelled_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    began, goes_on = threading.Event(), threading.Event()

    def find(*_: object) -> tuple[()]:
        began.set()
        goes_on.wait(5)
        return ()

    monkeypatch.setattr(room, "find_entries", find)
    task = asyncio.create_task(collected(Hosts(scenes=QUIET)))
    async with asyncio.timeout(2):
        assert await asyncio.to_thread(began.wait, 2)
        task.cancel()
        await asyncio.wait({task})
    goes_on.set()
    assert task.cancelled()


async def test_a_host_that_lies_about_its_answer_is_survived() -> None:
    for lie in (b"\xff\xfe{]", b'{"MESSAGE": 7}', b"null\n" * 50):
        scene = {"journalctl": replace(reply(), stdout=lie)}
        found = await collected(Hosts(scenes={**QUIET, "celery-1": scene}))
        assert "celery-1: airflow-worker" in (found.error or "")
