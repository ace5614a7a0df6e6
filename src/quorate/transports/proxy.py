"""ProxyCommand: a process that connects in our place. Source: ssh_config(5)."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Sequence

from quorate.model import Reason
from quorate.transports.errors import HostError


class Proxy:
    """A command whose standard input and output are a connection to the host."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, command: Sequence[str]) -> "tuple[Proxy, socket.socket]":
        """Return the running command, and the socket that speaks through it."""
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            detail = f"the ProxyCommand can't be started: {error.strerror}"
            raise HostError(Reason.INTERNAL_ERROR, detail, answered=False) from None
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        return cls(process), ours

    async def end(self) -> None:
        """End the command and whatever it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
