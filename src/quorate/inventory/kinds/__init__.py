"""The kinds of check: one file a kind, one line here."""

from quorate.inventory.kinds import postgresql, rabbitmq
from quorate.inventory.kinds.kind import Kind, Resolved
from quorate.model.extensions import Registry

KINDS: Registry[Kind] = Registry(
    "kind",
    {
        "postgresql": postgresql.KIND,
        "rabbitmq": rabbitmq.KIND,
    },
)

PLANNED = ("patroni", "etcd", "haproxy", "airflow", "celery", "resources", "tcp", "http", "clock")
"""Kinds that belong to the file format, and that this version does not know yet."""

__all__ = ["KINDS", "PLANNED", "Kind", "Resolved"]
