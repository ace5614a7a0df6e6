"""What a DAG file declares, and that reading it connects to nothing and reads no secret."""

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from dag_player import airflow_environ

from quorate.airflow.provider import get_provider_info

FILES = {
    "four_lines": 'from quorate.airflow import health_dag\n\ndag = health_dag("cluster.yaml")\n',
    "unassigned": (
        'from quorate.airflow import health_dag\n\nhealth_dag("cluster.yaml", dag_id="unassigned")\n'
    ),
    "by_unit": (
        "from quorate.airflow import health_dag\n\n"
        'dag = health_dag("cluster.yaml", dag_id="by_unit", granularity="unit", deferrable=True)\n'
    ),
    "by_host": (
        "from quorate.airflow import health_dag\n\n"
        'dag = health_dag("cluster.yaml", dag_id="by_host", granularity="host")\n'
    ),
    "with_settings": """
from datetime import timedelta
from quorate.airflow import health_dag

def call(context):
    print(context)

dag = health_dag(
    "cluster.yaml", dag_id="with_settings", schedule=timedelta(minutes=5), tags=["mine"], pool="probes",
    executor="LocalExecutor", queue="q", retries=2, on_failure_callback=call, max_active_tasks=3,
    default_args={"on_failure_callback": call, "trigger_rule": "all_success"}, catchup=True,
)
""",
    "twice": (
        "from quorate.airflow import health_dag\n\n"
        'first = health_dag("cluster.yaml")\nsecond = health_dag("cluster.yaml", granularity="unit")\n'
    ),
    "misspelt": 'from quorate.airflow import health_dag\n\nhealth_dag("cluster.yaml", tag=["x"])\n',
    "wrong_granularity": (
        'from quorate.airflow import health_dag\n\nhealth_dag("cluster.yaml", granularity="units")\n'
    ),
    "wrong_mode": 'from quorate.airflow import health_dag\n\nhealth_dag("cluster.yaml", expected="ok")\n',
    "wrong_time": 'from quorate.airflow import health_dag\n\nhealth_dag("cluster.yaml", timeout="60")\n',
}

