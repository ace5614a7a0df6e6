"""The services of the cluster's checks, as its machines and a scenario leave them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from quorate.simulation.cluster import SimulatedCluster
from quorate.simulation.services.airflow import AirflowSite
from quorate.simulation.services.haproxy import BalancerSite
from quorate.simulation.services.layers import Layers
from quorate.simulation.services.management import ManagementSite
from quorate.simulation.services.page import PageSite
from quorate.simulation.services.site import Certificate, Site
from quorate.simulation.services.state import (
    Manner,
    SimulatedDatabase,
    SimulatedNode,
    SimulatedPort,
    SimulatedService,
    SimulatedSite,
)
from quorate.simulation.services.words import EVERY
from quorate.simulation.services.workers import logins, workers

Key = tuple[str, str]
"""A check and one of the servers that it asks, as its questions are called."""
Password = Callable[[str], str]
Spec = Mapping[str, Any]

_WEB_PORT = 8081
_YEAR = 365 * 86_400.0
_WRONG = "!"
"""What another password than the one that is asked with ends in."""
_ALIKE = frozenset({Manner.SILENT, Manner.MUTE, Manner.REFUSED, Manner.NO_BACKEND})
"""Manners in which RabbitMQ's two ports are one."""


def services_of(cluster: SimulatedCluster, password: Password) -> dict[Key, SimulatedService]:
    """Return the services of the cluster's checks; `password` tells that of a check's user."""
    layers = Layers(cluster=cluster)
    found: dict[Key, SimulatedService] = {}
    for name, check in cluster.checks.items():
        services = _SERVICES.get(check["kind"])
        if services is not None:
            found |= {(name, server): service for server, service in services(name, check, layers, password)}
    return found


_Servers = Iterator[tuple[str, SimulatedService]]


def _postgresql(name: str, check: Spec, layers: Layers, password: Password) -> _Servers:
    manner = layers.told("postgresql", name).manner
    yield (
        name,
        SimulatedDatabase(
            database=check["database"],
            user=check["user"],
            password=password(name),
            tables=layers.cluster.tables,
            manner=manner or layers.database(check["host"], check["port"]),
        ),
    )


def _rabbitmq(name: str, check: Spec, layers: Layers, password: Password) -> _Servers:
    members = check["hosts"]
    for member in members:
        told = layers.told("rabbitmq", member)
        manner = layers.manner("rabbitmq", member, "rabbitmq-server")
        drained = told.keys.get("drained", False) and manner is Manner.NORMAL
        amqp = Manner.REFUSED if drained else manner
        yield (
            member,
            SimulatedNode(
                cluster=f"rabbit@{members[0]}",
                vhost=check["vhost"],
                user=check["user"],
                password=password(name),
                others=logins(layers, password),
                workers=workers(layers),
                manner=amqp,
            ),
        )
        if "management" not in check:
            continue
        own = amqp if amqp in _ALIKE else Manner.NORMAL
        secret = password(name) + (_WRONG if manner is Manner.WRONG_PASSWORD else "")
        user = check["management"].get("user", check["user"])
        site = _management(member, members, layers, (user, secret))
        yield (
            f"{member}/management",
            SimulatedSite(site=site, manner=Manner(told.keys.get("management", own))),
        )


def _management(own: str, members: list[str], layers: Layers, login: tuple[str, str]) -> ManagementSite:
    seen = {member: sees for member in members if (sees := layers.sees(own, member)) is not None}
    keys = {member: layers.told("rabbitmq", member) for member in seen}
    alarms = {f"rabbit@{m}": short for m, told in keys.items() if seen[m] and (short := _short_of(told))}
    hanging = sum(seen.values()) == len(members) // 2 + 1
    return ManagementSite(
        own=f"rabbit@{own}",
        user=login[0],
        password=login[1],
        nodes={f"rabbit@{member}": running for member, running in seen.items()},
        alarms=alarms,
        queues=keys[own].keys.get("queues", ("card_processing_queue",) if hanging else ()),
    )


def _short_of(told: Any) -> tuple[str, ...]:
    short: tuple[str, ...] = told.keys.get("short_of", ("memory",) if told.manner is Manner.ALARM else ())
    return short


