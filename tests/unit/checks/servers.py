"""Short ways to declare checks of services and to say what was answered to them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from seen import LSYNCD, RUNS, Look, hosts, look

from quorate.model import (
    ActivePassive,
    AmqpReply,
    Check,
    CheckObservation,
    Group,
    Inventory,
    LogsFrom,
    NoReply,
    PostgresReply,
    Reason,
    Secret,
    ServiceReply,
)

DB_VIP = "192.0.2.210"
RABBIT, PATRONI = "rabbitmq-server.service", "patroni.service"
NODES = ("rabbit-1", "rabbit-2", "rabbit-3")
UP = AmqpReply(product="RabbitMQ", version="3.10.8", cluster="rabbit@rabbit-1", duration=0.01)
DAGS = PostgresReply(value=42, in_recovery=False, duration=0.02)

Answer = ServiceReply | NoReply


def no(reason: Reason, detail: str = "said so", *, answered: bool = True) -> NoReply:
    """Return why a service did not answer."""
    return NoReply(reason=reason, detail=detail, duration=0.03, answered=answered)


REFUSED = no(Reason.CONNECT_FAILED, "Connection refused")
SILENT = no(Reason.TIMEOUT, "no answer within 5 s", answered=False)


def database(host: str = DB_VIP, **settings: object) -> Check:
    """Return a check of a database."""
    values = {
        "host": host,
        "port": 5000,
        "database": "airflow_db",
        "user": "airflow_user",
        "password": Secret(env="DB_PASSWORD"),
        "query": "SELECT COUNT(*) FROM dag",
        "parameters": (),
        "connect_timeout": 5.0,
        "statement_timeout": 5.0,
        "depth": "read",
    }
    return Check(
        name="db",
        kind="postgresql",
        settings=MappingProxyType(values | settings),
        logs_from=LogsFrom(group="postgresql", unit=PATRONI),
    )


def broker(
    *names: str, quorum: int | None = None, addresses: Mapping[str, str] | None = None, **settings: object
) -> Check:
    """Return a check of a cluster; `addresses` are members' own, where they are not their hosts'."""
    names = names or NODES
    own = {name: host.address for name, host in hosts(*NODES).items()} | dict(addresses or {})
    members = tuple({"name": name, "address": own[name], "port": 5672} for name in names)
    values = {
        "members": members,
        "vhost": "airflow_host",
        "user": "airflow_user",
        "password": Secret(env="MQ_PASSWORD"),
        "timeout": 5.0,
        "quorum": quorum,
        "depth": "connect",
    }
    return Check(
        name="mq",
        kind="rabbitmq",
        hosts=names,
        members=names,
        settings=MappingProxyType(values | settings),
        logs_from=LogsFrom(group="rabbitmq", unit=RABBIT),
    )


def cluster(*checks: Check) -> Inventory:
    """Return three brokers, two databases behind a pair of proxies that hold their virtual IP, and checks."""
    groups = (
        Group(name="rabbitmq", hosts=NODES, units=(RABBIT,)),
        Group(name="postgresql", hosts=("pg-1", "pg-2"), units=(PATRONI,)),
        Group(
            name="haproxy",
            hosts=("proxy-1", "proxy-2"),
            units=(LSYNCD,),
            active_passive=ActivePassive(vip=DB_VIP, units=()),
        ),
    )
    return Inventory(
        name="test",
        hosts=hosts(*NODES, "pg-1", "pg-2", "proxy-1", "proxy-2"),
        groups={group.name: group for group in groups},
        checks={check.name: check for check in checks},
    )


def healthy(*instead: Look) -> list[Look]:
    """Return a look at each host of the cluster, all well but those that are given."""
    looks = {name: look(name, {RABBIT: RUNS}) for name in NODES}
    looks |= {name: look(name, {PATRONI: RUNS}) for name in ("pg-1", "pg-2")}
    for name in ("proxy-1", "proxy-2"):
        looks[name] = look(name, {LSYNCD: RUNS}, vip=name == "proxy-1", address=DB_VIP)
    return list((looks | {seen.contact.host: seen for seen in instead}).values())


def answers(check: Check, *given: Answer) -> dict[str, CheckObservation]:
    """Return what the servers of a check answered, in their order."""
    members: Sequence[Mapping[str, str]] = check.settings.get("members", ())
    places = {m["name"]: m["address"] for m in members} or {check.name: check.settings["host"]}
    seen = dict(zip(places, given, strict=True))
    return {check.name: CheckObservation(answers=seen, addresses=places)}
