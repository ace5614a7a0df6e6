"""The part of the example cluster that situations are about, declared alike for both clusters."""

import json
from collections.abc import Mapping
from typing import Any

NAME = "airflow-prod"
AIRFLOW_VIP = "192.0.2.210"
NFS_VIP = "192.0.2.220"
ACTIVE_ONLY = ("nfs-server", "lsyncd", "airflow-dag-processor")
HOSTS = {
    "haproxy-1": "192.0.2.202",
    "haproxy-2": "192.0.2.146",
    "nfs-1": "192.0.2.165",
    "nfs-2": "192.0.2.203",
    "ftp": "192.0.2.164",
}
GROUPS: dict[str, dict[str, Any]] = {
    "haproxy": {"hosts": ["haproxy-1", "haproxy-2"], "units": ["haproxy", "keepalived"], "vip": AIRFLOW_VIP},
    "webserver": {"hosts": ["haproxy-1", "haproxy-2"], "units": ["airflow-webserver"]},
    "nfs": {
        "hosts": ["nfs-1", "nfs-2"],
        "units": [*ACTIVE_ONLY, "keepalived"],
        # No grace: machines that have just been booted would count as failing over for their first minute.
        "active_passive": {"vip": NFS_VIP, "units": list(ACTIVE_ONLY), "failover_grace": "0s"},
    },
    "ftp": {"hosts": ["ftp"], "units": ["vsftpd"]},
}
SOON = {"connect_timeout": "1s"}
"""For hosts whose silence is waited for; all others have more time than even a busy machine needs."""
_PATIENT = {"connect_timeout": "20s", "command_timeout": "20s", "host_timeout": "60s"}


def groups(changes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the groups, each with what a situation changes of it."""
    return {name: merged(group, changes.get(name, {})) for name, group in GROUPS.items()}


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with changes, mappings inside it merged in the same way."""
    both = {**base, **changes}
    inner = (key for key, value in changes.items() if isinstance(value, Mapping) and key in base)
    return both | {key: merged(base[key], changes[key]) for key in inner}


def units_of(changes: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the ids of the units' verdicts by host."""
    found: dict[str, list[str]] = {host: [] for host in HOSTS}
    for name, group in groups(changes).items():
        for host in group["hosts"]:
            found[host] += [f"{name}/{host}/{unit}" for unit in group["units"]]
    return found


def inventory_text(
    ssh: Mapping[str, Any],
    *,
    hosts: Mapping[str, Any] | None = None,
    groups_changed: Mapping[str, Any] | None = None,
    judging: Mapping[str, Any] | None = None,
) -> str:
    """Return the inventory file of the hosts; `ssh` says at least how to log in."""
    entries = {
        name: merged({"address": address}, (hosts or {}).get(name, {})) for name, address in HOSTS.items()
    }
    parts = {
        "name": NAME,
        "ssh": {**_PATIENT, **ssh},
        # Looks may follow each other quickly: what happens in between is waited for, not timed.
        "judging": {"interval": "200ms", **(judging or {})},
        "hosts": entries,
        "groups": groups(groups_changed or {}),
    }
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in parts.items())
