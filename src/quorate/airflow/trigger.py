"""The trigger that sweeps in Airflow's triggerer, so that a deferred check task holds no worker slot."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from importlib import import_module
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from quorate.airflow.payload import EventPayload
from quorate.airflow.sweeping import pack_swept, run_sweep, unpack_order
from quorate.inventory import InventoryError
from quorate.plan import SelectorError


class SweepTrigger(BaseTrigger):
    """Sweeps once and fires one event: what was swept, or the error that stood in the way.

    `order` is what `pack_order` made: the inventory's text and what to ask, never a secret, since Airflow
    keeps it in its metadata database.
    """

    def __init__(self, order: Mapping[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own has no types
        self.order = dict(order)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return where this class is, and the arguments that make it anew."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {"order": self.order}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Sweep, then fire the event; a sweep that is cancelled leaves no connection open."""
        yield TriggerEvent(EventPayload(await self._swept()))  # type: ignore[no-untyped-call]  # as above

    async def _swept(self) -> dict[str, Any]:
        try:
            order = unpack_order(self.order)
            # The triggerer's loop belongs to all triggers, and loading and parsing take a fifth of a second.
            connections = await asyncio.to_thread(import_module, "quorate.airflow.connections")
            declared = await asyncio.to_thread(order.file.parse)
            inventory, resolve = await connections.connect_inventory_async(declared)
            swept = pack_swept(await run_sweep(order, inventory, resolve, keep=True))
            # The task judges by the text that was swept by, whatever has become of its file meanwhile.
            return {"swept": swept, "file": self.order["file"]}
        except (InventoryError, SelectorError) as error:
            return {"error": str(error)}
        except Exception as error:  # noqa: BLE001  whatever it is, the task must hear of it and fail
            # The message of an unforeseen exception may hold anything, so only its type is told.
            return {"error": f"a fault in quorate: {type(error).__name__} in the triggerer; please report it"}
