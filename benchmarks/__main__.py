"""`python -m benchmarks [--quick]`: measures everything in one run and prints tables, ratios and bounds."""

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path

from benchmarks import dag_work, dead_host, floor, many, real, ssh_ways, start, whole
from benchmarks.bounds import Bounds
from benchmarks.measuring import Cost
from benchmarks.question import Access, loopback, write_answers
from benchmarks.servers import MAX_STARTUPS, servers
from benchmarks.ssh_ways import COLD, KEPT, Scale
from benchmarks.tables import show_table
from benchmarks.ways import Place
from lab import LabError

FULL = (
    Scale(hosts=14, rounds=5, kept=50, seed_hosts=14, seed_rounds=3),
    Scale(hosts=50, rounds=3, kept=20, seed_hosts=20, seed_rounds=2),
    Scale(hosts=200, rounds=3, kept=10, seed_hosts=20, seed_rounds=2),
)
QUICK = (
    Scale(hosts=14, rounds=2, kept=50, seed_hosts=14, seed_rounds=1),
    Scale(hosts=200, rounds=1, kept=10, seed_hosts=8, seed_rounds=1),
)


def main() -> None:
    """Measure and print; the exit code is 0 whatever the figures are."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and sizes, in three minutes")
    quick = parser.parse_args().quick
    began = time.monotonic()
    bounds = Bounds()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; CPU and memory: the asking side's alone")
    with tempfile.TemporaryDirectory(prefix="quorate-bench-") as folder:
        on_loopback(Path(folder), bounds, quick=quick)
    with tempfile.TemporaryDirectory(prefix="quorate-bench-") as folder:
        dag_work.measure(bounds, Path(folder), quick=quick)
    whole.measure(bounds, quick=quick)
    many.measure(bounds, rounds=1 if quick else 3)
    start.measure(bounds, rounds=5 if quick else 15)
    if not quick:
        with tempfile.TemporaryDirectory(prefix="quorate-bench-") as folder:
            on_machines(Path(folder))
    bounds.show()
    print(f"\n{time.monotonic() - began:.0f} s in all")


def on_loopback(folder: Path, bounds: Bounds, *, quick: bool) -> None:
    """Measure against sshd on loopback, whose systemctl and ip answer at once what was recorded."""
    scales = QUICK if quick else FULL
    question = loopback(max(scale.hosts for scale in scales))
    write_answers(question, folder / "answers")
    with servers(list(question.addresses.values()), folder) as access:
        pam = "with PAM" if os.geteuid() == 0 else "without PAM, since this is not root"
        print(f"sshd on loopback {pam}, MaxStartups {MAX_STARTUPS}, answers recorded")
        for scale in scales:
            place = Place(question=question.first(scale.hosts), access=access, folder=folder, wrap=list)
            costs = ssh_ways.measure(place, scale)
            ssh_ways.show("sshd on loopback", costs, scale)
            ssh_ways.bound(costs, scale, bounds)
        show_floor(costs, scale, next(iter(question.addresses.values())), access)
        place = Place(question=question, access=access, folder=folder, wrap=list)
        dead_host.measure(place, bounds, connect_timeout=2 if quick else 5)


def show_floor(costs: dict[str, Cost], scale: Scale, address: str, access: Access) -> None:
    """Print how far the client CPU of a host is from what no client can go below."""
    crypto = floor.handshake()
    wall, cpu = asyncio.run(floor.round_trip(address, access))
    cold, kept = costs[COLD].cpu / scale.hosts, costs[KEPT].cpu / scale.hosts
    rows = [
        ("cold: the cryptography of a login", *milliseconds(crypto, cold), f"{cold / crypto:.1f}"),
        ("kept: one line to a shell and back", *milliseconds(cpu, kept), f"{kept / cpu:.1f}"),
    ]
    print(f"\nHow far from the floor; a line and its echo take {1000 * wall:.2f} ms of wall clock")
    show_table(("client CPU a host", "floor", "Quorate", "ratio"), rows)


def milliseconds(*seconds: float) -> tuple[str, ...]:
    """Return seconds as a person reads them here."""
    return tuple(f"{1000 * each:.3f} ms" for each in seconds)


def on_machines(folder: Path) -> None:
    """Measure against machines with real systemd, where this is root."""
    if os.geteuid() != 0:
        print("\nMachines with real systemd: left out, since booting them needs root")
        return
    scale = Scale(hosts=14, rounds=3, kept=20, seed_hosts=14, seed_rounds=1)
    try:
        with real.machines(folder) as place:
            ssh_ways.show("Machines with real systemd", ssh_ways.measure(place, scale), scale)
    except LabError as error:
        print(f"\nMachines with real systemd: left out: {error}")


if __name__ == "__main__":
    main()
