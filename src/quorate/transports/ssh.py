"""A host that is asked over SSH: one connection and one shell, both kept between batches."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from asyncssh.connection import SSHClientConnection

from quorate.model import Ask, Host, Reason
from quorate.transports.conversation import Round
from quorate.transports.cork import Corked
from quorate.transports.errors import HostError
from quorate.transports.identities import Identities
from quorate.transports.known_hosts import KnownHostsFiles
from quorate.transports.login import Client, Slots, explained, log_in
from quorate.transports.proxy import Proxy
from quorate.transports.shell import Shell
from quorate.transports.target import Target, Targets
from quorate.transports.tcp import Endpoint, Resolver, connect
from quorate.transports.tunnel import Tunnel

PAUSE = 0.25
"""How long after a failure that came at once it is tried a second time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """What all hosts share. `jump` gives the link of a host's jump host, `hop` that of a ProxyJump's hop."""

    slots: Slots
    resolver: Resolver
    known_hosts: KnownHostsFiles
    identities: Identities
    targets: Targets
    dial: Mapping[str, tuple[str, int]]
    jump: "Callable[[Host], SshLink | None]"
    hop: "Callable[[Host, SshLink | None], SshLink]"


@dataclass(frozen=True, slots=True)
class _Login:
    """A connection that was logged in to, and what belongs to it."""

    connection: SSHClientConnection
    client: Client
    target: Target

    @property
    def alive(self) -> bool:
        return not self.client.closed


