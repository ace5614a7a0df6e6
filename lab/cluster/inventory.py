"""The inventory of the cluster, for a monitor in its network or on one of its hosts."""

import json
from typing import Any

from lab.cluster import airflow_health, haproxy, names, rabbitmq
from lab.cluster.storage import MARKER, SYNC_LIMIT
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
            "sync": {"path": MARKER, "max_age": f"{SYNC_LIMIT}s"},
        },
    },
    "rabbitmq": {"hosts": list(names.RABBIT), "units": ["rabbitmq-server"]},
    "postgresql": {"hosts": list(names.POSTGRESQL), "units": ["patroni", "etcd"]},
    "celery": {"hosts": list(names.CELERY), "units": ["airflow-worker"]},
    "ftp": {"hosts": ["ftp"], "units": ["vsftpd"]},
}


def resources(hosts: tuple[str, ...], *mounts: str) -> dict[str, Any]:
    """Return a check of hosts that share one machine: how busy and how full that is says nothing of them."""
    nearly_full = {"warning": "97%", "critical": "99%"}
    return {
        "kind": "resources",
        "hosts": list(hosts),
        "mounts": list(mounts),
        "cpu": "off",
        "load": "off",
        "disk": nearly_full,
        "interval": "100ms",
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
        "management": {"port": rabbitmq.MANAGEMENT_PORT},
    },
    "etcd_cluster": {
        "kind": "etcd",
        "hosts": list(names.POSTGRESQL),
        "logs_from": {"group": "postgresql", "unit": "etcd"},
    },
    "patroni_cluster": {
        "kind": "patroni",
        "hosts": list(names.POSTGRESQL),
        "logs_from": {"group": "postgresql", "unit": "patroni"},
    },
    "balancers": {
        "kind": "haproxy",
        "hosts": list(names.HAPROXY),
        "port": haproxy.STATISTICS_PORT,
        "backends": {
            "write": {"min_up": 1, "max_up": 1, "served_by": {"group": "postgresql", "unit": "patroni"}},
            "web": {"min_up": 1, "served_by": {"group": "webserver", "unit": "airflow-webserver"}},
        },
        "logs_from": {"group": "haproxy", "unit": "haproxy"},
    },
    "airflow_health": {
        "kind": "airflow",
        "url": f"http://{names.AIRFLOW_VIP}:{haproxy.WEB_PORT}",
        "user": names.API_USER,
        "password": {"env": "AIRFLOW_API_PASSWORD"},
        "schedulers": list(names.SCHEDULERS),
        "triggerers": 1,
        "dag_processors": 1,
        "max_age": f"{airflow_health.FRESH:.0f}s",
        "logs_from": {"group": "webserver", "unit": "airflow-webserver"},
    },
    "celery_workers": {
        "kind": "celery",
        "brokers": list(names.RABBIT),
        "vhost": names.VHOST,
        "user": names.USER,
        "password": {"env": "RABBITMQ_PASSWORD"},
        "hosts": list(names.CELERY),
        "queues": list(names.QUEUES),
        "logs_from": {"group": "celery", "unit": "airflow-worker"},
    },
    "nfs_port": {
        "kind": "tcp",
        "address": names.NFS_VIP,
        "port": 2049,
        "logs_from": {"group": "nfs", "unit": "nfs-server"},
    },
    "resources": resources((*names.NFS, *names.RABBIT, *names.POSTGRESQL), "/"),
    "airflow_resources": {
        **resources((*names.SCHEDULERS, "haproxy-2", *names.CELERY), "/", names.LOGS),
        "log_folder": names.LOGS,
    },
    "ftp_resources": resources(("ftp",), "/", "/srv/ftp"),
    "clocks": {"kind": "clock"},
}
SECRETS = {
    "AIRFLOW_DB_PASSWORD": names.DATABASE_PASSWORD,
    "AIRFLOW_API_PASSWORD": names.API_PASSWORD,
    "RABBITMQ_PASSWORD": names.BROKER_PASSWORD,
}
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
