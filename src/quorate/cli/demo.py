"""`quorate demo`: one sweep of the simulated cluster."""

import asyncio
import difflib
from collections.abc import Sequence

from quorate.cli.errors import CommandError
from quorate.cli.printing import parse_outputs, print_out
from quorate.cli.sweeping import Ended, finish, run_sweep, seconds
from quorate.outputs import FORMATS
from quorate.plan import make_plan
from quorate.simulation import Simulation, scenarios


def print_scenarios() -> int:
    """Print the names of the scenarios, a sentence each."""
    known = scenarios()
    width = max(len(scenario.name) for scenario in known)
    return print_out("".join(f"{scenario.name:<{width}}  {scenario.about}\n" for scenario in known))


def run_demo(name: str, output: Sequence[str], timeout: str, *, evidence: bool) -> int:
    """Sweep the simulated cluster and print; return the exit code of the worst verdict."""
    outputs = parse_outputs(output, FORMATS)
    limit = seconds(timeout)
    names = [scenario.name for scenario in scenarios(rows=True)]
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`quorate demo --list` names them"
        raise CommandError(f"--scenario: there is no scenario {name!r}; {hint}")
    return finish(asyncio.run(_sweep(name, limit, evidence=evidence)), outputs)


async def _sweep(name: str, limit: float, *, evidence: bool) -> Ended:
    async with Simulation(name) as cluster:
        plan = make_plan(cluster.inventory)
        return await run_sweep(
            cluster.inventory, plan, seconds_left=limit, evidence=evidence, dial=cluster.dial
        )
