"""From the entries of a faultless file to the model's values."""

import os
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from quorate.inventory.entries import CheckEntry, Entry, GroupEntry, InventoryFile, LogsFromEntry
from quorate.inventory.jumps import effective_jumps
from quorate.inventory.kinds import KINDS
from quorate.inventory.secrets import secret
from quorate.model import (
    ActivePassive,
    Check,
    EvidenceSettings,
    Group,
    Host,
    Inventory,
    JudgingSettings,
    LogsFrom,
    Maintenance,
    Secret,
    SshSettings,
    Sync,
    Tls,
)

_PATHS = ("identity_file", "known_hosts", "config_file")


def build(file: InventoryFile, checks: Mapping[str, CheckEntry], folder: str) -> Inventory:
    """Return the inventory; relative paths start from `folder`. The entries are faultless."""
    hosts = _hosts(file, folder)
    return Inventory(
        name=file.name,
        hosts=MappingProxyType(hosts),
        groups=MappingProxyType({name: _group(name, entry) for name, entry in file.groups.items()}),
        checks=MappingProxyType({name: _check(name, entry, hosts, folder) for name, entry in checks.items()}),
        evidence=EvidenceSettings(**_fields(file.evidence)),
        judging=JudgingSettings(**_fields(file.judging)),
        task_logs=tuple(_logs_from(entry) for entry in file.airflow.task_logs),
        base_log_folder=file.airflow.base_log_folder,
        maintenance=tuple(Maintenance(**_fields(entry)) for entry in file.maintenance),
    )


def _fields(entry: Entry) -> dict[str, Any]:
    return {key: getattr(entry, key) for key in type(entry).model_fields}


def _written(entry: Entry | None) -> dict[str, Any]:
    return {key: getattr(entry, key) for key in entry.model_fields_set} if entry else {}


def _hosts(file: InventoryFile, folder: str) -> dict[str, Host]:
    own = {name: entry.ssh.jump if entry.ssh else None for name, entry in file.hosts.items()}
    jumps = effective_jumps(file.ssh.jump, own)
    hosts = {}
    for name, entry in file.hosts.items():
        settings = {**_fields(file.ssh), **_written(entry.ssh)}
        # This machine, asked without SSH, is reached through nobody.
        settings["jump"] = jumps.get(name) if entry.address else None
        settings.update({key: full_path(settings[key], folder) for key in _PATHS if settings[key]})
        if settings["passphrase"]:
            settings["passphrase"] = located(secret(settings["passphrase"]), folder)
        hosts[name] = Host(name=name, address=entry.address, local=entry.local, ssh=SshSettings(**settings))
    return hosts


def _group(name: str, entry: GroupEntry) -> Group:
    pair = entry.active_passive
    return Group(
        name=name,
        hosts=tuple(entry.hosts),
        units=tuple(entry.units),
        active_passive=ActivePassive(
            vip=pair.vip,
            units=tuple(pair.units),
            failover_grace=pair.failover_grace,
            sync=Sync(**_fields(pair.sync)) if pair.sync else None,
        )
        if pair
        else None,
        vip=entry.vip,
        tolerates=entry.tolerates,
    )


def _check(name: str, entry: CheckEntry, hosts: Mapping[str, Host], folder: str) -> Check:
    if entry.kind not in KINDS:
        return Check(name=name, kind=entry.kind)
    kind = KINDS[entry.kind]
    resolved = kind.resolve(entry, hosts)
    settings = {key: _located(value, folder) for key, value in resolved.settings.items()}
    return Check(
        name=name,
        kind=entry.kind,
        hosts=resolved.hosts,
        members=resolved.members,
        asks_hosts=kind.asks_hosts,
        needs_roles=kind.needs_roles,
        settings=MappingProxyType(settings),
        logs_from=_logs_from(entry.logs_from) if entry.logs_from else None,
    )


def _located(value: Any, folder: str) -> Any:
    """Return a setting with the full paths of the files that it names."""
    match value:
        case Secret():
            return located(value, folder)
        case Tls():
            return replace(
                value,
                ca_file=_full(value.ca_file, folder),
                cert_file=_full(value.cert_file, folder),
                key_file=_full(value.key_file, folder),
            )
        case _:
            return value


def _full(path: str | None, folder: str) -> str | None:
    return None if path is None else full_path(path, folder)


def _logs_from(entry: LogsFromEntry) -> LogsFrom:
    return LogsFrom(group=entry.group, unit=entry.unit)


def located(where: Secret, folder: str) -> Secret:
    """Return the secret with the full path of its file, where it is in one."""
    return Secret(file=full_path(where.file, folder)) if where.file else where


def full_path(path: str, folder: str) -> str:
    """Return a path of the file with `~` expanded, and from the inventory's folder where it is relative."""
    expanded = os.path.expanduser(path)  # noqa: PTH111  Path.expanduser raises where the user is unknown
    return os.path.normpath(os.path.join(folder, expanded))  # noqa: PTH118  plain text in, plain text out
