"""Measures all ways of asking in interleaved rounds, and prints them beside each other."""

from dataclasses import dataclass

from benchmarks.bounds import Bounds
from benchmarks.measuring import Cost
from benchmarks.tables import show_table
from benchmarks.ways import (
    AT_ONCE,
    FAST,
    Place,
    command,
    median,
    memory_of_ssh,
    one_process_a_host,
    one_process_a_unit,
    quorate,
)

SEED = "(a) ssh, one a unit, in a row"
HOSTS = "(b) ssh, one a host, 32 at once"
QUICK = "(b) the same with fast flags"
COLD = "(c) Quorate, cold"
KEPT = "(d) Quorate, connections kept"
COMMAND = "    quorate check, the whole command"


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much is measured: rounds, kept sweeps a round; for how many hosts and rounds the slow way (a)."""

    hosts: int
    rounds: int
    kept: int
    seed_hosts: int
    seed_rounds: int


def measure(place: Place, scale: Scale) -> dict[str, Cost]:
    """Return the median cost of each way, over rounds of all ways: what disturbs, disturbs them alike."""
    found: dict[str, list[Cost]] = {SEED: [], HOSTS: [], QUICK: [], COLD: [], KEPT: [], COMMAND: []}
    few = Place(
        question=place.question.first(scale.seed_hosts),
        access=place.access,
        folder=place.folder,
        wrap=place.wrap,
    )
    for number in range(scale.rounds):
        if number < scale.seed_rounds:
            found[SEED].append(one_process_a_unit(few).times(scale.hosts / len(few.question.addresses)))
        found[HOSTS].append(one_process_a_host(place))
        found[QUICK].append(one_process_a_host(place, flags=FAST))
        asked = quorate(place, kept=scale.kept)
        found[COLD].append(asked.cold)
        found[KEPT].append(asked.kept)
        found[COMMAND].append(command(place))
    medians = {way: median(costs) for way, costs in found.items()}
    for way, at_once, flags in ((SEED, 1, ()), (HOSTS, AT_ONCE, ()), (QUICK, AT_ONCE, FAST)):
        here = few if way == SEED else place
        peak = memory_of_ssh(here, at_once, flags)
        medians[way] = Cost(wall=medians[way].wall, cpu=medians[way].cpu, peak=peak)
    return medians


def show(title: str, costs: dict[str, Cost], scale: Scale) -> None:
    """Print the costs of all ways, and how many times as much as Quorate's each one is."""
    cold, kept = costs[COLD], costs[KEPT]
    print(f"\n{title}: {scale.hosts} hosts, 4 units each, medians of {scale.rounds} rounds")
    if scale.seed_hosts < scale.hosts:
        print(f"(a) is reckoned up from {scale.seed_hosts} hosts: it asks one after the other")
    rows = [
        (
            way,
            f"{cost.wall:.3f} s",
            f"{1000 * cost.cpu / scale.hosts:.2f} ms",
            f"{cost.peak / 1e6:.0f} MB" if cost.peak else "",
            f"{cost.wall / cold.wall:.3g}",
            f"{cost.wall / kept.wall:.3g}",
            f"{cost.cpu / cold.cpu:.3g}",
            f"{cost.cpu / kept.cpu:.3g}",
        )
        for way, cost in costs.items()
    ]
    show_table(
        ("", "wall", "CPU a host", "memory", "wall ÷ (c)", "wall ÷ (d)", "CPU ÷ (c)", "CPU ÷ (d)"), rows
    )


def bound(costs: dict[str, Cost], scale: Scale, bounds: Bounds) -> None:
    """Note the bounds that hold for so many hosts."""
    cold, kept, hosts = costs[COLD], costs[KEPT], scale.hosts
    if hosts == 14:
        bounds.at_least("14 hosts: cold faster than (a), by", costs[SEED].wall / cold.wall, 30)
        bounds.at_least("14 hosts: connections kept faster than (a), by", costs[SEED].wall / kept.wall, 500)
    if hosts == 200:
        bounds.at_least("200 hosts: cold faster than (b), by", costs[HOSTS].wall / cold.wall, 3)
        bounds.at_least(
            "200 hosts: cold faster than (b) with fast flags, by", costs[QUICK].wall / cold.wall, 1.3
        )
    bounds.at_most(f"{hosts} hosts: client CPU a host, cold", 1000 * cold.cpu / hosts, 3, "ms")
    bounds.at_most(f"{hosts} hosts: client CPU a host, kept", 1000 * kept.cpu / hosts, 0.3, "ms")
