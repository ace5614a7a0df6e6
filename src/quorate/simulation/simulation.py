"""Runs the simulated cluster: hosts and services on loopback, what logs in to them, and an inventory."""

import asyncio
import secrets
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncssh

from quorate.engine.services import ask_of
from quorate.model import Inventory, SshSettings
from quorate.simulation import declared
from quorate.simulation.clone import cloned
from quorate.simulation.cluster import SimulatedCluster, nominal
from quorate.simulation.declared import Access, Listening
from quorate.simulation.listener import is_address
from quorate.simulation.machine import Machine
from quorate.simulation.scenario import Scenario, load_scenario
from quorate.simulation.services.ports import Place, ServicePorts
from quorate.simulation.services.standing import services_of
from quorate.simulation.services.state import SimulatedService, SimulatedSite
from quorate.simulation.state import SimulatedHost, Ssh
from quorate.simulation.station import Station, usual_key


class Simulation:
    """The simulated cluster while it is up; an asynchronous context manager.

    `scenario` is a name or a scenario of one's own, `hosts` how many there shall be, fourteen unless given.
    Keys, known hosts and passwords lie in `folder`, a temporary one unless given, which is removed at the
    end. Limits in seconds go into the inventory, that of connecting for the checks as well. ValueError for a
    scenario that there is not.
    """

    def __init__(
        self,
        scenario: str | Scenario = "nominal",
        *,
        hosts: int | None = None,
        folder: Path | None = None,
        connect_timeout: float = 5.0,
        command_timeout: float = 10.0,
        host_timeout: float = 20.0,
    ) -> None:
        self._base = nominal() if hosts is None else cloned(nominal(), hosts)
        self._folder = folder
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._limits = (connect_timeout, command_timeout, host_timeout)
        self._stations: dict[str, Station] = {}
        self._ports = ServicePorts()
        self._passwords: dict[str, str] = {}
        self._inventory: Inventory | None = None
        self._client_key = asyncssh.generate_private_key("ssh-ed25519", comment="quorate simulation")
        self._take(scenario)

    @property
    def folder(self) -> Path:
        """Where the client's key `id_ed25519`, `known_hosts` and the folder `passwords` lie."""
        if self._folder is None:
            raise RuntimeError("the simulation has no folder before it is entered")
        return self._folder

    @property
    def dial(self) -> dict[str, tuple[str, int]]:
        """Where each host really listens, by name; a host whose name can't be resolved is not among them."""
        settings = self._cluster.host_settings
        reached = [name for name in self._cluster.declared if "address" not in settings.get(name, {})]
        return {name: (self._stations[name].address, self._stations[name].port) for name in reached}

    @property
    def services(self) -> dict[Place, Place]:
        """Where each service of the checks really listens, by its address and port in `inventory`."""
        return {place: self._ports.place(place) for place in self._served()}

    @property
    def inventory(self) -> Inventory:
        """The cluster's inventory, with its own addresses; where to go instead say `dial` and `services`."""
        if self._inventory is None:
            self._inventory = declared.inventory(self._cluster, self._access)
        return self._inventory

    def inventory_text(self) -> str:
        """Return an inventory file with loopback addresses and ports, for who knows of nothing else."""
        listening = Listening(dial=self.dial, numbers=self._ports.numbers)
        return declared.inventory_text(self._cluster, self._access, listening)

    async def switch(self, scenario: str | Scenario) -> None:
        """Let another scenario begin now; ports and keys stay, and so do logins where SSH itself does.

        What is known of host keys can change with it, so read `known_hosts` and `inventory` again.
        """
        self._take(scenario)
        now = time.monotonic()
        states = self._states()
        await asyncio.gather(
            *(station.become(*states[name], now) for name, station in self._stations.items()),
            self._open_services(),
        )
        self._write_known_hosts()

    async def __aenter__(self) -> Self:
        """Start all hosts."""
        if self._folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="quorate-simulation-")
            self._folder = Path(self._temporary.name)
        now = time.monotonic()
        for name, (host, steps) in self._states().items():
            machine = Machine(host=host, steps=steps, boot=now - host.uptime, began=now)
            self._stations[name] = Station(machine, self._client_key, self._forward)
        try:
            for station in self._stations.values():
                await station.open()
            await self._open_services()
            self._write_key()
            self._write_known_hosts()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all hosts and remove the temporary folder."""
        await self._close()

    def _take(self, scenario: str | Scenario) -> None:
        self.scenario = load_scenario(scenario) if isinstance(scenario, str) else scenario
        self._cluster: SimulatedCluster = self.scenario.cluster(self._base)
        self._inventory = None

    def _states(self) -> dict[str, tuple[SimulatedHost, tuple[tuple[int, SimulatedHost], ...]]]:
        later = list(self.scenario.later(self._cluster.hosts))
        return {
            name: (host, tuple((after, hosts[name]) for after, hosts in later))
            for name, host in self._cluster.hosts.items()
        }

    async def _close(self) -> None:
        await asyncio.gather(*(station.close() for station in self._stations.values()), self._ports.close())
        # What was hung up on takes one more turn of the loop to be gone.
        await asyncio.sleep(0)
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = self._folder = None

    async def _open_services(self) -> None:
        services = self._served()
        folder = self.folder / "passwords"
        folder.mkdir(mode=0o700, exist_ok=True)
        for check, password in self._passwords.items():
            path = folder / check
            path.touch(mode=0o600)
            path.write_text(f"{password}\n")
        if any(isinstance(each, SimulatedSite) and each.certificate for each in services.values()):
            # Only a cluster whose web servers speak TLS pays for the making of an authority.
            from quorate.simulation.services.certificates import authority_pem  # noqa: PLC0415  see above

            (self.folder / "authority.pem").write_bytes(authority_pem())
        await self._ports.become(services)

    def _password(self, check: str) -> str:
        return self._passwords.setdefault(check, secrets.token_urlsafe(18))

    def _served(self) -> dict[Place, SimulatedService]:
        """Return the services by where they are asked; not those that can't be found by their name.

        Where several checks ask at one place, it is the first one's service that is there.
        """
        found: dict[Place, SimulatedService] = {}
        for (check, server), service in services_of(self._cluster, self._password).items():
            ask = ask_of(self.inventory.checks[check])[server]
            if is_address(ask.host):
                found.setdefault((ask.host, ask.port), service)
        return found

    @property
    def _access(self) -> Access:
        connect, command, host = self._limits
        ssh = SshSettings(
            user=self._cluster.user,
            identity_file=str(self.folder / "id_ed25519"),
            known_hosts=str(self.folder / "known_hosts"),
            connect_timeout=connect,
            command_timeout=command,
            host_timeout=host,
        )
        return Access(ssh=ssh, passwords=self.folder / "passwords")

    def _write_key(self) -> None:
        path = self.folder / "id_ed25519"
        path.touch(mode=0o600)
        path.write_bytes(self._client_key.export_private_key("openssh"))
        self._client_key.write_public_key(str(path.with_suffix(".pub")))

    def _write_known_hosts(self) -> None:
        key = usual_key().export_public_key("openssh").decode().rsplit(" ", 1)[0]
        lines = [
            f"{station.machine.host.address},[{station.address}]:{station.port} {key}\n"
            for station in self._stations.values()
            if station.machine.host.ssh is not Ssh.UNKNOWN_KEY
        ]
        (self.folder / "known_hosts").write_text("".join(lines))

    def _forward(self, address: str, port: int) -> tuple[str, int] | None:
        for station in self._stations.values():
            place = (station.address, station.port)
            if address == station.machine.host.address or (address, port) == place:
                return place
        return None
