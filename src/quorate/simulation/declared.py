"""The inventory of the simulated cluster: as a value, and as the text of an inventory file."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quorate.model import ActivePassive, Group, Host, Inventory, LogsFrom, SshSettings
from quorate.simulation.cluster import SimulatedCluster
from quorate.simulation.declared_checks import Places, check_entry, check_value
from quorate.simulation.durations import seconds
from quorate.simulation.units import full_name

_PLAIN = re.compile(r"[A-Za-z0-9/~][A-Za-z0-9_./~-]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """How the cluster is got at: what logs in, the limits, and the folder of the files with passwords."""

    ssh: SshSettings
    passwords: Path

    def password_file(self, check: str) -> str:
        """Return the path of the file that holds the password of a check's user."""
        return str(self.passwords / check)


def inventory(cluster: SimulatedCluster, access: Access) -> Inventory:
    """Return the cluster's inventory, its hosts at the addresses that they have in the cluster."""
    hosts = {}
    for name in cluster.declared:
        declared = cluster.host_settings.get(name, {})
        settings = replace(access.ssh, jump=declared.get("jump"))
        address = declared.get("address", cluster.hosts[name].address)
        hosts[name] = Host(name=name, address=address, ssh=settings)
    return Inventory(
        name=cluster.name,
        hosts=hosts,
        groups={name: _group(name, group) for name, group in cluster.groups.items()},
        checks={
            name: check_value(
                name,
                spec,
                hosts,
                password=access.password_file(name),
                limit=access.ssh.connect_timeout,
            )
            for name, spec in _checks(cluster)
        },
        task_logs=tuple(
            LogsFrom(group=source["group"], unit=full_name(source["unit"])) for source in _task_logs(cluster)
        ),
    )


def _checks(cluster: SimulatedCluster) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the checks; logs of a group that the inventory does not declare are none of theirs."""
    for name, spec in cluster.checks.items():
        source = spec.get("logs_from")
        left_out = source is not None and source["group"] not in cluster.groups
        yield name, {key: value for key, value in spec.items() if key != "logs_from" or not left_out}


def _task_logs(cluster: SimulatedCluster) -> list[Mapping[str, str]]:
    return [source for source in cluster.task_logs if source["group"] in cluster.groups]


def _group(name: str, group: Mapping[str, Any]) -> Group:
    pair = group.get("active_passive")
    return Group(
        name=name,
        hosts=tuple(group["hosts"]),
        units=tuple(full_name(unit) for unit in group["units"]),
        vip=group.get("vip"),
        tolerates=group.get("tolerates", 0),
        active_passive=pair
        and ActivePassive(
            vip=pair["vip"],
            units=tuple(full_name(unit) for unit in pair["units"]),
            failover_grace=seconds(pair["failover_grace"]),
        ),
    )


def inventory_text(
    cluster: SimulatedCluster, access: Access, dial: Mapping[str, tuple[str, int]], places: Places
) -> str:
    """Return an inventory file whose addresses and ports are those where all really listens."""
    return "\n".join(_lines(cluster, access, dial, places)) + "\n"


def _lines(
    cluster: SimulatedCluster, access: Access, dial: Mapping[str, tuple[str, int]], places: Places
) -> Iterator[str]:
    ssh = access.ssh
    yield "# The simulated cluster, where it listens on this machine."
    yield f"name: {cluster.name}"
    yield "ssh:"
    for key in ("user", "identity_file", "known_hosts"):
        yield f"  {key}: {_flow(getattr(ssh, key))}"
    for key in ("connect_timeout", "command_timeout", "host_timeout"):
        yield f"  {key}: {round(getattr(ssh, key) * 1000)}ms"
    yield "hosts:"
    for name in cluster.declared:
        declared = cluster.host_settings.get(name, {})
        settings = {"jump": declared["jump"]} if "jump" in declared else {}
        if name in dial:
            address, port = dial[name]
            yield f"  {name}: {_flow({'address': address, 'ssh': {'port': port, **settings}})}"
        else:
            entry = {"address": declared["address"]} | ({"ssh": settings} if settings else {})
            yield f"  {name}: {_flow(entry)}"
    yield from _section("groups", cluster.groups)
    entries = {
        name: check_entry(name, spec, places, password=access.password_file(name), limit=ssh.connect_timeout)
        for name, spec in _checks(cluster)
    }
    yield from _section("checks", entries)
    if sources := _task_logs(cluster):
        yield "airflow:"
        yield f"  task_logs: {_flow(sources)}"


def _section(title: str, entries: Mapping[str, Any]) -> Iterator[str]:
    if entries:
        yield f"{title}:"
        for name, entry in entries.items():
            yield f"  {name}: {_flow(entry)}"


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    text = str(value)
    return text if isinstance(value, int) or _PLAIN.fullmatch(text) else json.dumps(text)
