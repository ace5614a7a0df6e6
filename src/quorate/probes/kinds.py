"""The probes of checks: one file a kind, one line here."""

from quorate.model.extensions import Registry
from quorate.probes import (
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
from quorate.probes.probe import Probe

PROBES: Registry[Probe] = Registry(
    "probe",
    {
        "postgresql": postgresql.PROBE,
        "rabbitmq": rabbitmq.PROBE,
        "etcd": etcd.PROBE,
        "patroni": patroni.PROBE,
        "haproxy": haproxy.PROBE,
        "airflow": airflow.PROBE,
        "celery": celery.PROBE,
        "resources": resources.PROBE,
        "clock": clock.PROBE,
        "tcp": tcp.PROBE,
        "http": http.PROBE,
    },
)
"""By kind: what is asked, and how the answers are read."""
