"""Connections that the triggerer keeps from one sweep to the next, shared by all sweeps of one inventory.

A sweep over connections that are open is one line to each host and one answer. So that a login that has
ceased to work is not hidden for long, connections are made anew every ten minutes, and closed when nobody
sweeps.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from quorate.model import Host, Secret

Resolve = Callable[[Secret], str]

LIFETIME = 600.0
"""Seconds after which connections are made anew, however well they work."""
IDLE = 300.0
"""Seconds after the last sweep after which connections are closed."""


class Transport(Protocol):
    """What is kept; `quorate.transports.Transport` is one."""

    async def aclose(self) -> None:
        """Close all connections."""


@dataclass(kw_only=True, eq=False)
class _Kept:
    transport: Any
    hosts: Mapping[str, Host]
    secrets: "_Secrets"
    born: float
    sweeps: int = 0
    closing: asyncio.TimerHandle | None = None
    retired: bool = False
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


@dataclass
class _Secrets:
    """What resolves secrets at a later login: what the latest sweep brought, not the first one."""

    latest: Resolve

    def resolve(self, secret: Secret) -> str:
        return self.latest(secret)


_KEPT: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Kept]] = WeakKeyDictionary()


@asynccontextmanager
async def kept_transport(
    source: str,
    hosts: Mapping[str, Host],
    resolve: Resolve,
    make: Callable[[Mapping[str, Host], Resolve], Transport],
) -> AsyncIterator[Any]:
    """Give the transport to an inventory's hosts that is kept for `source`; made where there is none yet.

    Hosts that are declared otherwise than before get a new one. Logins use the latest `resolve`. The old
    transport ends with the last sweep that uses it.
    """
    loop = asyncio.get_running_loop()
    here = _KEPT.setdefault(loop, {})
    kept = here.get(source)
    if kept is not None and (dict(kept.hosts) != dict(hosts) or loop.time() - kept.born > LIFETIME):
        del here[source]
        await _retire(kept)
        kept = None
    if kept is None:
        secrets = _Secrets(resolve)
        kept = _Kept(transport=make(hosts, secrets.resolve), hosts=hosts, secrets=secrets, born=loop.time())
        here[source] = kept
    kept.secrets.latest = resolve
    kept.sweeps += 1
    if kept.closing is not None:
        kept.closing.cancel()
        kept.closing = None
    try:
        yield kept.transport
    finally:
        kept.sweeps -= 1
        if kept.sweeps == 0:
            if kept.retired:
                await kept.transport.aclose()
            else:
                kept.closing = loop.call_later(IDLE, _close_idle, here, source, kept)


async def _retire(kept: _Kept) -> None:
    kept.retired = True
    if kept.closing is not None:
        kept.closing.cancel()
    if kept.sweeps == 0:
        await kept.transport.aclose()


def _close_idle(here: dict[str, _Kept], source: str, kept: _Kept) -> None:
    if here.get(source) is kept:
        del here[source]
    task = asyncio.get_running_loop().create_task(_retire(kept))
    # The loop holds its tasks weakly.
    kept.tasks.add(task)
    task.add_done_callback(kept.tasks.discard)
