"""Whether Airflow is well, asked in ways that cost little: over HTTP, in the database, on the broker."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from lab.cluster import haproxy, names
from lab.command import LabError
from lab.lab import Lab

FRESH = 20.0
"""Seconds since the last heartbeat of a scheduler, triggerer or DAG processor; each beats every 5 s."""
API_SERVER = "airflow-webserver"
ENVIRONMENT = "set -a; . /etc/airflow/airflow.env; "
PING = """
import os
from celery import Celery
app = Celery(broker=os.environ["AIRFLOW__CELERY__BROKER_URL"])
print(*(name for reply in app.control.ping(timeout=2.0) for name in reply))
"""
BEATS = (
    "SELECT job_type || ' ' || hostname || ' ' || extract(epoch FROM now() - max(latest_heartbeat))"
    " FROM job WHERE state = 'running' GROUP BY job_type, hostname"
)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is not well, and the units, on their hosts, that may be the ones to blame."""

    said: str
    units: tuple[tuple[str, str], ...] = ()


def problems(lab: Lab) -> list[str]:
    """Return what is not well with Airflow, a sentence each."""
    return [problem.said for problem in found(lab)]


def renew(lab: Lab) -> list[str]:
    """Start anew the programs of Airflow that run and are not well, and return them.

    One that waits for an answer over a connection whose other end is gone may wait for many minutes, and a
    Celery worker that has found another node of the broker may not listen to what it is asked there.
    """
    stuck = dict.fromkeys(unit for problem in found(lab) for unit in problem.units)
    running = [
        (host, unit)
        for host, unit in stuck
        if lab[host].run(["systemctl", "is-active", unit]).returncode == 0
    ]
    for host, unit in running:
        lab[host].read("systemctl", "try-restart", unit)
    return [f"{unit} on {host}" for host, unit in running]


def found(lab: Lab) -> list[Problem]:
    """Return what is not well with Airflow."""
    return [*api_servers(lab), *heartbeats(lab), *workers(lab)]


def api_servers(lab: Lab) -> Iterator[Problem]:
    """Yield what the API servers say that is not healthy."""
    for host in names.HAPROXY:
        url = f"http://{names.ADDRESSES[host]}:{haproxy.API_SERVER_PORT}/api/v2/monitor/health"
        try:
            said = json.loads(lab[host].read("curl", "-sSf", "--max-time", "5", url))
        except (LabError, ValueError) as error:
            yield Problem(
                said=f"{host}: the API server does not answer: {error}", units=((host, API_SERVER),)
            )
            continue
        for part in ("metadatabase", "scheduler", "triggerer", "dag_processor"):
            status = (said.get(part) or {}).get("status")
            if status != "healthy":
                # The others' heartbeats are judged by themselves.
                own = ((host, API_SERVER),) if part == "metadatabase" else ()
                yield Problem(said=f"{host}: the API server says of the {part}: {status}", units=own)


def heartbeats(lab: Lab) -> Iterator[Problem]:
    """Yield which of the programs that keep a row in the database have not written it lately."""
    try:
        beats = ages(lab)
    except LabError as error:
        yield Problem(said=f"the database does not tell the heartbeats: {error}")
        return
    wanted = [
        *(("SchedulerJob", host, "airflow-scheduler") for host in names.SCHEDULERS),
        ("TriggererJob", "scheduler-2", "airflow-triggerer"),
    ]
    for job, host, unit in wanted:
        age = beats.get((job, host))
        if age is None or age > FRESH:
            last = "no heartbeat" if age is None else f"one that is {age:.0f} s old"
            yield Problem(said=f"{job} on {host} has {last}", units=((host, unit),))
    if not any(beats.get(("DagProcessorJob", host), FRESH + 1) <= FRESH for host in names.NFS):
        yield Problem(
            said=f"no DAG processor on {' or '.join(names.NFS)} has a fresh heartbeat",
            units=tuple((host, "airflow-dag-processor") for host in names.NFS),
        )


def ages(lab: Lab) -> dict[tuple[str, str], float]:
    """Return seconds since the last heartbeat by kind of job and host; asked through the virtual address."""
    said = on_any(lab, names.HAPROXY, ["sh", "-ec", f'{ENVIRONMENT}{psql()} "{BEATS}"'])
    rows = [line.split() for line in said.splitlines()]
    return {(job, host): float(age) for job, host, age in rows}


def psql() -> str:
    """Return the command that asks the database, in a shell with Airflow's environment.

    It takes a tenth of a second, where Airflow's own command takes five.
    """
    return (
        'PGPASSWORD="$AIRFLOW_DB_PASSWORD" PGCONNECT_TIMEOUT=3 /usr/lib/postgresql/15/bin/psql -XqtA'
        f" -h {names.AIRFLOW_VIP} -p {haproxy.WRITE_PORT} -U {names.USER} -d {names.DATABASE} -c"
    )


def workers(lab: Lab) -> Iterator[Problem]:
    """Yield which workers do not answer Celery's ping."""
    try:
        answered = answering_workers(lab)
    except LabError as error:
        yield Problem(said=f"the workers can't be asked: {error}")
        return
    for host in names.CELERY:
        if f"celery@{host}" not in answered:
            yield Problem(said=f"the worker on {host} does not answer", units=((host, "airflow-worker"),))


def answering_workers(lab: Lab) -> list[str]:
    """Return the names of the Celery workers that answer a ping within two seconds."""
    script = f"{ENVIRONMENT}exec /opt/airflow/bin/python -c '{PING}'"
    return on_any(lab, names.CELERY, ["sh", "-ec", script]).split()


def on_any(lab: Lab, hosts: tuple[str, ...], argv: list[str]) -> str:
    """Return what a command prints on the first of these hosts where it succeeds."""
    errors = []
    for host in hosts:
        try:
            done = lab[host].run(argv, timeout=20.0)
        except LabError as error:
            errors.append(str(error))
            continue
        if done.returncode == 0:
            return done.stdout.decode(errors="replace")
        errors.append(f"{host}: {done.stderr.decode(errors='replace').strip()[-200:]}")
    raise LabError("; ".join(errors))
