"""This machine: asked in the same words as any host, without SSH."""

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
from collections.abc import Sequence
from typing import cast

from quorate.model import Ask, Host, Reason
from quorate.transports.conversation import Conversation, Round
from quorate.transports.errors import HostError, cleaned

KILL_SECONDS = 1.0
"""How long the end of a shell is awaited after it was killed."""


def is_this_machine(host: Host) -> bool:
    """Return whether a host is `local` and has no address, or one that is this machine's: no SSH is needed.

    The kernel is asked which address it would send from; nothing is sent. Loopback addresses are no sign of
    this machine, since tunnels and test clusters listen there. A name may take as long as its look-up.
    """
    if not host.local:
        return False
    if host.address is None:
        return True
    try:
        found = socket.getaddrinfo(host.address, 9, type=socket.SOCK_DGRAM)
    except (OSError, ValueError):
        return False
    return any(_is_own(family, address) for family, _, _, _, address in found)


def _is_own(family: int, address: tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]) -> bool:
    try:
        wanted = ipaddress.ip_address(str(address[0]).partition("%")[0])
        if wanted.is_loopback or wanted.is_unspecified or wanted.is_multicast:
            return False
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect(address)
            return ipaddress.ip_address(sock.getsockname()[0].partition("%")[0]) == wanted
    except (OSError, ValueError):
        return False


class _Process(asyncio.SubprocessProtocol):
    """Hands a child's bytes to the conversation."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._transport: asyncio.SubprocessTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._conversation.feed(data, stderr=fd == 2)

    def connection_lost(self, _exc: Exception | None) -> None:
        code = self._transport.get_returncode() if self._transport else None
        how = (
            "it ended"
            if code is None
            else f"it exited with {code}"
            if code >= 0
            else f"signal {-code} ended it"
        )
        self._conversation.end(how)


class LocalLink:
    """A shell on this machine, kept between batches, in a session and process group of its own."""

    remote = False

    def __init__(self, host: Host) -> None:
        self._host = host
        self._conversation: Conversation | None = None
        self._transport: asyncio.SubprocessTransport | None = None

    @property
    def kept(self) -> bool:
        """Whether a shell from an earlier batch is there."""
        return self._conversation is not None and self._conversation.ended is None

    async def ask(self, asks: Sequence[Ask], until: float) -> Round:
        """Ask a batch; HostError where no shell can be started."""
        settings = self._host.ssh
        commands = [("sudo", "-n", *a.argv) if a.sudo and settings.sudo else a.argv for a in asks]
        limits = [settings.command_timeout if a.limit is None else a.limit for a in asks]
        conversation = self._conversation
        if conversation is None or conversation.ended is not None:
            await self.aclose()
            conversation = await self._begun(commands, until)
        else:
            self._write(conversation.batch_line(commands))
        return await conversation.answers(limits, until)

    async def _begun(self, commands: Sequence[tuple[str, ...]], until: float) -> Conversation:
        conversation = Conversation()
        command, line = conversation.login_command(commands)
        try:
            # The shell's process id is its group's, since it leads a session of its own.
            self._transport, _ = await asyncio.get_running_loop().subprocess_exec(
                lambda: _Process(conversation), "/bin/sh", "-c", command, start_new_session=True
            )
        except OSError as error:
            detail = f"no shell can be started on this machine: {error.strerror}"
            raise HostError(Reason.INTERNAL_ERROR, detail) from None
        self._conversation = conversation
        end = min(until, asyncio.get_running_loop().time() + self._host.ssh.connect_timeout)
        if not await conversation.begun(end):
            await self.aclose()
            how = conversation.ended or "it does not begin"
            noise = cleaned(conversation.noise)
            detail = f"the shell of this machine can't be asked: {how}" + (
                f"; it said: {noise}" if noise else ""
            )
            raise HostError(Reason.INTERNAL_ERROR, detail)
        self._write(line)
        return conversation

    def _write(self, line: str) -> None:
        pipe = self._transport.get_pipe_transport(0) if self._transport else None
        if pipe is not None and line:
            cast(asyncio.WriteTransport, pipe).write(line.encode(errors="surrogateescape"))

    async def end_shell(self, *, gently: bool, until: float) -> None:
        """End a shell in the middle of a question, with all that it runs."""
        if gently and self._conversation is not None:
            self._signal(signal.SIGTERM)
            await self._conversation.over(min(until, asyncio.get_running_loop().time() + 0.2))
        await self.aclose()

    async def aclose(self) -> None:
        """End the shell and its process group."""
        transport, conversation = self._transport, self._conversation
        if transport is None or conversation is None:
            return
        self._signal(signal.SIGKILL)
        self._transport = self._conversation = None
        await conversation.over(asyncio.get_running_loop().time() + KILL_SECONDS)
        transport.close()

    def _signal(self, number: signal.Signals) -> None:
        if self._transport is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._transport.get_pid(), number)
