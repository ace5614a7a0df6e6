"""The whole cluster in one sweep, against each of its questions asked alone.

`python -m benchmarks.whole [--quick] [INVENTORY]` measures it by itself, in the simulated cluster or in one
that is up.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.bounds import Bounds
from benchmarks.tables import show_table
from quorate.engine import resolve_secret, sweep
from quorate.inventory import load_inventory
from quorate.model import Inventory
from quorate.plan import make_plan
from quorate.transports import Transport

MOST = 1.2
SHOWN = 5


def measure(bounds: Bounds, *, quick: bool) -> None:
    """Sweep simulated clusters as a whole and question by question, in interleaved rounds.

    The simulation answers without the waiting that real hosts cost, so that a nominal sweep of it is nothing
    but work on this machine's cores. With one answer that takes its time the waiting can be seen as well.
    """
    for scenario, said in (("nominal", "nominal"), ("celery-worker-slow", "a worker takes 500 ms")):
        with simulated(scenario) as inventory:
            on_inventory(inventory, bounds, said=said, quick=quick)


@contextmanager
def simulated(scenario: str) -> Iterator[Inventory]:
    """Keep a scenario of the simulated cluster up in a process of its own, and yield its inventory."""
    with tempfile.TemporaryDirectory(prefix="quorate-bench-") as folder:
        server = subprocess.Popen(
            [sys.executable, "-m", "quorate", "demo", "--serve", "--scenario", scenario, "--folder", folder],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout
            if "is up" not in server.stdout.readline():
                raise SystemExit("benchmarks: the simulated cluster did not start")
            yield load_inventory(Path(folder) / "cluster.yaml")
        finally:
            server.terminate()
            server.wait()


def on_inventory(inventory: Inventory, bounds: Bounds, *, said: str, quick: bool) -> None:
    """Measure a cluster that is up and well, cold and with connections kept, and print what each takes."""
    rounds = 2 if quick else 5
    for way, kept in (("cold", False), ("connections kept", True)):
        alone, whole = asyncio.run(timed(inventory, rounds, kept=kept))
        slowest = sorted(alone, key=lambda question: -alone[question])
        rows = [(question, f"{1000 * alone[question]:.0f} ms") for question in slowest[:SHOWN]]
        print(f"\nThe whole cluster ({said}), {way}: {len(alone)} questions, medians of {rounds} rounds")
        show_table(("question", "alone"), [*rows, ("the whole cluster, at once", f"{1000 * whole:.0f} ms")])
        ratio = whole / alone[slowest[0]]
        bounds.at_most(f"whole sweep ({said}), {way}, against its slowest question", ratio, MOST, "×")


async def timed(inventory: Inventory, rounds: int, *, kept: bool) -> tuple[dict[str, float], float]:
    """Return the median seconds of each question alone, by host or check, and of all of them together."""
    questions = [*(f"host/{host}" for host in inventory.hosts), *inventory.checks]
    found: dict[str, list[float]] = {question: [] for question in [*questions, ""]}
    transport = Transport(inventory.hosts, resolve=resolve_secret)
    try:
        if kept:
            await took(inventory, (), transport)
        for _ in range(rounds):
            for question, seconds in found.items():
                if not kept:
                    await transport.aclose()
                seconds.append(await took(inventory, (question,) if question else (), transport))
    finally:
        await transport.aclose()
    return {q: statistics.median(found[q]) for q in questions}, statistics.median(found[""])


async def took(inventory: Inventory, only: Sequence[str], transport: Transport) -> float:
    """Return the seconds of one sweep that finds everything well."""
    began = time.perf_counter()
    report = await sweep(inventory, transport, make_plan(inventory, only))
    seconds = time.perf_counter() - began
    if report.state.rank > 1:
        roots = ", ".join(f"{root.id} {root.reason.value}" for root in report.root_causes)
        raise SystemExit(f"benchmarks: the nominal cluster is not nominal: {roots}")
    return seconds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.whole")
    parser.add_argument("inventory", nargs="?", type=Path)
    parser.add_argument("--quick", action="store_true")
    given, found = parser.parse_args(), Bounds()
    if given.inventory:
        on_inventory(load_inventory(given.inventory), found, said=str(given.inventory), quick=given.quick)
    else:
        measure(found, quick=given.quick)
    found.show()
