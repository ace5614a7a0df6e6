"""Talks to a simulated host as a sweep does, with a plain asyncssh client and the wire's own framer."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncssh

from quorate.simulation import Scenario, Simulation, parse_scenario
from quorate.simulation.machine import Answer, Conversation, Machine
from quorate.simulation.scenario import load_scenario
from quorate.simulation.state import Trouble
from quorate.simulation.tools.shell import run
from quorate.transports.wire import Frame, Framer, Question, batch_line, login_command

RECORDED = Path(__file__).parents[2] / "cases" / "recorded"
TOKEN = "c0ffee"
STATES = ("systemctl", "show", "--no-pager", "--property=Id,ActiveState,SubState", "--")


def made(changes: str, **more: str) -> Scenario:
    """Return a scenario of one's own; `changes` and others are YAML in flow style."""
    further = "".join(f"{key}: {text}\n" for key, text in more.items())
    expect = "expect: {state: ok, active_nodes: {}, root_causes: [], verdicts: {}}\n"
    return parse_scenario("made", f"about: Made for a test.\nchanges: {changes}\n{further}{expect}")


def machine(scenario: str | Scenario, host: str) -> Machine:
    """Return one host of a scenario, in time but on no network."""
    found = load_scenario(scenario) if isinstance(scenario, str) else scenario
    hosts = found.cluster().hosts
    steps = tuple((after, later[host]) for after, later in found.later(hosts))
    now = time.monotonic()
    return Machine(host=hosts[host], steps=steps, boot=now - hosts[host].uptime, began=now)


def answered(scenario: str | Scenario, host: str, *argv: str) -> Answer:
    """Return what a command answers on a host of a scenario, without any connection."""
    found = run(argv, Conversation(machine=machine(scenario, host), user="rocky").sight())
    assert not isinstance(found, Trouble)
    return found


async def connect(simulation: Simulation, host: str) -> asyncssh.SSHClientConnection:
    """Log in to a simulated host."""
    address, port = simulation.dial[host]
    return await asyncssh.connect(
        address,
        port,
        username="rocky",
        client_keys=[str(simulation.folder / "id_ed25519")],
        known_hosts=str(simulation.folder / "known_hosts"),
        config=None,
        agent_path=None,
        connect_timeout=5,
        login_timeout=5,
    )


class Talk:
    """A login to one host, and the questions that are asked in it."""

    def __init__(self, simulation: Simulation, host: str) -> None:
        self._simulation, self._host = simulation, host
        self._stack = AsyncExitStack()
        self.framer = Framer(TOKEN)
        self._number = 0
        self.arrived = asyncio.Queue[Frame]()
        self._begun = False

    async def __aenter__(self) -> Self:
        self.connection = await self._stack.enter_async_context(await connect(self._simulation, self._host))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for reader in self._readers if self._begun else ():
            reader.cancel()
        await self._stack.aclose()
        await self.connection.wait_closed()

    async def send(self, *commands: Sequence[str]) -> None:
        """Ask a batch without waiting for its answers."""
        numbers = range(self._number + 1, self._number + 1 + len(commands))
        questions = [Question(number=n, argv=tuple(argv)) for n, argv in zip(numbers, commands, strict=True)]
        self._number += len(commands)
        self.framer.expect(numbers)
        if self._begun:
            self.process.stdin.write(f"{batch_line(questions)}\n".encode())
            return
        self.process = await self.connection.create_process(login_command(TOKEN, questions), encoding=None)
        self._begun = True
        self._readers = (
            asyncio.ensure_future(self._read(self.process.stdout, self.framer.feed_stdout)),
            asyncio.ensure_future(self._read(self.process.stderr, self.framer.feed_stderr)),
        )

    async def ask(self, *commands: Sequence[str]) -> list[Frame]:
        """Ask a batch and return its answers in order."""
        await self.send(*commands)
        async with asyncio.timeout(5):
            frames = [await self.arrived.get() for _ in commands]
        return sorted(frames, key=lambda frame: frame.number)

    async def _read(self, stream, feed) -> None:  # type: ignore[no-untyped-def]  # asyncssh's reader
        while data := await stream.read(65536):
            for frame in feed(data):
                self.arrived.put_nowait(frame)
