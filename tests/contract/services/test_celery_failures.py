"""How brokers fail to ask workers, what hostile workers answer, and that nothing is left of it."""

import asyncio
import contextlib
import itertools
import json
import sys
import textwrap
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

import pika
import pytest
from pamqp import commands, frame

from quorate.model import CeleryReply, NoReply, Reason
from quorate.simulation.services.state import Manner
from services import rabbit, simulated
from services.breaking import Break, Breaking, between, breaking, closed, mute, saying
from services.conftest import AskWorkers
from services.processes import eventually, free_ports, wait_until
from services.rabbit import PASSWORD, Rabbit
from services.workers import QUEUES, VHOST, vhost

FIRST, SECOND = QUEUES
LATE = 1.5  # seconds that a loaded machine may add to a limit
STAFF = simulated.staffed(*map(simulated.worker, QUEUES))
Hostile = tuple[bytes, dict[str, Any]]


async def test_the_first_broker_that_answers_is_asked_through(ask_workers: AskWorkers) -> None:
    nobody, nobody_else = free_ports(2)
    async with simulated.served(STAFF) as port, breaking(closed) as cut, breaking(mute) as silent:
        after_failures = await ask_workers(nobody, cut.port, port, timeout=5.0)
        started = time.monotonic()
        after_silence = await ask_workers(silent.port, port, nobody_else, timeout=0.5)
        took = time.monotonic() - started
        before_silence = await ask_workers(port, silent.port)

    for reply in (after_failures, after_silence, before_silence):
        assert isinstance(reply, CeleryReply), reply
        assert reply.workers == QUEUES
    assert 0.5 <= took < 0.5 + LATE
    assert silent.connections == 1


async def test_brokers_that_all_fail_are_told_each(ask_workers: AskWorkers) -> None:
    (nobody,) = free_ports(1)
    wrong = simulated.staffed(manner=Manner.WRONG_PASSWORD)
    async with simulated.served(wrong) as one, simulated.served(wrong) as two, breaking(mute) as silent:
        refusing = await ask_workers(nobody, one, two, timeout=5.0)
        unheard = await ask_workers(silent.port, nobody, timeout=0.3)
        gone = await ask_workers(nobody)

    assert isinstance(refusing, NoReply)
    assert refusing.reason is Reason.AUTH_FAILED
    assert refusing.detail == (
        f"no TCP connection to 127.0.0.1:{nobody}: Connection refused; 127.0.0.1:{one}, 127.0.0.1:{two}:"
        " ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker"
        " logfile. (code 403, during the login)"
    )
    assert isinstance(unheard, NoReply)
    assert (unheard.reason, unheard.answered) == (Reason.CONNECT_FAILED, True)
    assert f"127.0.0.1:{silent.port}: no answer within 0." in unheard.detail
    assert isinstance(gone, NoReply)
    assert gone.detail == f"no TCP connection to 127.0.0.1:{nobody}: Connection refused"


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
        (Manner.ALARM, Reason.TIMEOUT, True),
    ],
)
async def test_how_a_broker_is_ill(
    ask_workers: AskWorkers, manner: Manner, reason: Reason, answered: bool
) -> None:
    node = simulated.staffed(*map(simulated.worker, QUEUES), manner=manner)
    async with simulated.served(node) as port:
        reply = await ask_workers(port, port, timeout=0.4)

    assert isinstance(reply, NoReply), reply
    assert (reply.reason, reply.answered) == (reason, answered)


@pytest.mark.parametrize(
    ("how", "detail"),
    [
        (saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "what answers does not speak AMQP; it sent: HTTP/1.1"),
        (saying(b"\x15\x03\x01\0\x02\x02\x28"), "the port wants TLS"),
        (saying(b"\xff" * 4000), "what answers does not speak AMQP"),
    ],
    ids=["http", "tls", "garbage"],
)
async def test_what_is_no_broker(ask_workers: AskWorkers, how: Break, detail: str) -> None:
    async with breaking(how) as server:
        reply = await ask_workers(server.port, timeout=1.0)

    assert isinstance(reply, NoReply)
    assert reply.reason is Reason.CONNECT_FAILED
    assert detail in reply.detail


async def test_a_broker_with_an_alarm_takes_no_broadcast(
    broker_with_alarm: int, ask_workers: AskWorkers
) -> None:
    reply = await ask_workers(broker_with_alarm, vhost=rabbit.VHOST, timeout=0.5)

    assert isinstance(reply, NoReply), reply
    assert reply.reason is Reason.TIMEOUT
    assert "the node takes no messages at the moment: low on memory; no answer within 0." in reply.detail
    assert reply.detail.endswith("during the broadcast to the workers")


