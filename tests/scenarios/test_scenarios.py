"""A sweep of each simulated scenario gives exactly the verdicts that its file expects, by the semantics."""

import asyncio
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path

import pytest

from quorate.engine import Limits, resolve_secret, sweep
from quorate.model import Inventory, Report, State
from quorate.plan import make_plan
from quorate.simulation import Scenario, Simulation, scenarios
from quorate.simulation.services.standing import services_of
from quorate.simulation.services.state import Manner, SimulatedNode
from quorate.transports import Transport

SCENARIOS = scenarios(rows=True)
AT_ONCE = 6
OF_HOSTS = {"monitor", "host", "vip", "failover", "unit"}
FORMATS = Path(__file__).resolve().parents[2] / "docs" / "reference" / "output-formats.md"
UNANSWERED = {Manner.SILENT, Manner.MUTE, Manner.SLOW, Manner.ALARM}
WITHOUT_LOGIN = {"silent", "mute", "endless_login"}
HANGING = {"hangs", "dribbles"}


def unanswered(scenario: Scenario) -> set[str]:
    """Return the checks of which a server, or a worker behind one, lets one wait until the limit."""
    services = services_of(scenario.cluster(), lambda check: check)
    found = {check for (check, _), service in services.items() if service.manner in UNANSWERED}
    for (check, server), service in services.items():
        answering = [w for w in getattr(service, "workers", ()) if w.after is not None]
        if check == server and isinstance(service, SimulatedNode) and len(answering) < 2:
            found.add(check)
    return found


def stuck(scenario: Scenario) -> Mapping[str, Set[str]]:
    """Return the hosts that let one wait until a limit is over: name → which limits."""
    found: dict[str, set[str]] = {}
    for hosts in (scenario.changes, *(step.hosts for step in scenario.then)):
        for name, told in hosts.items():
            limits = found.setdefault(name, set())
            limits |= {"connect_timeout"} if told.get("ssh") in WITHOUT_LOGIN else set()
            limits |= {"command_timeout"} if HANGING & set(told.get("trouble", {}).values()) else set()
    return found


def quicker(inventory: Inventory, hosts: Mapping[str, Set[str]], checks: Set[str]) -> Inventory:
    """Return the inventory with shorter limits for these hosts and checks: silence tells no more later.

    All other limits stay as they are, so that a busy machine makes nobody else silent.
    """
    limited = {
        name: replace(
            check,
            settings={
                key: value / 2 if key in ("connect_timeout", "statement_timeout", "timeout") else value
                for key, value in check.settings.items()
            },
        )
        if name in checks
        else check
        for name, check in inventory.checks.items()
    }
    quick = {
        name: replace(
            host,
            ssh=replace(host.ssh, **{limit: getattr(host.ssh, limit) / 4 for limit in hosts.get(name, ())}),
        )
        for name, host in inventory.hosts.items()
    }
    judging = replace(inventory.judging, interval=0.1)
    return replace(inventory, hosts=quick, checks=limited, judging=judging)


async def swept(scenario: Scenario) -> Report:
    async with Simulation(scenario.name) as cluster:
        inventory = quicker(cluster.inventory, stuck(scenario), unanswered(scenario))
        limits = Limits(deadline=asyncio.get_running_loop().time() + 60)
        async with Transport(
            inventory.hosts, resolve=resolve_secret, dial=cluster.dial, services=cluster.services
        ) as transport:
            return await sweep(inventory, transport, make_plan(inventory), limits=limits)


async def swept_together(chosen: Sequence[Scenario]) -> dict[str, Report | BaseException]:
    """Return what came of each scenario by its name; a sweep is mostly waiting, so that some go together."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(scenario: Scenario) -> Report:
        async with free:
            return await swept(scenario)

    came = await asyncio.gather(*(one(scenario) for scenario in chosen), return_exceptions=True)
    return {scenario.name: each for scenario, each in zip(chosen, came, strict=True)}


@pytest.fixture(scope="module")
def reports(request: pytest.FixtureRequest) -> Mapping[str, Report | BaseException]:
    """The reports of all scenarios that are to be tested."""
    items = (item for item in request.session.items if isinstance(item, pytest.Function))
    chosen = {item.callspec.id for item in items if item.path == Path(__file__) and hasattr(item, "callspec")}
    return asyncio.run(swept_together([scenario for scenario in SCENARIOS if scenario.name in chosen]))


@pytest.mark.timeout(300)  # the first of them waits for the sweeps of all
@pytest.mark.parametrize("scenario", SCENARIOS, ids=[s.name for s in SCENARIOS])
def test_a_scenario_gives_its_verdicts(
    scenario: Scenario, reports: Mapping[str, Report | BaseException]
) -> None:
    report, expect = reports[scenario.name], scenario.expect
    assert isinstance(report, Report), report
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


def documented() -> Mapping[tuple[str, bool], Set[str]]:
    """Return what the reference names of `observed`: (kind, whether it is a check's member) → keys."""
    page = FORMATS.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*)\|$", page.partition("What stands in `observed`")[2], re.MULTILINE)
    found = {}
    for kind, row in rows:
        of_whole, _, of_member = row.partition(" |")
        found[kind, False] = set(re.findall(r"`(\w+)`", of_whole)) | {"status", "error"}
        found[kind, True] = set(re.findall(r"`(\w+)`", of_member)) | {"status", "error"}
    return found


@pytest.mark.timeout(300)
def test_what_is_observed_is_what_the_reference_tells(reports: Mapping[str, Report | BaseException]) -> None:
    told = documented()
    missing = {
        f"{verdict.id}: {key}"
        for report in reports.values()
        if isinstance(report, Report)
        for verdict in report.verdicts
        for key in verdict.observed
        if key not in told[verdict.kind, verdict.kind not in OF_HOSTS and verdict.id != verdict.group]
    }
    assert missing == set()
