"""A broadcast of Celery's remote control over a session with a broker, and the answers that come back.

    declare a queue of our own ──►
    active_queues to the exchange celery.pidbox ──►   ◄── confirmed, or: no such exchange, nobody bound to it
                                                      ◄── an answer of each worker, straight to our queue
    cancel, where an answer is missing ──►            ◄── cancelled: the broker was there all the time

Nothing but that queue is declared, and it goes with the connection. The workers are told to answer through
the default exchange, which every broker has: kombu declares no exchange without a name, so that neither we
nor they leave the exchange reply.celery.pidbox behind. Source: kombu.pidbox.Mailbox; AMQP 0-9-1.
"""

import asyncio
import json
import uuid

from pamqp.body import ContentBody
from pamqp.commands import Basic, Channel
from pamqp.frame import FrameTypes
from pamqp.header import ContentHeader

from quorate.model import CeleryAsk, Reason
from quorate.transports.amqp_frames import refusal
from quorate.transports.amqp_session import CHANNEL, TAG, own_queue
from quorate.transports.amqp_wire import Wire
from quorate.transports.celery_answers import CONTENT, Answers
from quorate.transports.errors import HostError

EXCHANGE = "celery.pidbox"
"""The fanout exchange that every worker listens to; its name is Celery's setting `control_exchange`."""

MESSAGES = 10_000
MESSAGE_BYTES = 2**20
ALL_BYTES = 2**25
"""How much is taken in: so many messages, so much of each, and so much of all."""

_NOT_FOUND = 404
_TRANSIENT = 1
_EXPECTED = (
    *(Basic.Ack, Basic.Nack, Basic.Return, Basic.Deliver, Basic.CancelOk, Channel.Close),
    *(ContentHeader, ContentBody),
)


async def broadcast(wire: Wire, ask: CeleryAsk, deadline: float) -> Answers:
    """Ask all workers for their queues, and return what came in time.

    HostError where the broker did not take the broadcast, or was not there until the end; then nothing is
    known of the workers.
    """
    queue, ticket = await own_queue(wire), str(uuid.uuid4())
    wire.doing = "the broadcast to the workers"
    await wire.send(_message(queue, ticket, ask.timeout), channel=CHANNEL)
    heard = _Heard(ticket)
    while not heard.confirmed:
        heard.take(await _next(wire), wire.doing)
    wire.until = _in(ask.timeout, deadline)
    while not (heard.nobody or heard.answers.complete(ask.workers, ask.queues)):
        try:
            found = await _next(wire)
        except HostError as failure:
            if failure.reason is not Reason.TIMEOUT:
                raise
            await _cancel(wire, heard, _in(ask.timeout, deadline))
            break
        heard.take(found, wire.doing)
    return heard.answers


async def _next(wire: Wire) -> FrameTypes:
    found: FrameTypes = await wire.receive(*_EXPECTED)
    return found


async def _cancel(wire: Wire, heard: "_Heard", until: float) -> None:
    """Take no more answers; a broker that has gone, so that none could come, says nothing to that."""
    wire.until, wire.doing = until, "the end of the broadcast"
    await wire.send([Basic.Cancel(consumer_tag=TAG)], channel=CHANNEL)
    while not heard.cancelled:
        heard.take(await _next(wire), wire.doing)


def _in(seconds: float, deadline: float) -> float:
    return min(deadline, asyncio.get_running_loop().time() + seconds)


def _message(queue: str, ticket: str, timeout: float) -> list[FrameTypes]:
    """Return the broadcast, as kombu sends it.

    `expires` is 0, that is never, since it would be compared with the clocks of the workers' hosts; a worker
    that stands still finds no heap of old questions all the same, since the broker has a time for each.
    """
    body = json.dumps(
        {
            "method": "active_queues",
            "arguments": {},
            "destination": None,
            "pattern": None,
            "matcher": None,
            "ticket": ticket,
            "reply_to": {"exchange": "", "routing_key": queue},
        }
    ).encode()
    properties = Basic.Properties(
        content_type=CONTENT,
        content_encoding="utf-8",
        headers={"clock": 1, "expires": 0},
        delivery_mode=_TRANSIENT,
        priority=0,
        expiration=str(round(timeout * 1000)),
    )
    return [
        Basic.Publish(exchange=EXCHANGE, mandatory=True),
        ContentHeader(body_size=len(body), properties=properties),
        ContentBody(body),
    ]


class _Heard:
    """What came back so far; HostError as soon as that says that the broadcast did not work."""

    def __init__(self, ticket: str) -> None:
        self.answers = Answers()
        self.confirmed = self.nobody = self.cancelled = False
        self._ticket = ticket
        self._inbox = _Inbox()

    def take(self, found: FrameTypes, doing: str) -> None:
        match found:
            case Basic.Ack():
                self.confirmed = True
            case Basic.Nack():
                raise HostError(Reason.QUERY_FAILED, "the node did not take the broadcast (basic.nack)")
            case Basic.Return():  # nothing is bound to the exchange
                self.nobody = True
                self._inbox.begin(kept=False)
            case Basic.Deliver():
                self._inbox.begin(kept=True)
            case ContentHeader() | ContentBody():
                self._read(self._inbox.take(found))
            case Basic.CancelOk():
                self.cancelled = True
            case Channel.Close() if found.reply_code == _NOT_FOUND and not self.confirmed:
                self.confirmed = self.nobody = True  # there is no such exchange
            case Channel.Close():
                raise refusal(found, doing)

    def _read(self, message: "tuple[Basic.Properties, bytes | None] | None") -> None:
        if message is None:
            return
        properties, body = message
        headers = properties.headers or {}
        if headers.get("ticket", self._ticket) == self._ticket:
            self.answers.take(body, properties.content_type)


class _Inbox:
    """Puts messages together out of their frames, and has enough of them at some time."""

    def __init__(self) -> None:
        self._messages = self._bytes = self._left = 0
        self._header: ContentHeader | None = None
        self._body = bytearray()
        self._kept = False

    def begin(self, *, kept: bool) -> None:
        """Expect another message, that is wanted or not."""
        self._header, self._kept = None, kept

    def take(self, found: ContentHeader | ContentBody) -> tuple[Basic.Properties, bytes | None] | None:
        """Return a message as soon as it is whole, without a body where that is too long."""
        if isinstance(found, ContentHeader):
            self._header, self._left = found, found.body_size or 0
            self._body.clear()
            self._messages += 1
        else:
            self._left -= len(found.value)
            self._bytes += len(found.value)
            if len(self._body) <= MESSAGE_BYTES:
                self._body += found.value
        if self._messages > MESSAGES or self._bytes > ALL_BYTES:
            detail = f"more came back than any workers say: {self._messages} messages, {self._bytes} bytes"
            raise HostError(Reason.UNPARSABLE, detail)
        header = self._header
        if header is None or self._left > 0:
            return None
        self._header = None
        if not self._kept:
            return None
        return header.properties, bytes(self._body) if len(self._body) <= MESSAGE_BYTES else None
