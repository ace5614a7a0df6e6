"""Airflow with CeleryExecutor: schedulers, API servers, triggerer, DAG processors and workers.

Its database, its API servers and its DAGs are behind the virtual addresses; every scheduler and worker knows
all three brokers. The programs run as the user airflow, which systemd-sysusers makes at boot with a fixed
number, so that it is the same on all hosts that share a storage.
"""

import json
from collections.abc import Mapping

from lab.cluster import airflow_health, haproxy, names, rabbitmq
from lab.cluster.part import Part
from lab.spec import File

USER = "airflow"
UID = 900
VENV = "/opt/airflow"
STATE = "/var/lib/airflow"
SHARED = "/srv/airflow"
DAGS = f"{SHARED}/dags"
LOGS = f"{SHARED}/logs"
ENVIRONMENT = "/etc/airflow/airflow.env"
PASSWORDS = "/etc/airflow/passwords.json"
WAIT = "/usr/local/bin/airflow-wait-for-schema"
MIGRATE = "/usr/local/bin/airflow-migrate"
QUEUES = ("default", "card_processing_queue")
LOG_SERVER_PORT = 8793
DAG_ID = "ha_health"
STRICT_DAG_ID = "ha_health_strict"
"""The same as the seed's: what is rightly passive fails its task, and the run succeeds all the same."""
ADMIN, ADMIN_PASSWORD = "lab", "lab-admin-8e15"
USERS = {ADMIN: ("admin", ADMIN_PASSWORD), names.API_USER: ("viewer", names.API_PASSWORD)}
"""The users of Airflow's API by name: the role and the password of each."""
problems = airflow_health.problems
renew = airflow_health.renew

DATABASE_LOGIN = f"{names.USER}:{names.DATABASE_PASSWORD}@{names.AIRFLOW_VIP}:{haproxy.WRITE_PORT}"
# A connection whose HAProxy has lost the address, or its power, ends within 10 s.
DEAD_PEERS = (
    "connect_timeout=5&keepalives_idle=5&keepalives_interval=2&keepalives_count=2&tcp_user_timeout=10000"
)
DATABASE = f"postgresql+psycopg2://{DATABASE_LOGIN}/{names.DATABASE}?{DEAD_PEERS}"
BROKERS = ";".join(
    f"amqp://{names.USER}:{names.BROKER_PASSWORD}@{names.ADDRESSES[host]}:{rabbitmq.AMQP_PORT}/{names.VHOST}"
    for host in names.RABBIT
)
CELERY = {
    # Every queue is a quorum queue, one that a worker names itself included.
    "task_default_queue_type": "quorum",
    "task_create_missing_queue_type": "quorum",
    "broker_heartbeat": 10,
    "broker_connection_max_retries": None,
}
SETTINGS: dict[str, dict[str, object]] = {
    "core": {
        "executor": "CeleryExecutor",
        "dags_folder": DAGS,
        "load_examples": False,
        # A user unpauses what is to run; a lab whose DAG runs all the time has no time for anything else.
        "dags_are_paused_at_creation": True,
        "parallelism": 8,
        "hostname_callable": "socket.gethostname",
        "execution_api_server_url": f"http://{names.AIRFLOW_VIP}:{haproxy.WEB_PORT}/execution/",
        "simple_auth_manager_users": ",".join(f"{user}:{role}" for user, (role, _) in USERS.items()),
        "simple_auth_manager_passwords_file": PASSWORDS,
        "fernet_key": "bGFiLWZlcm5ldC1rZXktMzItYnl0ZXMtbG9uZy0wMDE=",
    },
    "api": {"secret_key": "lab-api-secret-5d81", "port": haproxy.API_SERVER_PORT, "workers": 1},
    "api_auth": {"jwt_secret": "lab-jwt-secret-that-is-long-enough-for-hs512-as-rfc-7518-asks-for-64b"},
    "database": {
        "sql_alchemy_conn": DATABASE,
        "sql_alchemy_conn_async": f"postgresql+asyncpg://{DATABASE_LOGIN}/{names.DATABASE}",
        "sql_alchemy_pool_size": 3,
    },
    "celery": {
        "broker_url": BROKERS,
        "result_backend": f"db+{DATABASE}",
        "sync_parallelism": 1,
        # Two cores carry fourteen hosts: what takes a moment elsewhere may take seconds here.
        "operation_timeout": 10.0,
        "extra_celery_config": json.dumps(CELERY),
    },
    "dag_processor": {
        "parsing_processes": 1,
        "refresh_interval": 15,
        "min_file_process_interval": 60,
        "stale_bundle_cleanup_interval": 0,
    },
    "logging": {
        "base_log_folder": LOGS,
        "dag_processor_child_process_log_directory": f"{STATE}/dag_processor",
        "worker_log_server_port": LOG_SERVER_PORT,
        "colored_console_log": False,
        # HAProxy asks every second: the journal would hold nothing else.
        "namespace_levels": "http.access=WARNING",
    },
    "scheduler": {"scheduler_idle_sleep_time": 2, "catchup_by_default": False},
    "usage_data_collection": {"enabled": False},
}
SECRETS = {
    "AIRFLOW_DB_PASSWORD": names.DATABASE_PASSWORD,
    "AIRFLOW_API_PASSWORD": names.API_PASSWORD,
    "RABBITMQ_PASSWORD": names.BROKER_PASSWORD,
}
"""What the inventory of the DAG names as its secrets; they are in the environment of Airflow's programs."""
CONNECTIONS = {
    "quorate_database": {"conn_type": "generic", "password": names.DATABASE_PASSWORD},
    "quorate_broker": {"conn_type": "generic", "password": names.BROKER_PASSWORD},
}
"""The same as Airflow connections, for an inventory with `{airflow_connection: …}`."""
HAS_SCHEMA = f"{airflow_health.psql()} 'TABLE alembic_version' 2>/dev/null | grep -q ."
WAIT_SCRIPT = f"""\
#!/bin/sh
# Waits until the schema of Airflow's database is complete: nobody who starts earlier would stay up.
until {HAS_SCHEMA}; do sleep 0.5; done
"""
MIGRATE_SCRIPT = f"""\
#!/bin/sh
# Makes the schema, once: a boot that finds it there leaves it alone.
until {airflow_health.psql()} 'SELECT 1' >/dev/null 2>&1; do sleep 0.5; done
{HAS_SCHEMA} || exec {VENV}/bin/airflow db migrate
"""
MIGRATE_UNIT = f"""\
[Unit]
Description=Schema of Airflow's database
[Service]
Type=oneshot
RemainAfterExit=yes
User={USER}
EnvironmentFile={ENVIRONMENT}
StateDirectory=airflow
TimeoutStartSec=infinity
ExecStart={MIGRATE}
[Install]
WantedBy=multi-user.target
"""
DAG_FILE = f'''\
"""The health of this cluster, asked by the cluster itself."""
from quorate.airflow import health_dag

dag = health_dag("cluster.yaml", dag_id="{DAG_ID}", schedule="*/2 * * * *", expected="skip")
strict = health_dag("cluster.yaml", dag_id="{STRICT_DAG_ID}", schedule=None)
'''
COMMANDS = {
    "airflow-scheduler": "scheduler --skip-serve-logs",
    "airflow-webserver": "api-server",
    "airflow-triggerer": "triggerer",
    "airflow-dag-processor": "dag-processor",
    "airflow-worker": (
        f"celery worker --queues {','.join(QUEUES)} --concurrency 2 --without-mingle --without-gossip"
    ),
}
"""What each unit runs of Airflow."""


