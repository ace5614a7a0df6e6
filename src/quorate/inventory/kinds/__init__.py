"""The kinds of check: one file a kind, one line here."""

from quorate.inventory.kinds import clock, haproxy, http, postgresql, rabbitmq, resources, tcp
from quorate.inventory.kinds.kind import Kind, Resolved
from quorate.model.extensions import Registry

KINDS: Registry[Kind] = Registry(
    "kind",
    {
        "postgresql": postgresql.KIND,
        "resources": resources.KIND,
        "clock": clock.KIND,
        "rabbitmq": rabbitmq.KIND,
        "haproxy": haproxy.KIND,
        "tcp": tcp.KIND,
        "http": http.KIND,
    },
)

PLANNED = ("patroni", "etcd", "airflow", "celery")
"""Kinds that belong to the file format, and that this version does not know yet."""

__all__ = ["KINDS", "PLANNED", "Kind", "Resolved"]
