"""Credentials that are kept in Airflow's connections: read beforehand, and never while a DAG is parsed.

A connection's secrets are held by `Connections` alone, which shows them to nobody; the inventory that is
filled in from a connection only says where its secrets are.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from quorate.engine import SecretUnavailableError, resolve_secret
from quorate.model import Host, Inventory, Secret, SshSettings

Resolve = Callable[[Secret], str]

_SECRET_EXTRAS = ("private_key", "private_key_passphrase")
_WHERE = "Admin → Connections, or AIRFLOW_CONN_…"


@dataclass(frozen=True, kw_only=True, slots=True)
class SshLogin:
    """What an SSH connection says of a login, as far as it is no secret."""

    user: str | None = None
    port: int | None = None
    key_file: str | None = None
    host_key: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Connections:
    """Airflow connections that were read, by id; `problems` says why one could not be."""

    logins: Mapping[str, SshLogin] = field(default_factory=dict)
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    problems: Mapping[str, str] = field(default_factory=dict)


def connect_inventory(inventory: Inventory) -> tuple[Inventory, Resolve]:
    """Return the inventory with what its connections carry, and what resolves its secrets; in a task."""
    connections = read_connections(connection_secrets(inventory))
    return with_connections(inventory, connections), resolver(connections)


async def connect_inventory_async(inventory: Inventory) -> tuple[Inventory, Resolve]:
    """Do as `connect_inventory`, in the triggerer: nothing in it keeps the event loop waiting."""
    connections = await read_connections_async(connection_secrets(inventory))
    return with_connections(inventory, connections), resolver(connections)


def connection_secrets(inventory: Inventory) -> tuple[str, ...]:
    """Return the ids of the Airflow connections that an inventory needs, each once."""
    return tuple(dict.fromkeys(_ids(inventory)))


def _ids(inventory: Inventory) -> Iterator[str]:
    for host in inventory.hosts.values():
        if host.ssh.airflow_connection is not None:
            yield host.ssh.airflow_connection
        secrets = (host.ssh.passphrase, host.ssh.private_key, host.ssh.password)
        yield from (s.airflow_connection for s in secrets if s and s.airflow_connection is not None)
    for check in inventory.checks.values():
        for value in check.settings.values():
            if isinstance(value, Secret) and value.airflow_connection is not None:
                yield value.airflow_connection


def read_connections(ids: tuple[str, ...]) -> Connections:
    """Return the connections of these ids, read as a task reads them; one that is missing is a problem."""
    if not ids:
        return Connections()
    from airflow.sdk import BaseHook  # noqa: PLC0415  an inventory without connections needs none of it
    from airflow.sdk.log import mask_secret  # noqa: PLC0415  as above

    read: dict[str, _Read] = {}
    for id_ in ids:
        try:
            read[id_] = _taken(id_, BaseHook.get_connection(id_))
        except Exception as error:  # noqa: BLE001  each backend raises its own, and its text may hold anything
            read[id_] = _failed(id_, error)
        for secret in read[id_].secrets.values():
            mask_secret(secret)
    return _together(read)


async def read_connections_async(ids: tuple[str, ...]) -> Connections:
    """Return the connections of these ids, read so that the triggerer's event loop never waits."""
    if not ids:
        return Connections()
    from airflow.sdk import BaseHook  # noqa: PLC0415  as in read_connections
    from airflow.sdk.log import amask_secret  # noqa: PLC0415  as above

    read: dict[str, _Read] = {}
    for id_ in ids:
        try:
            read[id_] = _taken(id_, await BaseHook.aget_connection(id_))
        except Exception as error:  # noqa: BLE001  as in read_connections
            read[id_] = _failed(id_, error)
        for secret in read[id_].secrets.values():
            await amask_secret(secret)
    return _together(read)


def resolver(connections: Connections, otherwise: Resolve = resolve_secret) -> Resolve:
    """Return a function that gives the text of a secret, from the connections that were read.

    Secrets that are elsewhere are left to `otherwise`. SecretUnavailableError where there is none; it names
    the connection and what is missing, never what is in it.
    """

    def resolve(secret: Secret) -> str:
        id_ = secret.airflow_connection
        if id_ is None:
            return otherwise(secret)
        if id_ in connections.problems:
            raise SecretUnavailableError(connections.problems[id_])
        if id_ not in connections.secrets:
            raise SecretUnavailableError(f"the Airflow connection {id_!r} was not read")
        text = connections.secrets[id_].get(secret.part)
        if not text:
            missing = secret.part.replace("_", " ")
            raise SecretUnavailableError(
                f"the Airflow connection {id_!r} has no {missing}; set it there ({_WHERE})"
            )
        return text

    return resolve


