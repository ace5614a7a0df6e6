"""PostgreSQL under Patroni: one leader and two streaming replicas."""

import json
from collections.abc import Mapping
from typing import Any

from lab.cluster import etcd, names
from lab.cluster.part import Part
from lab.command import LabError
from lab.lab import Lab
from lab.spec import File

SCOPE = "airflow"
REST_PORT = 8008
PORT = 5432
CONFIG = "/etc/patroni/config.yml"
CTL = f"patronictl -c {CONFIG}"
BIN = "/usr/lib/postgresql/15/bin"
DATA = "/var/lib/postgresql/15/airflow"
SUPERUSER_PASSWORD = "lab-superuser-93d0"
REPLICATION_PASSWORD = "lab-replication-2e5a"
POST_INIT = "/etc/patroni/post-init"
NET = "192.0.2.0/24"

PRIMARY = ("master", "primary")
"""What Patroni calls a leader, by its version."""

DYNAMIC = {
    # A leader that is gone is followed within 20 s; etcd may be silent for 8 s before the leader steps down.
    "ttl": 20,
    "loop_wait": 4,
    "retry_timeout": 8,
    "maximum_lag_on_failover": 1048576,
    "postgresql": {
        "use_pg_rewind": True,
        "remove_data_directory_on_rewind_failure": True,
        "remove_data_directory_on_diverged_timelines": True,
        "use_slots": True,
        "parameters": {
            "max_connections": 200,
            "max_wal_senders": 5,
            "max_replication_slots": 5,
            "wal_keep_size": "64MB",
        },
    },
}
"""What Patroni keeps in etcd, the same for all members."""
PARAMETERS = {
    "shared_buffers": "32MB",
    "max_wal_size": "128MB",
    "min_wal_size": "32MB",
    # No machine of the lab loses what its kernel has: that is this machine's, which outlives them.
    "fsync": "off",
    "jit": "off",
    # A stream that has died is noticed as soon as a leader that has.
    "wal_sender_timeout": "15s",
    "wal_receiver_timeout": "15s",
    "logging_collector": "off",
    "log_line_prefix": "%p %q%u@%d ",
    "unix_socket_directories": "/var/run/postgresql",
}
# The password has no quote in it that a shell or SQL would take for its own.
POST_INIT_SCRIPT = f"""\
#!/bin/sh
exec psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname="$1" <<'SQL'
CREATE ROLE {names.USER} LOGIN PASSWORD '{names.DATABASE_PASSWORD}';
CREATE DATABASE {names.DATABASE} OWNER {names.USER};
SQL
"""
DROP_IN = """\
[Unit]
# Patroni sleeps for five seconds where etcd does not answer at once.
After=etcd.service
"""
INITIALIZED = f"/service/{SCOPE}/initialize"
# The first to come makes the database and leads; that is to be the same node in every lab. The others wait
# for it, and after 15 s no longer.
SECOND = f"""\
#!/bin/sh
export ETCDCTL_API=3
end=$(($(date +%s) + 15))
until timeout 1 etcdctl --endpoints="$1" get --keys-only {INITIALIZED} | grep -q .; do
  if test "$(date +%s)" -ge $end; then exit 0; fi
  sleep 0.2
done
"""
AFTER_FIRST = "/usr/local/bin/patroni-after-first"


def part(host: str) -> Part:
    """Return the PostgreSQL of a host and the Patroni that rules it."""
    second = host != names.POSTGRESQL[0]
    wait = f"[Service]\nExecStartPre={AFTER_FIRST} {etcd.client_url(host)}\n"
    return Part(
        files={
            CONFIG: File(text=json.dumps(config(host), indent=1) + "\n", mode=0o600, owner="postgres"),
            POST_INIT: File(text=POST_INIT_SCRIPT, mode=0o700, owner="postgres"),
            "/etc/systemd/system/patroni.service.d/lab.conf": DROP_IN + (wait if second else ""),
            **({AFTER_FIRST: File(text=SECOND, mode=0o755)} if second else {}),
        },
        enabled=frozenset({"patroni"}),
    )


