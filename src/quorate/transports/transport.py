"""Asks hosts and services: one batch at a time each, all at once; whatever happens is a value."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import TracebackType
from typing import Self

from quorate.model import (
    AmqpAsk,
    Ask,
    CeleryAsk,
    Contact,
    Host,
    HttpAsk,
    NoReply,
    PostgresAsk,
    Reason,
    Reply,
    Secret,
    ServiceAsk,
    ServiceReply,
    TcpAsk,
)
from quorate.transports.amqp import ask_amqp
from quorate.transports.celery import ask_celery
from quorate.transports.conversation import Link, Stop
from quorate.transports.errors import HostError, seconds
from quorate.transports.http import ask_http
from quorate.transports.identities import Identities
from quorate.transports.known_hosts import KnownHostsFiles
from quorate.transports.local import LocalLink, is_this_machine
from quorate.transports.login import Slots
from quorate.transports.postgresql import ask_postgresql
from quorate.transports.services import load
from quorate.transports.ssh import Means, SshLink
from quorate.transports.target import Targets
from quorate.transports.tcp import Resolver
from quorate.transports.tcp_service import ask_tcp
from quorate.transports.threads import in_thread
from quorate.transports.wire import READ_BYTES, command_line

_NOTHING = Ask(argv=("true",))
RESERVE = 0.5
"""How long before a host's time is up its last question is given up, so that it can be ended over there."""


@dataclass(slots=True)
class _Batch:
    """The answers of one call, as they come."""

    asks: Sequence[Ask]
    results: list[Reply | NoReply] = field(default_factory=list)
    failure: HostError | None = None
    reached: float | None = None

    @property
    def left(self) -> Sequence[Ask]:
        return self.asks[len(self.results) :]

    def give_up(self, reason: Reason, detail: str) -> None:
        self.results += [NoReply(reason=reason, detail=detail) for _ in self.left]


