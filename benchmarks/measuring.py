"""What a program costs: wall clock, CPU of it and all that it starts, and their memory at one moment."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Seconds of wall clock and CPU; `peak` in bytes, where it was measured."""

    wall: float
    cpu: float
    peak: int | None = None

    def times(self, factor: float) -> "Cost":
        """Return the cost of so many times the work, one piece after the other."""
        return Cost(wall=self.wall * factor, cpu=self.cpu * factor, peak=self.peak)


def environment() -> dict[str, str]:
    """Return the environment of every program measured: no agent that would offer keys of its own."""
    return {name: value for name, value in os.environ.items() if name != "SSH_AUTH_SOCK"}


def run(argv: Sequence[str | Path], given: str = "") -> tuple[Cost, str]:
    """Run a program to its end; return its cost without memory, and what it printed."""
    began = time.perf_counter()
    child = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    )
    assert child.stdin
    assert child.stdout
    with contextlib.suppress(BrokenPipeError):
        child.stdin.write(given)
        child.stdin.close()
    printed = child.stdout.read()
    # All that the child has started and waited for is in its own figures. Source: getrusage(2).
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    child.stdout.close()
    child.returncode = os.waitstatus_to_exitcode(status)
    return Cost(wall=wall, cpu=usage.ru_utime + usage.ru_stime), printed


def peak_while(argv: Sequence[str | Path], given: str) -> int:
    """Run a program; return the most memory that it and its descendants had together, in bytes.

    Proportional set sizes, so that what processes share counts once, read every 20 ms: this takes CPU of
    its own, so that the run is good for nothing else.
    """
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment())
    most = 0
    over = threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.is_set():
            most = max(most, sum(proportional(pid) for pid in family(child.pid)))
            over.wait(0.02)

    watching = threading.Thread(target=watch)
    watching.start()
    child.communicate(given.encode())
    over.set()
    watching.join()
    return most


def family(pid: int) -> Iterator[int]:
    """Yield a process and its descendants, as far as they are alive. Source: proc(5), task/…/children."""
    yield pid
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from family(int(child))


def proportional(pid: int) -> int:
    """Return the proportional set size of a process, 0 where it has ended. Source: proc(5), smaps_rollup."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return 1024 * int(line.split()[1])
    return 0
