"""One simulated host on the network: its port, whoever listens there, and the connections to it."""

import asyncio
import socket
from collections.abc import Callable
from functools import cache, partial

import asyncssh

from quorate.simulation.listener import Silence, bind, listen_mutely, loopback
from quorate.simulation.machine import Machine
from quorate.simulation.server import Login
from quorate.simulation.session import Registry
from quorate.simulation.state import SimulatedHost, Ssh

Forward = Callable[[str, int], tuple[str, int] | None]
"""Where a jump host's connection to an address and port really leads; None where to nothing."""


@cache
def host_key(algorithm: str, name: str) -> asyncssh.SSHKey:
    """Return the host key of that name, one for the life of the process: making keys takes time."""
    return asyncssh.generate_private_key(algorithm, comment=name)


def usual_key() -> asyncssh.SSHKey:
    """Return the key of every host that a client knows."""
    return host_key("ssh-ed25519", "usual")


@cache
def _options(ssh: Ssh) -> asyncssh.SSHServerConnectionOptions:
    # As little as a login needs, because hundreds of them share one process with the client.
    keys = {
        Ssh.OTHER_KEY: ("ssh-ed25519", "other"),
        Ssh.OTHER_ALGORITHM: ("ecdsa-sha2-nistp256", "other"),
    }
    return asyncssh.SSHServerConnectionOptions(
        server_host_keys=[host_key(*keys.get(ssh, ("ssh-ed25519", "usual")))],
        kex_algs=["curve25519-sha256"],
        encryption_algs=["aes128-gcm@openssh.com", "aes128-ctr"],
        mac_algs=["hmac-sha2-256-etm@openssh.com"],
        compression_algs=["none"],
        public_key_auth=True,
        password_auth=False,
        kbdint_auth=False,
        host_based_auth=False,
        gss_host=None,
        config=None,
        agent_forwarding=False,
        login_timeout=120,
        allow_pty=False,
        line_editor=False,
        encoding=None,
    )


class Station:
    """A simulated host that keeps its port while what happens there changes."""

    def __init__(self, machine: Machine, client_key: asyncssh.SSHKey, forward: Forward) -> None:
        self.machine = machine
        self.address, self.port = loopback(machine.host.address), 0
        self._client_key, self._forward = client_key, forward
        self._sessions: Registry = {}
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._mute: set[asyncio.BaseTransport] = set()
        self._ssh: Ssh | None = None
        self._stop: Callable[[], None] = _nothing

    async def open(self) -> None:
        """Listen as the host's present state wants it; the port is the system's choice, once."""
        ssh = self.machine.host.ssh
        if ssh is self._ssh:
            return
        place = bind(self.port, self.address)
        self.port = place.getsockname()[1]
        await self._hang_up()
        self._stop()
        self._stop, self._ssh = await self._listen(place, ssh), ssh

    async def become(
        self, host: SimulatedHost, steps: tuple[tuple[int, SimulatedHost], ...], now: float
    ) -> None:
        """Take on a scenario's state; who is logged in stays so unless the host's SSH changes."""
        self.machine.become(host, steps, now)
        await self.open()

    async def close(self) -> None:
        """Hang up on everyone and let go of the port."""
        await self._hang_up()
        self._stop()
        self._stop = _nothing

    async def _listen(self, place: socket.socket, ssh: Ssh) -> Callable[[], None]:
        match ssh:
            case Ssh.REFUSED:
                return place.close
            case Ssh.SILENT:
                return Silence(place).close
            case Ssh.MUTE:
                return await listen_mutely(place, self._mute)
            case _:
                login = partial(
                    Login, self.machine, self._sessions, self._connections, self._client_key, self._forward
                )
                acceptor = await asyncssh.listen(sock=place, options=_options(ssh), server_factory=login)
                return acceptor.close

    async def _hang_up(self) -> None:
        connections = list(self._connections)
        for connection in connections:
            connection.abort()
        for transport in list(self._mute):
            transport.close()
        await asyncio.gather(*(connection.wait_closed() for connection in connections))


def _nothing() -> None:
    """Stop nothing, where nothing listens."""
