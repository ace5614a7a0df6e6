"""What the ways to services share: every failure becomes a value, in one line and without the secret."""

import asyncio
import contextlib
import importlib
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from quorate.model import NoReply, Reason
from quorate.transports.errors import HostError, cleaned
from quorate.transports.tcp import Endpoint, Resolver, connect
from quorate.transports.threads import in_thread

T = TypeVar("T")

_DETAIL_CHARACTERS = 600
_loaded: set[str] = set()

# What reaching a host is called where a service was to be reached (semantics.md: databases, quorum).
_SERVICE_REASONS = {
    Reason.NAME_UNRESOLVED: Reason.CONNECT_FAILED,
    Reason.HOST_UNREACHABLE: Reason.CONNECT_FAILED,
}


async def answer_of(
    asking: Callable[[], Awaitable[T]], *, secret: str = "", secrets: Iterable[str] = ()
) -> T | NoReply:
    """Return what asking brings, or why it brings nothing; raises nothing but CancelledError.

    `secrets` are looked at when something is said, so that they may be learned while asking.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        return await asking()
    except HostError as failure:
        return failed(failure, loop.time() - started, secret, *secrets)
    except ImportError as error:
        reason = Reason.UNSUPPORTED_KIND
        detail = f"the library for this kind of check can't be loaded: {error}; install quorate anew"
    except Exception as error:  # noqa: BLE001  a hostile server can make a library raise anything
        reason = Reason.INTERNAL_ERROR
        detail = f"{type(error).__name__}: {error}"
    return NoReply(reason=reason, detail=masked(detail, secret, *secrets), duration=loop.time() - started)


def failed(failure: HostError, duration: float, *secrets: str) -> NoReply:
    """Return a failure as the value that stands in place of a service's answer."""
    return NoReply(
        reason=_SERVICE_REASONS.get(failure.reason, failure.reason),
        detail=masked(failure.detail, *secrets),
        duration=duration,
        answered=failure.answered,
    )


async def connected(host: str, port: int, *, until: float) -> socket.socket:
    """Return a connected, non-blocking socket; HostError, `timeout` where it is not there by then."""
    loop = asyncio.get_running_loop()
    try:
        limit = max(until - loop.time(), 0.0)
        return await connect(Endpoint(address=host, port=port), Resolver(), limit=limit)
    except HostError as failure:
        if loop.time() >= until:
            raise HostError(Reason.TIMEOUT, failure.detail, answered=failure.answered) from None
        raise


async def load(module: str) -> None:
    """Import a module without holding up the event loop; one that can't be is told where it is used."""
    if module not in _loaded:
        await in_thread(lambda: _import(module))


def _import(module: str) -> None:
    # Whatever is raised here is raised again, to be told, by the import in its place.
    with contextlib.suppress(Exception):
        importlib.import_module(module)
        _loaded.add(module)  # sys.modules has it from the beginning of its import on


def masked(text: str | bytes, *secrets: str) -> str:
    """Return a text as one harmless line of bounded length in which none of the secrets stands.

    It is masked before the line is cut, so that no part of one is left at the cut; the longest first, since
    one may stand in another.
    """
    line = cleaned(text, limit=2**20)
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        line = line.replace(secret, "***")
    return cleaned(line, _DETAIL_CHARACTERS)
