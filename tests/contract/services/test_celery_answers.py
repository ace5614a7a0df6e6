"""What Celery workers answer through a broker: those that are there, those that are not, and who may ask."""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from quorate.model import CeleryReply, NoReply, Reason
from services import simulated
from services.breaking import Break, breaking
from services.conftest import BOTH, AskWorkers
from services.processes import using, wait_until
from services.rabbit import PASSWORD, Rabbit
from services.workers import QUEUES, VHOST, Worker, started, vhost

FIRST, SECOND = QUEUES
LATE = 1.5  # seconds that a loaded machine may add to a limit


@dataclass
class Staff:
    """Two workers and the node that they are connected to."""

    node: Rabbit
    workers: dict[str, Worker]

    @property
    def port(self) -> int:
        return self.node.port

    def known(self) -> tuple[str, str, str]:
        """Return all that is declared on the virtual host: exchanges, queues, bindings."""
        kinds = ("rabbit_exchange", "rabbit_amqqueue", "rabbit_binding")
        return tuple(self.node.erlang(f'{kind}:list(<<"{VHOST}">>)') for kind in kinds)  # type: ignore[return-value]  # three of them


@pytest.fixture(scope="module")
def staff(node: Rabbit, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    folder = tmp_path_factory.mktemp("staff")
    with vhost(node) as name, started(folder, node.port, name) as workers:
        yield Staff(node, workers)


@pytest.fixture(params=BOTH)
async def all_there(request: pytest.FixtureRequest, staff: Staff) -> AsyncIterator[int]:
    """The port of a node with two workers that answer."""
    if request.param == "real":
        yield staff.port
        return
    async with simulated.served(simulated.staffed(*map(simulated.worker, QUEUES))) as port:
        yield port


@pytest.fixture(params=BOTH)
async def one_frozen(request: pytest.FixtureRequest, staff: Staff) -> AsyncIterator[int]:
    """The port of a node with two workers of which the first stands still."""
    if request.param == "real":
        with staff.workers[FIRST].frozen():
            yield staff.port
        return
    told = (simulated.worker(FIRST, None), simulated.worker(SECOND))
    async with simulated.served(simulated.staffed(*told)) as port:
        yield port


@pytest.fixture(params=BOTH)
async def never_any(request: pytest.FixtureRequest, node: Rabbit) -> AsyncIterator[tuple[int, str]]:
    """The port and the virtual host of a node that no worker ever connected to."""
    if request.param == "real":
        with vhost(node, "deserted") as name:
            yield node.port, name
        return
    async with simulated.served(simulated.staffed(ever=False)) as port:
        yield port, VHOST


@pytest.fixture(params=BOTH)
async def all_left(request: pytest.FixtureRequest, node: Rabbit) -> AsyncIterator[tuple[int, str]]:
    """The port and the virtual host of a node that workers were connected to."""
    if request.param == "real":
        with vhost(node, "left") as name:
            node.erlang(
                f'rabbit_exchange:declare(rabbit_misc:r(<<"{name}">>, exchange, <<"celery.pidbox">>), fanout,'
                ' false, false, false, [], <<"tests">>)'
            )
            yield node.port, name
        return
    async with simulated.served(simulated.staffed()) as port:
        yield port, VHOST


async def test_all_workers_name_their_queues(all_there: int, ask_workers: AskWorkers) -> None:
    started = time.monotonic()
    reply = await ask_workers(all_there)
    took = time.monotonic() - started

    assert isinstance(reply, CeleryReply), reply
    assert reply.workers == QUEUES
    assert (reply.without_queues, reply.unreadable) == ((), 0)
    assert 0 < reply.duration <= took < LATE  # nobody waits for the limit of 10 s


async def test_others_are_told_as_well_and_nobody_is_asked_by_name(
    all_there: int, ask_workers: AskWorkers
) -> None:
    reply = await ask_workers(all_there, workers=("celery@nobody",), timeout=1.0)

    assert isinstance(reply, CeleryReply), reply
    assert reply.workers == QUEUES


async def test_a_worker_that_stands_still_does_not_answer(one_frozen: int, ask_workers: AskWorkers) -> None:
    started = time.monotonic()
    reply = await ask_workers(one_frozen, timeout=1.0)
    took = time.monotonic() - started

    assert isinstance(reply, CeleryReply), reply
    assert reply.workers == {SECOND: QUEUES[SECOND]}
    assert 1.0 <= took < 1.0 + LATE


async def test_a_queue_that_nobody_consumes_from_is_waited_for(
    all_there: int, ask_workers: AskWorkers
) -> None:
    served = await ask_workers(all_there, queues=("card_processing_queue",))
    started = time.monotonic()
    unserved = await ask_workers(all_there, queues=("default", "nobody's"), timeout=0.5)
    took = time.monotonic() - started

    assert isinstance(served, CeleryReply), served
    assert isinstance(unserved, CeleryReply), unserved
    assert unserved.workers == QUEUES
    assert 0.5 <= took < 0.5 + LATE


async def test_where_no_worker_ever_was_none_is_waited_for(
    never_any: tuple[int, str], ask_workers: AskWorkers
) -> None:
    port, name = never_any
    started = time.monotonic()
    reply = await ask_workers(port, vhost=name)

    assert isinstance(reply, CeleryReply), reply
    assert reply.workers == {}
    assert time.monotonic() - started < LATE


async def test_where_all_workers_have_left_none_is_waited_for(
    all_left: tuple[int, str], ask_workers: AskWorkers
) -> None:
    port, name = all_left
    started = time.monotonic()
    reply = await ask_workers(port, vhost=name)

    assert isinstance(reply, CeleryReply), reply
    assert reply.workers == {}
    assert time.monotonic() - started < LATE


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        ({"password": "wrong"}, Reason.AUTH_FAILED, "ACCESS_REFUSED - Login was refused"),
        ({"user": "nobody-here"}, Reason.AUTH_FAILED, "ACCESS_REFUSED - Login was refused"),
        ({"vhost": "nix"}, Reason.CONNECT_FAILED, "NOT_ALLOWED - vhost nix not found (code 530, during"),
    ],
    ids=str,
)
async def test_what_every_broker_refuses(
    all_there: int, ask_workers: AskWorkers, changes: dict[str, Any], reason: Reason, detail: str
) -> None:
    reply = await ask_workers(all_there, **changes)

    assert isinstance(reply, NoReply), reply
    assert (reply.reason, reply.answered) == (reason, True)
    assert reply.detail.startswith(f"127.0.0.1:{all_there}: {detail}")
    assert PASSWORD not in reply.detail


