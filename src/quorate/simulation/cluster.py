"""The simulated cluster: its hosts on a good day, and what a scenario makes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from quorate.simulation.data import load_yaml
from quorate.simulation.durations import seconds
from quorate.simulation.resources import change_resources
from quorate.simulation.services.words import Told
from quorate.simulation.state import (
    Interface,
    JournalAccess,
    SimulatedAddress,
    SimulatedHost,
    Ssh,
    Sudo,
    Trouble,
)
from quorate.simulation.units import build_unit, full_name

EVERY_HOST = "*"
"""Stands for every host in the changes of a scenario."""

_CHANGES = frozenset(
    [
        "uptime",
        "units",
        "holds",
        "interfaces",
        "ssh",
        "sudo",
        "journal_access",
        "volatile_journal",
        "trouble",
        "banner",
        "noise",
        "system_state",
        "lacks",
        "resources",
        "clock",
        "markers",
    ]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedCluster:
    """The machines, and what the inventory declares of them in the form of its file.

    `hosts` are the machines, in the order of the inventory; `declared` are those that it names.
    """

    name: str
    user: str
    hosts: Mapping[str, SimulatedHost]
    groups: Mapping[str, Any]
    checks: Mapping[str, Any]
    declared: tuple[str, ...]
    host_settings: Mapping[str, Any]
    """What a scenario declares of single hosts: another `address`, a `jump` host."""
    task_logs: tuple[Mapping[str, str], ...] = ()
    machines: Mapping[str, tuple[str, ...]]
    """The hosts that each unit of the example cluster is on, whether the inventory declares it or not."""
    tables: Mapping[str, int]
    services: Mapping[str, Mapping[str, Told]] = field(default_factory=dict)
    """What a scenario says of services, by kind and member; `*` stands for every member."""


@cache
def nominal() -> SimulatedCluster:
    """Return the example cluster on a good day."""
    told = load_yaml("cluster.yaml")
    return SimulatedCluster(
        name=told["name"],
        user=told["user"],
        hosts={
            name: _host(name, {**spec, "resources": told["resources"].get(name, {})})
            for name, spec in told["hosts"].items()
        },
        groups=told["groups"],
        checks=told["checks"],
        declared=tuple(told["hosts"]),
        host_settings={},
        task_logs=tuple(told["task_logs"]),
        machines=_machines(told["groups"]),
        tables=told["tables"],
    )


def _machines(groups: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for group in groups.values():
        for unit in group["units"]:
            found[full_name(unit)] = (*found.get(full_name(unit), ()), *group["hosts"])
    return found


def _host(name: str, spec: Mapping[str, Any]) -> SimulatedHost:
    bare = SimulatedHost(name=name, address=spec["address"], uptime=seconds(spec["uptime"]))
    return change_host(bare, {"holds": [], **{k: v for k, v in spec.items() if k in _CHANGES}})


def change_hosts(
    hosts: Mapping[str, SimulatedHost], changes: Mapping[str, Mapping[str, Any]]
) -> dict[str, SimulatedHost]:
    """Return the hosts as the changes leave them; `*` stands for every host. ValueError for unknown names."""
    if unknown := set(changes) - set(hosts) - {EVERY_HOST}:
        raise ValueError(f"there is no host {', '.join(sorted(unknown))}")
    changed = {}
    for name, host in hosts.items():
        for key in (EVERY_HOST, name):
            host = change_host(host, changes.get(key, {}))  # noqa: PLW2901  the second change builds on the first
        changed[name] = host
    return changed


def narrowed(cluster: SimulatedCluster, only: Sequence[str]) -> SimulatedCluster:
    """Return the cluster whose inventory declares these groups and checks alone, and the hosts in them.

    Its machines stay what they are. ValueError for a name that is no group and no check.
    """
    if unknown := set(only) - set(cluster.groups) - set(cluster.checks):
        raise ValueError(f"there is no group or check {', '.join(sorted(unknown))}")
    groups = {name: group for name, group in cluster.groups.items() if name in only}
    checks = {name: check for name, check in cluster.checks.items() if name in only}
    concerned = {host for entry in (*groups.values(), *checks.values()) for host in entry.get("hosts", ())}
    return replace(
        cluster,
        groups=groups,
        checks=checks,
        declared=tuple(name for name in cluster.declared if name in concerned),
    )


def change_host(host: SimulatedHost, changes: Mapping[str, Any]) -> SimulatedHost:
    """Return a host as the changes leave it; ValueError for a key or a word that means nothing."""
    if not changes:
        return host
    if unknown := set(changes) - _CHANGES:
        raise ValueError(
            f"{host.name}: {', '.join(sorted(unknown))} is nothing that can be changed of a host"
        )
    found: dict[str, Any] = {
        key: changes[key] for key in ("banner", "noise", "system_state", "volatile_journal") if key in changes
    }
    if "uptime" in changes:
        found["uptime"] = seconds(changes["uptime"])
    for key, words in (("ssh", Ssh), ("sudo", Sudo), ("journal_access", JournalAccess)):
        if key in changes:
            found[key] = words(changes[key])
    if "trouble" in changes:
        found["trouble"] = {program: Trouble(word) for program, word in changes["trouble"].items()}
    if "lacks" in changes:
        found["lacks"] = frozenset(changes["lacks"])
    if "resources" in changes:
        found["resources"] = change_resources(host.resources, changes["resources"])
    if "clock" in changes:
        ahead = changes["clock"].removeprefix("-")
        found["clock"] = seconds(ahead) * (-1 if ahead != changes["clock"] else 1)
    if "markers" in changes:
        found["markers"] = {path: seconds(age) for path, age in changes["markers"].items()}
    if "units" in changes:
        found["units"] = _changed_units(host, changes["units"])
    if "holds" in changes or "interfaces" in changes:
        found["interfaces"] = _interfaces(host, changes)
    return replace(host, **found)


def _changed_units(host: SimulatedHost, specs: Mapping[str, Any]) -> dict[str, Any]:
    units = dict(host.units)
    for name, spec in specs.items():
        if spec is None:
            units.pop(full_name(name), None)
        else:
            units[full_name(name)] = build_unit(name, spec, host=host.name, address=host.address)
    return units


def _interfaces(host: SimulatedHost, changes: Mapping[str, Any]) -> tuple[Interface, ...]:
    own = SimulatedAddress(local=host.address, prefix=24)
    held = [_address(entry) for entry in changes.get("holds", ())]
    further = [
        Interface(
            name=name,
            up=spec.get("up", True),
            addresses=tuple(_address(entry) for entry in spec["addresses"]),
        )
        for name, spec in changes.get("interfaces", {}).items()
    ]
    return (Interface(name="eth0", addresses=(own, *held)), *further)


def _address(entry: str | Mapping[str, Any]) -> SimulatedAddress:
    if isinstance(entry, str):
        entry = {"local": entry}
    local = entry["local"]
    return SimulatedAddress(
        local=local,
        prefix=entry.get("prefix", 64 if ":" in local else 24),
        flags=tuple(entry.get("flags", ())),
    )