class SshLink:
    """The way to one host. `hop` says that it is one of a ProxyJump, `via` which one comes before it."""

    remote = True

    def __init__(self, host: Host, means: Means, *, hop: bool = False, via: "SshLink | None" = None) -> None:
        self._host = host
        self._means = means
        self._hop = hop
        self._via = via
        self._login: _Login | None = None
        self._shell: Shell | None = None
        self._proxy: Proxy | None = None
        self._attempt: asyncio.Task[_Login | HostError] | None = None
        self._waiting = 0
        self._answered = False
        self.tunnel = Tunnel(host.name)

    @property
    def kept(self) -> bool:
        """Whether a shell from an earlier batch is there, as far as is known."""
        return self._shell is not None and self._shell.alive

    @property
    def _connected(self) -> bool:
        return self._login is not None and self._login.alive

    # Asking.

    async def ask(self, asks: Sequence[Ask], until: float) -> Round:
        """Ask a batch over the connection that is there, or a new one; HostError where it can't be asked."""
        settings = self._host.ssh
        commands = [("sudo", "-n", *a.argv) if a.sudo and settings.sudo else a.argv for a in asks]
        limits = [settings.command_timeout if a.limit is None else a.limit for a in asks]
        shell = self._shell
        if shell is not None and shell.alive:
            shell.say(commands)
        else:
            shell = await self._begun(commands, until)
        with shell.watched():
            return await shell.answers(limits, until)

    async def _begun(self, commands: Sequence[tuple[str, ...]], until: float) -> Shell:
        """Return a new shell that was asked; where a kept connection gives none, a new login is tried."""
        kept = self._connected
        try:
            return await self._begun_on(await self._within(until), commands, until)
        except HostError:
            self._shell = None
            if self.tunnel.used and self._connected:
                raise  # others speak through this connection
            await self.aclose()
            if not kept:
                raise
        return await self._begun_on(await self._within(until), commands, until)

    async def _begun_on(self, login: _Login, commands: Sequence[tuple[str, ...]], until: float) -> Shell:
        self._shell = shell = Shell(login.connection, login.target, login.client)
        with shell.watched():
            await shell.begin(commands, until)
        return shell

    async def end_shell(self, *, gently: bool, until: float) -> None:
        """End a shell in the middle of a question; the connection stays where that can be had."""
        shell, self._shell = self._shell, None
        if shell is None or await shell.kill(gently=gently, until=until):
            return
        if self.tunnel.used and self._connected:
            shell.drop()  # others speak through this connection
        else:
            await self.aclose()

    async def aclose(self) -> None:
        """Close the connection, and give up what is under way to have one."""
        self._shell = None
        self.tunnel.forget()
        if self._attempt is not None:
            await self._give_up(self._attempt)
        login, self._login = self._login, None
        proxy, self._proxy = self._proxy, None
        if login is not None:
            login.connection.close()
            await login.connection.wait_closed()
        if proxy is not None:
            await proxy.end()

    # Connecting.

    async def _within(self, until: float) -> _Login:
        try:
            async with asyncio.timeout_at(until):
                return await self._logged_in()
        except TimeoutError:
            phase = "the login had not ended" if self._answered else "there was no TCP connection"
            detail = f"{phase} when the host's time was up (host_timeout)"
            raise HostError(Reason.COMMAND_TIMEOUT, detail, answered=self._answered) from None

    async def connection(self) -> SSHClientConnection:
        """Return the connection, kept or new, for the hosts behind this one; or raise a HostError."""
        return (await self._logged_in()).connection

    async def _logged_in(self) -> _Login:
        """Return a login, kept or new; all who wait share one attempt, and its HostError."""
        if self._login is None or not self._login.alive:
            if self._attempt is None:
                self._attempt = asyncio.create_task(self._reached())
            attempt = self._attempt
            self._waiting += 1
            try:
                outcome = await asyncio.shield(attempt)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                outcome = HostError(Reason.CONNECTION_LOST, "the connection was closed while it was made")
            finally:
                self._waiting -= 1
                if attempt.done() or not self._waiting:
                    await self._give_up(attempt)
            if isinstance(outcome, HostError):
                raise outcome
            return outcome
        return self._login

    async def _give_up(self, attempt: "asyncio.Task[_Login | HostError]") -> None:
        if self._attempt is attempt:
            self._attempt = None
        if not attempt.done():
            attempt.cancel()
            await asyncio.wait({attempt})

    async def _reached(self) -> _Login | HostError:
        """Connect and log in, a second time where that fails at once; or return why it does not succeed."""
        outcome = await self._tried()
        if isinstance(outcome, HostError) and outcome.at_once:
            await asyncio.sleep(PAUSE)
            outcome = await self._tried()
        return outcome

    async def _tried(self) -> _Login | HostError:
        self._answered = False
        try:
            target = await self._means.targets.target(self._host, hop=self._hop)
            jump = self._jump(target)
            if jump is not None:
                return await self._log_in_through(jump, target)
            sock = await self._socket(target)
            try:
                return await self._log_in_over(sock, target)
            except BaseException:
                sock.close()  # closed already where it came to a handshake
                raise
        except HostError as failure:
            if self._proxy is not None:
                proxy, self._proxy = self._proxy, None
                await proxy.end()
            return failure

    def _jump(self, target: Target) -> "SshLink | None":
        link = self._via
        for hop in target.hops:
            link = self._means.hop(hop, link)
        if target.settings.jump is not None:
            link = self._means.jump(self._host)
        return link

    async def _socket(self, target: Target) -> socket.socket:
        if target.proxy_command and self._host.name not in self._means.dial:
            self._proxy, sock = await Proxy.start(target.proxy_command)
            return sock
        limit = target.settings.connect_timeout
        return await connect(self._dialled(target), self._means.resolver, limit=limit)

    def _dialled(self, target: Target) -> Endpoint:
        if self._host.name not in self._means.dial:
            return target.endpoint
        address, port = self._means.dial[self._host.name]
        return Endpoint(address=address, port=port)

    async def _log_in_over(self, sock: socket.socket, target: Target) -> _Login:
        self._answered = self._proxy is None

        async def attach(way: Corked) -> None:
            await asyncio.get_running_loop().create_connection(lambda: way, sock=sock)

        return await self._log_in(target, attach)

    async def _log_in_through(self, jump: "SshLink", target: Target) -> _Login:
        connection = await jump.tunnel.open(jump.connection)

        async def attach(way: Corked) -> None:
            limit = target.settings.connect_timeout
            await jump.tunnel.attach(connection, way, self._dialled(target), limit)
            self._answered = True

        return await self._log_in(target, attach)

    async def _log_in(self, target: Target, attach: Callable[[Corked], Awaitable[None]]) -> _Login:
        # Under an alias a key stands without a port. Source: ssh_config(5), HostKeyAlias.
        port = target.endpoint.port if target.known_as == target.endpoint.address else 22
        keys = self._means.known_hosts.keys(target.settings.known_hosts, target.known_as, port)
        client = Client(lambda: self._means.identities.offers(target.wanted))
        try:
            connection = await log_in(target, keys, client, self._means.slots, attach)
        except HostError:
            raise
        except Exception as error:  # noqa: BLE001  a hostile server can make the library raise anything
            raise explained(error, target, keys, client) from None
        # Here, and not where it is awaited: who waits may be cancelled in this very moment.
        self._login = _Login(connection, client, target)
        return self._login
