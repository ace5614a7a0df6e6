"""What the rows say that Airflow's programs keep fresh in its database, as conditions and expectations."""

from lab.cluster import names
from lab.cluster.airflow_health import ENVIRONMENT, FRESH, psql
from lab.faults.steps import Condition, Holds

ONE_SCHEDULER = {
    "airflow_health": "warning redundancy_lost",
    "airflow_health/scheduler": "warning redundancy_lost",
}
"""What is said where one of two schedulers has no fresh heartbeat, whatever its row says."""
NO_TRIGGERER = {"airflow_health": "critical none_alive", "airflow_health/triggerer": "critical none_alive"}
"""What is said where the only triggerer has none."""


def stale(job: str, host: str | None = None) -> Condition:
    """Return the condition that no job of a kind, on a host or on any, has a fresh heartbeat any more."""
    of_host = f" AND hostname = '{host}'" if host is not None else ""
    fresh = f"latest_heartbeat > now() - interval '{FRESH + 1:g} s'"
    count = f"SELECT count(*) FROM job WHERE state = 'running' AND job_type = '{job}' AND {fresh}{of_host}"  # noqa: S608  names of ours, run by psql(1)
    return Holds(names.HAPROXY[1], f'test "$({ENVIRONMENT}{psql()} "{count}")" = 0', within=60.0)