async def test_the_least_permissions_are_enough(staff: Staff, ask_workers: AskWorkers) -> None:
    reply = await ask_workers(staff.port, user="asker")

    assert isinstance(reply, CeleryReply), reply
    assert reply.workers == QUEUES


async def test_a_user_who_may_not_ask_workers(staff: Staff, ask_workers: AskWorkers) -> None:
    reply = await ask_workers(staff.port, user="limited")

    assert isinstance(reply, NoReply), reply
    assert reply.reason is Reason.AUTH_FAILED
    assert "ACCESS_REFUSED - access to exchange 'celery.pidbox' in vhost" in reply.detail


async def test_a_user_without_the_virtual_host(staff: Staff, ask_workers: AskWorkers) -> None:
    reply = await ask_workers(staff.port, user="stranger")

    assert isinstance(reply, NoReply), reply
    assert reply.reason is Reason.AUTH_FAILED
    assert "NOT_ALLOWED - access to vhost" in reply.detail


async def test_nothing_is_left_and_nothing_else_is_made(staff: Staff, ask_workers: AskWorkers) -> None:
    before, connections = staff.known(), staff.node.connections()
    for _ in range(3):
        assert isinstance(await ask_workers(staff.port, user="asker"), CeleryReply)
    assert isinstance(await ask_workers(staff.port, workers=("celery@nobody",), timeout=0.2), CeleryReply)

    wait_until(lambda: staff.node.connections() == connections, "the connections are closed", 5)
    wait_until(lambda: staff.known() == before, "everything is as before", 5)
    endings = [line for line in staff.node.log.splitlines() if "closing AMQP connection" in line]
    assert not [line for line in endings if "'asker'" in line and "[info]" not in line]


async def test_a_worker_that_is_cut_off_from_its_broker_does_not_answer(
    node: Rabbit, ask_workers: AskWorkers, tmp_path: Path
) -> None:
    async def ask(name: str) -> dict[str, Any]:
        reply = await ask_workers(node.port, vhost=name, workers=(FIRST,), timeout=1.0)
        assert isinstance(reply, CeleryReply), reply
        return dict(reply.workers)

    flowing = asyncio.Event()
    flowing.set()
    queues = {FIRST: QUEUES[FIRST]}
    with vhost(node, "cut") as name, contextlib.ExitStack() as running:
        async with breaking(_line(node.port, flowing)) as line:
            worker = await asyncio.to_thread(
                running.enter_context, started(tmp_path, line.port, name, queues)
            )
            assert await ask(name) == queues
            flowing.clear()  # the line is dead, and neither it nor its broker has taken note so far
            assert await ask(name) == {}
            flowing.set()
            assert await ask(name) == queues
        assert await ask(name) == {}  # both have taken note
        assert worker[FIRST].process.poll() is None
    wait_until(lambda: not using(tmp_path), "the worker is gone", 10)


def _line(port: int, flowing: asyncio.Event) -> Break:
    """Return a way that hands on to a real server and back, as long as that is set."""

    async def hand_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(2**16):
            await flowing.wait()
            sink.write(data)
            await sink.drain()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        ways = [asyncio.create_task(hand_on(reader, back)), asyncio.create_task(hand_on(there, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            back.transport.abort()

    return relay


async def test_celery_s_own_client_finds_the_simulated_workers(staff: Staff) -> None:
    program = (
        "import json, sys; from celery import Celery;"
        "print(json.dumps(Celery(broker=sys.argv[1]).control.inspect(timeout=3, limit=2).active_queues()))"
    )

    async def inspected(port: int) -> dict[str, Any]:
        url = f"amqp://app:{PASSWORD}@127.0.0.1:{port}/{VHOST}"
        client = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, url, stdout=subprocess.PIPE
        )
        said, _ = await asyncio.wait_for(client.communicate(), 30)
        found: dict[str, Any] = json.loads(said)
        return found

    real = await inspected(staff.port)
    async with simulated.served(simulated.staffed(*map(simulated.worker, QUEUES))) as port:
        assert await inspected(port) == real
