"""`quorate demo`: one sweep of the simulated cluster."""

import asyncio
from collections.abc import Sequence

from quorate.cli.printing import parse_outputs
from quorate.cli.scenarios import check_scenario
from quorate.cli.sweeping import Ended, finish, run_sweep, seconds
from quorate.outputs import FORMATS
from quorate.plan import make_plan
from quorate.simulation import Simulation


def run_demo(name: str, output: Sequence[str], timeout: str, *, evidence: bool) -> int:
    """Sweep the simulated cluster and print; return the exit code of the worst verdict."""
    outputs = parse_outputs(output, FORMATS)
    limit = seconds(timeout)
    check_scenario(name, "--scenario")
    return finish(asyncio.run(_sweep(name, limit, evidence=evidence)), outputs)


async def _sweep(name: str, limit: float, *, evidence: bool) -> Ended:
    async with Simulation(name) as cluster:
        return await run_sweep(
            cluster.inventory,
            make_plan(cluster.inventory),
            seconds_left=limit,
            evidence=evidence,
            dial=cluster.dial,
            services=cluster.services,
        )
