"""A simulated host in time: its clock runs, and looking at it can change what is seen."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from quorate.simulation.state import SimulatedHost

# Taken once, so that what lies in the past keeps its time of day.
_WALL_OFFSET = time.time() - time.monotonic()


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a program prints and how it ends."""

    stdout: bytes = b""
    stderr: bytes = b""
    exit_code: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """A host at one moment, as a program that runs on it sees it; times in seconds since its boot.

    `anchors` tells for units that changed when they did, `began` when all others' ages are counted from.
    `memory` keeps answers that stay the same as long as the host does.
    """

    host: SimulatedHost
    user: str
    root: bool
    uptime: float
    boot_wall: float
    began: float
    anchors: Mapping[str, float]
    memory: dict[tuple[str, ...], Answer]

    def stamp(self, unit: str, age: float) -> float:
        """Return when something was, `age` seconds before the unit's anchor, in seconds since boot."""
        return self.anchors.get(unit, self.began) - age

    def wall(self, stamp: float) -> float:
        """Return a time since boot as seconds since the epoch."""
        return self.boot_wall + stamp


@dataclass(kw_only=True, slots=True)
class Machine:
    """A simulated host while it is up: its present state, and those that further looks will show.

    `steps` are states with the number of looks that come before them. `boot` and `began` are readings of
    this process's monotonic clock: the host's boot, and the begin of the scenario.
    """

    host: SimulatedHost
    boot: float
    began: float
    steps: tuple[tuple[int, SimulatedHost], ...] = ()
    memory: dict[tuple[str, ...], Answer] = field(default_factory=dict)
    connections: int = 0
    """How many were accepted since the scenario began."""
    generation: int = 0
    next_pid: int = 1700

    def become(self, host: SimulatedHost, steps: tuple[tuple[int, SimulatedHost], ...], now: float) -> None:
        """Take on a scenario's state; the clock runs on unless the scenario sets another uptime."""
        if host.uptime != self.host.uptime:
            self.boot = now - host.uptime
        self.host, self.steps, self.began = host, steps, now
        self.memory, self.connections = {}, 0
        self.generation += 1

    def uptime(self) -> float:
        """Return the seconds since the host's boot."""
        return time.monotonic() - self.boot


@dataclass(kw_only=True, slots=True)
class Conversation:
    """One login to a machine: counts the looks that were taken, and shows the state that they lead to."""

    machine: Machine
    user: str
    looks: int = 0
    _host: SimulatedHost | None = None
    _anchors: dict[str, float] = field(default_factory=dict)
    _memory: dict[tuple[str, ...], Answer] = field(default_factory=dict)
    _generation: int = -1

    @property
    def host(self) -> SimulatedHost:
        """The state that this conversation has come to."""
        self._follow()
        return self.machine.host if self._host is None else self._host

    def look(self) -> None:
        """Count one more look at the host, and let it change where the scenario says so."""
        self._follow()
        self.looks += 1
        reached = [host for after, host in self.machine.steps if after < self.looks]
        before = self.host
        if reached and reached[-1] is not before:
            now = self.machine.uptime()
            changed = (name for name, unit in reached[-1].units.items() if before.units.get(name) is not unit)
            self._anchors |= dict.fromkeys(changed, now)
            self._host, self._memory = reached[-1], {}

    def sight(self, *, root: bool = False) -> Sight:
        """Return the host as it is seen now."""
        machine, uptime = self.machine, self.machine.uptime()
        return Sight(
            host=self.host,
            user=self.user,
            root=root,
            uptime=uptime,
            boot_wall=_WALL_OFFSET + machine.boot,
            began=machine.began - machine.boot,
            anchors=self._anchors,
            memory=machine.memory if self._host is None else self._memory,
        )

    def _follow(self) -> None:
        if self._generation != self.machine.generation:
            self.looks, self._host, self._generation = 0, None, self.machine.generation
            self._anchors, self._memory = {}, {}
