"""What is said to a RabbitMQ node: the login, a queue of our own, a message's round trip, the goodbye.

AMQP 0-9-1 ──► ◄── start      start-ok ──► ◄── tune      tune-ok, open ──► ◄── open-ok
"""

import asyncio
import contextlib
import secrets
from collections.abc import Mapping

from pamqp.body import ContentBody
from pamqp.commands import Basic, Channel, Confirm, Connection, Queue
from pamqp.common import FieldTable
from pamqp.header import ContentHeader, ProtocolHeader

from quorate.model import AmqpAsk, CeleryAsk, Reason
from quorate.transports.amqp_frames import FRAME_BYTES
from quorate.transports.amqp_wire import Wire
from quorate.transports.errors import HostError, cleaned

GOODBYE = 1.0
"""Seconds that a node has to answer the goodbye, whose outcome changes nothing."""

CHANNEL = 1
"""The one channel that is opened."""
TAG = "quorate"
"""The one consumer on it."""

_MECHANISM = "PLAIN"
_MESSAGE_BYTES = 16

_CLIENT: FieldTable = {
    "product": "quorate",
    "connection_name": "quorate",
    "capabilities": {
        "authentication_failure_close": True,  # so that a refused login is told, not just cut off
        "connection.blocked": True,
        "basic.nack": True,
        "publisher_confirms": True,
    },
}


async def log_in(wire: Wire, ask: AmqpAsk | CeleryAsk) -> Mapping[str, object]:
    """Log in and open the virtual host; return what the node says of itself."""
    wire.doing = "the greeting"
    start = await wire.ask(ProtocolHeader(), Connection.Start)
    offered = cleaned(start.mechanisms)
    if _MECHANISM not in offered.split():
        detail = f"the node offers no login by password (PLAIN), only: {offered}"
        raise HostError(Reason.AUTH_FAILED, detail)
    wire.doing = "the login"
    login = Connection.StartOk(
        client_properties=_CLIENT, mechanism=_MECHANISM, response=f"\0{ask.user}\0{ask.password}"
    )
    tune = await wire.ask(login, Connection.Tune)
    wire.doing = f"the opening of the virtual host {ask.vhost}"
    frame_max = min(tune.frame_max or FRAME_BYTES, FRAME_BYTES)
    agreed = Connection.TuneOk(channel_max=tune.channel_max, frame_max=frame_max, heartbeat=0)
    await wire.send([agreed, Connection.Open(virtual_host=ask.vhost)])
    await wire.receive(Connection.OpenOk)
    return dict(start.server_properties)


async def own_queue(wire: Wire) -> str:
    """Open the channel, with confirms, and return the name of a queue on it that is consumed from.

    The queue is named by the node, exclusive and deleted by it with the connection, however that ends. The
    user needs the permissions configure and read on `amq.gen-.*`.
    """
    wire.doing = "the declaration of a queue"
    declare = Queue.Declare(
        exclusive=True,
        auto_delete=True,
        arguments={"x-queue-type": "classic"},  # a virtual host's default may be one that can't be exclusive
    )
    await wire.send([Channel.Open(), Confirm.Select(), declare], channel=CHANNEL)
    await wire.receive(Channel.OpenOk)
    await wire.receive(Confirm.SelectOk)
    queue = (await wire.receive(Queue.DeclareOk)).queue or ""
    consume = Basic.Consume(queue=queue, consumer_tag=TAG, no_ack=True)
    await wire.ask(consume, Basic.ConsumeOk, channel=CHANNEL)
    return queue


async def round_trip(wire: Wire) -> None:
    """Publish a message to a queue of its own and take it back; HostError where it does not come.

    Beside what `own_queue` needs, the user needs the permission write on `amq.default`.
    """
    queue = await own_queue(wire)
    wire.doing = "the round trip of a message"
    message = secrets.token_bytes(_MESSAGE_BYTES)
    await wire.send(
        [
            Basic.Publish(routing_key=queue, mandatory=True),
            ContentHeader(body_size=len(message), properties=Basic.Properties()),
            ContentBody(message),
        ],
        channel=CHANNEL,
    )
    if await _confirmed_and_delivered(wire) != message:
        raise HostError(Reason.QUERY_FAILED, "another message came back than was sent")


async def say_goodbye(wire: Wire) -> None:
    """Close the connection as a node expects it, which logs a warning about clients that just go."""
    wire.doing = "the goodbye"
    with contextlib.suppress(HostError, TimeoutError):
        async with asyncio.timeout(GOODBYE):
            closing = Connection.Close(reply_code=200, reply_text="done", class_id=0, method_id=0)
            await wire.ask(closing, Connection.CloseOk)


async def _confirmed_and_delivered(wire: Wire) -> bytes:
    """Return the message that was delivered, once the node has confirmed the one that was published."""
    confirmed, delivered = False, None
    while delivered is None or not confirmed:
        match await wire.receive(Basic.Ack, Basic.Nack, Basic.Return, Basic.Deliver):
            case Basic.Ack():
                confirmed = True
            case Basic.Deliver():
                delivered = await _body(wire)
            case Basic.Return() as returned:
                said = cleaned(returned.reply_text)
                raise HostError(Reason.QUERY_FAILED, f"the message was returned: {said}")
            case _:
                raise HostError(Reason.QUERY_FAILED, "the node did not take the message (basic.nack)")
    return delivered


async def _body(wire: Wire) -> bytes:
    expected = (await wire.receive(ContentHeader)).body_size or 0
    body = b""
    while len(body) < min(expected, FRAME_BYTES):
        body += (await wire.receive(ContentBody)).value
    return body
