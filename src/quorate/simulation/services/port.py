"""Where a simulated service listens, or fails to: a port that it keeps while its manner changes."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from functools import partial

from quorate.simulation.listener import Silence, bind, listen_mutely
from quorate.simulation.services.state import (
    Manner,
    SimulatedDatabase,
    SimulatedNode,
    SimulatedPort,
    SimulatedService,
    SimulatedSite,
)

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class ServicePort:
    """A service's port, of the system's choice unless it is given: nobody is there before `become`."""

    def __init__(self, address: str, port: int = 0) -> None:
        held = bind(port, address)
        self.address, self.port = address, int(held.getsockname()[1])
        self._service: SimulatedService | None = None
        self._stop: Callable[[], None] = held.close
        self._talks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._mute: set[asyncio.BaseTransport] = set()

    async def become(self, service: SimulatedService) -> None:
        """Be this service from now on; who is connected is hung up on if anything changes."""
        if service == self._service:
            return
        place = bind(self.port, self.address)
        await self._hang_up()
        self._stop()
        self._service = service
        match service.manner:
            case Manner.REFUSED:
                self._stop = place.close
            case Manner.SILENT:
                self._stop = Silence(place).close
            case Manner.MUTE:
                self._stop = await listen_mutely(place, self._mute)
            case _:
                accept = partial(self._accept, _server_of(service))
                server = await asyncio.start_server(accept, sock=place, ssl=_context_of(service))
                self._stop = server.close

    async def close(self) -> None:
        """Hang up on everyone and let go of the port."""
        self._stop()
        self._stop, self._service = _nothing, None
        await self._hang_up()

    def _accept(self, serve: Serve, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(_talk(serve, reader, writer))
        self._talks[task] = writer
        task.add_done_callback(lambda done: self._talks.pop(done, None))

    async def _hang_up(self) -> None:
        for transport in list(self._mute):
            transport.close()
        talks = dict(self._talks)
        for task, writer in talks.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def _talk(serve: Serve, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await serve(reader, writer)
    except ConnectionError:
        return  # the client has left, as it may
    finally:
        writer.close()


def _server_of(service: SimulatedService) -> Serve:
    # The protocols load when they are needed: a cluster of clones, for measurements, has no services.
    if service.manner is Manner.NO_BACKEND:
        return _close
    match service:
        case SimulatedDatabase():
            from quorate.simulation.services.postgresql import serve_database  # noqa: PLC0415  see above

            return partial(serve_database, service)
        case SimulatedNode():
            from quorate.simulation.services.rabbitmq import serve_node  # noqa: PLC0415  see above

            return partial(serve_node, service, {})
        case SimulatedSite():
            from quorate.simulation.services.http import serve_site  # noqa: PLC0415  see above

            return partial(serve_site, service.site, service.manner)
        case SimulatedPort():
            return _close


def _context_of(service: SimulatedService) -> ssl.SSLContext | None:
    if not isinstance(service, SimulatedSite) or service.certificate is None:
        return None
    from quorate.simulation.services.certificates import context_of  # noqa: PLC0415  as the protocols

    return context_of(service.certificate)


async def _close(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Say nothing; the connection is closed by who calls."""


def _nothing() -> None:
    """Stop nothing, where nothing listens."""
