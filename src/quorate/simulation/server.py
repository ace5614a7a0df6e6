"""The SSH side of a simulated host: logins as they go well or wrong."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncssh

from quorate.simulation.machine import Conversation, Machine
from quorate.simulation.session import Registry, Session
from quorate.simulation.state import Ssh

_NOLOGIN = (
    '"System is going down. Unprivileged users are not permitted to log in anymore. '
    'For technical details, see pam_nologin(8)."\n\n'
)


class Login(asyncssh.SSHServer):
    """One connection to a simulated host."""

    def __init__(
        self,
        machine: Machine,
        sessions: Registry,
        connections: set[asyncssh.SSHServerConnection],
        client_key: asyncssh.SSHKey,
        forward: Callable[[str, int], tuple[str, int] | None],
    ) -> None:
        self._machine, self._sessions, self._connections = machine, sessions, connections
        self._client_key, self._forward = client_key, forward
        self._connection: asyncssh.SSHServerConnection | None = None
        self._conversation = Conversation(machine=machine, user="")
        self._released = asyncio.Event()
        self._offers = 0

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Take note of the connection, or close it where the scenario wants that."""
        self._connection = conn
        self._connections.add(conn)
        self._machine.connections += 1
        if self._machine.host.ssh is Ssh.RESETS_ONCE and self._machine.connections == 1:
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncssh passes it
        """Forget the connection."""
        if self._connection is not None:
            self._connections.discard(self._connection)
        self._released.set()

    async def begin_auth(self, username: str) -> bool:
        """Show the banner; authentication is always wanted, and sometimes never goes on."""
        self._conversation.user = username
        ssh, banner = self._machine.host.ssh, self._machine.host.banner
        text = banner + (_NOLOGIN if ssh is Ssh.NOLOGIN else "")
        if text and self._connection is not None:
            self._connection.send_auth_banner(text)
        if ssh is Ssh.ENDLESS_LOGIN:
            await self._released.wait()
        return True

    def public_key_auth_supported(self) -> bool:
        """Keys are the only way in."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002  asyncssh passes it
        """Accept the client's key unless the scenario refuses it."""
        self._offers += 1
        ssh = self._machine.host.ssh
        if ssh is Ssh.NOLOGIN and self._offers > 1 and self._connection is not None:
            # sshd closes once the signed request is in, when PAM refuses the account.
            self._connection.abort()
        return ssh is not Ssh.AUTH_REFUSED and key.public_data == self._client_key.public_data

    def auth_completed(self) -> None:
        """Close the connection where the scenario lets nobody stay."""
        if self._machine.host.ssh in (Ssh.NOLOGIN, Ssh.CLOSES) and self._connection is not None:
            self._connection.abort()

    def session_requested(self) -> bool | tuple[asyncssh.SSHServerChannel[bytes], Session]:
        """Grant a session, whose channel carries bytes."""
        if self._connection is None or self._machine.host.ssh is Ssh.NO_SESSION:
            return False
        channel = self._connection.create_server_channel(encoding=None)
        return channel, Session(self._connection, self._conversation, self._sessions)

    async def connection_requested(
        self,
        dest_host: str,
        dest_port: int,
        orig_host: str,  # noqa: ARG002  asyncssh passes it
        orig_port: int,  # noqa: ARG002  asyncssh passes it
    ) -> Any:  # an SSHForwarder, which asyncssh takes and its types forget
        """Forward to another simulated host, as a jump host does, and to nothing else."""
        place = self._forward(dest_host, dest_port)
        if self._connection is None or place is None:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "Connection refused")
        return await self._connection.forward_connection(*place)
