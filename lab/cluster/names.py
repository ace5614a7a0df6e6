"""Names, addresses and passwords of the example cluster; source: the mission's example cluster."""

ADDRESSES = {
    "haproxy-1": "192.0.2.202",
    "haproxy-2": "192.0.2.146",
    "scheduler-2": "192.0.2.132",
    "nfs-1": "192.0.2.165",
    "nfs-2": "192.0.2.203",
    "rabbit-1": "192.0.2.205",
    "rabbit-2": "192.0.2.147",
    "rabbit-3": "192.0.2.206",
    "postgresql-1": "192.0.2.204",
    "postgresql-2": "192.0.2.166",
    "postgresql-3": "192.0.2.137",
    "celery-1": "192.0.2.199",
    "celery-2": "192.0.2.200",
    "ftp": "192.0.2.164",
}
"""Every host by its name, in the order of the example inventory."""
PREFIX_LENGTH = 24
AIRFLOW_VIP = "192.0.2.210"
AIRFLOW_ROUTER = 51
NFS_VIP = "192.0.2.220"
NFS_ROUTER = 52
ACTIVE_ONLY = ("nfs-server", "lsyncd", "airflow-dag-processor")

DATABASE = "airflow_db"
USER = "airflow_user"
"""The user of the database, and of the broker."""
VHOST = "airflow_host"
QUEUES = ("default", "card_processing_queue")
LOGS = "/srv/airflow/logs"
"""Where Airflow has the logs of its tasks, on the shared storage."""
API_USER = "quorate"
"""The user of Airflow's API that may look at its jobs, and at nothing that it could change."""
DATABASE_PASSWORD = "lab-database-1f6b"
BROKER_PASSWORD = "lab-broker-7c20"
API_PASSWORD = "lab-api-2d94"
"""They open nothing outside the lab's own network."""

HAPROXY = ("haproxy-1", "haproxy-2")
NFS = ("nfs-1", "nfs-2")
RABBIT = ("rabbit-1", "rabbit-2", "rabbit-3")
POSTGRESQL = ("postgresql-1", "postgresql-2", "postgresql-3")
SCHEDULERS = ("haproxy-1", "scheduler-2")
CELERY = ("celery-1", "celery-2")
