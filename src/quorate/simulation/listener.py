"""Where a simulated host listens, or fails to: a port on loopback that it keeps for life."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable

LOOPBACK = "127.0.0.1"


def loopback(address: str) -> str:
    """Return where an address of the cluster really is: an address of loopback that is its own.

    So what is asked at a virtual IP is not taken for what is asked at a host. IPv6 has only one such address.
    """
    found = ipaddress.ip_address(address)
    return f"127.{address.split('.', 1)[1]}" if found.version == 4 else LOOPBACK


def is_address(text: str) -> bool:
    """Tell whether a text is an address and no name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_free(port: int, address: str) -> bool:
    """Tell whether nobody holds a port, those included that would share it with us."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trying:
        try:
            trying.bind((address, port))
        except OSError:
            return False
    return True


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