async def test_names_that_amqp_can_t_carry(ask_workers: AskWorkers) -> None:
    async with simulated.served(STAFF) as port:
        reply = await ask_workers(port, vhost="x" * 300)

    assert isinstance(reply, NoReply)
    assert (reply.reason, "a name that AMQP can't carry" in reply.detail) == (Reason.CONNECT_FAILED, True)


async def test_a_broker_that_dies_while_workers_are_waited_for_proves_nothing(
    ask_workers: AskWorkers,
) -> None:
    """Silence of the workers is told from the broker's by a last sign of it."""
    whole = Breaking()
    one = simulated.staffed(simulated.worker(FIRST), simulated.worker(SECOND, None))
    async with simulated.served(one) as port:
        async with breaking(between(port, count=whole)) as proxy:
            reply = await ask_workers(proxy.port, timeout=0.3)
            assert isinstance(reply, CeleryReply), reply
            assert reply.workers == {FIRST: QUEUES[FIRST]}
        last = whole.seen.rindex(frame.marshal(commands.Basic.CancelOk("quorate"), 1))
        for how in (between(port, stall=last), between(port, cut=last)):
            async with breaking(how) as proxy:
                reply = await ask_workers(proxy.port, timeout=0.3)
            assert isinstance(reply, NoReply), reply
            assert reply.reason in (Reason.TIMEOUT, Reason.CONNECT_FAILED)


async def test_a_connection_that_breaks_anywhere(ask_workers: AskWorkers) -> None:
    whole = Breaking()
    async with simulated.served(STAFF) as port:
        async with breaking(between(port, count=whole)) as proxy:
            assert isinstance(await ask_workers(proxy.port), CeleryReply)
        goodbye = whole.seen.rindex(frame.marshal(commands.Connection.CloseOk(), 0))
        for cut in [*range(1, goodbye, 41), goodbye - 1]:
            async with breaking(between(port, cut=cut)) as proxy:
                reply = await ask_workers(proxy.port)
            where = f"cut after {cut} of {goodbye} bytes: {reply}"
            # The broadcast is confirmed behind the answers: until then, another broker may know better.
            assert isinstance(reply, NoReply), where
            assert reply.reason is Reason.CONNECT_FAILED, where


async def test_a_deadline_that_comes_sooner_than_the_limit(ask_workers: AskWorkers) -> None:
    missing = simulated.staffed(simulated.worker(FIRST, None))
    async with simulated.served(missing) as port, breaking(mute) as silent:
        started = time.monotonic()
        reply = await ask_workers(port, deadline=0.4)
        late = await ask_workers(silent.port, deadline=-1.0)
        took = time.monotonic() - started

    for one in (reply, late):  # nobody had the time that was granted, so nobody is missing
        assert isinstance(one, NoReply), one
        assert one.reason is Reason.TIMEOUT
    assert took < 0.4 + LATE


async def test_a_cancelled_ask_ends_at_once_and_leaves_nothing(node: Rabbit, ask_workers: AskWorkers) -> None:
    with vhost(node) as name, _hostile(node, name, ()):
        before, connections = node.queues(), node.connections()
        task = asyncio.create_task(ask_workers(node.port))
        await eventually(lambda: node.queues() == before + 1, "the queue is declared")
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        took = time.monotonic() - started
        wait_until(lambda: node.connections() == connections, "the connection is closed", 5)
        wait_until(lambda: node.queues() == before, "the queue is deleted", 5)

    assert took < 0.5


async def test_an_ask_in_the_middle_of_which_we_are_killed_leaves_nothing(node: Rabbit) -> None:
    program = textwrap.dedent(
        f"""
        import asyncio
        from quorate.model import CeleryAsk
        from quorate.transports.celery import ask_celery
        ask = CeleryAsk(
            brokers=(("127.0.0.1", {node.port}),), vhost={VHOST!r}, user="asker", password={PASSWORD!r},
            workers=("celery@nobody",), timeout=20,
        )
        asyncio.run(ask_celery(ask, deadline=1e9))
        """
    )
    with vhost(node) as name, _hostile(node, name, ()):
        before, connections = node.queues(), node.connections()
        monitor = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
        await eventually(lambda: node.queues() == before + 1, "the queue is declared")
        monitor.kill()
        await monitor.wait()
        wait_until(lambda: node.connections() == connections, "the connection is closed", 5)
        wait_until(lambda: node.queues() == before, "the queue is deleted", 5)


GOOD = json.dumps({FIRST: [{"name": "default"}, {"name": "other"}]}).encode()


