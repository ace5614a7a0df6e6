"""One door for all services: which way an ask goes, where to, and whether anything answered there."""

import asyncio
import math
import subprocess
import sys

import pytest

from quorate.model import AmqpAsk, CeleryAsk, NoReply, PostgresAsk, Reason, ServiceAsk
from quorate.transports import Transport, services
from quorate.transports.errors import HostError

DECLARED = ("192.0.2.210", 5000)


def ask_of(kind: str, host: str, port: int) -> ServiceAsk:
    if kind == "rabbitmq":
        return AmqpAsk(host=host, port=port, vhost="/", user="u", password="p", timeout=1.0)
    if kind == "celery":
        return CeleryAsk(
            brokers=((host, port),), vhost="/", user="u", password="p", workers=("celery@a",), timeout=1.0
        )
    return PostgresAsk(
        host=host,
        port=port,
        database="d",
        user="u",
        password="p",
        query="SELECT 1",
        connect_timeout=1.0,
        statement_timeout=1.0,
    )


@pytest.mark.parametrize(
    ("kind", "greeting"),
    [
        ("postgresql", b"\0\0\0\x08\x04\xd2\x16\x2f"),
        ("rabbitmq", b"AMQP\0\0\x09\x01"),
        ("celery", b"AMQP\0\0\x09\x01"),
    ],
)
async def test_an_ask_goes_its_kind_s_way_to_where_the_service_really_listens(
    kind: str, greeting: bytes
) -> None:
    heard = bytearray()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await reader.read(8))
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        place = server.sockets[0].getsockname()[:2]
        async with Transport({}, resolve=lambda _: "", services={DECLARED: place}) as transport:
            reply = await transport.ask_service(ask_of(kind, *DECLARED), deadline=math.inf)
            elsewhere = await transport.ask_service(ask_of(kind, "127.0.0.1", 1), deadline=math.inf)
    assert isinstance(reply, NoReply)
    assert (reply.reason, reply.answered) == (Reason.CONNECT_FAILED, True)
    assert bytes(heard[:8]) == greeting
    assert isinstance(elsewhere, NoReply)
    assert "Connection refused" in elsewhere.detail


@pytest.mark.parametrize("kind", ["postgresql", "rabbitmq", "celery"])
@pytest.mark.parametrize(
    ("host", "answered"), [("127.0.0.1", True), ("255.255.255.255", False), ("nix.invalid", False)]
)
async def test_a_refusal_is_an_answer_and_a_missing_way_is_none(kind: str, host: str, answered: bool) -> None:
    async with Transport({}, resolve=lambda _: "") as transport:
        reply = await transport.ask_service(ask_of(kind, host, 1), deadline=math.inf)
    assert isinstance(reply, NoReply)
    assert (reply.reason, reply.answered) == (Reason.CONNECT_FAILED, answered), reply


@pytest.mark.parametrize("answered", [True, False])
async def test_what_a_way_knows_of_an_answer_is_kept(answered: bool) -> None:
    async def fail() -> None:
        raise HostError(Reason.TIMEOUT, "silence", answered=answered)

    reply = await services.answer_of(fail, secret="")
    assert isinstance(reply, NoReply)
    assert reply.answered is answered


def test_a_library_loads_beside_the_event_loop() -> None:
    program = """
import asyncio, sys, threading
from quorate.transports.services import load
class Watch:
    def find_spec(self, name, *rest):
        if name in ("psycopg", "pamqp"):
            print(name, threading.current_thread() is threading.main_thread())
sys.meta_path.insert(0, Watch())
async def main():
    await asyncio.gather(*(load("quorate.transports.postgresql_query") for _ in range(3)))
    await load("quorate.transports.amqp_session")
    await load("quorate.transports.there_is_no_such_module")
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["psycopg False", "pamqp False", ""]
