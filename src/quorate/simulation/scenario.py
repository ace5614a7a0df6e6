"""Scenarios: what is wrong with the cluster, and the verdicts that a sweep of it must give, as data files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from quorate.simulation.cluster import (
    SimulatedCluster,
    change_hosts,
    narrowed,
    nominal,
)
from quorate.simulation.data import folder, parse_yaml
from quorate.simulation.services.words import told_services
from quorate.simulation.state import SimulatedHost

_KEYS = frozenset({"about", "changes", "services", "then", "inventory", "expect"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpectedVerdict:
    """What a verdict must say; `caused_by` and `notes` are None where the scenario leaves them open."""

    state: str
    reason: str
    caused_by: str | None = None
    notes: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Expectation:
    """What a sweep must find; `verdicts` are those that are not OK, and OK ones whose notes matter."""

    state: str
    active_nodes: Mapping[str, str | None]
    root_causes: tuple[str, ...]
    verdicts: Mapping[str, ExpectedVerdict]


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Changes that a host shows from the look after its `after`-th on, each login counting anew."""

    after: int
    hosts: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """A named state of the cluster; `row` marks those that show one row of the semantics each."""

    name: str
    about: str
    expect: Expectation
    row: bool = False
    changes: Mapping[str, Any] = field(default_factory=dict)
    services: Mapping[str, Any] = field(default_factory=dict)
    then: tuple[Step, ...] = ()
    inventory: Mapping[str, Any] = field(default_factory=dict)

    def cluster(self, base: SimulatedCluster | None = None) -> SimulatedCluster:
        """Return the cluster as the scenario begins; `base` is the example cluster unless given."""
        base = nominal() if base is None else base
        told = self.inventory
        checks = {**base.checks}
        for name, check in told.get("checks", {}).items():
            checks[name] = {**checks.get(name, {}), **check}
        changed = replace(
            base,
            hosts=change_hosts(base.hosts, self.changes),
            groups={n: _merged(group, told.get("groups", {}).get(n)) for n, group in base.groups.items()},
            checks=checks,
            services=told_services(checks, self.services),
            host_settings=told.get("hosts", {}),
        )
        return narrowed(changed, told["only"]) if "only" in told else changed

    def later(self, hosts: Mapping[str, SimulatedHost]) -> Iterator[tuple[int, dict[str, SimulatedHost]]]:
        """Yield after how many looks the hosts become what, each step upon the one before."""
        for step in self.then:
            hosts = change_hosts(hosts, step.hosts)
            yield step.after, dict(hosts)


def _merged(group: Mapping[str, Any], changes: Mapping[str, Any] | None) -> Mapping[str, Any]:
    merged = {**group, **(changes or {})}
    if changes and "active_passive" in changes:
        merged["active_passive"] = {**group.get("active_passive", {}), **changes["active_passive"]}
    return merged


def parse_scenario(name: str, text: str, *, row: bool = False) -> Scenario:
    """Return the scenario that a YAML text describes; ValueError where it says something meaningless."""
    told = parse_yaml(text)
    if not isinstance(told, dict) or set(told) - _KEYS:
        raise ValueError(f"scenario {name}: write {', '.join(sorted(_KEYS))} and nothing else")
    scenario = Scenario(
        name=name,
        about=told["about"],
        row=row,
        changes=told.get("changes", {}),
        services=told.get("services", {}),
        then=tuple(Step(after=step["after"], hosts=step["hosts"]) for step in told.get("then", ())),
        inventory=told.get("inventory", {}),
        expect=_expectation(told["expect"]),
    )
    try:
        list(scenario.later(scenario.cluster().hosts))
    except ValueError as error:
        raise ValueError(f"scenario {name}: {error}") from error
    return scenario


def _expectation(told: Mapping[str, Any]) -> Expectation:
    return Expectation(
        state=told["state"],
        active_nodes=told["active_nodes"],
        root_causes=tuple(told["root_causes"]),
        verdicts={
            name: ExpectedVerdict(
                state=verdict["state"],
                reason=verdict["reason"],
                caused_by=verdict.get("caused_by"),
                notes=tuple(verdict["notes"]) if "notes" in verdict else None,
            )
            for name, verdict in told["verdicts"].items()
        },
    )


@cache
def scenarios(*, rows: bool = False) -> tuple[Scenario, ...]:
    """Return the scenarios by name, `nominal` first; with `rows` those too that show one row each."""
    found = [_load(name, row=False) for name in _names("scenarios")]
    if rows:
        found += [_load(name, row=True) for name in _names("scenarios/rows")]
    return tuple(
        sorted(found, key=lambda scenario: (scenario.row, scenario.name != "nominal", scenario.name))
    )


@cache
def load_scenario(name: str) -> Scenario:
    """Return the scenario of that name, of either kind; ValueError where there is none."""
    for row in (False, True):
        if name in _names("scenarios/rows" if row else "scenarios"):
            return _load(name, row=row)
    known = [*_names("scenarios"), *_names("scenarios/rows")]
    raise ValueError(f"there is no scenario {name!r}; there are {', '.join(known)}")


@cache
def _load(name: str, *, row: bool) -> Scenario:
    place = folder() / "scenarios" / "rows" if row else folder() / "scenarios"
    return parse_scenario(name, (place / f"{name}.yaml").read_text("utf-8"), row=row)


@cache
def _names(where: str) -> tuple[str, ...]:
    found = (entry.name for entry in folder().joinpath(*where.split("/")).iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml")))
