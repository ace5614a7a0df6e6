"""Sweeps a cluster with the real transport and engine, and lets things happen between two looks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from quorate.engine import Limits, resolve_secret, sweep
from quorate.engine.batches import look_batch
from quorate.engine.sweep import Answers, Asker
from quorate.model import Ask, Inventory, Report
from quorate.plan import Plan, make_plan
from quorate.transports import Transport

Happens = Sequence[tuple[int, Callable[[], Awaitable[None]]]]
"""What happens once every host has been looked at so many times, and before any is looked at again."""


class Eventful:
    """Asks through another asker; what is to happen between two looks happens in between."""

    def __init__(self, asker: Asker, plan: Plan, inventory: Inventory, happens: Happens) -> None:
        self._asker, self._happens = asker, list(happens)
        self._looks = {
            host.host: (look_batch(host, inventory.checks), look_batch(host, {})) for host in plan.hosts
        }
        self._taken = dict.fromkeys(self._looks, 0)
        self.failed: Exception | None = None
        self._lock = asyncio.Lock()

    async def ask(self, host: str, asks: Sequence[Ask], *, deadline: float) -> Answers:
        """Ask a host; before a look that comes after an event, let the event happen, once."""
        if tuple(asks) in self._looks[host]:
            self._taken[host] += 1
            async with self._lock:
                while self._happens and self._happens[0][0] < self._taken[host]:
                    _, happen = self._happens.pop(0)
                    try:
                        await happen()
                    except Exception as error:  # noqa: BLE001  an engine takes it for a fault of its own
                        self.failed = error
        return await self._asker.ask(host, asks, deadline=deadline)


async def swept(
    inventory: Inventory, *, dial: Mapping[str, tuple[str, int]] | None = None, happens: Happens = ()
) -> Report:
    """Sweep the whole inventory once, with new connections."""
    plan = make_plan(inventory)
    limits = Limits(deadline=asyncio.get_running_loop().time() + 90)
    async with Transport(inventory.hosts, resolve=resolve_secret, dial=dial) as transport:
        asker = Eventful(transport, plan, inventory, happens)
        report = await sweep(inventory, asker, plan, limits=limits)
    if asker.failed is not None:
        raise asker.failed
    return report
