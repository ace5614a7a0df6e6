"""What a fault does to a lab, one small value a step: `apply` does it, and raises LabError where it can't."""

import time
from dataclasses import dataclass
from typing import Protocol

from lab.command import LabError
from lab.lab import Lab
from lab.machine import BOOTING
from lab.network import Direction


class Step(Protocol):
    """One thing that is done to a lab."""

    def apply(self, lab: Lab) -> None:
        """Do it, and return when it is done."""


class Condition(Protocol):
    """Something that must hold before a fault counts as in place."""

    def wait(self, lab: Lab) -> None:
        """Return when it holds; raise LabError where it does not within its own limit."""


@dataclass(frozen=True)
class Run:
    """Runs a shell script as root on a host; any exit code but 0 is an error. `timeout` is in seconds.

    It runs in the machine, but not in a unit: what it leaves running is not frozen with the machine.
    """

    host: str
    script: str
    timeout: float = 30.0

    def apply(self, lab: Lab) -> None:
        """Run it with `sh -e`."""
        done = lab[self.host].run(["sh", "-ec", self.script], timeout=self.timeout)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()[-300:]
            raise LabError(f"on {self.host}, exit code {done.returncode} of: {self.script.strip()}: {said}")


@dataclass(frozen=True)
class Holds:
    """Holds when a shell script, run as root on a host, ends with 0; asked again for `within` seconds."""

    host: str
    script: str
    within: float = 30.0

    def wait(self, lab: Lab) -> None:
        """Ask until it holds."""
        deadline = time.monotonic() + self.within
        while (done := lab[self.host].run(["sh", "-ec", self.script], timeout=self.within)).returncode != 0:
            if time.monotonic() > deadline:
                said = (done.stderr or done.stdout).decode(errors="replace").strip()[-300:]
                raise LabError(
                    f"on {self.host}, not within {self.within:g} s: {self.script.strip()}: {said or 'silent'}"
                )
            time.sleep(0.2)


@dataclass(frozen=True)
class MachineIs:
    """Holds when a machine is `off`, `frozen` or `running`."""

    host: str
    state: str

    def wait(self, lab: Lab) -> None:
        """Ask for 10 seconds at most."""
        deadline = time.monotonic() + 10
        while (state := lab[self.host].state) != self.state:
            if time.monotonic() > deadline:
                raise LabError(f"machine {self.host} is {state}, not {self.state}")
            time.sleep(0.1)


@dataclass(frozen=True)
class Wait:
    """Lets time pass, where only time brings a fault about; `seconds` must have a reason beside it."""

    seconds: float

    def apply(self, lab: Lab) -> None:  # noqa: ARG002  time passes for all machines alike
        """Sleep."""
        time.sleep(self.seconds)


@dataclass(frozen=True)
class Freeze:
    """Stops every process of a machine where it is."""

    host: str

    def apply(self, lab: Lab) -> None:
        """Freeze its control group."""
        lab[self.host].freeze()


@dataclass(frozen=True)
class Thaw:
    """Lets a frozen machine go on."""

    host: str

    def apply(self, lab: Lab) -> None:
        """Thaw its control group."""
        lab[self.host].thaw()


@dataclass(frozen=True)
class PowerCut:
    """Takes a machine's power away, without a shutdown."""

    host: str

    def apply(self, lab: Lab) -> None:
        """Kill it."""
        lab[self.host].kill()


@dataclass(frozen=True)
class PowerOn:
    """Boots a machine that is off, and waits until systemd and sshd are up; one that runs stays as it is."""

    host: str

    def apply(self, lab: Lab) -> None:
        """Start it."""
        if lab[self.host].state == "off":
            lab[self.host].start()
            lab[self.host].wait_until_up(60.0, accepted=BOOTING)
            lab.save_launchers()


@dataclass(frozen=True)
class Cut:
    """Drops everything to and from a host, in silence."""

    host: str

    def apply(self, lab: Lab) -> None:
        """Drop it with nftables in the host's namespace."""
        lab.network.cut(self.host)


@dataclass(frozen=True)
class Drop:
    """Drops what comes into or leaves a host; `match` and `action` are in nft(8)'s words, as in Network.drop.

    The host `monitor` is the place where the sweep comes from.
    """

    host: str
    direction: Direction
    match: str = ""
    action: str = "drop"

    def apply(self, lab: Lab) -> None:
        """Add the rule."""
        lab.network.drop(self.host, self.direction, self.match, action=self.action)


@dataclass(frozen=True)
class Unplug:
    """Pulls a host's cable."""

    host: str

    def apply(self, lab: Lab) -> None:
        """Take the carrier away."""
        lab.network.unplug(self.host)


@dataclass(frozen=True)
class Mend:
    """Undoes `Cut`, `Drop` and `Unplug` of a host."""

    host: str

    def apply(self, lab: Lab) -> None:
        """Delete the rules and plug it in."""
        lab.network.heal(self.host)
