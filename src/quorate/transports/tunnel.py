"""Connections to other hosts through a jump host's connection, which they share."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncssh
from asyncssh.connection import SSHClientConnection

from quorate.model import Reason
from quorate.transports.cork import Corked
from quorate.transports.errors import HostError, cleaned, seconds
from quorate.transports.tcp import Endpoint

FAILURE_SECONDS = 5.0
"""How long the failure of a jump host counts for the hosts behind it before it is tried again."""

_UNRESOLVED = (
    "name or service not known",
    "name resolution",
    "no address associated",
    "nodename nor servname",
)


class Tunnel:
    """The side of a link that other hosts are reached through."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._failure: HostError | None = None
        self._failed_at = 0.0
        self._used = False
        self._late: list[asyncssh.SSHTCPChannel[bytes]] = []

    @property
    def used(self) -> bool:
        """Whether other hosts were reached through this one, by the connection that it has now."""
        return self._used

    def forget(self) -> None:
        """Forget the connection, because it is closed."""
        self._used = False
        self._late.clear()

    async def open(self, connected: Callable[[], Awaitable[SSHClientConnection]]) -> SSHClientConnection:
        """Return the jump host's connection; HostError `jump_host_failed` names it and says why it is not."""
        loop = asyncio.get_running_loop()
        failure = self._failure
        if failure is None or loop.time() - self._failed_at > FAILURE_SECONDS:
            try:
                connection = await connected()
            except HostError as error:
                failure = self._failure = error
                self._failed_at = loop.time()
            else:
                self._failure, self._used = None, True
                return connection
        detail = f"jump host {self._name} failed ({failure.reason}): {failure.detail}"
        raise HostError(Reason.JUMP_HOST_FAILED, detail, answered=failure.answered)

    async def attach(self, jump: SSHClientConnection, way: Corked, where: Endpoint, limit: float) -> None:
        """Let an SSH connection speak to a host behind the jump host, whose own connection is `jump`."""
        self._sweep()
        try:
            channel = jump.create_tcp_channel()
            try:
                async with asyncio.timeout(limit) as scope:
                    await channel.connect(lambda: way, where.address, where.port, "", 0)
            except BaseException:
                self._late.append(channel)
                raise
        except TimeoutError:
            if not scope.expired():
                raise
            detail = f"no TCP connection to {where} through {self._name}: no answer within {seconds(limit)}"
            raise HostError(Reason.HOST_UNREACHABLE, detail, answered=False) from None
        except asyncssh.ChannelOpenError as error:
            raise self._refused(error, where) from None

    def _sweep(self) -> None:
        """Close channels that opened after nobody waited for them any more."""
        for channel in [c for c in self._late if not c.is_closing()]:
            channel.abort()
            self._late.remove(channel)

    def _refused(self, error: asyncssh.ChannelOpenError, where: Endpoint) -> HostError:
        said = cleaned(error.reason)
        if error.code != asyncssh.OPEN_CONNECT_FAILED:
            detail = f"jump host {self._name} opens no connection to {where}: {said}"
            return HostError(Reason.JUMP_HOST_FAILED, detail)
        if any(text in said.lower() for text in _UNRESOLVED):
            detail = f"the name {where.address} is not resolved by jump host {self._name}: {said}"
            return HostError(Reason.NAME_UNRESOLVED, detail, answered=False)
        detail = f"no TCP connection to {where} through {self._name}: {said}"
        return HostError(Reason.HOST_UNREACHABLE, detail, at_once="refused" in said.lower())
