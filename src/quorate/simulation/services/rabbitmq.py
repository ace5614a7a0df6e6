"""A simulated RabbitMQ 3.10 node: AMQP 0-9-1 on one connection, from the greeting to the goodbye.

    AMQP 0-9-1 ──► ◄── start   start-ok ──► ◄── tune   tune-ok, open ──► ◄── open-ok   channels … close ──►

Source: AMQP 0-9-1 specification; RabbitMQ's protocol extensions. pamqp is its codec; stock clients can talk
to it.
"""

import asyncio
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from pamqp import frame
from pamqp.commands import Basic, Channel, Connection
from pamqp.common import FieldTable
from pamqp.exceptions import UnmarshalingException
from pamqp.frame import FrameTypes
from pamqp.heartbeat import Heartbeat

from quorate.simulation.services.rabbitmq_channel import Closing, Conversation, Queues
from quorate.simulation.services.state import DELAY, Manner, SimulatedNode

T = TypeVar("T")

VERSION = "3.10.8"

_CHANNELS, _FRAME_BYTES, _HEARTBEAT = 2047, 131_072, 60
_HEADER = struct.Struct(">BHI")  # type, channel, size of the payload
_GREETING = b"AMQP\x00\x00\x09\x01"
_BLOCKED = "low on memory"
_LINGER = 5.0
"""Seconds that a client has to take note of why its connection is closed."""


class _Gone(Exception):  # noqa: N818  no fault: the client left, or the scenario wants the connection cut
    """There is nobody to talk to any more."""


