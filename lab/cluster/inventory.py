"""The inventory of the cluster, for a monitor in its network or on one of its hosts."""

import json
from typing import Any

from lab.cluster import names
from lab.rootfs import USER

GROUPS: dict[str, dict[str, Any]] = {
    "haproxy": {
        "hosts": list(names.HAPROXY),
        "units": ["haproxy", "keepalived"],
        "vip": names.AIRFLOW_VIP,
    },
    "scheduler": {"hosts": list(names.SCHEDULERS), "units": ["airflow-scheduler"]},
    "webserver": {"hosts": list(names.HAPROXY), "units": ["airflow-webserver"]},
    "triggerer": {"hosts": ["scheduler-2"], "units": ["airflow-triggerer"]},
    "nfs": {
        "hosts": list(names.NFS),
        "units": [*names.ACTIVE_ONLY, "keepalived"],
        "active_passive": {
            "vip": names.NFS_VIP,
            "units": list(names.ACTIVE_ONLY),
            # A failover here is over after a few seconds, and one that is stuck must show in a test.
            "failover_grace": "20s",
        },
    },
    "rabbitmq": {"hosts": list(names.RABBIT), "units": ["rabbitmq-server"]},
    "postgresql": {"hosts": list(names.POSTGRESQL), "units": ["patroni", "etcd"]},
    "celery": {"hosts": list(names.CELERY), "units": ["airflow-worker"]},
    "ftp": {"hosts": ["ftp"], "units": ["vsftpd"]},
}
CHECKS: dict[str, dict[str, Any]] = {
    "postgresql_vip": {
        "kind": "postgresql",
        "host": names.AIRFLOW_VIP,
        "port": 5000,
        "database": names.DATABASE,
        "user": names.USER,
        "password": {"env": "AIRFLOW_DB_PASSWORD"},
        "logs_from": {"group": "postgresql", "unit": "patroni"},
    },
    "rabbitmq_cluster": {
        "kind": "rabbitmq",
        "hosts": list(names.RABBIT),
        "vhost": names.VHOST,
        "user": names.USER,
        "password": {"env": "RABBITMQ_PASSWORD"},
        "logs_from": {"group": "rabbitmq", "unit": "rabbitmq-server"},
    },
}
SECRETS = {"AIRFLOW_DB_PASSWORD": names.DATABASE_PASSWORD, "RABBITMQ_PASSWORD": names.BROKER_PASSWORD}
"""What a monitor has in its environment."""


def inventory(
    *, identity_file: str, known_hosts: str, local: str | None = None, by_name: bool = False
) -> str:
    """Return the inventory's text, a line a section; `local` is the host that the monitor itself runs on.

    With `by_name`, hosts are named and not addressed.
    """
    hosts: dict[str, Any] = {name: name if by_name else at for name, at in names.ADDRESSES.items()}
    if local is not None:
        hosts[local] = {"local": True}
    sections = {
        "name": "airflow-lab",
        "ssh": {"user": USER, "identity_file": identity_file, "known_hosts": known_hosts},
        "hosts": hosts,
        "groups": GROUPS,
        "checks": CHECKS,
        "airflow": {
            "task_logs": [
                {"group": "scheduler", "unit": "airflow-scheduler"},
                {"group": "celery", "unit": "airflow-worker"},
            ]
        },
    }
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in sections.items())