def part(host: str) -> Part:
    """Return what runs of Airflow on a host, and what all of it needs there."""
    units = {name: unit(name) for name in units_of(host)}
    if host == names.HAPROXY[0]:
        units["airflow-migrate"] = MIGRATE_UNIT
    return Part(
        units=units,
        # keepalived starts it where the address is.
        stopped=frozenset({"airflow-dag-processor.service"} & {f"{name}.service" for name in units}),
        files={
            "/etc/sysusers.d/airflow.conf": f'u {USER} {UID} "Airflow" {STATE}\n',
            "/etc/tmpfiles.d/airflow.conf": temporary_files(),
            "/etc/airflow/airflow.cfg": "# Every setting is in airflow.env.\n",
            ENVIRONMENT: File(text=environment(), mode=0o640),
            WAIT: File(text=WAIT_SCRIPT, mode=0o755),
            MIGRATE: File(text=MIGRATE_SCRIPT, mode=0o755),
        },
    )


def temporary_files() -> str:
    """Return what systemd-tmpfiles makes at boot, a line each: folders, and the passwords of the API's users.

    The API server opens that file for writing, so it must be its own, and its user is not there before boot.
    """
    passwords = json.dumps({user: password for user, (_, password) in USERS.items()})
    return f"""\
d {SHARED} 0755
d {DAGS} 0755
d {LOGS} 0755 {USER} {USER}
f {PASSWORDS} 0600 {USER} {USER} - {passwords}
"""


def units_of(host: str) -> tuple[str, ...]:
    """Return the units of Airflow that a host has."""
    places = {
        "airflow-scheduler": names.SCHEDULERS,
        "airflow-webserver": names.HAPROXY,
        "airflow-triggerer": ("scheduler-2",),
        "airflow-dag-processor": names.NFS,
        "airflow-worker": names.CELERY,
    }
    return tuple(name for name, hosts in places.items() if host in hosts)


def unit(name: str) -> str:
    """Return the text of one of Airflow's units.

    It waits before it starts, so that nothing of it crashes and starts anew while the cluster boots.
    """
    return f"""\
[Unit]
Description={name} of the example cluster
After=network.target remote-fs.target
[Service]
User={USER}
EnvironmentFile={ENVIRONMENT}
StateDirectory=airflow
TimeoutStartSec=600
ExecStartPre={WAIT}
ExecStart={VENV}/bin/airflow {COMMANDS[name]}
# Its children end as it tells them to; what is left then is killed.
KillMode=mixed
TimeoutStopSec=20
Restart=on-failure
RestartSec=5
[Install]
WantedBy=multi-user.target
"""


def environment() -> str:
    """Return the environment of Airflow's programs, a variable a line. Source: systemd.exec(5)."""
    variables: dict[str, object] = {
        "PATH": f"{VENV}/bin:/usr/bin:/bin",
        "AIRFLOW_HOME": STATE,
        "AIRFLOW_CONFIG": "/etc/airflow/airflow.cfg",
        **SECRETS,
    }
    for section, settings in SETTINGS.items():
        for key, value in settings.items():
            variables[f"AIRFLOW__{section}__{key}".upper()] = value
    for name, connection in CONNECTIONS.items():
        variables[f"AIRFLOW_CONN_{name}".upper()] = json.dumps(connection)
    return "".join(f"{name}='{value}'\n" for name, value in variables.items())


def dag_files(inventory: str) -> Mapping[str, str]:
    """Return what the DAG folder holds, by path: the DAGs and the inventory of what they watch."""
    return {f"{DAGS}/{DAG_ID}.py": DAG_FILE, f"{DAGS}/cluster.yaml": inventory}
