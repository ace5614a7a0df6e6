"""`python -m quorate.simulation serve`: keeps the simulated cluster up until it is told to end."""

import argparse
import asyncio
import resource
import signal
import sys
from pathlib import Path

from quorate.simulation import Simulation, load_scenario

_FILES_BESIDE = 200
"""Open files beside one listener and some connections a host."""


def main() -> int:
    """Serve as the arguments say; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m quorate.simulation", description="The simulated cluster, behind real SSH on loopback."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="keep the cluster up until SIGTERM or SIGINT")
    serve.add_argument("--scenario", default="nominal", help="what is wrong with it (default: nothing)")
    serve.add_argument("--hosts", type=int, help="how many hosts, copies of the fourteen (default: 14)")
    serve.add_argument(
        "--folder", type=Path, required=True, help="where cluster.yaml, key and known_hosts are put"
    )
    arguments = parser.parse_args()
    try:
        load_scenario(arguments.scenario)
        arguments.folder.mkdir(parents=True, exist_ok=True)
        _allow_files(14 if arguments.hosts is None else arguments.hosts)
        asyncio.run(_serve(arguments.scenario, arguments.hosts, arguments.folder))
    except (ValueError, OSError) as error:
        sys.stderr.write(f"quorate.simulation: {error}\n")
        return 3
    return 0


def _allow_files(hosts: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hosts < 1:
        raise ValueError("--hosts: one host is the least that can be simulated")
    wanted = 4 * hosts + _FILES_BESIDE
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise ValueError(f"{hosts} hosts need {wanted} open files, and {hard} are allowed; see `ulimit -Hn`")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _serve(scenario: str, hosts: int | None, folder: Path) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with Simulation(scenario, hosts=hosts, folder=folder) as simulation:
        inventory = folder / "cluster.yaml"
        inventory.write_text(simulation.inventory_text())
        count = len(simulation.inventory.hosts)
        sys.stdout.write(f"ready: {count} hosts, scenario {scenario}, inventory {inventory}\n")
        sys.stdout.flush()
        await ended.wait()


if __name__ == "__main__":
    sys.exit(main())
