"""A shell at the other end of an SSH connection: begun, asked, ended."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence

import asyncssh
from asyncssh.connection import SSHClientConnection

from quorate.model import Reason
from quorate.transports.conversation import Conversation, Round
from quorate.transports.errors import HostError, cleaned, seconds
from quorate.transports.login import Client
from quorate.transports.target import Target

WATCH_AFTER = 0.6
KEEPALIVE_INTERVAL, KEEPALIVE_COUNT = 0.8, 2
"""While something is awaited: a host that is frozen is found after three seconds of silence.

What is answered at once is not watched: each packet that comes would set the timer anew.
"""
TERM_SECONDS = 0.3
"""How long what runs under sudo has to end by itself."""
KILL_SECONDS = 2.0
"""How long ending a stuck shell may take before its connection is closed instead."""


class _Session(asyncssh.SSHClientSession[bytes]):
    """Hands a channel's bytes to the conversation."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._how = "the channel was closed"

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self._conversation.feed(data, stderr=datatype is not None)

    def exit_status_received(self, status: int) -> None:
        self._how = f"it exited with {status}"

    def exit_signal_received(self, signal: str, _core_dumped: bool, _msg: str, _lang: str) -> None:
        self._how = f"it was ended by signal {signal}"

    def connection_lost(self, exc: Exception | None) -> None:
        self._conversation.end(f"the connection was lost: {cleaned(str(exc))}" if exc else self._how)


class Shell:
    """Our shell on a host, in a session of its own; it waits for questions until it is closed."""

    def __init__(self, connection: SSHClientConnection, target: Target, client: Client) -> None:
        self._connection = connection
        self._target = target
        self._client = client
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._conversation = Conversation()

    @property
    def alive(self) -> bool:
        """Whether nothing is known of its end."""
        return self._conversation.ended is None and not self._client.closed

    async def begin(self, commands: Sequence[tuple[str, ...]], until: float) -> None:
        """Begin the shell with its first questions; HostError where it does not begin.

        What accepts the login and then runs something else, such as an SFTP server, gets an end of file on
        half the way and quits; a shell that is merely slow answers this one batch and is begun anew then.
        """
        loop = asyncio.get_running_loop()
        limit = self._target.settings.connect_timeout
        end = min(loop.time() + limit, until)
        command, line = self._conversation.login_command(commands)
        try:
            async with asyncio.timeout_at(end) as scope:
                self._channel, _ = await self._connection.create_session(
                    lambda: _Session(self._conversation), command, encoding=None
                )
        except (asyncssh.Error, OSError) as error:
            if scope.expired():
                raise self._not_begun(limit, out_of_time=end == until) from None
            raise self._closed(f"a session was refused: {cleaned(str(error))}") from None
        if not await self._conversation.begun((loop.time() + end) / 2) and self.alive:
            self._channel.write_eof()
        if not await self._conversation.begun(end):
            if self._conversation.ended is None and not self._client.closed:
                raise self._not_begun(limit, out_of_time=end == until)
            raise self._closed(f"the session ended before our shell began: {self._conversation.ended}")
        if line:
            self._write(line)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Send keep-alives while something is awaited; a connection that is merely kept costs nothing."""
        begin = asyncio.get_running_loop().call_later(
            WATCH_AFTER, self._connection.set_keepalive, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT
        )
        try:
            yield
        finally:
            begin.cancel()
            if begin.when() <= asyncio.get_running_loop().time():
                self._connection.set_keepalive(0)

    def _not_begun(self, limit: float, *, out_of_time: bool) -> HostError:
        user = self._target.options.username
        if out_of_time:
            detail = f"the login of {user} is accepted, but no shell began in the host's time (host_timeout)"
            return HostError(Reason.COMMAND_TIMEOUT, detail + self._said())
        detail = f"the login of {user} is accepted, but no shell begins within {seconds(limit)}"
        return HostError(Reason.SSH_UNRESPONSIVE, detail + self._said())

    def _closed(self, how: str) -> HostError:
        detail = f"the login of {self._target.options.username} is accepted, but {how}"
        return HostError(Reason.LOGIN_CLOSED, detail + self._said())

    def _said(self) -> str:
        said = [cleaned(self._client.banner), cleaned(self._conversation.noise)]
        return "".join(f"; the host said: {text}" for text in said if text)

    def _write(self, line: str) -> None:
        # A channel that is closed in this very moment takes nothing: the conversation's end says so.
        with contextlib.suppress(OSError):
            if self._channel is not None:
                self._channel.write(line.encode(errors="surrogateescape"))

    def say(self, commands: Sequence[tuple[str, ...]]) -> None:
        """Ask a further batch."""
        self._write(self._conversation.batch_line(commands))

    async def answers(self, limits: Sequence[float], until: float) -> Round:
        """Wait for the answers to the batch that was asked last."""
        return await self._conversation.answers(limits, until)

    def drop(self) -> None:
        """Close the shell's channel, whatever still runs behind it."""
        if self._channel is not None:
            self._channel.abort()

    async def kill(self, *, gently: bool, until: float) -> bool:
        """End the shell and all that it runs; True where the connection can be used further.

        By a signal through its own channel, which OpenSSH passes on since 7.9 but not to root's sessions, nor
        to forced commands; and by a second session, which MaxSessions may forbid. Where neither is possible
        the question runs on until it ends by itself, and the connection is not used any more.
        `gently` sends SIGTERM first: sudo passes it on to what it runs as root, SIGKILL would end sudo alone.
        """
        if self._channel is None or not self.alive:
            return not self._client.closed
        loop = asyncio.get_running_loop()
        until = min(until, loop.time() + KILL_SECONDS)
        self._signal("TERM" if gently else "KILL")
        beside = await self._kill_beside(gently=gently, until=until)
        if gently and not beside:
            await self._conversation.over(min(until, loop.time() + TERM_SECONDS))
            self._signal("KILL")
        over = await self._conversation.over(min(until, loop.time() + 0.2))
        if beside and not over:
            self.drop()  # something that can't be killed holds the channel open: it is closed from our side
        return (beside or over) and not self._client.closed

    def _signal(self, name: str) -> None:
        with contextlib.suppress(OSError):  # the channel is closed: there is nothing to be ended
            if self._channel is not None:
                self._channel.send_signal(name)

    async def _kill_beside(self, *, gently: bool, until: float) -> bool:
        pid = self._conversation.pid
        if pid is None or pid <= 1:
            return False
        beside = Conversation()
        command = kill_command(pid, gently=gently)
        try:
            async with asyncio.timeout_at(until):
                channel, _ = await self._connection.create_session(
                    lambda: _Session(beside), command, encoding=None
                )
        except (asyncssh.Error, OSError):
            return False
        ended = await beside.over(until)
        channel.abort()
        return ended


def kill_command(pid: int, *, gently: bool) -> str:
    """Return the command that ends the process group in which a shell runs. Source: kill(1p), proc(5).

    The group is read from /proc, since a forced command that starts our shell leads the group in its place.
    """
    script = f"g={pid}; {{ read -r _ _ _ _ g _ </proc/{pid}/stat; }} 2>/dev/null; "
    if gently:
        script += f"kill -s TERM -- -$g && sleep {TERM_SECONDS}; "
    script += "kill -s KILL -- -$g"
    return f"exec /bin/sh -c '{script}'"