INVENTORY = """
name: airflow-prod
hosts: {nfs-1: 192.0.2.165, nfs-2: 192.0.2.203, rabbit-1: 192.0.2.205}
groups:
  nfs:
    hosts: [nfs-1, nfs-2]
    units: [nfs-server, keepalived]
    active_passive: {vip: 192.0.2.220, units: [nfs-server]}
checks:
  rabbitmq_cluster: {kind: rabbitmq, hosts: [rabbit-1], user: u, password: {file: secret}}
  postgresql_vip:
    kind: postgresql
    host: 192.0.2.210
    database: airflow_db
    user: u
    password: {airflow_connection: airflow_db}
"""


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("definition")
    folder = home / "dags"
    folder.mkdir()
    (folder / "cluster.yaml").write_text(INVENTORY)
    (folder / "secret").write_text("s3cret-in-a-file")
    for name, text in FILES.items():
        (folder / f"{name}.py").write_text(text)
    definer = Path(__file__).with_name("definer.py")
    done = subprocess.run(
        [sys.executable, str(definer), str(folder)],
        env=airflow_environ(home),
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def dag_of(read: dict[str, Any], name: str) -> dict[str, Any]:
    assert read["dags"][name]["errors"] == []
    (dag,) = read["dags"][name]["dags"].values()
    return dag  # type: ignore[no-any-return]  # JSON


def test_four_lines_are_a_health_dag(read):
    dag = dag_of(read, "four_lines")
    assert list(dag["tasks"]) == [
        "detect_active_nodes",
        "check_nfs",
        "check_rabbitmq_cluster",
        "check_postgresql_vip",
        "health_summary",
        "final_status_check",
    ]
    assert dag["fileloc"].endswith("four_lines.py")


def test_a_run_every_two_minutes_one_at_a_time_no_retries(read):
    dag = dag_of(read, "four_lines")
    assert (dag["schedule"], dag["catchup"], dag["max_active_runs"]) == ("*/2 * * * *", False, 1)
    assert dag["max_active_tasks"] <= 16
    assert {task["retries"] for task in dag["tasks"].values()} == {0}
    assert dag["dagrun_timeout"] is not None


def test_no_check_waits_for_the_active_nodes_and_all_end_in_the_summary(read):
    tasks = dag_of(read, "four_lines")["tasks"]
    checks = [task for task in tasks if task.startswith("check_")]
    assert {tuple(tasks[task]["upstream"]) for task in checks} == {()}
    assert tasks["health_summary"]["upstream"] == sorted([*checks, "detect_active_nodes"])
    assert tasks["final_status_check"]["upstream"] == ["health_summary"]
    assert (
        tasks["health_summary"]["trigger_rule"] == tasks["final_status_check"]["trigger_rule"] == "all_done"
    )


def test_a_dag_need_not_be_assigned(read):
    assert list(read["dags"]["unassigned"]["dags"]) == ["unassigned"]


def test_granularities(read):
    by_unit = dag_of(read, "by_unit")["tasks"]
    assert [task for task in by_unit if task.startswith("check_nfs")] == [
        "check_nfs__vip",
        "check_nfs__nfs-1__nfs-server",
        "check_nfs__nfs-1__keepalived",
        "check_nfs__nfs-2__nfs-server",
        "check_nfs__nfs-2__keepalived",
    ]
    assert by_unit["check_nfs__vip"]["deferrable"] is True
    by_host = dag_of(read, "by_host")["tasks"]
    assert by_host["check_nfs__nfs-2"]["only"] == ["nfs/nfs-2", "host/nfs-2", "nfs/vip", "nfs/failover"]


def test_what_users_of_airflow_set_passes_through(read):
    dag = dag_of(read, "with_settings")
    assert (dag["tags"], dag["max_active_tasks"], dag["catchup"], dag["callback"]) == (
        ["mine"],
        3,
        True,
        True,
    )
    check = dag["tasks"]["check_nfs"]
    assert (check["pool"], check["executor"], check["queue"], check["retries"]) == (
        "probes",
        "LocalExecutor",
        "q",
        2,
    )
    assert check["callback"]


def test_default_arguments_can_not_keep_the_summary_from_running(read):
    tasks = dag_of(read, "with_settings")["tasks"]
    assert (
        tasks["health_summary"]["trigger_rule"] == tasks["final_status_check"]["trigger_rule"] == "all_done"
    )


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("twice", "this file has two DAGs 'ha_health'"),
        ("misspelt", "health_dag() knows no setting 'tag'; did you mean 'tags'?"),
        ("wrong_granularity", "granularity='units': must be one of group, host, unit"),
        ("wrong_mode", "expected='ok': must be one of fail, skip, success"),
        ("wrong_time", "timeout='60': '60' is not a duration; write a whole number and ms, s, m, h or d"),
    ],
)
def test_wrong_settings_are_one_clear_import_error(read, name, says):
    (error,) = read["dags"][name]["errors"]
    assert says in error


def test_reading_dags_connects_to_nothing_and_reads_no_secret(read):
    assert read["connections"] == []
    assert [file for file in read["files"] if file.endswith("cluster.yaml")] != []
    assert [file for file in read["files"] if file.endswith("secret")] == []


def test_reading_dags_loads_nothing_that_only_a_sweep_needs(read):
    assert read["heavy"] == []


def test_airflow_finds_the_provider_and_the_plugin():
    (provider,) = entry_points(group="apache_airflow_provider", name="provider_info").select(
        value="quorate.airflow.provider:get_provider_info"
    )
    assert provider.load()() == get_provider_info()
    (plugin,) = entry_points(group="airflow.plugins", name="quorate")
    assert plugin.value == "quorate.airflow.plugin:QuoratePlugin"
