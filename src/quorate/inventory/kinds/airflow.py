"""Kind `airflow`: heartbeats of schedulers, triggerers and DAG processors, by API or by database."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema

from quorate.inventory.document import Document, Path
from quorate.inventory.entries import CheckEntry, SecretEntry
from quorate.inventory.faults import Fault
from quorate.inventory.fields import (
    Address,
    Duration,
    Line,
    Port,
    default,
    not_whole,
    required,
    unset,
    wrong,
)
from quorate.inventory.kinds.kind import Kind, Resolved
from quorate.inventory.kinds.members import member_rules
from quorate.inventory.kinds.tls import TlsEntry, tls
from quorate.inventory.kinds.urls import Url, has_credentials, located
from quorate.inventory.secrets import secret
from quorate.inventory.tree import mapping
from quorate.model import Host, Tls
from quorate.model.airflow import COMPONENTS

_KEYS = {component: f"{component}s" for component in COMPONENTS}
_DATABASE_KEYS = ("port", "database")
_NO_NAME = "has something in it that is no host's name"


def _instances(value: object) -> int | tuple[str, ...]:
    if isinstance(value, list):
        if not value:
            raise wrong("is empty", "name the hosts, or write 0 where it is not to be judged")
        if not all(isinstance(name, str) and name for name in value):
            raise wrong(_NO_NAME, "write [haproxy-1, scheduler-2], or their number")
        return tuple(value)
    if isinstance(value, bool) or not isinstance(value, int):
        if isinstance(value, str) and not re.fullmatch("[0-9]+", value):
            raise wrong("must be a whole number or a list of hosts", f"write [{value}]")
        raise not_whole(value)
    if value < 0:
        raise wrong("must be at least 0", "0 where it is not to be judged")
    return value


Instances = Annotated[
    Any,
    BeforeValidator(_instances),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "integer", "minimum": 0},
                {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
            ]
        }
    ),
]
"""How many instances of a component there are, or the hosts that they are on."""


class AirflowCheckEntry(CheckEntry):
    """Look at the heartbeats of Airflow's components."""

    kind: Literal["airflow"] = required("Look at the heartbeats of Airflow's components.")
    url: Url = unset(
        "Airflow's web page, whose API is asked; its host may be the name of one of the inventory's hosts."
    )
    host: Address = unset(
        "Airflow's metadata database, in place of `url`: address, or name of one of the inventory's hosts."
    )
    port: Port = default(5432, "Port of the database, or of the proxy before it.")
    database: Line = unset("Name of the database; needed beside `host`.")
    user: Line = unset("User of the API, who may list jobs, or of the database; needed beside `host`.")
    password: SecretEntry = unset("Where that user's password is to be had.")
    tls: TlsEntry = unset("How the API is spoken to over TLS, where the URL is https.")
    schedulers: Instances = default(2, "How many schedulers there are, or the hosts that they are on.")
    triggerers: Instances = default(1, "How many triggerers there are, or the hosts that they are on.")
    dag_processors: Instances = default(1, "How many DAG processors there are, or the hosts they are on.")
    max_age: Duration = default("30s", "A component whose last heartbeat is older is not alive.")
    timeout: Duration = default("5s", "Limit of the login and the answer; of each in a database.")


def rules(tree: dict[str, Any], path: Path, document: Document) -> Iterator[Fault]:
    """Yield faults of a check with neither or both of url and host, of what goes with them, and of hosts."""
    check = mapping(tree, *(str(part) for part in path))
    if "url" in check and "host" in check:
        what = f"check {path[-1]} has url and host"
        hint = "leave the API or the database, and write a check of its own for the other"
        yield document.fault((*path, "host"), what, hint, at_key=True, show=False)
    elif "url" in check:
        yield from _api_rules(check, path, document)
    elif "host" in check:
        yield from _database_rules(check, path, document)
    else:
        what, hint = f"check {path[-1]} has neither url nor host", "say which API or which database is asked"
        yield document.fault(path, what, hint, at_key=True, show=False)
    for key in _KEYS.values():
        yield from member_rules(tree, path, document, key)


