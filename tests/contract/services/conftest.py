"""Servers that are started once for all tests, and the watch that no ask leaves anything behind."""

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

import pytest

from quorate.model import (
    AmqpAsk,
    AmqpReply,
    CeleryAsk,
    CeleryReply,
    NoReply,
    PostgresAsk,
    PostgresReply,
    Tls,
)
from quorate.simulation.services.state import Manner
from quorate.transports.amqp import ask_amqp
from quorate.transports.celery import ask_celery
from quorate.transports.postgresql import ask_postgresql
from services import postgres, rabbit, simulated, workers
from services.certificates import signed
from services.processes import wait_until


class AskPostgres(Protocol):
    """Ask a server on a port of this machine; what is not told is as in an inventory that says little."""

    async def __call__(self, port: int, /, **changes: Any) -> PostgresReply | NoReply: ...


class AskRabbit(Protocol):
    """Ask a node on a port of this machine; what is not told is as in an inventory that says little."""

    async def __call__(self, port: int, /, **changes: Any) -> AmqpReply | NoReply: ...


class AskWorkers(Protocol):
    """Ask the workers through brokers on ports of this machine; the tests' two of them unless told."""

    async def __call__(self, *ports: int, **changes: Any) -> CeleryReply | NoReply: ...


@pytest.fixture(scope="session")
def primary() -> Iterator[postgres.Postgres]:
    with postgres.primary() as server:
        yield server


@pytest.fixture(scope="session")
def standby(primary: postgres.Postgres) -> Iterator[postgres.Postgres]:
    with postgres.standby_of(primary) as server:
        yield server


@pytest.fixture(scope="session")
def node() -> Iterator[rabbit.Rabbit]:
    with rabbit.node() as server:
        yield server


BOTH = ("real", "simulated")
"""What every server answers alike is asked of the real one and of the simulated one."""


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest) -> AsyncIterator[int]:
    """The port of a database that can be written to."""
    if request.param == "real":
        yield request.getfixturevalue("primary").port
        return
    async with simulated.served(simulated.database()) as port:
        yield port


@pytest.fixture(params=BOTH)
async def replica(request: pytest.FixtureRequest) -> AsyncIterator[int]:
    """The port of a hot standby."""
    if request.param == "real":
        yield request.getfixturevalue("standby").port
        return
    async with simulated.served(simulated.database(Manner.STANDBY)) as port:
        yield port


@pytest.fixture(params=BOTH)
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[int]:
    """The port of a node that works."""
    if request.param == "real":
        yield request.getfixturevalue("node").port
        return
    async with simulated.served(simulated.node()) as port:
        yield port


@pytest.fixture(params=BOTH)
async def broker_with_alarm(request: pytest.FixtureRequest) -> AsyncIterator[int]:
    """The port of a node that is short of memory."""
    if request.param == "simulated":
        async with simulated.served(simulated.node(Manner.ALARM)) as port:
            yield port
        return
    node: rabbit.Rabbit = request.getfixturevalue("node")
    node.erlang("rabbit_alarm:set_alarm({{resource_limit, memory, node()}, []})")
    try:
        yield node.port
    finally:
        node.erlang("rabbit_alarm:clear_alarm({resource_limit, memory, node()})")
    wait_until(lambda: node.connections() == 0, "the connection is closed", 10)


@pytest.fixture
def ask_database() -> AskPostgres:
    async def ask(port: int, /, deadline: float = 30.0, **changes: Any) -> PostgresReply | NoReply:
        told: dict[str, Any] = {
            "host": "127.0.0.1",
            "user": "app",
            "password": postgres.PASSWORD,
            "database": "postgres",
            "query": "SELECT COUNT(*) FROM dag",
            "connect_timeout": 10.0,
            "statement_timeout": 10.0,
        }
        question = PostgresAsk(port=port, **(told | changes))
        return await ask_postgresql(question, deadline=asyncio.get_running_loop().time() + deadline)

    return ask


@pytest.fixture
def ask_broker() -> AskRabbit:
    async def ask(port: int, /, deadline: float = 30.0, **changes: Any) -> AmqpReply | NoReply:
        told: dict[str, Any] = {
            "host": "127.0.0.1",
            "user": "app",
            "password": rabbit.PASSWORD,
            "vhost": rabbit.VHOST,
            "timeout": 10.0,
        }
        question = AmqpAsk(port=port, **(told | changes))
        return await ask_amqp(question, deadline=asyncio.get_running_loop().time() + deadline)

    return ask


@pytest.fixture
def ask_workers() -> AskWorkers:
    async def ask(*ports: int, deadline: float = 30.0, **changes: Any) -> CeleryReply | NoReply:
        told: dict[str, Any] = {
            "brokers": tuple(("127.0.0.1", port) for port in ports),
            "vhost": workers.VHOST,
            "user": "app",
            "password": rabbit.PASSWORD,
            "workers": tuple(workers.QUEUES),
            "timeout": 10.0,
        }
        question = CeleryAsk(**(told | changes))
        return await ask_celery(question, deadline=asyncio.get_running_loop().time() + deadline)

    return ask


@pytest.fixture(scope="session")
def web_tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Tls]:
    """What a server that speaks TLS shows, and how it is trusted."""
    folder = tmp_path_factory.mktemp("web")
    authority = signed(folder, "authority", names=())
    return signed(folder, "server", by=authority).server(), Tls(ca_file=str(authority.file))


@pytest.fixture(autouse=True)
async def nothing_is_left() -> AsyncIterator[None]:
    """Fail a test after which a file, a socket or a task is left that was not there before it."""
    files, tasks = _open_files(), asyncio.all_tasks()
    yield
    for _ in range(50):
        if _open_files() <= files and asyncio.all_tasks() <= tasks | {asyncio.current_task()}:
            return
        await asyncio.sleep(0.01)  # the broken servers' own sockets are closed by the loop, in its own time
    left = {number: os.readlink(f"/proc/self/fd/{number}") for number in _open_files() - files}  # noqa: PTH115  no Path
    pytest.fail(f"left open: {left}; left running: {asyncio.all_tasks() - tasks}")


def _open_files() -> set[str]:
    found = set()
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208  numbers, not paths
        with contextlib.suppress(OSError):  # the one that lists them
            os.fstat(int(number))
            found.add(number)
    return found
