"""The simulated servers in place of the real ones: with the same user, database, table and virtual host."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

from quorate.simulation.services.port import ServicePort
from quorate.simulation.services.state import (
    Manner,
    SimulatedDatabase,
    SimulatedNode,
    SimulatedService,
    SimulatedWorker,
)
from services import postgres, rabbit, workers


def database(manner: Manner = Manner.NORMAL) -> SimulatedDatabase:
    """Return the database that the real server has for the tests."""
    return SimulatedDatabase(
        database="postgres", user="app", password=postgres.PASSWORD, tables={"dag": 3}, manner=manner
    )


def node(manner: Manner = Manner.NORMAL) -> SimulatedNode:
    """Return the node that the real one is for the tests."""
    return SimulatedNode(
        cluster="quorate@simulated",
        vhost=rabbit.VHOST,
        user="app",
        password=rabbit.PASSWORD,
        manner=manner,
    )


def staffed(*staff: SimulatedWorker, ever: bool = True, manner: Manner = Manner.NORMAL) -> SimulatedNode:
    """Return a node with these workers; none of them was ever there unless that is told."""
    return replace(node(manner), vhost=workers.VHOST, workers=staff if ever else None)


def worker(name: str, after: float | None = 0.0, *, broken: bool = False) -> SimulatedWorker:
    """Return the worker that the real one of this name is for the tests."""
    return SimulatedWorker(name=name, queues=workers.QUEUES[name], after=after, broken=broken)


@contextlib.asynccontextmanager
async def served(service: SimulatedService) -> AsyncIterator[int]:
    """Yield the port of a simulated service."""
    port = ServicePort("127.0.0.1")
    await port.become(service)
    try:
        yield port.port
    finally:
        await port.close()
