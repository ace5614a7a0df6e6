"""What stands between the way to a host and the SSH connection over it: gathers, and holds back.

    socket or channel of a jump host  ◀──▶  Corked  ◀──▶  SSH connection

asyncssh writes each packet by itself, and an empty one before it: gathering what is written in one turn of
the event loop halves the system calls of a login. What the host says is held back until it is wanted, so
that a thousand greetings don't start a thousand handshakes at once.
"""

import asyncio
from typing import Any, cast

import asyncssh
from asyncssh.connection import SSHClientConnection

GREETING_BYTES = 65536
"""How much of a greeting is held back; a host that says more before any handshake is let through to fail."""


class Corked(asyncio.Protocol, asyncssh.SSHTCPSession[bytes]):
    """The protocol of a socket, or the session of a channel, and the transport of an SSH connection."""

    def __init__(self, connection: SSHClientConnection) -> None:
        self._connection = connection
        self._way: Any = None
        self._waiting: list[bytes] = []
        self._held: bytes | None = b""
        self._spoken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ended: list[Exception | None] = []
        self.first = b""

    async def greeted(self, limit: float) -> bool:
        """Wait for the first bytes, or the end; False where the host is silent for the limit, in seconds."""
        await asyncio.wait((self._spoken,), timeout=limit)
        return self._spoken.done()

    def release(self) -> None:
        """Let the connection have what the host said, and what it says from now on."""
        held, self._held = self._held, None
        if held:
            self._deliver(held)
        if self._ended:
            self._connection.connection_lost(self._ended[0])

    # What the way to the host calls.

    def connection_made(self, way: Any) -> None:
        self._way = way
        self._connection.connection_made(cast(asyncio.BaseTransport, self))

    def session_started(self) -> None:
        """Nothing is to be done: the connection spoke when it was made."""

    def data_received(self, data: bytes, _datatype: int | None = None) -> None:
        if self._held is None:
            self._deliver(data)
            return
        self._held += data
        self._spoke()
        if len(self._held) > GREETING_BYTES:
            self.release()

    def _spoke(self) -> None:
        if not self._spoken.done():
            self.first = (self._held or b"")[:256]
            self._spoken.set_result(None)

    def _deliver(self, data: bytes) -> None:
        self._connection.data_received(data)
        self._flush()

    def eof_received(self) -> bool:
        self._end(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)
        self._way = None

    def _end(self, exc: Exception | None) -> None:
        if self._held is None:
            self._connection.connection_lost(exc)
        else:
            self._ended.append(exc)
            self._spoke()

    # What the connection calls.

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the socket or the channel knows."""
        return self._way.get_extra_info(name, default) if self._way else default

    def write(self, data: bytes) -> None:
        """Send bytes when the loop's turn ends, or when what the host said is dealt with."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(data)

    def _flush(self) -> None:
        if self._waiting:
            data = b"".join(self._waiting)
            self._waiting.clear()
            if self._way and not self._way.is_closing():
                self._way.write(data)

    def abort(self) -> None:
        """Send what waits, and close at once."""
        self._flush()
        self._held = None
        if self._way:
            self._way.abort()
