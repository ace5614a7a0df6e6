"""The inventory of the simulated cluster: one document, as a value and as the text of an inventory file."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.model import Inventory, SshSettings
from quorate.simulation.cluster import SimulatedCluster
from quorate.simulation.declared_checks import Numbers, check_entry

_LOGIN = ("user", "identity_file", "known_hosts")
_PLAIN = re.compile(r"[A-Za-z0-9/~][A-Za-z0-9_./~-]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """How the cluster is got at: what logs in, the limits, and the folder of the files with passwords."""

    ssh: SshSettings
    passwords: Path

    def password_file(self, check: str) -> str:
        """Return the path of the file that holds the password of a check's user."""
        return str(self.passwords / check)


@dataclass(frozen=True, kw_only=True, slots=True)
class Listening:
    """Where all really listens: `dial` has the hosts by name, `numbers` the ports of the services."""

    dial: Mapping[str, tuple[str, int]]
    numbers: Numbers


def inventory(cluster: SimulatedCluster, access: Access) -> Inventory:
    """Return the cluster's inventory, its hosts at the addresses that they have in the cluster."""
    # pydantic takes a while to load, and whoever only wants scenarios has no need of it.
    from quorate.inventory.build import build  # noqa: PLC0415  see above
    from quorate.inventory.entries import InventoryFile, UnknownCheckEntry  # noqa: PLC0415  see above
    from quorate.inventory.kinds import KINDS  # noqa: PLC0415  see above

    told = document(cluster, access)
    checks = {}
    for name, entry in told.get("checks", {}).items():
        model = KINDS[entry["kind"]].entry if entry["kind"] in KINDS else UnknownCheckEntry
        checks[name] = model.model_validate(entry)
    return build(InventoryFile.model_validate(told), checks, str(access.passwords.parent))


def inventory_text(cluster: SimulatedCluster, access: Access, listening: Listening) -> str:
    """Return an inventory file whose addresses and ports are those where all really listens."""
    return "\n".join(_lines(document(cluster, access, listening))) + "\n"


def document(cluster: SimulatedCluster, access: Access, listening: Listening | None = None) -> dict[str, Any]:
    """Return what the inventory declares, in the form of its file; with the cluster's addresses, or where
    all really listens.
    """
    ssh = access.ssh
    limits = {key: getattr(ssh, key) for key in ("connect_timeout", "command_timeout", "host_timeout")}
    checks = {
        name: check_entry(
            spec,
            password=access.password_file(name),
            limit=ssh.connect_timeout,
            folder=access.passwords.parent,
            numbers=None if listening is None else listening.numbers,
        )
        for name, spec in _checks(cluster)
    }
    sources = [source for source in cluster.task_logs if source["group"] in cluster.groups]
    found = {
        "name": cluster.name,
        "ssh": {
            **{key: value for key in _LOGIN if (value := getattr(ssh, key)) is not None},
            **{key: f"{round(limit * 1000)}ms" for key, limit in limits.items()},
        },
        "hosts": {name: _host(name, cluster, listening) for name in cluster.declared},
        "groups": cluster.groups,
        "checks": checks,
        "airflow": {"task_logs": sources} if sources else {},
    }
    return {key: value for key, value in found.items() if value}


def _host(name: str, cluster: SimulatedCluster, listening: Listening | None) -> dict[str, Any]:
    declared = cluster.host_settings.get(name, {})
    ssh = {"jump": declared["jump"]} if "jump" in declared else {}
    if listening is not None and name in listening.dial:
        address, port = listening.dial[name]
        ssh = {"port": port, **ssh}
    else:
        address = declared.get("address", cluster.hosts[name].address)
    return {"address": address, "ssh": ssh} if ssh else {"address": address}


def _checks(cluster: SimulatedCluster) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the checks; units of a group that the inventory does not declare are none of theirs."""
    for name, spec in cluster.checks.items():
        yield name, _declared_parts(spec, cluster)


def _declared_parts(spec: Mapping[str, Any], cluster: SimulatedCluster) -> dict[str, Any]:
    found = {}
    for key, value in spec.items():
        if isinstance(value, Mapping):
            if key in ("logs_from", "served_by") and value["group"] not in cluster.groups:
                continue
            found[key] = _declared_parts(value, cluster)
        else:
            found[key] = value
    return found


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    yield "# The simulated cluster, where it listens on this machine."
    for key, section in told.items():
        if isinstance(section, Mapping):
            yield f"{key}:"
            for name, entry in section.items():
                yield f"  {name}: {_flow(entry)}"
        else:
            yield f"{key}: {_flow(section)}"


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if isinstance(value, int) or _PLAIN.fullmatch(text) else json.dumps(text)
