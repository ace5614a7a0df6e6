"""The password shows nowhere: not in a reply, a log record, a warning, nor in what is printed."""

import asyncio
import logging
import struct
import warnings

import pytest
from pamqp import commands, frame

from quorate.model import AmqpAsk, NoReply, PostgresAsk, Reason
from quorate.transports import services
from quorate.transports.errors import HostError
from services.breaking import Break, breaking, closed, mute, saying
from services.conftest import AskPostgres, AskRabbit, AskWorkers
from services.postgres import Postgres
from services.rabbit import VHOST, Rabbit

SECRET = "sEcret-4d1f'x\\y%s"


async def echo_password(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A PostgreSQL server that asks for the password in clear text and tells it in its refusal."""
    size = struct.unpack(">I", await reader.readexactly(4))[0]
    await reader.readexactly(size - 4)
    writer.write(b"R\0\0\0\x08\0\0\0\x03")
    size = struct.unpack(">xI", await reader.readexactly(5))[0]
    password = (await reader.readexactly(size - 4)).rstrip(b"\0")
    words = b"SFATAL\0VFATAL\0C28P01\0Mno: " + b"x" * 570 + password * 3 + b"\0\0"
    writer.write(b"E" + struct.pack(">I", len(words) + 4) + words)
    await reader.read()


async def echo_login(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A node that tells the password in its refusal."""
    await reader.readexactly(8)
    writer.write(frame.marshal(commands.Connection.Start(server_properties={}, mechanisms="PLAIN"), 0))
    kind, channel, size = struct.unpack(">BHI", await reader.readexactly(7))
    _, _, login = frame.unmarshal(
        struct.pack(">BHI", kind, channel, size) + await reader.readexactly(size + 1)
    )
    assert isinstance(login, commands.Connection.StartOk)
    password = str(login.response).split("\0")[2]
    writer.write(frame.marshal(commands.Connection.Close(403, f"not with {password}", 0, 0), 0))
    await reader.read()


@pytest.fixture
def everything(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> object:
    """Return what returns all that was logged, warned of and printed so far."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("asyncio").setLevel(logging.DEBUG)

    def said() -> str:
        out, err = capfd.readouterr()
        return caplog.text + out + err

    return said


async def test_no_database_password_shows(
    primary: Postgres, ask_database: AskPostgres, everything: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(everything)
    monkeypatch.setenv("PGSSLMODE", "disable")
    asyncio.get_running_loop().set_debug(True)
    replies = [
        await ask_database(primary.port, password=SECRET, user=user) for user in ("app", "ghost", SECRET)
    ]
    ways: list[Break] = [closed, mute, saying(b"R"), echo_password]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for way in ways:
            async with breaking(way) as server:
                replies.append(await ask_database(server.port, password=SECRET, connect_timeout=0.3))
    ask = PostgresAsk(
        host="h",
        port=1,
        database="d",
        user="u",
        password=SECRET,
        query="SELECT 1",
        connect_timeout=1.0,
        statement_timeout=1.0,
    )

    assert all(isinstance(reply, NoReply) for reply in replies)
    echoed = replies[-1]
    assert isinstance(echoed, NoReply)
    assert (echoed.reason, "***" in echoed.detail) == (Reason.AUTH_FAILED, True)
    told = f"{replies} {ask!r} {[str(w.message) for w in warned]} {everything()}"
    assert SECRET not in told
    assert SECRET[:8] not in told


async def test_no_broker_password_shows(node: Rabbit, ask_broker: AskRabbit, everything: object) -> None:
    assert callable(everything)
    asyncio.get_running_loop().set_debug(True)
    replies = [await ask_broker(node.port, password=SECRET, user=user) for user in ("app", "nobody", SECRET)]
    ways: list[Break] = [closed, mute, saying(b"\x01\0"), saying(SECRET.encode()), echo_login]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for way in ways:
            async with breaking(way) as server:
                replies.append(await ask_broker(server.port, password=SECRET, timeout=0.3))
    ask = AmqpAsk(host="h", port=1, vhost=VHOST, user="u", password=SECRET, timeout=1.0)

    assert all(isinstance(reply, NoReply) for reply in replies)
    echoed = replies[-1]
    assert isinstance(echoed, NoReply)
    assert (echoed.reason, echoed.detail[:12]) == (Reason.AUTH_FAILED, "not with ***")
    told = f"{replies} {ask!r} {[str(w.message) for w in warned]} {everything()}"
    assert SECRET not in told
    assert SECRET[:8] not in told


async def test_no_password_shows_of_who_asks_workers(ask_workers: AskWorkers) -> None:
    async with breaking(echo_login) as server, breaking(saying(SECRET.encode())) as other:
        reply = await ask_workers(server.port, other.port, password=SECRET, timeout=0.5)

    assert isinstance(reply, NoReply)
    assert (reply.reason, reply.detail.count("***")) == (Reason.AUTH_FAILED, 2)
    assert SECRET[:8] not in f"{reply}"


@pytest.mark.parametrize(
    ("error", "reason", "detail"),
    [
        (HostError(Reason.NAME_UNRESOLVED, "no name"), Reason.CONNECT_FAILED, "no name"),
        (HostError(Reason.INTERNAL_ERROR, "no files"), Reason.INTERNAL_ERROR, "no files"),
        (ValueError(f"at {SECRET}"), Reason.INTERNAL_ERROR, "ValueError: at ***"),
        (
            ImportError("no libpq"),
            Reason.UNSUPPORTED_KIND,
            "the library for this kind of check can't be loaded",
        ),
    ],
)
async def test_whatever_is_raised_becomes_a_value(error: Exception, reason: Reason, detail: str) -> None:
    async def fail() -> None:
        raise error

    reply = await services.answer_of(fail, secret=SECRET)

    assert isinstance(reply, NoReply)
    assert (reply.reason, reply.detail[: len(detail)]) == (reason, detail)
