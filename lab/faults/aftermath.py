"""What a fault of the database, or of the way to it, leaves behind in Airflow's programs.

A program that is in the middle of a transaction when its connection ends, ends with it, and systemd starts it
again; that is Airflow's way. It takes a moment of bad luck, so a sweep may show it or not.
"""

from lab.cluster import mounts, names
from lab.cluster.airflow import units_of
from lab.command import LabError
from lab.faults.drop_in import FORGET_RESTARTS
from lab.lab import Lab

SHAKEN = "ok ok | critical crashed | warning restarted_recently | warning starting"
LATE = (
    "ok ok | warning redundancy_lost | critical none_alive | critical timeout | critical unhealthy"
    " | unknown timeout | unknown unhealthy"
)
FORGET = f"""
for unit in {{units}}; do
  if test "$(systemctl show -P NRestarts $unit)" != 0; then
    systemctl try-restart $unit  # one that was stopped meanwhile stays so
    {FORGET_RESTARTS}
  fi
done
"""


def of_database() -> dict[str, str]:
    """Return what a sweep may show of those who were connected to the database, as faults expect it."""
    return {
        **{f"scheduler/{host}/airflow-scheduler": SHAKEN for host in names.SCHEDULERS},
        "triggerer/scheduler-2/airflow-triggerer": SHAKEN,
        f"nfs/{names.NFS[0]}/airflow-dag-processor": SHAKEN,
        # Heartbeats that could not be written are old for a while, and who could not write them is busy.
        "airflow_health": LATE,
        **{f"airflow_health/{each}": LATE for each in ("scheduler", "triggerer", "dag_processor")},
    }


def of_broker() -> dict[str, str]:
    """Return what a sweep may show of the workers while they look for another node of the broker."""
    return {
        "celery_workers": "ok ok | warning redundancy_lost | critical none_alive",
        **{f"celery_workers/{host}": "ok ok | warning timeout" for host in names.CELERY},
    }


def of_storage() -> dict[str, str]:
    """Return what a sweep may show of mounts while their server is away, and a moment longer."""
    hosts = ("", *(f"/{host}" for host in mounts.HOSTS))
    said = "ok ok | unknown command_timeout | unknown unparsable"
    return {f"airflow_resources{host}": said for host in hosts}


def forget_restarts(lab: Lab) -> None:
    """Start anew what systemd had to start again: a sweep would tell of it for another 15 minutes."""
    for host, machine in lab.machines.items():
        running = [unit for unit in units_of(host) if machine.state == "running"]
        if running:
            done = machine.run(["sh", "-ec", FORGET.format(units=" ".join(running))], timeout=90.0)
            if done.returncode != 0:
                raise LabError(f"on {host}: {done.stderr.decode(errors='replace').strip()}")
