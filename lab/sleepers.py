"""The example cluster as hosts of a lab: real machines, whose units sleep under real names."""

from lab.cluster.inventory import GROUPS
from lab.cluster.names import ACTIVE_ONLY, ADDRESSES, AIRFLOW_VIP, NFS_VIP
from lab.spec import HostSpec, unit_file


def sleeping(name: str) -> str:
    """Return a unit that runs without doing anything."""
    return (
        f"[Unit]\nDescription={name} of the example cluster\n"
        "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
    )


def host(name: str, *units: str, stopped: tuple[str, ...] = (), vips: tuple[str, ...] = ()) -> HostSpec:
    """Return one host of the cluster by its name and its units."""
    return HostSpec(
        name=name,
        address=ADDRESSES[name],
        units={unit: sleeping(unit) for unit in units},
        stopped=frozenset(unit_file(unit) for unit in stopped),
        vips=vips,
    )


NFS = (*ACTIVE_ONLY, "keepalived")
CLUSTER: dict[str, HostSpec] = {
    spec.name: spec
    for spec in (
        host(
            "haproxy-1",
            "haproxy",
            "keepalived",
            "airflow-scheduler",
            "airflow-webserver",
            vips=(f"{AIRFLOW_VIP}/24",),
        ),
        host("haproxy-2", "haproxy", "keepalived", "airflow-webserver"),
        host("scheduler-2", "airflow-scheduler", "airflow-triggerer"),
        host("nfs-1", *NFS, vips=(f"{NFS_VIP}/24",)),
        host("nfs-2", *NFS, stopped=ACTIVE_ONLY),
        host("rabbit-1", "rabbitmq-server"),
        host("rabbit-2", "rabbitmq-server"),
        host("rabbit-3", "rabbitmq-server"),
        host("postgresql-1", "patroni", "etcd"),
        host("postgresql-2", "patroni", "etcd"),
        host("postgresql-3", "patroni", "etcd"),
        host("celery-1", "airflow-worker"),
        host("celery-2", "airflow-worker"),
        host("ftp", "vsftpd"),
    )
}
"""Every host by its name, in the order of the example inventory."""


def groups_of(hosts: set[str]) -> dict[str, dict[str, object]]:
    """Return the groups that these hosts form, each with those of its hosts that are there."""
    found = {}
    for name, group in GROUPS.items():
        there = [member for member in CLUSTER if member in hosts and member in group["hosts"]]
        if there:
            found[name] = {**group, "hosts": there}
    return found
