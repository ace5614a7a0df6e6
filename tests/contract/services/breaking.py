"""A server that breaks: alone, or between us and a real server."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

Break = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Breaking:
    """Where it listens, and how many connections it took."""

    port: int = 0
    connections: int = 0
    seen: bytearray = field(default_factory=bytearray)


@contextlib.asynccontextmanager
async def breaking(
    how: Break, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Breaking]:
    """Yield a server that treats each connection in a way, and drop what is left of them at the end."""
    server_is = Breaking()
    tasks: set[asyncio.Task[None]] = set()

    async def treat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_is.connections += 1
        try:
            await how(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has left, as it should
        finally:
            writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(treat(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, host, 0, ssl=tls)
    server_is.port = server.sockets[0].getsockname()[1]
    try:
        yield server_is
    finally:
        await asyncio.sleep(0.01)  # asyncio leaks the socket of a client that comes in while it closes
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take everything and never say a word, up to the client's end."""
    while await reader.read(2**16):
        pass


async def closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close at once."""


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Wait for the first bytes, then reset the connection."""
    await reader.read(1)
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def saying(answer: bytes) -> Break:
    """Return a way that answers the first bytes with these, then takes everything and says no more."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        await mute(reader, writer)

    return say


def endless(piece: bytes, *, first: bytes = b"", after: Break | None = None) -> Break:
    """Return a way that answers without end: the first bytes (or after another way's end), then a flood."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if after is not None:
            await after(reader, writer)
        else:
            await reader.read(1)
        writer.write(first)
        many = piece * (2**16 // len(piece) + 1)
        while True:
            writer.write(many)
            await writer.drain()
            await asyncio.sleep(0)

    return answer


def between(
    port: int,
    *,
    cut: int | None = None,
    stall: int | None = None,
    pause: float = 0.0,
    withhold: bytes | None = None,
    count: Breaking | None = None,
) -> Break:
    """Return a way that hands on to a real server and back, and breaks what comes back.

    It closes after `cut` bytes, or says no more after `stall` bytes, or waits `pause` seconds before each
    byte. With `withhold`, what the client sends is handed on up to where these bytes begin.
    """

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", port)
        there = asyncio.create_task(_hand_on(reader, upstream_writer, withhold))
        try:
            await back(upstream_reader, writer)
        finally:
            there.cancel()
            await asyncio.gather(there, return_exceptions=True)
            upstream_writer.transport.abort()

    async def back(upstream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        total = 0
        for_each = partial(upstream.read, 1 if pause else 2**16)
        limit = cut if cut is not None else stall
        while limit is None or total < limit:
            data = await for_each()
            if not data:
                return
            data = data if limit is None else data[: limit - total]
            total += len(data)
            if count is not None:
                count.seen += data
            await asyncio.sleep(pause)
            writer.write(data)
            await writer.drain()
        if stall is not None:
            await asyncio.Event().wait()

    return relay


async def _hand_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, withhold: bytes | None
) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(2**16):
            if withhold is not None and withhold in data:
                writer.write(data[: data.index(withhold)])
                await writer.drain()
                await asyncio.Event().wait()
            writer.write(data)
            await writer.drain()
