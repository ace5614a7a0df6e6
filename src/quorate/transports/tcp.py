"""Phase 1 of reaching a host: its name, and a TCP connection; both within one limit."""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from functools import partial
from typing import Any

from quorate.model import Reason
from quorate.transports.errors import HostError, seconds, tcp_error
from quorate.transports.threads import in_thread

LOOKUPS_AT_ONCE = 128
"""How many names are looked up at the same time, each in a thread."""

_AddressInfo = tuple[int, int, int, str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """Where TCP goes: a name or an address, a port, and what a client configuration says of the socket."""

    address: str
    port: int
    family: int = socket.AF_UNSPEC
    bind: str | None = None

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class Resolver:
    """Looks names up without holding up the event loop, nor the end of the process."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(LOOKUPS_AT_ONCE)

    async def addresses(self, endpoint: Endpoint) -> list[_AddressInfo]:
        """Return where an endpoint may be reached, in the system's order; HostError `name_unresolved`."""
        family, port = endpoint.family, endpoint.port
        try:
            ipaddress.ip_address(endpoint.address.partition("%")[0])
        except ValueError:
            async with self._places:
                found = await in_thread(partial(_look_up, endpoint.address, port, family, 0))
        else:
            # As bytes: for text Python loads its tables of international names, 2 ms of the first sweep.
            found = _look_up(endpoint.address.encode(), port, family, socket.AI_NUMERICHOST)
        if isinstance(found, str):
            detail = f"the name {endpoint.address} is not resolved: {found}"
            raise HostError(Reason.NAME_UNRESOLVED, detail, answered=False)
        return found


def _look_up(name: str | bytes, port: int, family: int, flags: int) -> list[_AddressInfo] | str:
    try:
        found = socket.getaddrinfo(name, port, family, socket.SOCK_STREAM, socket.IPPROTO_TCP, flags)
    except OSError as error:
        return error.strerror or str(error)
    except ValueError:  # a label that IDNA forbids, such as an empty or an overlong one
        return "it is no valid name"
    return list[_AddressInfo](found)


async def connect(endpoint: Endpoint, resolver: Resolver, *, limit: float) -> socket.socket:
    """Return a connected, non-blocking socket; HostError where there is none within the limit.

    Every address of a name is tried: each gets an equal share of the time that is left.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + limit
    try:
        async with asyncio.timeout_at(end):
            found = await resolver.addresses(endpoint)
    except TimeoutError:
        detail = f"the name {endpoint.address} is not resolved: no answer within {seconds(limit)}"
        raise HostError(Reason.NAME_UNRESOLVED, detail, answered=False) from None
    failures = []
    for position, info in enumerate(found):
        share = (end - loop.time()) / (len(found) - position)
        try:
            return await _connect_to(info, endpoint, max(share, 0.0))
        except HostError as failure:
            failures.append(failure)
    raise _summary(failures, endpoint)


async def _connect_to(info: _AddressInfo, endpoint: Endpoint, limit: float) -> socket.socket:
    family, kind, protocol, _, address = info
    where = str(Endpoint(address=address[0], port=address[1]))
    if address[0] != endpoint.address:
        where += f" ({endpoint.address})"
    try:
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise tcp_error(error, where) from None
    scope = asyncio.timeout(limit)
    try:
        sock.setblocking(False)
        if endpoint.bind:
            sock.bind((endpoint.bind, 0))
        async with scope:
            await asyncio.get_running_loop().sock_connect(sock, address)
    except OSError as error:  # a TimeoutError, ours or the kernel's, is one
        sock.close()
        if scope.expired():
            detail = f"no TCP connection to {where}: no answer within {seconds(round(limit, 3))}"
            raise HostError(Reason.HOST_UNREACHABLE, detail, answered=False) from None
        raise tcp_error(error, where) from None
    except BaseException:
        sock.close()
        raise
    return sock


def _summary(failures: list[HostError], endpoint: Endpoint) -> HostError:
    if len(failures) == 1:
        return failures[0]
    own = [f for f in failures if f.reason is Reason.INTERNAL_ERROR]
    if own:
        return own[0]
    detail = "; ".join(f.detail for f in failures) or f"{endpoint} has no address"
    answered = any(f.answered for f in failures)
    return HostError(Reason.HOST_UNREACHABLE, detail, answered=answered, at_once=answered)
