"""Real OpenSSH servers on loopback, and servers that only look like one."""

import asyncio
import contextlib
import getpass
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from quorate.model import Ask, Contact, Host, NoReply, Reply, SshSettings
from quorate.transports import Transport

SSHD = Path("/usr/sbin/sshd")
USER = getpass.getuser()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def key_file(path: Path, algorithm: str = "ssh-ed25519", **options: Any) -> Path:
    """Write a new private key and its public half, as ssh-keygen does."""
    key = asyncssh.generate_private_key(algorithm)
    path.write_bytes(key.export_private_key(**options))
    path.chmod(0o600)
    path.with_name(path.name + ".pub").write_bytes(key.export_public_key())
    return path


@dataclass
class Sshd:
    """A running sshd; `lines` of further configuration come before its own, so that they win."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def host_key(self) -> str:
        return (self.folder / "host_key.pub").read_text().strip()

    @property
    def known_as(self) -> str:
        return f"[127.0.0.1]:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def written(self, pid: int) -> str:
        """Return how many bytes a process has written, as the kernel counts them."""
        return Path(f"/proc/{pid}/io").read_text().split()[3]

    def children(self) -> list[int]:
        """Return the processes that serve connections, by pid."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[1]) == self.process.pid:
                    found.append(int(stat.parent.name))
        return found

    def stop(self) -> None:
        children = self.children()
        self.process.terminate()
        self.process.wait(5)
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@dataclass
class Ground:
    """One test's folder: keys, known hosts, servers, and the settings that fit them."""

    folder: Path
    servers: list[Sshd] = field(default_factory=list)
    named: dict[str, Sshd] = field(default_factory=dict)

    @property
    def identity(self) -> Path:
        path = self.folder / "client_key"
        return path if path.exists() else key_file(path)

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def settings(self) -> SshSettings:
        return SshSettings(
            user=USER,
            identity_file=str(self.identity),
            known_hosts=str(self.known_hosts),
            connect_timeout=15.0,  # generous, for machines that are busy; tests of a limit set their own
            command_timeout=15.0,
            sudo=False,
        )

    def key(self, name: str, algorithm: str = "ssh-ed25519") -> Path:
        return key_file(self.folder / name, algorithm)

    def public(self, name: str, algorithm: str = "ssh-ed25519") -> str:
        """Make a new key and return its public half."""
        return Path(f"{self.key(name, algorithm)}.pub").read_text().strip()

    def encrypted(self, *, with_public: bool = False) -> Path:
        """Return the client's key with the passphrase s3cret, in a format that needs no bcrypt to be read."""
        path = self.folder / "encrypted"
        key = asyncssh.read_private_key(self.identity)
        path.write_bytes(key.export_private_key("pkcs8-pem", passphrase="s3cret"))
        if with_public:
            path.with_name("encrypted.pub").write_bytes(key.export_public_key())
        return path

    def run(self, *command: str | Path) -> None:
        subprocess.run(command, check=True, capture_output=True)

    def free_port(self) -> int:
        return free_port()

    def start(
        self,
        *lines: str,
        host_key: str = "ssh-ed25519",
        known: bool = True,
        keys: str | None = None,
        program: Path = SSHD,
    ) -> Sshd:
        """Start an sshd on a free port; its host key is known unless told otherwise."""
        assert SSHD.exists(), "the contract suite needs OpenSSH's server: apt-get install openssh-server"
        folder = self.folder / f"sshd-{len(self.servers)}"
        home = folder / "home"
        home.mkdir(parents=True)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        key_file(folder / "host_key", host_key)
        (folder / "authorized_keys").write_text(
            Path(f"{self.identity}.pub").read_text() if keys is None else keys
        )
        port = free_port()
        own = [
            f"Port {port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {folder}/host_key",
            f"AuthorizedKeysFile {folder}/authorized_keys",
            "StrictModes no",
            "UsePAM no",
            "PidFile none",
            "PermitRootLogin yes",
            "PasswordAuthentication no",
            "MaxStartups 200",
            "Subsystem sftp internal-sftp",
        ]
        if not any(line.startswith("SetEnv") for line in lines):
            own.append(f"SetEnv HOME={home}")  # what is in the developer's own .bashrc is not our subject
        (folder / "sshd_config").write_text("\n".join([*lines, *own, ""]))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([program, "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
        server = Sshd(folder, port, process)
        self.servers.append(server)
        self._await(server)
        if known:
            self.know(server.known_as, server.host_key)
        return server

    def once(self, name: str, *lines: str) -> Sshd:
        """Return a server that tests share under a name, started by the first of them."""
        if name not in self.named:
            self.named[name] = self.start(*lines)
        return self.named[name]

    @staticmethod
    def _await(server: Sshd) -> None:
        end = time.monotonic() + 10
        while True:
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", server.port)) == 0:
                    return
            assert server.process.poll() is None, server.log
            assert time.monotonic() < end, server.log
            time.sleep(0.02)

    def know(self, name: str, key: str) -> None:
        with self.known_hosts.open("a") as file:
            file.write(f"{name} {key}\n")

    def host(self, port: int, name: str = "nfs-1", **changes: Any) -> Host:
        """Return an inventory host at a port of loopback, with this ground's settings and some of its own."""
        address = changes.pop("address", "127.0.0.1")
        return Host(name=name, address=address, ssh=replace(self.settings, port=port, **changes))


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    ground = Ground(tmp_path)
    yield ground
    for server in ground.servers:
        server.stop()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """One ground with one plain server, for tests that change nothing about it."""
    ground = Ground(tmp_path_factory.mktemp("shared"))
    ground.start()
    yield ground
    for server in ground.servers:
        server.stop()


Asking = Callable[..., Awaitable[tuple[Contact, tuple[Reply | NoReply, ...]]]]


@pytest.fixture
async def ask() -> AsyncIterator[Asking]:
    """Ask a host by command lines; connections are kept until the test ends, and nothing may be left then."""
    transports: dict[tuple[Host, ...], Transport] = {}

    async def asking(
        host: Host,
        *argvs: Sequence[str] | Ask,
        within: float = 40.0,
        others: Sequence[Host] = (),
        **options: Any,
    ) -> tuple[Contact, tuple[Reply | NoReply, ...]]:
        hosts = (host, *others)
        if hosts not in transports:
            options.setdefault("resolve", lambda _: "")
            transports[hosts] = Transport({h.name: h for h in hosts}, **options)
        asks = [a if isinstance(a, Ask) else Ask(argv=tuple(a)) for a in argvs]
        deadline = asyncio.get_running_loop().time() + within
        return await transports[hosts].ask(host.name, asks, deadline=deadline)

    yield asking
    for transport in transports.values():
        await transport.aclose()
    await asyncio.sleep(0)
    left = [t for t in asyncio.all_tasks() if t is not asyncio.current_task() and not t.done()]
    assert not left, left


Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
async def fake() -> AsyncIterator[Callable[[Behaviour], Awaitable[int]]]:
    """Start a TCP server with a behaviour of its own; return its port."""
    servers = []
    tasks: set[asyncio.Task[None]] = set()

    async def start(behaviour: Behaviour) -> int:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await behaviour(reader, writer)
            except (ConnectionError, asyncio.CancelledError):
                pass  # the client has gone, or the test is over
            finally:
                tasks.discard(task)
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    yield start
    for server in servers:
        server.close()
    for task in list(tasks):
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    """Return whether a process runs, zombies not counted."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def pid_in(file: Path) -> int:
    return int(file.read_text())


@pytest.fixture
def gone() -> Callable[[Path], Awaitable[bool]]:
    """Wait for the process whose pid a file holds to be gone."""

    async def waited(file: Path) -> bool:
        pid = pid_in(file)
        for _ in range(100):
            if not alive(pid):
                return True
            await asyncio.sleep(0.02)
        return False

    return waited