class Transport:
    """Ways to all hosts of an inventory; connections are kept until `aclose`.

    `resolve` returns a secret's value, or raises what a person can read. `logins_at_once` bounds the
    handshakes that are worked on together. `dial` replaces where TCP goes for a host; its key is looked up
    under the inventory's address all the same. `services` replaces where TCP goes for a service's address
    and port.
    """

    def __init__(
        self,
        hosts: Mapping[str, Host],
        *,
        resolve: Callable[[Secret], str],
        logins_at_once: int = 64,
        dial: Mapping[str, tuple[str, int]] | None = None,
        services: Mapping[tuple[str, int], tuple[str, int]] | None = None,
    ) -> None:
        self._hosts = hosts
        self._services = services or {}
        self._identities = Identities(resolve)
        self._links: dict[str, Link] = {}
        self._hops: dict[str, SshLink] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._means = Means(
            slots=Slots(logins_at_once),
            resolver=Resolver(),
            known_hosts=KnownHostsFiles(),
            identities=self._identities,
            targets=Targets(resolve),
            dial=dial or {},
            jump=self._jump,
            hop=self._hop,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections, those behind jump hosts first."""
        behind = [
            name for name in self._links if self._hosts[name].ssh.jump or self._hosts[name].ssh.config_file
        ]
        for links in (
            [self._links[name] for name in behind],
            list(reversed(self._hops.values())),
            [link for name, link in self._links.items() if name not in behind],
        ):
            await asyncio.gather(*(link.aclose() for link in links))
        self._links.clear()
        self._hops.clear()
        await self._identities.aclose()

    async def ask(
        self, host: str, asks: Sequence[Ask], *, deadline: float
    ) -> tuple[Contact, tuple[Reply | NoReply, ...]]:
        """Ask a host a batch of questions, in order; without any, find out whether it can be asked.

        `deadline` is the event loop's time by which the host must be done. KeyError for a host that is not
        in the inventory, ValueError for a command that holds a line break; nothing else is raised.
        """
        declared = self._hosts[host]
        batch = _Batch(list(asks) or [_NOTHING])
        for each in batch.asks:
            command_line(each.argv)
        loop = asyncio.get_running_loop()
        started = loop.time()
        lock = self._locks.setdefault(host, asyncio.Lock())
        link: Link | None = None
        try:
            async with asyncio.timeout_at(deadline):
                await lock.acquire()
        except TimeoutError:
            detail = "another question kept the host busy until its time was up (host_timeout)"
            batch.failure = HostError(Reason.COMMAND_TIMEOUT, detail)
            batch.give_up(batch.failure.reason, detail)
        else:
            try:
                link = await self._link(declared, deadline)
                await _converse(link, batch, declared, deadline)
            finally:
                lock.release()
        duration = (batch.reached or loop.time()) - started
        contact = Contact(
            host=host,
            failure=batch.failure.no_reply(duration) if batch.failure else None,
            answered=batch.failure.answered if batch.failure else True,
            remote=link.remote if link else not declared.local,
            duration=duration,
        )
        return contact, tuple(batch.results[: len(asks)])

    async def ask_service(self, ask: ServiceAsk, *, deadline: float) -> ServiceReply | NoReply:
        """Ask a service over a connection of its own, which is closed whatever happens.

        `deadline` is the event loop's time by which all is done, whatever the ask's own limits say; it may
        be infinite. Raises nothing but CancelledError.
        """
        address, port = self._services.get((ask.host, ask.port), (ask.host, ask.port))
        match ask:
            case PostgresAsk():
                await load("quorate.transports.postgresql_query")
                return await ask_postgresql(replace(ask, host=address, port=port), deadline=deadline)
            case AmqpAsk():
                await load("quorate.transports.amqp_session")
                return await ask_amqp(replace(ask, host=address, port=port), deadline=deadline)
            case HttpAsk():
                await load("quorate.transports.http_session")
                return await ask_http(replace(ask, host=address, port=port), deadline=deadline)
            case TcpAsk():
                return await ask_tcp(replace(ask, host=address, port=port), deadline=deadline)
            case CeleryAsk():
                await load("quorate.transports.celery_broadcast")
                brokers = tuple(self._services.get(broker, broker) for broker in ask.brokers)
                return await ask_celery(replace(ask, brokers=brokers), deadline=deadline)
            case _:
                detail = f"no way to ask {type(ask).__name__}"  # type: ignore[unreachable]  # of a kind of somebody else's
                return NoReply(reason=Reason.UNSUPPORTED_KIND, detail=detail)

    async def _link(self, host: Host, deadline: float) -> Link:
        if host.name not in self._links:
            own = False
            if host.local and host.address is None:
                own = True
            elif host.local:
                try:
                    async with asyncio.timeout_at(
                        min(deadline, asyncio.get_running_loop().time() + host.ssh.connect_timeout)
                    ):
                        own = await in_thread(partial(is_this_machine, host))
                except TimeoutError:
                    own = False  # a name that is not resolved in time: SSH will say so
            self._links[host.name] = LocalLink(host) if own else SshLink(host, self._means)
        return self._links[host.name]

    def _jump(self, host: Host) -> SshLink | None:
        """Return the link of a host's jump host; None where that is this machine."""
        chain = [host.name]
        while (name := self._hosts[chain[-1]].ssh.jump) is not None:
            if name not in self._hosts or name in chain:
                way = " → ".join([*chain, name])
                problem = "is not in the inventory" if name not in self._hosts else "leads in a circle"
                detail = f"jump host {name} {problem}: {way}"
                raise HostError(Reason.JUMP_HOST_FAILED, detail, answered=False)
            chain.append(name)
        jump = self._hosts[chain[1]]
        if jump.name not in self._links:
            own = jump.local and (jump.address is None or is_this_machine(jump))
            self._links[jump.name] = LocalLink(jump) if own else SshLink(jump, self._means)
        link = self._links[jump.name]
        return link if isinstance(link, SshLink) else None

    def _hop(self, host: Host, via: SshLink | None) -> SshLink:
        if host.name not in self._hops:
            self._hops[host.name] = SshLink(host, self._means, hop=True, via=via)
        return self._hops[host.name]


async def _converse(link: Link, batch: _Batch, host: Host, deadline: float) -> None:
    """Fill a batch; a shell that is stuck is ended and the questions behind it are asked in a new one."""
    loop = asyncio.get_running_loop()
    until = deadline - min(RESERVE, 0.2 * max(0.0, deadline - loop.time()))
    second_chance = link.kept
    while batch.left:
        kept = link.kept
        try:
            answered = await link.ask(batch.left, until)
        except HostError as failure:
            if batch.reached is None:
                batch.failure = failure
            batch.give_up(failure.reason, failure.detail)
            return
        except asyncio.CancelledError:
            await link.end_shell(gently=batch.left[0].sudo, until=loop.time() + RESERVE)
            raise
        if not kept or answered.replies:
            batch.reached = batch.reached or loop.time()
        batch.results += answered.replies
        if answered.stop is None:
            return
        if answered.stop is Stop.LOST:
            await link.end_shell(gently=False, until=deadline)
            if kept and second_chance and not answered.replies:
                second_chance = False  # it was dead before it was asked
                continue
            detail = f"the connection was lost in the middle of {_said(batch.left[0])}: {answered.detail}"
            batch.failure = HostError(Reason.CONNECTION_LOST, detail)
            batch.give_up(Reason.CONNECTION_LOST, detail)
            return
        stuck = batch.left[0]
        _stopped(batch, answered.stop, host)
        await link.end_shell(gently=stuck.sudo, until=deadline)


def _stopped(batch: _Batch, stop: Stop, host: Host) -> None:
    ask = batch.left[0]
    limit = host.ssh.command_timeout if ask.limit is None else ask.limit
    if stop is Stop.DEADLINE:
        detail = f"no answer before the host's time was up (host_timeout is {seconds(host.ssh.host_timeout)})"
        batch.give_up(Reason.COMMAND_TIMEOUT, detail)
    elif stop is Stop.OVERFLOW:
        detail = f"{_said(ask)}: answer larger than {READ_BYTES // 2**20} MiB"
        batch.results.append(NoReply(reason=Reason.UNPARSABLE, detail=detail))
    else:
        detail = f"{_said(ask)}: no answer within {seconds(limit)}"
        batch.results.append(NoReply(reason=Reason.COMMAND_TIMEOUT, detail=detail, duration=limit))


def _said(ask: Ask) -> str:
    text = " ".join(ask.argv)
    return text if len(text) <= 80 else text[:79] + "…"