@pytest.mark.parametrize(
    "answers",
    [
        [(b"", {}), (b"\xff\xfe{}", {}), (b"null", {}), (b"[]", {}), (b"{}", {}), (b"NaN", {}), (b'"x"', {})],
        [(b'{"a": [], "b": []}', {}), (b"<html>", {}), (b"[" * 100_000, {}), (b'{"a":' * 50_000, {})],
        [(b"9" * 900_000, {}), (b'{"celery@x": [' + b" " * 2**21 + b"]}", {})],
        [(b"(dp0\n.", {"content_type": "application/x-python-serialize"}), (GOOD[:-1], {})],
        [(GOOD.replace(b"celery-1", b"else"), {"headers": {"ticket": "another"}}), (b"", {"headers": {}})],
        [(b"x", {"headers": {"ticket": [1, {"a": None}]}}), (b"", {"content_type": "\x00"})],
    ],
    ids=["no-object", "nested", "huge", "other-content", "other-ticket", "odd-headers"],
)
async def test_what_makes_no_sense_is_passed_over(
    node: Rabbit, ask_workers: AskWorkers, answers: list[Hostile]
) -> None:
    with vhost(node) as name, _hostile(node, name, [*answers, (GOOD, {})]):
        reply = await ask_workers(node.port, workers=(FIRST,))

    assert isinstance(reply, CeleryReply), reply
    assert reply.workers == {FIRST: ("default", "other")}
    assert reply.without_queues == ()
    assert reply.unreadable <= len(answers)


async def test_answers_that_name_nobody_s_queues(node: Rabbit, ask_workers: AskWorkers) -> None:
    told = {
        "celery@error": {"error": "KeyError('token=s3cret')"},
        "celery@text": "s3cret",
        "celery@numbers": [1, 2],
        "celery@nameless": [{"routing_key": "s3cret"}],
        "celery@numbered": [{"name": 5}],
        "celery@null": None,
        "celery@\x1b[2J\nx\ud800": [{"name": "\x1b]0;q\x07\udfffqueue"}],
        "celery@" + "y" * 5_000: [],
        FIRST: [{"name": f"q{number}"} for number in range(3_000)],
    }
    answers = [(json.dumps({name: said}).encode(), {}) for name, said in told.items()]
    with vhost(node) as name, _hostile(node, name, answers):
        reply = await ask_workers(node.port, workers=(FIRST,))

    assert isinstance(reply, CeleryReply), reply
    assert reply.without_queues == tuple(told)[:6]
    odd, long, first = reply.workers
    assert (odd, reply.workers[odd]) == ("celery@ / x", ("queue",))
    assert (len(long), long[-1]) == (257, "…")
    assert len(reply.workers[first]) == 1_000
    assert "s3cret" not in repr(reply)


async def test_a_flood_of_answers_is_bounded_and_holds_up_nobody(
    node: Rabbit, ask_workers: AskWorkers
) -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.005)

    others = asyncio.create_task(turn())
    with vhost(node) as name, _hostile(node, name, itertools.repeat((b"{}", {}), 15_000)):
        reply = await ask_workers(node.port, workers=(FIRST,), timeout=20.0)
    others.cancel()

    assert isinstance(reply, NoReply), reply
    assert reply.reason is Reason.UNPARSABLE
    assert "more came back than any workers say: 10001 messages" in reply.detail
    assert turns > 10


@contextlib.contextmanager
def _hostile(node: Rabbit, vhost: str, answers: Iterable[Hostile]) -> Iterator[None]:
    """Yield while somebody listens to broadcasts as workers do, and gives all these answers to the first."""
    login = pika.PlainCredentials("app", PASSWORD)
    place = pika.ConnectionParameters("127.0.0.1", node.port, vhost, login)
    connection = pika.BlockingConnection(place)
    channel = connection.channel()
    channel.exchange_declare("celery.pidbox", "fanout")
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(queue, "celery.pidbox")

    def answer(_channel: Any, _deliver: Any, _properties: Any, body: bytes) -> None:
        asked = json.loads(body)
        assert asked["method"] == "active_queues"
        for said, told in answers:
            properties = {"content_type": "application/json", "headers": {"ticket": asked["ticket"]}} | told
            key = asked["reply_to"]["routing_key"]
            channel.basic_publish(
                asked["reply_to"]["exchange"], key, said, pika.BasicProperties(**properties)
            )

    channel.basic_consume(queue, answer, auto_ack=True)
    listening = threading.Thread(target=channel.start_consuming)
    listening.start()
    try:
        yield
    finally:
        connection.add_callback_threadsafe(channel.stop_consuming)
        listening.join(20)
        connection.close()
