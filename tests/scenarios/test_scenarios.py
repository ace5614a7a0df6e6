"""A sweep of each simulated scenario gives exactly the verdicts that its file expects, by the semantics."""

import asyncio
from collections.abc import Set
from dataclasses import replace

import pytest

from quorate.engine import Limits, resolve_secret, sweep
from quorate.model import Inventory, Report, State
from quorate.plan import make_plan
from quorate.simulation import Scenario, Simulation, scenarios
from quorate.transports import Transport

SCENARIOS = scenarios(rows=True)


def quicker(inventory: Inventory, changed: Set[str]) -> Inventory:
    """Return the inventory with shorter limits for hosts that are changed: silence tells no more later.

    The others stay patient, so that a busy machine makes none of them silent.
    """
    hosts = {
        name: replace(
            host,
            ssh=replace(
                host.ssh,
                connect_timeout=host.ssh.connect_timeout / 4,
                command_timeout=host.ssh.command_timeout / 4,
                host_timeout=host.ssh.host_timeout / 4,
            ),
        )
        if name in changed
        else host
        for name, host in inventory.hosts.items()
    }
    return replace(inventory, hosts=hosts, judging=replace(inventory.judging, interval=0.1))


async def swept(scenario: Scenario) -> Report:
    async with Simulation(scenario.name) as cluster:
        inventory = quicker(cluster.inventory, scenario.changes.keys())
        limits = Limits(deadline=asyncio.get_running_loop().time() + 60)
        async with Transport(inventory.hosts, resolve=resolve_secret, dial=cluster.dial) as transport:
            return await sweep(inventory, transport, make_plan(inventory), limits=limits)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[s.name for s in SCENARIOS])
async def test_a_scenario_gives_its_verdicts(scenario: Scenario) -> None:
    report = await swept(scenario)
    expect = scenario.expect
    found = {v.id: v for v in report.verdicts}
    told = {i: (v.state.word, v.reason.value) for i, v in found.items() if v.state is not State.OK}
    wanted = {i: (v.state, v.reason) for i, v in expect.verdicts.items() if v.state != "ok"}
    assert told == wanted
    for name, verdict in expect.verdicts.items():
        if verdict.caused_by is not None:
            assert found[name].caused_by == verdict.caused_by, name
        if verdict.notes is not None:
            assert found[name].notes == verdict.notes, name
    assert [v.id for v in report.root_causes] == list(expect.root_causes)
    assert dict(report.active_nodes) == dict(expect.active_nodes)
    assert report.state.word == expect.state
