"""A thousand simulated hosts: what the asking side takes, and how it grows with their number."""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bounds import Bounds
from benchmarks.measuring import Cost
from benchmarks.tables import show_table
from benchmarks.ways import Asked, median, sweeps

COUNTS = (100, 300, 1000)
KEPT = 5
MOST_MEMORY = 150e6


@contextlib.contextmanager
def simulated(hosts: int, folder: Path) -> Iterator[Path]:
    """Keep a simulated cluster up in a process of its own; yield its inventory file."""
    command = [sys.executable, "-m", "quorate.simulation", "serve"]
    server = subprocess.Popen(
        [*command, "--hosts", str(hosts), "--folder", str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout
        if not server.stdout.readline().startswith("ready"):
            raise SystemExit(f"benchmarks: the simulation of {hosts} hosts did not start")
        yield folder / "cluster.yaml"
    finally:
        server.terminate()
        server.wait()


def measure(bounds: Bounds, *, rounds: int) -> None:
    """Sweep growing clusters, in interleaved rounds, and print what each takes."""
    found: dict[int, list[Asked]] = {count: [] for count in COUNTS}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="quorate-bench-")))
        files = {n: stack.enter_context(simulated(n, folder / str(n))) for n in COUNTS}
        for _ in range(rounds):
            for count in COUNTS:
                found[count].append(sweeps(files[count], None, kept=KEPT))
    print(f"\nSimulated hosts, all of them in one process, medians of {rounds} rounds")
    middles = {
        count: (median([each.cold for each in asked]), median([each.kept for each in asked]))
        for count, asked in found.items()
    }
    titles = ("hosts", "cold", "a host", "CPU a host", "kept", "a host", "CPU a host", "memory")
    show_table(titles, [row(count, *costs) for count, costs in middles.items()])
    few, many = COUNTS[0], COUNTS[-1]
    for position, which in enumerate(("cold", "kept")):
        growth = middles[many][position].wall / middles[few][position].wall
        bounds.at_most(f"{many} simulated hosts: {which}, time against {few} hosts", growth, many / few, "×")
    peak = middles[many][0].peak or 0
    bounds.at_most(f"{many} simulated hosts: memory of the asking side", peak / 1e6, MOST_MEMORY / 1e6, "MB")


def row(count: int, cold: Cost, kept: Cost) -> tuple[str, ...]:
    """Return what a cluster of so many hosts takes, as a row of the table."""
    cells = [
        text
        for cost in (cold, kept)
        for text in (
            f"{cost.wall:.3f} s",
            f"{1000 * cost.wall / count:.2f} ms",
            f"{1000 * cost.cpu / count:.2f} ms",
        )
    ]
    return (str(count), *cells, f"{(cold.peak or 0) / 1e6:.0f} MB")
