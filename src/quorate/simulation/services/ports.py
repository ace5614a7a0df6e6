"""The ports of all services of the cluster: where each really listens, and who is there now."""

import asyncio
from collections.abc import Mapping

from quorate.simulation.listener import bind, is_free, loopback
from quorate.simulation.services.port import ServicePort
from quorate.simulation.services.state import SimulatedService

Place = tuple[str, int]
"""An address of the cluster and a port, as the inventory has them."""

_TRIES = 50


class ServicePorts:
    """Ports that services keep while scenarios come and go.

    Each address of the cluster has one of loopback, and each port number another one, the same at every
    address: so what is declared for many hosts in one number still is.
    """

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self._ports: dict[Place, ServicePort] = {}

    async def become(self, services: Mapping[Place, SimulatedService]) -> None:
        """Be these services from now on; OSError where no port number is free at all their addresses."""
        for number in dict.fromkeys(number for _, number in services):
            self._take([place for place in services if place[1] == number and place not in self._ports])
        await asyncio.gather(*(self._ports[place].become(service) for place, service in services.items()))

    def _take(self, places: list[Place]) -> None:
        """Hold a port at each of some new places of one number, by the number that is known or a free one."""
        for _ in range(_TRIES if places else 0):
            first, *others = (loopback(address) for address, _ in places)
            known = self.numbers.get(places[0][1], 0)
            with bind(known, first) as trying:
                number: int = trying.getsockname()[1]
                if known or all(is_free(number, address) for address in others):
                    self.numbers[places[0][1]] = number
                    self._ports |= {place: ServicePort(loopback(place[0]), number) for place in places}
                    return
        if places:
            raise OSError("no port number is free at all addresses of the simulated cluster")

    async def close(self) -> None:
        """Hang up on everyone and let go of all ports."""
        await asyncio.gather(*(port.close() for port in self._ports.values()))
        self._ports.clear()
        self.numbers.clear()

    def place(self, place: Place) -> Place:
        """Return where a service really listens."""
        return self._ports[place].address, self._ports[place].port