def config(host: str) -> dict[str, Any]:
    """Return the configuration of a host's Patroni; JSON is YAML too."""
    address = names.ADDRESSES[host]
    return {
        "scope": SCOPE,
        "name": host,
        "restapi": {"listen": f"{address}:{REST_PORT}", "connect_address": f"{address}:{REST_PORT}"},
        "etcd3": {"hosts": [f"{names.ADDRESSES[name]}:{etcd.CLIENT_PORT}" for name in names.POSTGRESQL]},
        "bootstrap": {
            "dcs": DYNAMIC,
            "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums", "no-sync"],
            "post_init": POST_INIT,
        },
        "postgresql": {
            "listen": f"{address},127.0.0.1:{PORT}",
            "connect_address": f"{address}:{PORT}",
            "use_unix_socket": True,
            "data_dir": DATA,
            "bin_dir": BIN,
            "pgpass": "/var/lib/postgresql/.pgpass-patroni",
            "basebackup": [{"checkpoint": "fast"}, "no-sync"],
            "parameters": PARAMETERS,
            "pg_hba": [
                "local all postgres peer",
                "host all all 127.0.0.1/32 scram-sha-256",
                f"host all all {NET} scram-sha-256",
                f"host replication replicator {NET} scram-sha-256",
                # Patroni asks a replica for its timeline in this way.
                "host replication replicator 127.0.0.1/32 scram-sha-256",
            ],
            "authentication": {
                "superuser": {"username": "postgres", "password": SUPERUSER_PASSWORD},
                "replication": {"username": "replicator", "password": REPLICATION_PASSWORD},
            },
        },
    }


def problems(lab: Lab) -> list[str]:
    """Return what is not well with the leader and its replicas, by what each node says of itself."""
    found, said = [], {}
    for host in names.POSTGRESQL:
        try:
            said[host] = status(lab, host)
        except (LabError, ValueError) as error:
            found.append(f"Patroni on {host} does not answer: {error}")
            continue
        if said[host].get("state") != "running":
            found.append(f"PostgreSQL on {host} is {said[host].get('state')}, not running")
        if said[host].get("pause"):
            found.append(f"Patroni on {host} is paused")
    leaders = leading(said)
    if len(leaders) != 1:
        found.append(f"PostgreSQL leads on {' and '.join(leaders) or 'no host'}, not on one")
    streaming = streamed_to(said)
    missing = [host for host in names.POSTGRESQL if host not in leaders and host not in streaming]
    if missing:
        found.append(f"no leader streams to {' and '.join(missing)}")
    return found


def renew(lab: Lab) -> list[str]:
    """Copy anew the replicas to which the one leader does not stream, and return them, if all nodes answer.

    PostgreSQL 15 may wait for ever where its own log goes on behind the point at which another timeline began
    ('incorrect prev-link'), and Patroni 3.0 lets it.
    """
    try:
        said = {host: status(lab, host) for host in names.POSTGRESQL}
    except (LabError, ValueError):
        return []
    leaders, streaming = leading(said), streamed_to(said)
    alone = [host for host in said if host not in (*leaders, *streaming)] if len(leaders) == 1 else []
    for host in alone:
        lab[host].read(*CTL.split(), "reinit", SCOPE, host, "--force")
    return [f"PostgreSQL on {host}" for host in alone]


def leading(said: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the hosts that lead, by what each says of itself."""
    return [host for host, one in said.items() if one.get("role") in PRIMARY]


def streamed_to(said: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Return the members to which a leader streams."""
    streams = [each for host in leading(said) for each in said[host].get("replication", [])]
    return {each["application_name"] for each in streams if each["state"] == "streaming"}


def status(lab: Lab, host: str) -> dict[str, Any]:
    """Return what a host's own Patroni says of it."""
    url = f"http://{names.ADDRESSES[host]}:{REST_PORT}/patroni"
    said: dict[str, Any] = json.loads(lab[host].read("curl", "-s", "--max-time", "3", url))
    return said
