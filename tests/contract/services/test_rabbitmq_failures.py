"""How a RabbitMQ node fails to answer, and that nothing is left of it."""

import asyncio
import re
import time

import pytest
from pamqp import commands, frame

from quorate.model import AmqpReply, NoReply, Reason
from quorate.simulation.services.state import Manner
from services import simulated
from services.breaking import Break, Breaking, between, breaking, closed, endless, mute, reset, saying
from services.conftest import AskRabbit
from services.processes import eventually, free_ports, wait_until
from services.rabbit import Rabbit

_HEARTBEAT = b"\x08\0\0\0\0\0\0\xce"
_LATE = 1.5  # seconds that a loaded machine may add to a limit


def _start(**properties: str) -> bytes:
    return frame.marshal(commands.Connection.Start(server_properties={}, **properties), 0)  # type: ignore[arg-type]  # a frame's fields


async def test_nobody_listens(ask_broker: AskRabbit) -> None:
    (port,) = free_ports(1)

    reply = await ask_broker(port)

    assert isinstance(reply, NoReply)
    assert reply.reason is Reason.CONNECT_FAILED
    assert reply.detail == f"no TCP connection to 127.0.0.1:{port}: Connection refused"


@pytest.mark.parametrize(
    ("how", "reason", "detail"),
    [
        (closed, Reason.CONNECT_FAILED, "the connection"),
        (reset, Reason.CONNECT_FAILED, "the connection broke during the greeting: Connection reset by peer"),
        (
            saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            Reason.CONNECT_FAILED,
            "what answers does not speak AMQP; it sent: HTTP/1.1 400 Bad Request",
        ),
        (
            saying(b"SSH-2.0-OpenSSH_9.2\x1b[2J\r\n"),
            Reason.CONNECT_FAILED,
            "what answers does not speak AMQP; it sent: SSH-2.0-OpenSSH_9.2",
        ),
        (saying(b"AMQP\0\x01\0\0"), Reason.CONNECT_FAILED, "the node speaks AMQP 1-0-0, not 0-9-1"),
        (saying(b"\x15\x03\x01\0\x02\x02\x28"), Reason.CONNECT_FAILED, "the port wants TLS"),
        (saying(b"\xff" * 4000), Reason.CONNECT_FAILED, "what answers does not speak AMQP"),
        (
            saying(b"\x01\0\0\xff\xff\xff\xff"),
            Reason.CONNECT_FAILED,
            "what answers does not speak AMQP; it sent: a fr",
        ),
        (
            saying(b"\x01\0\0\0\0\0\x04\0\x0a\0\x0a\x00"),
            Reason.CONNECT_FAILED,
            "what answers does not speak AMQP",
        ),
        (
            saying(b"\x01\0\0\0\0\0\x04\0\x0a\0\x0a\xce"),
            Reason.CONNECT_FAILED,
            "what answers does not speak AMQP",
        ),
        (
            saying(b"\x01\0\0\0\0\0\x04\xff\xff\0\x0a\xce"),
            Reason.CONNECT_FAILED,
            "what answers does not speak AMQP",
        ),
        (
            saying(frame.marshal(commands.Connection.OpenOk(), 0)),
            Reason.CONNECT_FAILED,
            "an answer out of turn",
        ),
        (
            saying(_start(mechanisms="EXTERNAL")),
            Reason.AUTH_FAILED,
            "the node offers no login by password (PLAIN)",
        ),
        (endless(b"\xff"), Reason.CONNECT_FAILED, "what answers does not speak AMQP"),
        (
            endless(b"x", first=b"\x01\0\0\x00\x01\xff\xff"),
            Reason.CONNECT_FAILED,
            "what answers does not speak AMQP",
        ),
        (endless(_HEARTBEAT), Reason.TIMEOUT, "no answer within 0.3 s during the greeting"),
        (mute, Reason.TIMEOUT, "no answer within 0.3 s during the greeting"),
        (saying(b"AMQ"), Reason.TIMEOUT, "no answer within 0.3 s during the greeting"),
        (saying(_start(mechanisms="PLAIN")), Reason.TIMEOUT, "no answer within 0.3 s during the login"),
    ],
    ids=[
        *("closed", "reset", "http", "ssh", "amqp-1", "tls-alert", "garbage", "huge-frame", "no-frame-end"),
        *("empty-start", "unknown-method", "out-of-turn", "no-passwords", "endless-garbage", "endless-frame"),
        *("endless-heartbeats", "mute", "mute-in-the-middle", "mute-after-the-greeting"),
    ],
)
async def test_what_is_no_node(ask_broker: AskRabbit, how: Break, reason: Reason, detail: str) -> None:
    async with breaking(how) as server:
        started = time.monotonic()
        reply = await ask_broker(server.port, timeout=0.3)
        took = time.monotonic() - started

    assert isinstance(reply, NoReply)
    # It says how long it took, which is a bit more than the limit on a machine that is busy.
    said = re.sub(r"within 0\.[3-9] s", "within 0.3 s", reply.detail)
    assert (reply.reason, said[: len(detail)]) == (reason, detail)
    assert "\x1b" not in reply.detail
    assert took < 0.6 + _LATE


