"""The kinds of check: one file a kind, one line here."""

from quorate.inventory.kinds import (
    airflow,
    celery,
    clock,
    etcd,
    haproxy,
    http,
    patroni,
    postgresql,
    rabbitmq,
    resources,
    tcp,
)
from quorate.inventory.kinds.kind import Kind, Resolved
from quorate.model.extensions import Registry

KINDS: Registry[Kind] = Registry(
    "kind",
    {
        "postgresql": postgresql.KIND,
        "rabbitmq": rabbitmq.KIND,
        "etcd": etcd.KIND,
        "patroni": patroni.KIND,
        "haproxy": haproxy.KIND,
        "airflow": airflow.KIND,
        "celery": celery.KIND,
        "resources": resources.KIND,
        "clock": clock.KIND,
        "tcp": tcp.KIND,
        "http": http.KIND,
    },
)

__all__ = ["KINDS", "Kind", "Resolved"]
