"""`quorate demo --serve` and `--switch`: the simulated cluster kept up, and another scenario in it."""

import asyncio
import shlex
from pathlib import Path

from quorate.cli.errors import CommandError
from quorate.cli.printing import print_out
from quorate.cli.scenarios import check_scenario
from quorate.simulation import Simulation
from quorate.simulation.folder import ServedFolder, ServingError, usual_folder
from quorate.simulation.serving import serve
from quorate.simulation.switching import switch


def run_serve(name: str, folder: Path | None) -> int:
    """Keep the simulated cluster up until Ctrl-C or SIGTERM; say where its inventory is, how to break it."""
    check_scenario(name, "--scenario")
    chosen = "" if folder is None else f" --folder {shlex.quote(str(folder))}"

    def tell(simulation: Simulation, served: ServedFolder) -> None:
        print_out(_told(simulation, served, chosen))

    try:
        asyncio.run(serve(name, folder or usual_folder(), ready=tell))
    except ServingError as error:
        raise CommandError(f"demo: {error}") from None
    except OSError as error:
        raise CommandError(f"demo: the cluster can't be served: {error}; choose another --folder") from None
    return 0


def run_switch(name: str, folder: Path | None) -> int:
    """Let another scenario begin in the cluster that is kept up."""
    check_scenario(name, "--switch")
    try:
        about = switch(name, folder or usual_folder())
    except ServingError as error:
        raise CommandError(f"demo: {error}") from None
    return print_out(f"The simulated cluster is in scenario {name} now. {about}\n")


def _told(simulation: Simulation, served: ServedFolder, chosen: str) -> str:
    inventory = simulation.inventory
    what = f"{len(inventory.hosts)} hosts and {len(inventory.checks)} checks"
    return (
        f"The simulated cluster is up: {what}, scenario {simulation.scenario.name}. From another terminal:\n"
        f"  look at it   quorate check -i {shlex.quote(str(served.inventory))}\n"
        f"  break it     quorate demo{chosen} --switch active-unit-failed\n"
        f"  mend it      quorate demo{chosen} --switch nominal\n"
        f"`quorate demo --list` names all scenarios. Ctrl-C here ends it.\n"
    )
