"""The inventory of the simulated cluster: as a value, and as the text of an inventory file."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from quorate.model import ActivePassive, Group, Host, Inventory, SshSettings
from quorate.simulation.cluster import SimulatedCluster
from quorate.simulation.durations import seconds
from quorate.simulation.units import full_name

_PLAIN = re.compile(r"[A-Za-z0-9/~][A-Za-z0-9_./~-]*")


def inventory(cluster: SimulatedCluster, ssh: SshSettings) -> Inventory:
    """Return the cluster's inventory, its hosts at the addresses that they have in the cluster."""
    hosts = {}
    for name, host in cluster.hosts.items():
        declared = cluster.host_settings.get(name, {})
        settings = SshSettings(
            user=ssh.user,
            identity_file=ssh.identity_file,
            known_hosts=ssh.known_hosts,
            jump=declared.get("jump"),
            connect_timeout=ssh.connect_timeout,
            command_timeout=ssh.command_timeout,
            host_timeout=ssh.host_timeout,
        )
        hosts[name] = Host(name=name, address=declared.get("address", host.address), ssh=settings)
    groups = {name: _group(name, group) for name, group in cluster.groups.items()}
    return Inventory(name=cluster.name, hosts=hosts, groups=groups)


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


def inventory_text(cluster: SimulatedCluster, ssh: SshSettings, dial: Mapping[str, tuple[str, int]]) -> str:
    """Return an inventory file whose addresses and ports are those where the hosts really listen."""
    return "\n".join(_lines(cluster, ssh, dial)) + "\n"


def _lines(cluster: SimulatedCluster, ssh: SshSettings, dial: Mapping[str, tuple[str, int]]) -> Iterator[str]:
    yield "# The simulated cluster, where it listens on this machine."
    yield f"name: {cluster.name}"
    yield "ssh:"
    for key in ("user", "identity_file", "known_hosts"):
        yield f"  {key}: {_flow(getattr(ssh, key))}"
    for key in ("connect_timeout", "command_timeout", "host_timeout"):
        yield f"  {key}: {round(getattr(ssh, key) * 1000)}ms"
    yield "hosts:"
    for name in cluster.hosts:
        declared = cluster.host_settings.get(name, {})
        settings = {"jump": declared["jump"]} if "jump" in declared else {}
        if name in dial:
            address, port = dial[name]
            yield f"  {name}: {_flow({'address': address, 'ssh': {'port': port, **settings}})}"
        else:
            entry = {"address": declared["address"]} | ({"ssh": settings} if settings else {})
            yield f"  {name}: {_flow(entry)}"
    yield from _section("groups", cluster.groups)
    yield from _section("checks", cluster.checks)


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
