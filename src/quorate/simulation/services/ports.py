"""The ports of all services of the cluster: where each listens, and who is there now."""

import asyncio
import ipaddress
from collections.abc import Mapping
from typing import Any

from quorate.simulation.listener import LOOPBACK
from quorate.simulation.services.port import ServicePort
from quorate.simulation.services.standing import Key
from quorate.simulation.services.state import SimulatedService


class ServicePorts:
    """Ports that services keep while scenarios come and go."""

    def __init__(self) -> None:
        self._ports: dict[Key, ServicePort] = {}

    async def become(
        self, services: Mapping[Key, SimulatedService], checks: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Be these services of these checks from now on; each is on loopback, at a port of its own."""
        for key in services:
            if key not in self._ports:
                self._ports[key] = ServicePort(_address(checks[key[0]].get("host", LOOPBACK)))
        await asyncio.gather(*(self._ports[key].become(service) for key, service in services.items()))

    async def close(self) -> None:
        """Hang up on everyone and let go of all ports."""
        await asyncio.gather(*(port.close() for port in self._ports.values()))
        self._ports.clear()

    def place(self, key: Key) -> tuple[str, int]:
        """Return where a service really listens."""
        return self._ports[key].address, self._ports[key].port


def _address(of: str) -> str:
    # A virtual IP has a loopback address of its own, so that it is not taken for that of all the hosts.
    address = ipaddress.ip_address(of)
    return f"127.0.0.{of.rsplit('.', 1)[1]}" if address.version == 4 else LOOPBACK
