"""`python -m quorate.simulation serve`: keeps the simulated cluster up until it is told to end."""

import argparse
import asyncio
import sys
from pathlib import Path

from quorate.simulation import Simulation
from quorate.simulation.folder import ServedFolder, ServingError
from quorate.simulation.serving import serve


def main() -> int:
    """Serve as the arguments say; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m quorate.simulation",
        description="The simulated cluster, behind real SSH and real sockets on loopback.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="keep the cluster up until SIGTERM or SIGINT")
    serving.add_argument("--scenario", default="nominal", help="what is wrong with it (default: nothing)")
    serving.add_argument("--hosts", type=int, help="how many hosts, copies of the fourteen (default: 14)")
    serving.add_argument(
        "--folder", type=Path, required=True, help="where cluster.yaml, keys and passwords are put"
    )
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.scenario, arguments.folder, hosts=arguments.hosts, ready=_tell))
    except (ServingError, ValueError, OSError) as error:
        sys.stderr.write(f"quorate.simulation: {error}\n")
        return 3
    return 0


def _tell(simulation: Simulation, folder: ServedFolder) -> None:
    count, scenario = len(simulation.inventory.hosts), simulation.scenario.name
    sys.stdout.write(f"ready: {count} hosts, scenario {scenario}, inventory {folder.inventory}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
