"""What a RabbitMQ node answers: to a login, and to a message that makes the round trip."""

import asyncio
import sys
import textwrap
import time
from typing import Any

import pytest

from quorate.model import AmqpReply, NoReply, Reason
from services.breaking import between, breaking
from services.conftest import AskRabbit
from services.processes import eventually, wait_until
from services.rabbit import PASSWORD, VHOST, Rabbit


async def test_every_node_lets_in_and_takes_a_message(broker: int, ask_broker: AskRabbit) -> None:
    login, told = await ask_broker(broker), await ask_broker(broker, round_trip=True)

    for reply in (login, told):
        assert isinstance(reply, AmqpReply), reply
        assert (reply.product, reply.version.split(".")[0]) == ("RabbitMQ", "3")
        assert (reply.cluster or "").startswith("quorate@")


async def test_a_login_tells_what_answered(node: Rabbit, ask_broker: AskRabbit) -> None:
    reply = await ask_broker(node.port)

    assert isinstance(reply, AmqpReply), reply
    assert reply.product == "RabbitMQ"
    assert reply.version == node.erlang("list_to_atom(rabbit_misc:version())").strip("'")
    assert (reply.cluster or "").startswith("quorate@")
    assert 0 < reply.duration < 10


async def test_a_message_makes_the_round_trip_and_leaves_nothing(node: Rabbit, ask_broker: AskRabbit) -> None:
    before = node.queues()
    reply = await ask_broker(node.port, round_trip=True)

    assert isinstance(reply, AmqpReply), reply
    wait_until(lambda: node.connections() == 0, "the connection is closed", 5)
    wait_until(lambda: node.queues() == before, "the queue is deleted", 5)


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        (
            {"password": "wrong"},
            Reason.AUTH_FAILED,
            "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.",
        ),
        ({"user": "nobody-here"}, Reason.AUTH_FAILED, "ACCESS_REFUSED - Login was refused"),
        ({"password": ""}, Reason.AUTH_FAILED, "ACCESS_REFUSED - Login was refused"),
        (
            {"vhost": "nix"},
            Reason.CONNECT_FAILED,
            "NOT_ALLOWED - vhost nix not found (code 530, during the opening of the virtual host nix)",
        ),
    ],
    ids=str,
)
async def test_what_every_node_refuses(
    broker: int, ask_broker: AskRabbit, changes: dict[str, Any], reason: Reason, detail: str
) -> None:
    reply = await ask_broker(broker, **changes)

    assert isinstance(reply, NoReply), reply
    assert (reply.reason, reply.detail[: len(detail)]) == (reason, detail)
    assert reply.answered


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        (
            {"user": "stranger"},
            Reason.AUTH_FAILED,
            f"NOT_ALLOWED - access to vhost '{VHOST}' refused for user 'stranger' (code 530, during",
        ),
        ({"vhost": "x" * 300}, Reason.CONNECT_FAILED, "a name that AMQP can't carry: "),
        (
            {"user": "limited", "round_trip": True},
            Reason.AUTH_FAILED,
            "ACCESS_REFUSED - access to queue 'amq.gen-",
        ),
        (
            {"user": "limited-to-reading", "round_trip": True},
            Reason.AUTH_FAILED,
            "ACCESS_REFUSED - access to exchange 'amq.default' in vhost",
        ),
        ({"host": "nix.invalid"}, Reason.CONNECT_FAILED, "the name nix.invalid is not resolved: "),
    ],
    ids=str,
)
async def test_the_nodes_own_words_come_first(
    node: Rabbit, ask_broker: AskRabbit, changes: dict[str, Any], reason: Reason, detail: str
) -> None:
    reply = await ask_broker(node.port, **changes)

    assert isinstance(reply, NoReply), reply
    assert (reply.reason, reply.detail[: len(detail)]) == (reason, detail)
    assert "\n" not in reply.detail
    wait_until(lambda: node.connections() == 0, "the connection is closed", 5)


