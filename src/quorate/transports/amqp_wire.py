"""A conversation in AMQP frames over a connected socket, each in bounded time and size.

No task runs in the background, no heartbeat is asked for, and no more is kept than the frame that comes in.
"""

import asyncio
import socket
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from pamqp import commands, frame
from pamqp.frame import FrameTypes
from pamqp.heartbeat import Heartbeat

from quorate.model import Reason
from quorate.transports.amqp_frames import refusal, take_frame
from quorate.transports.errors import HostError, cleaned, seconds

T = TypeVar("T")

_READ_BYTES = 2**16


class Wire:
    """A conversation with one node; `step` seconds for each answer, all of it until the loop's time `until`.

    `doing` is what a failure is said to have happened in. Both may be set anew between two steps.
    """

    def __init__(self, sock: socket.socket, *, step: float, until: float) -> None:
        self._sock = sock
        self._step = step
        self.until = until
        self._received = bytearray()
        self._blocked: str | None = None
        self.doing = "the greeting"

    async def ask(self, question: FrameTypes, answer: type[T], *, channel: int = 0) -> T:
        """Send a frame and return the node's answer, which must be of this type."""
        await self.send([question], channel=channel)
        return await self.receive(answer)

    async def send(self, frames: Sequence[FrameTypes], *, channel: int = 0) -> None:
        """Send frames in one go."""
        sent = b"".join(frame.marshal(each, channel) for each in frames)
        await self._in_time(asyncio.get_running_loop().sock_sendall(self._sock, sent))

    async def receive(self, *expected: type[T]) -> T:
        """Return the next frame, heartbeats and alarms aside; HostError where it is of another type."""
        found = await self._in_time(self._next())
        if isinstance(found, commands.Channel.Close) and not isinstance(found, expected):
            raise refusal(found, self.doing)
        if not isinstance(found, expected):
            detail = f"an answer out of turn during {self.doing}: {type(found).__qualname__}"
            raise HostError(Reason.CONNECT_FAILED, detail)
        return found

    async def _next(self) -> FrameTypes:
        while True:
            match take_frame(self._received):
                case None:
                    await self._read()
                case Heartbeat():
                    continue
                case commands.Connection.Blocked() as alarm:
                    self._blocked = cleaned(alarm.reason)
                case commands.Connection.Unblocked():
                    self._blocked = None
                case commands.Connection.Close() as closing:
                    sent = frame.marshal(commands.Connection.CloseOk(), 0)
                    await asyncio.get_running_loop().sock_sendall(self._sock, sent)
                    raise refusal(closing, self.doing)
                case found:
                    return found

    async def _read(self) -> None:
        # A read does not wait where there is something to read, so a flood would hold up everybody else, and
        # our own limit.
        await asyncio.sleep(0)
        data = await asyncio.get_running_loop().sock_recv(self._sock, _READ_BYTES)
        if not data:
            detail = f"the connection was closed during {self.doing}"
            if self._received:
                detail += f", in the middle of an answer of {len(self._received)} bytes so far"
            raise HostError(Reason.CONNECT_FAILED, detail)
        self._received += data

    async def _in_time(self, step: Awaitable[T]) -> T:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout_at(min(self.until, started + self._step)):
                return await step
        except TimeoutError:
            detail = f"no answer within {seconds(round(loop.time() - started, 1))} during {self.doing}"
            if self._blocked is not None:
                detail = f"the node takes no messages at the moment: {self._blocked}; {detail}"
            raise HostError(Reason.TIMEOUT, detail) from None
        except OSError as error:
            detail = f"the connection broke during {self.doing}: {error.strerror or error}"
            raise HostError(Reason.CONNECT_FAILED, detail) from None