@pytest.mark.parametrize(
    ("manner", "reason", "answered"),
    [
        (Manner.REFUSED, Reason.CONNECT_FAILED, True),
        (Manner.SILENT, Reason.TIMEOUT, False),
        (Manner.MUTE, Reason.TIMEOUT, True),
        (Manner.NO_BACKEND, Reason.CONNECT_FAILED, True),
        (Manner.CLOSES, Reason.CONNECT_FAILED, True),
        (Manner.SLOW, Reason.TIMEOUT, True),
        (Manner.WRONG_PASSWORD, Reason.AUTH_FAILED, True),
        (Manner.NO_DATABASE, Reason.CONNECT_FAILED, True),
        (Manner.NACKS, Reason.QUERY_FAILED, True),
    ],
)
async def test_how_the_simulated_node_is_ill(
    ask_broker: AskRabbit, manner: Manner, reason: Reason, answered: bool
) -> None:
    async with simulated.served(simulated.node(manner)) as port:
        reply = await ask_broker(port, timeout=0.4, round_trip=True)

    assert isinstance(reply, NoReply), reply
    assert (reply.reason, reply.answered) == (reason, answered)


async def test_a_deadline_that_comes_sooner_than_the_limit(ask_broker: AskRabbit) -> None:
    async with breaking(mute) as server:
        started = time.monotonic()
        reply = await ask_broker(server.port, deadline=0.2)
        late = await ask_broker(server.port, deadline=-1.0)
        took = time.monotonic() - started

    for one in (reply, late):
        assert isinstance(one, NoReply)
        assert one.reason is Reason.TIMEOUT, one
    assert took < 0.2 + _LATE


async def test_an_answer_that_comes_a_byte_at_a_time(node: Rabbit, ask_broker: AskRabbit) -> None:
    """Each step has its limit, and all of them together have twice that."""
    async with breaking(between(node.port, pause=0.001)) as proxy:
        started = time.monotonic()
        reply = await ask_broker(proxy.port, timeout=0.3)
        took = time.monotonic() - started

    assert isinstance(reply, NoReply)
    assert reply.reason is Reason.TIMEOUT
    assert took < 0.6 + _LATE


async def test_a_connection_that_breaks_anywhere(node: Rabbit, ask_broker: AskRabbit) -> None:
    whole = Breaking()
    async with breaking(between(node.port, count=whole)) as proxy:
        assert isinstance(await ask_broker(proxy.port, round_trip=True), AmqpReply)
    goodbye = whole.seen.rindex(frame.marshal(commands.Connection.CloseOk(), 0))
    for cut in [*range(1, goodbye, 17), goodbye - 1]:
        async with breaking(between(node.port, cut=cut)) as proxy:
            reply = await ask_broker(proxy.port, round_trip=True)
        assert isinstance(reply, NoReply), f"cut after {cut} of {goodbye} bytes: {reply}"
        assert reply.reason is Reason.CONNECT_FAILED, f"cut after {cut} of {goodbye} bytes: {reply}"
    wait_until(lambda: node.connections() == 0, "the connections are closed", 5)
    wait_until(lambda: node.queues() == 1, "the queues are deleted", 5)


async def test_a_goodbye_that_is_not_answered_changes_nothing(node: Rabbit, ask_broker: AskRabbit) -> None:
    whole = Breaking()
    async with breaking(between(node.port, count=whole)) as proxy:
        assert isinstance(await ask_broker(proxy.port), AmqpReply)
    goodbye = whole.seen.rindex(frame.marshal(commands.Connection.CloseOk(), 0))
    for broken in (between(node.port, cut=goodbye), between(node.port, stall=goodbye)):
        async with breaking(broken) as proxy:
            started = time.monotonic()
            reply = await ask_broker(proxy.port)
            took = time.monotonic() - started
        assert isinstance(reply, AmqpReply), reply
        assert took < 1.0 + _LATE


@pytest.mark.parametrize("after", [0, 10, 500])
async def test_a_cancelled_ask_ends_at_once(node: Rabbit, ask_broker: AskRabbit, after: int) -> None:
    async with breaking(between(node.port, stall=after)) as proxy:
        task = asyncio.create_task(ask_broker(proxy.port, round_trip=True))
        await eventually(lambda: proxy.connections, "the connection is there")
        await asyncio.sleep(0.1)
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        took = time.monotonic() - started

    assert took < 0.5
    wait_until(lambda: node.connections() == 0, "the connection is closed", 5)
