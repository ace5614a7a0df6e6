"""Connections that the triggerer keeps from one sweep to the next, shared by all sweeps of one inventory.

A sweep over connections that are open is one line to each host and one answer. So that a login that has
ceased to work is not hidden for long, connections are made anew every ten minutes, and closed when nobody
sweeps.

Only the first look at a host goes over what is shared, and waits for nobody: where another sweep keeps the
host busy, and for all that is asked beyond, a sweep has connections of its own. So one sweep's hung host or
slow journal costs no other sweep its answers.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol
from weakref import WeakKeyDictionary

from quorate.model import Ask, Contact, Host, NoReply, Reply, Secret, ServiceAsk, ServiceReply

Resolve = Callable[[Secret], str]

LIFETIME = 600.0
"""Seconds after which connections are made anew, however well they work."""
IDLE = 300.0
"""Seconds after the last sweep after which connections are closed."""


PATIENCE = 0.25
"""Seconds that a sweep waits for a host which another sweep asks right now."""

Answers = tuple[Contact, tuple[Reply | NoReply, ...]]


class Transport(Protocol):
    """What is kept; `quorate.transports.Transport` is one."""

    async def ask(self, host: str, asks: Sequence[Ask], *, deadline: float) -> Answers:
        """Ask a host."""

    async def ask_service(self, ask: ServiceAsk, *, deadline: float) -> ServiceReply | NoReply:
        """Ask a service."""

    async def aclose(self) -> None:
        """Close all connections."""


@dataclass(kw_only=True, eq=False)
class _Kept:
    transport: Transport
    hosts: Mapping[str, Host]
    secrets: "_Secrets"
    born: float
    busy: dict[str, asyncio.Lock] = field(default_factory=dict)
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


class SharedWay:
    """The ways of one sweep: what is kept for the first look at each host, its own for everything else."""

    def __init__(self, kept: _Kept, own: Transport) -> None:
        self._kept = kept
        self._own = own
        self._asked: set[str] = set()

    async def ask(self, host: str, asks: Sequence[Ask], *, deadline: float) -> Answers:
        """Ask a host; as `quorate.transports.Transport` does."""
        if host in self._asked:
            return await self._own.ask(host, asks, deadline=deadline)
        self._asked.add(host)
        lock = self._kept.busy.setdefault(host, asyncio.Lock())
        try:
            async with asyncio.timeout(PATIENCE):
                await lock.acquire()
        except TimeoutError:
            return await self._own.ask(host, asks, deadline=deadline)
        try:
            return await self._kept.transport.ask(host, asks, deadline=deadline)
        finally:
            lock.release()

    async def ask_service(self, ask: ServiceAsk, *, deadline: float) -> ServiceReply | NoReply:
        """Ask a service; each question has a connection of its own anyway."""
        return await self._own.ask_service(ask, deadline=deadline)


@asynccontextmanager
async def kept_transport(
    source: str,
    hosts: Mapping[str, Host],
    resolve: Resolve,
    make: Callable[[Mapping[str, Host], Resolve], Transport],
) -> AsyncIterator[SharedWay]:
    """Give a sweep the ways to an inventory's hosts that are kept for `source`; made where there are none.

    Hosts that are declared otherwise than before get new ones. Logins use the latest `resolve`. What is kept
    ends with the last sweep that uses it, the sweep's own connections end with the sweep.
    """
    kept = await _kept_for(source, hosts, resolve, make)
    own = make(hosts, resolve)
    kept.sweeps += 1
    if kept.closing is not None:
        kept.closing.cancel()
        kept.closing = None
    try:
        yield SharedWay(kept, own)
    finally:
        kept.sweeps -= 1
        if kept.sweeps == 0 and not kept.retired:
            loop = asyncio.get_running_loop()
            kept.closing = loop.call_later(IDLE, _close_idle, _KEPT[loop], source, kept)
        await own.aclose()
        if kept.sweeps == 0 and kept.retired:
            await kept.transport.aclose()


async def _kept_for(
    source: str,
    hosts: Mapping[str, Host],
    resolve: Resolve,
    make: Callable[[Mapping[str, Host], Resolve], Transport],
) -> _Kept:
    loop = asyncio.get_running_loop()
    here = _KEPT.setdefault(loop, {})
    kept = here.get(source)
    if kept is not None and (dict(kept.hosts) != dict(hosts) or loop.time() - kept.born > LIFETIME):
        del here[source]
        await _retire(kept)
        kept = here.get(source)
    if kept is None:
        secrets = _Secrets(resolve)
        transport = make(hosts, secrets.resolve)
        kept = here[source] = _Kept(transport=transport, hosts=hosts, secrets=secrets, born=loop.time())
    kept.secrets.latest = resolve
    return kept


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