def _api_rules(check: dict[str, Any], path: Path, document: Document) -> Iterator[Fault]:
    url = check["url"]
    if isinstance(url, str) and has_credentials(url):
        what, hint = "url holds a user or a password", "write them as keys of their own: user and password"
        yield document.fault((*path, "url"), what, hint, show=False)
    elif isinstance(url, str) and "?" in url:
        what, hint = "url has a part behind ?", "write the address of the web page alone"
        yield document.fault((*path, "url"), what, hint, show=False)
    elif isinstance(url, str) and url.lower().startswith("http://") and "tls" in check:
        what, hint = "tls stands beside a URL without TLS", "write https://, or take it out"
        yield document.fault((*path, "tls"), what, hint, at_key=True, show=False)
    for key in (key for key in _DATABASE_KEYS if key in check):
        what, hint = f"{key} stands beside url", "it belongs to a database, whose address is host"
        yield document.fault((*path, key), what, hint, at_key=True, show=False)
    for key, other in (("user", "password"), ("password", "user")):
        if key in check and other not in check:
            what, hint = f"{key} stands without {other}", f"add {other}, or take it out"
            yield document.fault((*path, key), what, hint, at_key=True, show=False)


def _database_rules(check: dict[str, Any], path: Path, document: Document) -> Iterator[Fault]:
    for key in ("database", "user", "password"):
        if key not in check:
            what = f"check {path[-1]} lacks the key '{key}'"
            yield document.fault(path, what, "a database is not asked without it", at_key=True, show=False)
    if "tls" in check:
        what, hint = "tls stands beside host", "TLS of a database follows PGSSLMODE and its like"
        yield document.fault((*path, "tls"), what, hint, at_key=True, show=False)


def resolve(entry: AirflowCheckEntry, hosts: Mapping[str, Host]) -> Resolved:
    """Return the settings; `way` is `api` or `database`, and decides which of the others there are.

    `components` are those that are judged, each with their `number` and their `hosts`, empty where these are
    not named. A host that is one of the inventory's is asked at its address. `path` has no slash at its end.
    """
    written = {component: getattr(entry, key) for component, key in _KEYS.items()}
    components = {name: _component(declared, hosts) for name, declared in written.items() if declared != 0}
    found = _api(entry, hosts) if entry.url is not None else _database(entry, hosts)
    limits = {"max_age": entry.max_age, "timeout": entry.timeout}
    settings = {**found, "components": MappingProxyType(components), **limits}
    asked = (host.name for host in hosts.values() if (host.address or "localhost") == found["host"])
    named = (host for component in components.values() for host in component["hosts"])
    return Resolved(
        settings=MappingProxyType(settings),
        hosts=tuple(dict.fromkeys([*asked, *named])),
        members=tuple(components),
    )


def _component(declared: int | tuple[str, ...], hosts: Mapping[str, Host]) -> Mapping[str, Any]:
    """Return how many there are, and by host under which names it may appear: its own, and its address."""
    if isinstance(declared, int):
        return MappingProxyType({"number": declared, "hosts": MappingProxyType({})})
    names = {name: tuple(filter(None, (name, hosts[name].address))) for name in declared}
    return MappingProxyType({"number": len(names), "hosts": MappingProxyType(names)})


def _api(entry: AirflowCheckEntry, hosts: Mapping[str, Host]) -> dict[str, Any]:
    web = located(entry.url)
    named = hosts.get(web.host)
    address = (named.address or "localhost") if named else web.host
    secured = (tls(entry.tls) or Tls()) if web.secured else None
    if secured is not None and secured.name is None and address != web.host:
        secured = replace(secured, name=web.host)
    settings: dict[str, Any] = {
        "way": "api",
        "url": web.shown.rstrip("/"),
        "host": address,
        "port": web.port,
        "path": web.path.rstrip("/"),
        "host_header": web.authority,
        "tls": secured,
        "user": entry.user,
    }
    if entry.password is not None:
        settings["password"] = secret(entry.password)
    return settings


def _database(entry: AirflowCheckEntry, hosts: Mapping[str, Host]) -> dict[str, Any]:
    named = hosts.get(entry.host)
    return {
        "way": "database",
        "host": (named.address or "localhost") if named else entry.host,
        "port": entry.port,
        "database": entry.database,
        "user": entry.user,
        "password": secret(entry.password),
    }


KIND = Kind(entry=AirflowCheckEntry, resolve=resolve, rules=rules)
