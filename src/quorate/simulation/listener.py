"""Where a simulated host listens, or fails to: a port on loopback that it keeps for life."""

import asyncio
import socket
from collections.abc import Callable

LOOPBACK = "127.0.0.1"


def bind(port: int = 0, address: str = LOOPBACK) -> socket.socket:
    """Return a TCP socket that holds a port on loopback without listening: connections are refused.

    Sockets of one port exist side by side while one takes over from another.
    """
    # With its protocol named, asyncio switches off the delay of small packets (Nagle) on what it accepts.
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    found.bind((address, port))
    found.setblocking(False)
    return found


class Silence:
    """A port that answers nothing: its backlog is full, so that the kernel drops what would connect."""

    def __init__(self, listening: socket.socket) -> None:
        listening.listen(0)
        self._sockets = [listening]
        for _ in range(3):
            filling = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            filling.setblocking(False)
            filling.connect_ex(listening.getsockname())
            self._sockets.append(filling)

    def close(self) -> None:
        """Let go of the port."""
        for held in self._sockets:
            held.close()


class Mute(asyncio.Protocol):
    """A connection that is accepted and never spoken to."""

    def __init__(self, transports: set[asyncio.BaseTransport]) -> None:
        self._transports = transports
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self._transport = transport
        self._transports.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio passes it
        """Forget the connection."""
        if self._transport is not None:
            self._transports.discard(self._transport)


async def listen_mutely(
    listening: socket.socket, transports: set[asyncio.BaseTransport]
) -> Callable[[], None]:
    """Accept connections and say nothing; return what ends that."""
    server = await asyncio.get_running_loop().create_server(lambda: Mute(transports), sock=listening)
    return server.close