def with_connections(inventory: Inventory, connections: Connections) -> Inventory:
    """Return the inventory with the logins that its SSH connections carry; what it says itself holds.

    A host's address, its limits and the verification of its key are the inventory's alone. A host whose
    connection could not be read keeps its reference, and is not asked at all.
    """
    hosts = {name: _filled(host, connections) for name, host in inventory.hosts.items()}
    return replace(inventory, hosts=MappingProxyType(hosts))


def _filled(host: Host, connections: Connections) -> Host:
    ssh, id_ = host.ssh, host.ssh.airflow_connection
    if id_ is None or id_ not in connections.logins:
        return host
    login, has = connections.logins[id_], connections.secrets[id_]
    filled = replace(
        ssh,
        airflow_connection=None,
        user=ssh.user or login.user,
        port=ssh.port or login.port,
        password=_part(id_, "password") if "password" in has else None,
        host_key=login.host_key,
    )
    # A key that the inventory names is the one to log in with, and a passphrase belongs to its key.
    return replace(host, ssh=filled if ssh.identity_file is not None else _with_key(filled, id_, login, has))


def _with_key(ssh: SshSettings, id_: str, login: SshLogin, has: Mapping[str, str]) -> SshSettings:
    passphrase = _part(id_, "private_key_passphrase") if "private_key_passphrase" in has else None
    as_text = "private_key" in has
    return replace(
        ssh,
        private_key=_part(id_, "private_key") if as_text else None,
        identity_file=None if as_text else login.key_file,
        passphrase=ssh.passphrase or passphrase,
    )


def _part(id_: str, part: str) -> Secret:
    return Secret(airflow_connection=id_, part=part)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Read:
    login: SshLogin = field(default_factory=SshLogin)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    problem: str | None = None


def _together(read: Mapping[str, _Read]) -> Connections:
    had = {id_: one for id_, one in read.items() if one.problem is None}
    return Connections(
        logins={id_: one.login for id_, one in had.items()},
        secrets={id_: one.secrets for id_, one in had.items()},
        problems={id_: one.problem for id_, one in read.items() if one.problem is not None},
    )


def _failed(id_: str, error: Exception) -> _Read:
    from airflow.sdk.exceptions import AirflowNotFoundException  # noqa: PLC0415  as in read_connections

    if isinstance(error, AirflowNotFoundException):
        problem = f"the Airflow connection {id_!r} is not defined; add it ({_WHERE})"
    elif isinstance(error, PermissionError):
        problem = f"Airflow does not let this task read the connection {id_!r}; permit it, or use another"
    else:
        problem = (
            f"the Airflow connection {id_!r} can't be read: {type(error).__name__} in its secrets backend"
        )
    return _Read(problem=problem)


def _taken(id_: str, connection: Any) -> _Read:
    """Return what a connection carries. Source: the SSH provider's connection type."""
    extra = _extra(connection.extra)
    if extra is None:
        return _Read(problem=f"the extra field of the Airflow connection {id_!r} is no JSON object; mend it")
    secrets = {"password": connection.password, **{key: extra.get(key) for key in _SECRET_EXTRAS}}
    login = SshLogin(
        user=connection.login or None,
        port=connection.port or None,
        key_file=_text(extra.get("key_file")),
        host_key=_host_key(_text(extra.get("host_key"))),
    )
    return _Read(login=login, secrets={k: v for k, v in secrets.items() if isinstance(v, str) and v.strip()})


def _extra(text: str | None) -> dict[str, Any] | None:
    if not text or not text.strip():
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text(value: object) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None


def _host_key(text: str | None) -> str | None:
    """Return a host key as OpenSSH writes it; the SSH provider also takes one without its kind before it."""
    if text is None or len(text.split()) > 1:
        return text
    try:
        blob = base64.b64decode(text, validate=True)
        # A key begins with its kind, as a string with its length. Source: RFC 4253, 6.6.
        kind = blob[4 : 4 + int.from_bytes(blob[:4])].decode("ascii")
    except (binascii.Error, ValueError):
        return text
    return f"{kind} {text}"
