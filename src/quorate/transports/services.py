"""What the ways to services share: every failure becomes a value, in one line and without the secret."""

import asyncio
import contextlib
import importlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from quorate.model import NoReply, Reason
from quorate.transports.errors import HostError, cleaned
from quorate.transports.threads import in_thread

T = TypeVar("T")

_DETAIL_CHARACTERS = 600
_loaded: set[str] = set()

# What reaching a host is called where a service was to be reached (semantics.md: databases, quorum).
_SERVICE_REASONS = {
    Reason.NAME_UNRESOLVED: Reason.CONNECT_FAILED,
    Reason.HOST_UNREACHABLE: Reason.CONNECT_FAILED,
}


async def answer_of(asking: Callable[[], Awaitable[T]], *, secret: str) -> T | NoReply:
    """Return what asking brings, or why it brings nothing; raises nothing but CancelledError."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    answered = False
    try:
        return await asking()
    except HostError as failure:
        reason = _SERVICE_REASONS.get(failure.reason, failure.reason)
        detail = failure.detail
        answered = failure.answered
    except ImportError as error:
        reason = Reason.UNSUPPORTED_KIND
        detail = f"the library for this kind of check can't be loaded: {error}; install quorate anew"
    except Exception as error:  # noqa: BLE001  a hostile server can make a library raise anything
        reason = Reason.INTERNAL_ERROR
        detail = f"{type(error).__name__}: {error}"
    return NoReply(
        reason=reason, detail=masked(detail, secret), duration=loop.time() - started, answered=answered
    )


async def load(module: str) -> None:
    """Import a module without holding up the event loop; one that can't be is told where it is used."""
    if module not in _loaded:
        await in_thread(lambda: _import(module))


def _import(module: str) -> None:
    # Whatever is raised here is raised again, to be told, by the import in its place.
    with contextlib.suppress(Exception):
        importlib.import_module(module)
        _loaded.add(module)  # sys.modules has it from the beginning of its import on


def masked(text: str | bytes, secret: str) -> str:
    """Return a text as one harmless line of bounded length in which the secret does not stand.

    It is masked before the line is cut, so that no part of it is left at the cut.
    """
    line = cleaned(text, limit=2**20)
    if secret:
        line = line.replace(secret, "***")
    return cleaned(line, _DETAIL_CHARACTERS)