async def serve_node(
    node: SimulatedNode, queues: Queues, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Talk to one client until it goes, or has to; what it owned alone goes with it."""
    session = _Session(node, queues, reader, writer)
    try:
        if await session.log_in():
            await session.talk()
    except Closing as closing:
        await session.close_for(closing)
    except (_Gone, asyncio.IncompleteReadError):
        return
    finally:
        session.forget()


class _Session:
    def __init__(
        self, node: SimulatedNode, queues: Queues, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._node, self._reader, self._writer = node, reader, writer
        self._queues = queues
        self._capabilities: Mapping[str, object] = {}
        self._channels: dict[int, Conversation] = {}
        self._timers: list[asyncio.TimerHandle] = []

    async def log_in(self) -> bool:
        """Return whether the client is let in; Closing where it is told why not."""
        if await self._reader.readexactly(8) != _GREETING:
            self._writer.write(_GREETING)  # the protocol that is spoken here, and the end
            return False
        self._send(Connection.Start(0, 9, self._properties(), "PLAIN", "en_US"))
        login = await self._expect(Connection.StartOk)
        told = login.client_properties.get("capabilities", {})
        self._capabilities = told if isinstance(told, Mapping) else {}
        if not self._known(login):
            if not self._capabilities.get("authentication_failure_close"):
                return False
            words = f"Login was refused using authentication mechanism {login.mechanism}."
            raise Closing(403, f"ACCESS_REFUSED - {words} For details see the broker logfile.")
        tune = Connection.Tune(_CHANNELS, _FRAME_BYTES, _HEARTBEAT)
        if self._node.manner is Manner.CLOSES:
            whole = frame.marshal(tune, 0)
            self._writer.write(whole[: len(whole) // 2])
            return False
        self._send(tune)
        await self._expect(Connection.TuneOk)
        vhost = (await self._expect(Connection.Open)).virtual_host
        if self._node.manner is Manner.SLOW:
            await asyncio.sleep(DELAY)
        if vhost != self._node.vhost or self._node.manner is Manner.NO_DATABASE:
            raise Closing(530, f"NOT_ALLOWED - vhost {vhost} not found", method=Connection.Open)
        self._send(Connection.OpenOk())
        return True

    def _known(self, login: Connection.StartOk) -> bool:
        if login.mechanism != "PLAIN" or self._node.manner is Manner.WRONG_PASSWORD:
            return False
        logins = {*self._node.others, (self._node.user, self._node.password)}
        return str(login.response) in {f"\0{user}\0{password}" for user, password in logins}

    def _properties(self) -> FieldTable:
        capabilities = (
            *("publisher_confirms", "exchange_exchange_bindings", "basic.nack", "consumer_cancel_notify"),
            *("connection.blocked", "consumer_priorities", "authentication_failure_close"),
            *("per_consumer_qos", "direct_reply_to"),
        )
        return {
            "capabilities": dict.fromkeys(capabilities, True),
            "cluster_name": self._node.cluster,
            "platform": "Erlang/OTP 25.2.3",
            "product": "RabbitMQ",
            "version": VERSION,
        }

    async def talk(self) -> None:
        """Answer frames until the client says goodbye."""
        while True:
            await self._writer.drain()
            number, found = await self._frame()
            match found:
                case Heartbeat():
                    self._send(Heartbeat())
                case Connection.Close():
                    self._send(Connection.CloseOk())
                    return
                case Channel.Open():
                    self._open(number)
                case Channel.Close():
                    self._drop(number)
                    self._send(Channel.CloseOk(), number)
                case Channel.CloseOk():
                    self._drop(number)
                case Basic.Publish() if self._node.manner is Manner.ALARM:
                    await self._block()
                case _:
                    self._answer(number, found)

    def _open(self, number: int) -> None:
        def later(seconds: float, answers: Callable[[], Iterable[FrameTypes]]) -> None:
            self._timers.append(asyncio.get_running_loop().call_later(seconds, send, answers))

        def send(answers: Callable[[], Iterable[FrameTypes]]) -> None:
            for answer in answers():
                self._send(answer, number)

        self._channels[number] = Conversation(self._node, self._queues, later)
        self._send(Channel.OpenOk(), number)

    def _answer(self, number: int, found: FrameTypes) -> None:
        channel = self._channels.get(number)
        if channel is None:
            raise Closing(504, "CHANNEL_ERROR - expected 'channel.open'", method=type(found))
        if channel.closed:
            return  # all but close-ok is ignored there
        try:
            answers = channel.answer(found)
        except Closing as closing:
            if closing.connection:
                raise
            channel.closed = True
            answers = [Channel.Close(closing.code, closing.words, *closing.method)]
        for answer in answers:
            self._send(answer, number)

    async def _block(self) -> None:
        """Take no more from who publishes, as long as the connection lasts; tell those who want to know."""
        if self._capabilities.get("connection.blocked"):
            self._send(Connection.Blocked(_BLOCKED))
        await self._writer.drain()
        while not self._reader.at_eof():
            await self._reader.read(2**16)
        raise _Gone

    async def close_for(self, closing: Closing) -> None:
        """Tell the client why the connection ends, and give it time to take note."""
        self._send(Connection.Close(closing.code, closing.words, *closing.method))
        try:
            async with asyncio.timeout(_LINGER):
                while not isinstance((await self._frame())[1], Connection.CloseOk):
                    continue
        except (TimeoutError, Closing, _Gone, asyncio.IncompleteReadError, ConnectionError):
            return

    def forget(self) -> None:
        """Drop what belonged to this connection alone."""
        for timer in self._timers:
            timer.cancel()
        for number in list(self._channels):
            self._drop(number)

    def _drop(self, number: int) -> None:
        channel = self._channels.pop(number, None)
        if channel is not None:
            channel.drop()

    def _send(self, answer: FrameTypes, channel: int = 0) -> None:
        self._writer.write(frame.marshal(answer, channel))

    async def _expect(self, wanted: type[T]) -> T:
        _, found = await self._frame()
        if not isinstance(found, wanted):
            words = f"COMMAND_INVALID - expected {wanted.__qualname__}, got {type(found).__qualname__}"
            raise Closing(503, words)
        return found

    async def _frame(self) -> tuple[int, FrameTypes]:
        head = await self._reader.readexactly(_HEADER.size)
        _, _, size = _HEADER.unpack(head)
        if size > _FRAME_BYTES:
            raise Closing(501, f"FRAME_ERROR - type 1, frame of {size} bytes is too large")
        whole = head + await self._reader.readexactly(size + 1)
        try:
            _, channel, found = frame.unmarshal(whole)
        except UnmarshalingException as error:
            raise Closing(501, f"FRAME_ERROR - {error}") from None
        return channel, found
