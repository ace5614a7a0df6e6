"""Served simulated clusters, and DAG files that watch a part of one, for a real Airflow."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

DAG_FILE = """
from datetime import timedelta

from quorate.airflow import health_dag

dag = health_dag("cluster.yaml", dag_id={dag_id!r}, schedule=None, expected="skip", {settings})
"""

WRONG_PASSWORD = "a-wrong-Password-9d1c"

Inventory = dict[str, Any]


@contextmanager
def served(folder: Path, scenario: str) -> Iterator[Path]:
    """Keep a simulated cluster up in a process of its own; yields its folder."""
    command = [sys.executable, "-m", "quorate.simulation", "serve", "--scenario", scenario]
    with subprocess.Popen([*command, "--folder", str(folder)], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(b"ready: ")
            yield folder
        finally:
            process.terminate()
            process.wait(20)
    assert not (folder / "cluster.yaml").exists()


def switch(folder: Path, scenario: str) -> None:
    """Let another scenario begin in a served cluster."""
    subprocess.run(
        [sys.executable, "-m", "quorate", "demo", "--switch", scenario, "--folder", str(folder)],
        check=True,
        capture_output=True,
        timeout=30,
    )


def declared(folder: Path, *sections: str) -> Inventory:
    """Return the inventory of a served cluster, cut down to some of its groups and checks."""
    inventory: Inventory = yaml.safe_load((folder / "cluster.yaml").read_text())
    if sections:
        for kind in ("groups", "checks"):
            inventory[kind] = {name: entry for name, entry in inventory[kind].items() if name in sections}
        used = {host for group in inventory["groups"].values() for host in group["hosts"]}
        for check in inventory["checks"].values():
            members = check.get("hosts", ())
            used |= {member if isinstance(member, str) else member["name"] for member in members}
        inventory["hosts"] = {name: host for name, host in inventory["hosts"].items() if name in used}
        inventory["airflow"]["task_logs"] = []
        for check in inventory["checks"].values():
            check.pop("logs_from", None)
    return inventory


def write_inventory(dags: Path, dag_id: str, inventory: Mapping[str, Any]) -> None:
    """Put an inventory beside a DAG file, at once."""
    draft = dags / dag_id / "draft"
    draft.write_text(json.dumps(inventory, indent=1))
    draft.replace(dags / dag_id / "cluster.yaml")


def write_dag(dags: Path, dag_id: str, inventory: Mapping[str, Any], settings: str = "") -> None:
    """Put a health DAG and its inventory into a folder of their own among the DAGs."""
    (dags / dag_id).mkdir()
    write_inventory(dags, dag_id, inventory)
    (dags / dag_id / "dag.py").write_text(DAG_FILE.format(dag_id=dag_id, settings=settings))


def inventory_with_connections(folder: Path) -> Inventory:
    """Return an inventory whose every secret is in Airflow's connections, in the environment or in a file."""
    inventory = declared(folder, "celery", "postgresql_vip", "rabbitmq_cluster")
    del inventory["ssh"]["identity_file"]
    del inventory["ssh"]["user"]
    inventory["ssh"] |= {"airflow_connection": "quorate_ssh", "connect_timeout": "8s"}
    database = inventory["checks"]["postgresql_vip"]
    inventory["checks"]["wrong_password"] = {**database, "password": {"airflow_connection": "quorate_wrong"}}
    inventory["checks"]["by_file"] = database.copy()
    database["password"] = {"airflow_connection": "quorate_database"}
    inventory["checks"]["rabbitmq_cluster"]["password"] = {"env": "QUORATE_RABBITMQ_PASSWORD"}
    return inventory


def connections(secrets: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which that inventory's secrets are."""
    ssh = {"conn_type": "ssh", "login": "rocky", "extra": {"private_key": secrets["key"]}}
    return {
        "AIRFLOW_CONN_QUORATE_SSH": json.dumps(ssh),
        "AIRFLOW_CONN_QUORATE_DATABASE": json.dumps(
            {"conn_type": "postgres", "password": secrets["postgresql_vip"]}
        ),
        "AIRFLOW_CONN_QUORATE_WRONG": json.dumps({"conn_type": "postgres", "password": WRONG_PASSWORD}),
        "QUORATE_RABBITMQ_PASSWORD": secrets["rabbitmq_cluster"],
    }
