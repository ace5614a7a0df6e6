"""The example cluster as hosts of a lab: real machines, whose units sleep under real names."""

from lab.spec import HostSpec, unit_file

AIRFLOW_VIP = "192.0.2.210"
NFS_VIP = "192.0.2.220"
ACTIVE_ONLY = ("nfs-server", "lsyncd", "airflow-dag-processor")


def sleeping(name: str) -> str:
    """Return a unit that runs without doing anything."""
    return (
        f"[Unit]\nDescription={name} of the example cluster\n"
        "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
    )


def host(
    name: str, last: int, *units: str, stopped: tuple[str, ...] = (), vips: tuple[str, ...] = ()
) -> HostSpec:
    """Return one host of the cluster by its name, the last number of its address, and its units."""
    return HostSpec(
        name=name,
        address=f"192.0.2.{last}",
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
            202,
            "haproxy",
            "keepalived",
            "airflow-scheduler",
            "airflow-webserver",
            vips=(f"{AIRFLOW_VIP}/24",),
        ),
        host("haproxy-2", 146, "haproxy", "keepalived", "airflow-webserver"),
        host("scheduler-2", 132, "airflow-scheduler"),
        host("nfs-1", 165, *NFS, vips=(f"{NFS_VIP}/24",)),
        host("nfs-2", 203, *NFS, stopped=ACTIVE_ONLY),
        host("rabbit-1", 205, "rabbitmq-server"),
        host("rabbit-2", 147, "rabbitmq-server"),
        host("rabbit-3", 206, "rabbitmq-server"),
        host("postgresql-1", 204, "patroni", "etcd"),
        host("postgresql-2", 166, "patroni", "etcd"),
        host("postgresql-3", 137, "patroni", "etcd"),
        host("celery-1", 199, "airflow-worker"),
        host("celery-2", 200, "airflow-worker"),
        host("ftp", 164, "vsftpd"),
    )
}
"""Every host by its name, in the order of the example inventory."""

GROUPS: dict[str, dict[str, object]] = {
    "haproxy": {"hosts": ["haproxy-1", "haproxy-2"], "units": ["haproxy", "keepalived"], "vip": AIRFLOW_VIP},
    "scheduler": {"hosts": ["haproxy-1", "scheduler-2"], "units": ["airflow-scheduler"]},
    "webserver": {"hosts": ["haproxy-1", "haproxy-2"], "units": ["airflow-webserver"]},
    "nfs": {
        "hosts": ["nfs-1", "nfs-2"],
        "units": list(NFS),
        "active_passive": {"vip": NFS_VIP, "units": list(ACTIVE_ONLY)},
    },
    "rabbitmq": {"hosts": ["rabbit-1", "rabbit-2", "rabbit-3"], "units": ["rabbitmq-server"]},
    "postgresql": {"hosts": ["postgresql-1", "postgresql-2", "postgresql-3"], "units": ["patroni", "etcd"]},
    "celery": {"hosts": ["celery-1", "celery-2"], "units": ["airflow-worker"]},
    "ftp": {"hosts": ["ftp"], "units": ["vsftpd"]},
}
"""The groups of the example inventory."""


def groups_of(hosts: set[str]) -> dict[str, dict[str, object]]:
    """Return the groups that these hosts form, each with those of its hosts that are there."""
    found = {}
    for name, group in GROUPS.items():
        there = [member for member in CLUSTER if member in hosts and member in group["hosts"]]  # type: ignore[operator]
        if there:
            found[name] = {**group, "hosts": there}
    return found
