"""A process that stands for Airflow's triggerer: its libraries, and one event loop for all triggers."""

import asyncio
import contextlib
import importlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import greenback

Order = tuple[str, dict[str, Any]]
"""What a trigger's `serialize` returns: where its class is, and the arguments that make it anew."""


@dataclass(frozen=True, kw_only=True)
class Fired:
    """What triggers fired, in their order, and what they took together; `sockets` are open afterwards."""

    events: tuple[Any, ...]
    wall: float
    cpu: float
    sockets: frozenset[str]


def serve(connection: Connection) -> None:
    """Load what the triggerer has loaded; then fire the triggers of each list that is sent, till None is."""
    importlib.import_module("airflow.jobs.triggerer_job_runner")
    asyncio.run(_serve(connection))


async def _serve(connection: Connection) -> None:
    connection.send(sockets())
    # The loop goes on meanwhile, so that what is kept is looked after as in the triggerer.
    while (orders := await asyncio.to_thread(connection.recv)) is not None:
        connection.send(await fire(orders))


async def fire(orders: Sequence[Order]) -> Fired:
    """Make the triggers anew, as the triggerer does, and run them all at once, each to its one event."""
    began, spent = time.perf_counter(), time.process_time()
    payloads = await asyncio.gather(*(payload(_class(path)(**given)) for path, given in orders))
    return Fired(
        events=tuple(payloads),
        wall=time.perf_counter() - began,
        cpu=time.process_time() - spent,
        sockets=sockets(),
    )


def _class(path: str) -> Any:
    module, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


async def payload(trigger: Any) -> Any:
    """Return what the one event of a trigger holds; ValueError where it fires another number of them."""
    await greenback.ensure_portal()  # as the triggerer does for each
    (event,) = [event async for event in trigger.run()]
    return event.payload


def sockets() -> frozenset[str]:
    """Return the sockets of this process, by their inodes. Source: proc(5), fd/."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the listing's own, which is closed by now
            found.add(str(entry.readlink()))
    return frozenset(name for name in found if name.startswith("socket:"))
