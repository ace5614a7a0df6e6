"""Keeps a simulated cluster up until it is told to end, and lets another scenario begin in it meanwhile.

How it is asked to: see switching.py.
"""

import asyncio
import contextlib
import json
import resource
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from quorate.simulation import Simulation, load_scenario
from quorate.simulation.folder import ServedFolder, ServingError, taken

_FILES_BESIDE = 200
"""Open files beside one listener and some connections a host."""


async def serve(
    scenario: str, path: Path, *, hosts: int | None = None, ready: Callable[[Simulation, ServedFolder], None]
) -> None:
    """Keep a cluster up in a folder until SIGINT or SIGTERM; `ready` is called once it is.

    Everything that was made is removed at the end. ServingError where it can't be, ValueError for a scenario
    that there is not.
    """
    load_scenario(scenario)
    _allow_files(14 if hosts is None else hosts)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    with taken(path) as folder:
        async with Simulation(scenario, hosts=hosts, folder=folder.path) as simulation:
            folder.write_inventory(simulation.inventory_text())
            async with _listening(simulation, folder):
                ready(simulation, folder)
                await ended.wait()


def _allow_files(hosts: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hosts < 1:
        raise ServingError("--hosts: one host is the least that can be simulated")
    wanted = 4 * hosts + _FILES_BESIDE
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise ServingError(
            f"{hosts} hosts need {wanted} open files, and {hard} are allowed; see `ulimit -Hn`"
        )
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextlib.asynccontextmanager
async def _listening(simulation: Simulation, folder: ServedFolder) -> AsyncIterator[None]:
    one_at_a_time = asyncio.Lock()

    async def obey(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Who asked may have left meanwhile, or may talk without end; the cluster goes on.
        with contextlib.suppress(ConnectionError, ValueError), contextlib.closing(writer):
            line = await reader.readline()
            async with one_at_a_time:
                answer = await _obeyed(line, simulation, folder)
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()

    with folder.socket() as name:
        server = await asyncio.start_unix_server(obey, name)
        folder.protect_socket()
        try:
            yield
        finally:
            server.close()


async def _obeyed(line: bytes, simulation: Simulation, folder: ServedFolder) -> dict[str, str]:
    try:
        await simulation.switch(str(json.loads(line)["scenario"]))
    except (ValueError, KeyError, TypeError) as error:
        return {"error": str(error)}
    folder.write_inventory(simulation.inventory_text())
    return {"about": simulation.scenario.about}