def _celery(name: str, check: Spec, layers: Layers, password: Password) -> _Servers:
    """Yield the first broker, as it is where no check of the brokers themselves is there."""
    first = check["brokers"][0]
    known = layers.told("celery", EVERY).manner is not Manner.WRONG_PASSWORD
    node = SimulatedNode(
        cluster=f"rabbit@{first}",
        vhost=check["vhost"],
        user=check["user"],
        password=password(name) + ("" if known else _WRONG),
        workers=workers(layers),
        manner=layers.manner("rabbitmq", first, "rabbitmq-server"),
    )
    yield name, node


def _patroni(_name: str, check: Spec, layers: Layers, _password: Password) -> _Servers:
    for member in check["hosts"]:
        site = layers.patroni(member)
        manner = layers.manner("patroni", member, "patroni")
        yield member, _served(site, manner)


def _etcd(_name: str, check: Spec, layers: Layers, _password: Password) -> _Servers:
    for member in check["hosts"]:
        yield member, SimulatedSite(site=layers.etcd(member), manner=layers.manner("etcd", member, "etcd"))


def _haproxy(_name: str, check: Spec, layers: Layers, _password: Password) -> _Servers:
    for member in check["hosts"]:
        site = BalancerSite(path=check.get("path", "/"), backends=layers.backends(member))
        yield member, SimulatedSite(site=site, manner=layers.manner("haproxy", member, "haproxy"))


def _airflow(name: str, check: Spec, layers: Layers, password: Password) -> _Servers:
    told = layers.told("airflow", name)
    address, port = _place(check["url"])
    manner = told.manner or layers.web(address, port)
    keys = {"scheduler": "schedulers", "triggerer": "triggerers", "dag_processor": "dag_processors"}
    beats = layers.beats()
    for component, key in keys.items():
        merged = {**beats.get(component, {}), **told.keys.get(key, {})}
        beats[component] = {host: age for host, age in merged.items() if age is not None}
    site = AirflowSite(
        user=check.get("user", "nobody"),
        password=password(name) + (_WRONG if manner is Manner.WRONG_PASSWORD else ""),
        beats=beats,
        database=told.keys.get("database", layers.airflow_database(address)),
        may_list=told.keys.get("jobs") != "forbidden",
    )
    service = SimulatedSite(site=site, manner=manner)
    yield name, service


def _http(name: str, check: Spec, layers: Layers, password: Password) -> _Servers:
    told = layers.told("http", name)
    address, port = _place(check["url"])
    keys = {key: told.keys[key] for key in ("status", "body", "after") if key in told.keys}
    manner = told.manner or (
        layers.web(address, port) if port == _WEB_PORT else layers.holder(address, "haproxy")[0]
    )
    secret = password(name) + (_WRONG if manner is Manner.WRONG_PASSWORD else "")
    site = PageSite(user=check.get("user"), password=secret, **keys)
    yield name, SimulatedSite(site=site, manner=manner, certificate=_certificate(check["url"], told.keys))


def _certificate(url: str, keys: Mapping[str, Any]) -> Certificate | None:
    if urlsplit(url).scheme != "https":
        return None
    left = -86_400.0 if keys.get("expired") else keys.get("ends_in", _YEAR)
    return Certificate(left=left, trusted=keys.get("trusted", True))


def _tcp(name: str, check: Spec, layers: Layers, _password: Password) -> _Servers:
    manner = layers.told("tcp", name).manner
    yield (
        name,
        SimulatedPort(manner=manner or layers.holder(check["address"], check["logs_from"]["unit"])[0]),
    )


def _served(site: Site | None, manner: Manner) -> SimulatedService:
    """Return a site, or the port alone where nobody is there to answer."""
    return SimulatedPort(manner=manner) if site is None else SimulatedSite(site=site, manner=manner)


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


_SERVICES: Mapping[str, Callable[[str, Spec, Layers, Password], _Servers]] = {
    "postgresql": _postgresql,
    "rabbitmq": _rabbitmq,
    "patroni": _patroni,
    "etcd": _etcd,
    "haproxy": _haproxy,
    "airflow": _airflow,
    "celery": _celery,
    "http": _http,
    "tcp": _tcp,
}