async def test_a_user_who_may_only_log_in_is_enough_for_a_login(node: Rabbit, ask_broker: AskRabbit) -> None:
    for user in ("limited", "limited-to-reading"):
        assert isinstance(await ask_broker(node.port, user=user), AmqpReply)


async def test_a_name_is_resolved(node: Rabbit, ask_broker: AskRabbit) -> None:
    assert isinstance(await ask_broker(node.port, host="localhost"), AmqpReply)


async def test_the_port_for_tls(node: Rabbit, ask_broker: AskRabbit) -> None:
    reply = await ask_broker(node.tls_port)

    assert isinstance(reply, NoReply)
    assert (reply.reason, reply.detail[:21]) == (Reason.CONNECT_FAILED, "the port wants TLS, w")


async def test_a_node_with_an_alarm_logs_in_but_takes_no_messages(
    broker_with_alarm: int, ask_broker: AskRabbit
) -> None:
    login = await ask_broker(broker_with_alarm)
    started = time.monotonic()
    reply = await ask_broker(broker_with_alarm, round_trip=True, timeout=0.5)
    took = time.monotonic() - started

    assert isinstance(login, AmqpReply)
    assert isinstance(reply, NoReply)
    assert reply.reason is Reason.TIMEOUT
    assert reply.detail.startswith(
        "the node takes no messages at the moment: low on memory; no answer within 0.5 s"
    )
    assert took < 1.0 + 1.5


async def test_an_alarm_that_is_over_is_over(node: Rabbit, ask_broker: AskRabbit) -> None:
    node.erlang("rabbit_alarm:set_alarm({{resource_limit, memory, node()}, []})")
    try:
        during = await ask_broker(node.port, round_trip=True, timeout=0.3)
    finally:
        node.erlang("rabbit_alarm:clear_alarm({resource_limit, memory, node()})")
    after = await ask_broker(node.port, round_trip=True)

    assert (isinstance(during, NoReply), isinstance(after, AmqpReply)) == (True, True)
    wait_until(lambda: node.connections() == 0, "the connection is closed", 10)


async def test_a_round_trip_in_the_middle_of_which_we_are_killed_leaves_nothing(node: Rabbit) -> None:
    program = textwrap.dedent(
        f"""
        import asyncio
        from quorate.model import AmqpAsk
        from quorate.transports.amqp import ask_amqp
        ask = AmqpAsk(
            host="127.0.0.1", port=%d, user="app", password={PASSWORD!r}, vhost={VHOST!r}, timeout=20,
            round_trip=True,
        )
        asyncio.run(ask_amqp(ask, deadline=1e9))
        """
    )
    before = node.queues()
    async with breaking(between(node.port, withhold=b"\0\x3c\0\x28")) as proxy:
        monitor = await asyncio.create_subprocess_exec(sys.executable, "-c", program % proxy.port)
        await eventually(lambda: node.queues() == before + 1, "the queue is declared")
        monitor.kill()
        await monitor.wait()

    wait_until(lambda: node.connections() == 0, "the connection is closed", 5)
    wait_until(lambda: node.queues() == before, "the queue is deleted", 5)


async def test_many_asks_leave_no_connection_and_no_complaint(node: Rabbit, ask_broker: AskRabbit) -> None:
    for number in range(100):
        reply = await ask_broker(node.port, user="polite", round_trip=number % 2 == 0)
        assert isinstance(reply, AmqpReply), reply
    wait_until(lambda: node.connections() == 0, "the connections are closed", 5)
    wait_until(lambda: len(_closings(node)) == 100, "the node has logged every end", 10)
    assert node.queues() == 1
    assert not [line for line in _closings(node) if "[info]" not in line]


def _closings(node: Rabbit) -> list[str]:
    """Return what the node logged of connections that ended: at level info where all went as it should."""
    return [
        line for line in node.log.splitlines() if "closing AMQP connection" in line and "'polite'" in line
    ]


async def test_many_asks_at_once(node: Rabbit, ask_broker: AskRabbit) -> None:
    replies = await asyncio.gather(*(ask_broker(node.port, round_trip=True) for _ in range(20)))

    assert all(isinstance(reply, AmqpReply) for reply in replies), replies
