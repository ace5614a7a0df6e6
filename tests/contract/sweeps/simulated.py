"""Situations in the simulated cluster."""

import asyncio
from collections.abc import Iterable

from quorate.inventory import parse_inventory
from quorate.model import Inventory, Report
from quorate.simulation import Scenario, Simulation
from quorate.simulation.scenario import Expectation, Step
from sweeps import declared
from sweeps.asking import swept
from sweeps.situation import Situation

_NOTHING = Expectation(state="", active_nodes={}, root_causes=(), verdicts={})
"""What is expected is said by the situation, for both clusters alike."""


AT_ONCE = 8
"""Most of a simulated sweep is waiting for silence, so that many go side by side."""


async def sweep_all_simulated(situations: Iterable[Situation]) -> dict[str, Report | BaseException]:
    """Return what came of each situation by its name: a report, or why there is none."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(situation: Situation) -> Report:
        async with free:
            return await sweep_simulated(situation)

    chosen = list(situations)
    came = await asyncio.gather(*(one(situation) for situation in chosen), return_exceptions=True)
    return {situation.name: each for situation, each in zip(chosen, came, strict=True)}


async def sweep_simulated(situation: Situation) -> Report:
    """Bring the simulated cluster into a situation, and sweep it."""
    assert situation.simulated is not None, f"{situation.name} can't be simulated: {situation.why}"
    scenario = Scenario(
        name=situation.name,
        about=situation.name,
        expect=_NOTHING,
        changes=situation.simulated,
        then=tuple(Step(after=then.after, hosts=then.simulated) for then in situation.then),
    )
    async with Simulation(scenario) as cluster:
        ssh = {
            "user": "rocky",
            "identity_file": str(cluster.folder / "id_ed25519"),
            "known_hosts": str(cluster.folder / "known_hosts"),
            **situation.ssh,
        }
        inventory = inventory_of(situation, ssh)
        elsewhere = {name for name, host in inventory.hosts.items() if host.address != declared.HOSTS[name]}
        dial = {name: place for name, place in cluster.dial.items() if name not in elsewhere}
        return await swept(inventory, dial=dial)


def inventory_of(situation: Situation, ssh: dict[str, object]) -> Inventory:
    """Return the inventory that a situation is swept with."""
    text = declared.inventory_text(
        ssh, hosts=situation.hosts, groups_changed=situation.groups, judging=situation.judging
    )
    return parse_inventory(text, source="cluster.yaml")
