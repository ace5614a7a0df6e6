"""What happens on a channel of the simulated RabbitMQ node: queues, messages, confirms, broadcasts."""

import secrets
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from pamqp.base import Frame
from pamqp.body import ContentBody
from pamqp.commands import Basic, Confirm, Exchange, Queue
from pamqp.frame import FrameTypes
from pamqp.header import ContentHeader

from quorate.simulation.services.rabbitmq_workers import BROADCASTS, REPLIES, WorkerAnswer, answers
from quorate.simulation.services.state import Manner, SimulatedNode


class Closing(Exception):  # noqa: N818  it is what the node says, and no fault of ours
    """The node closes a channel, or the whole `connection`: its code and its words.

    `method` is what was asked, by the numbers of its class and itself.
    """

    def __init__(
        self, code: int, words: str, *, method: type[object] = object, connection: bool = True
    ) -> None:
        super().__init__(words)
        index = getattr(method, "index", 0)
        self.code, self.words, self.connection = code, words, connection
        self.method = (index >> 16, index & 0xFFFF)


@dataclass(kw_only=True, slots=True)
class Waiting:
    """A queue's messages, whose it is alone, and by which exchanges and keys it is bound."""

    owner: "Conversation | None"
    messages: deque["Message"] = field(default_factory=deque)
    bound: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A message on its way."""

    publish: Basic.Publish
    header: ContentHeader
    body: bytes


Queues = dict[str, Waiting]
"""The queues of a node, by name."""
Later = Callable[[float, Callable[[], Iterable[FrameTypes]]], None]
"""Has frames sent after so many seconds."""


class Conversation:
    """One channel: `answer` takes what the client sends and returns what the node says to it."""

    def __init__(self, node: SimulatedNode, queues: Queues, later: Later) -> None:
        self.closed = False
        self._node, self._queues, self._later = node, queues, later
        self._consumers: dict[str, str] = {}
        self._confirms = False
        self._published = self._delivered = 0
        self._publish: Basic.Publish | None = None
        self._header: ContentHeader | None = None
        self._body = b""
        self._queue = ""

    def answer(self, found: FrameTypes) -> list[FrameTypes]:
        """Return the node's answers; Closing where it refuses."""
        match found:
            case Confirm.Select():
                self._confirms = True
                return [] if found.nowait else [Confirm.SelectOk()]
            case Queue.Declare():
                return self._declare(found)
            case Exchange.Declare():
                self._expect_exchange(found.exchange, Exchange.Declare)
                return [] if found.nowait else [Exchange.DeclareOk()]
            case Queue.Bind():
                self._expect_exchange(found.exchange, Queue.Bind)
                queue = found.queue or self._queue
                self._expect_queue(queue, Queue.Bind)
                self._queues[queue].bound.add((found.exchange, found.routing_key))
                return [] if found.nowait else [Queue.BindOk()]
            case Queue.Delete():
                waiting = self._queues.pop(found.queue or self._queue, None)
                return [Queue.DeleteOk(len(waiting.messages) if waiting else 0)]
            case Basic.Consume():
                return self._consume(found)
            case Basic.Cancel():
                self._consumers.pop(found.consumer_tag or "", None)
                return [Basic.CancelOk(found.consumer_tag)]
            case Basic.Qos():
                return [Basic.QosOk()]
            case Basic.Get():
                return self._get(found)
            case Basic.Ack() | Basic.Nack() | Basic.Reject():
                return []  # what is delivered is not kept
            case Basic.Publish() | ContentHeader() | ContentBody():
                return self._collect(found)
            case _:
                words = f"NOT_IMPLEMENTED - the simulated node does not know {getattr(found, 'name', 'that')}"
                raise Closing(540, words, method=type(found))

    def drop(self) -> None:
        """Delete the queues that this channel alone may use."""
        for name in [name for name, waiting in self._queues.items() if waiting.owner is self]:
            del self._queues[name]

    def _declare(self, declare: Queue.Declare) -> list[FrameTypes]:
        name = declare.queue or f"amq.gen-{secrets.token_urlsafe(16)}"
        if declare.passive:
            self._expect_queue(name, Queue.Declare)
        waiting = self._queues.setdefault(name, Waiting(owner=self if declare.exclusive else None))
        self._queue = name
        return [] if declare.nowait else [Queue.DeclareOk(name, len(waiting.messages), 0)]

    def _consume(self, consume: Basic.Consume) -> list[FrameTypes]:
        queue = consume.queue or self._queue
        self._expect_queue(queue, Basic.Consume)
        tag = consume.consumer_tag or f"amq.ctag-{secrets.token_urlsafe(16)}"
        self._consumers[tag] = queue
        answers: list[FrameTypes] = [] if consume.nowait else [Basic.ConsumeOk(tag)]
        return answers + self._deliveries(queue)

    def _get(self, get: Basic.Get) -> list[FrameTypes]:
        queue = get.queue or self._queue
        self._expect_queue(queue, Basic.Get)
        messages = self._queues[queue].messages
        if not messages:
            return [Basic.GetEmpty()]
        message = messages.popleft()
        self._delivered += 1
        told = message.publish
        head = Basic.GetOk(self._delivered, False, told.exchange, told.routing_key, len(messages))
        return [head, message.header, *_bodies(message.body)]

    def _collect(self, found: FrameTypes) -> list[FrameTypes]:
        """Put a message together out of its frames, and take it once it is whole."""
        match found:
            case Basic.Publish():
                self._publish, self._header, self._body = found, None, b""
                return []
            case ContentHeader() if self._publish is not None:
                self._header = found
            case ContentBody() if self._header is not None:
                self._body += found.value
            case _:
                raise Closing(505, "UNEXPECTED_FRAME - expected method frame, got content")
        publish, header = self._publish, self._header
        if publish is None or header is None or len(self._body) < (header.body_size or 0):
            return []
        self._publish = self._header = None
        return self._take(Message(publish=publish, header=header, body=self._body))

    def _take(self, message: Message) -> list[FrameTypes]:
        publish, number = message.publish, self._published + 1
        self._published = number if self._confirms else 0
        self._expect_exchange(publish.exchange, Basic.Publish)
        if self._confirms and self._node.manner is Manner.NACKS:
            return [Basic.Nack(number, False, False)]
        frames: list[FrameTypes] = []
        if publish.exchange == BROADCASTS and self._node.workers:
            frames += self._broadcast(message.body)
        elif (queue := self._routed(publish.exchange, publish.routing_key)) is not None:
            self._queues[queue].messages.append(message)
            frames += self._deliveries(queue)
        elif publish.mandatory:
            returned = Basic.Return(312, "NO_ROUTE", publish.exchange, publish.routing_key)
            frames += [returned, message.header, *_bodies(message.body)]
        return [*frames, Basic.Ack(number, False)] if self._confirms else frames

    def _routed(self, exchange: str, routing_key: str) -> str | None:
        """Return the queue that a message goes to, None where there is none."""
        for name, waiting in self._queues.items():
            if (exchange, routing_key) in waiting.bound or (not exchange and name == routing_key):
                return name
        return None

    def _broadcast(self, body: bytes) -> list[FrameTypes]:
        """Return the answers of the workers that answer at once, and have those of others sent later."""
        frames: list[FrameTypes] = []
        for answer in answers(self._node.workers or (), body):
            if answer.after:
                self._later(answer.after, partial(self._told, answer))
            else:
                frames += self._told(answer)
        return frames

    def _told(self, answer: WorkerAnswer) -> list[FrameTypes]:
        """Return the delivery of a worker's answer to this channel's consumer, if it still waits for it."""
        queue = self._routed(answer.exchange, answer.routing_key)
        if queue is None or self.closed:
            return []
        properties = Basic.Properties(
            content_type="application/json",
            content_encoding="utf-8",
            headers=dict(answer.headers),
            delivery_mode=1,
            priority=0,
        )
        message = Message(
            publish=Basic.Publish(exchange=answer.exchange, routing_key=answer.routing_key),
            header=ContentHeader(body_size=len(answer.body), properties=properties),
            body=answer.body,
        )
        self._queues[queue].messages.append(message)
        return self._deliveries(queue)

    def _expect_exchange(self, name: str, method: type[Frame]) -> None:
        """Refuse what is asked of another exchange than the one without a name, or those of Celery."""
        if not name or (name in (BROADCASTS, REPLIES) and self._node.workers is not None):
            return
        words = f"NOT_FOUND - no exchange '{name}' in vhost '{self._node.vhost}'"
        raise Closing(404, words, method=method, connection=False)

    def _deliveries(self, queue: str) -> list[FrameTypes]:
        """Return a queue's messages to this channel's own consumer; other channels ask for theirs."""
        tag = next((tag for tag, name in self._consumers.items() if name == queue), None)
        answers: list[FrameTypes] = []
        messages = self._queues[queue].messages
        while tag is not None and messages:
            message = messages.popleft()
            self._delivered += 1
            told = message.publish
            deliver = Basic.Deliver(tag, self._delivered, False, told.exchange, told.routing_key)
            answers += [deliver, message.header, *_bodies(message.body)]
        return answers

    def _expect_queue(self, queue: str, method: type[Frame]) -> None:
        if queue in self._queues:
            return
        words = f"NOT_FOUND - no queue '{queue}' in vhost '{self._node.vhost}'"
        raise Closing(404, words, method=method, connection=False)


def _bodies(body: bytes) -> Iterable[ContentBody]:
    return [ContentBody(body)] if body else []
