"""A TCP connection that a service is spoken to over: no task runs behind it, and what comes in is bounded."""

import asyncio
import socket

from quorate.model import Reason
from quorate.transports.errors import HostError

_READ_BYTES = 2**16
FIRST_BYTES = 200
"""How much is kept of the beginning, to tell what it is."""


class Stream:
    """A connected, non-blocking socket; of what came in, `first` is the beginning, `received` the size."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._allowed = 0
        self.first = b""
        self.received = 0

    def allow(self, size: int) -> None:
        """Let so many more bytes come in; what goes beyond is a HostError `unparsable`."""
        self._allowed = self.received + size

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        await asyncio.get_running_loop().sock_sendall(self._sock, data)

    async def receive(self) -> bytes:
        """Return what came in next, b"" at the end."""
        # A flood is there without a wait: limits of time, and others, would never have their turn.
        await asyncio.sleep(0)
        data = await asyncio.get_running_loop().sock_recv(self._sock, _READ_BYTES)
        self.first += data[: FIRST_BYTES - len(self.first)]
        self.received += len(data)
        if self.received > self._allowed:
            raise HostError(Reason.UNPARSABLE, "more came in than any answer needs")
        return data

    def close(self) -> None:
        """Close at once, whatever is under way."""
        self._sock.close()
