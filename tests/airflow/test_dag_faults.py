"""What is wrong with the run itself: a broken or changed inventory, tasks that hang, die or never run."""

from pathlib import Path

import pytest
from dag_player import DAG_FILE, Player

from quorate.simulation import Simulation

INVENTORY = "name: x\nhosts: {a: {local: true}}\ngroups: {g: {hosts: [a], units: []}}\n"

OWN = """
import json
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, task
from quorate.airflow import (
    ActiveNodesOperator, FinalStatusOperator, HealthCheckOperator, HealthSummaryOperator
)


def note(context):
    with open({notes!r}, "a") as notes:
        notes.write(json.dumps([context["ti"].task_id, str(context["exception"])]) + "\\n")


with DAG({dag_id!r}, schedule=None, default_args={{"on_failure_callback": note}}) as dag:
{body}
"""


def folder_of(airflow: Player, dag_id: str, inventory: str | None = INVENTORY) -> Path:
    folder = airflow.home / "dags" / dag_id
    folder.mkdir(parents=True)
    if inventory is not None:
        (folder / "cluster.yaml").write_text(inventory)
    return folder


async def health(airflow: Player, dag_id: str, inventory: str | None, settings: str = ""):
    folder = folder_of(airflow, dag_id, inventory)
    text = DAG_FILE.format(dag_id=dag_id, notes=str(folder / "notes"), settings=settings)
    return await airflow.file(folder, text, dag_id)


async def own(airflow: Player, dag_id: str, body: str, inventory: str = INVENTORY):
    folder = folder_of(airflow, dag_id, inventory)
    indented = "\n".join(f"    {line}" for line in body.strip().splitlines())
    return await airflow.file(
        folder, OWN.format(dag_id=dag_id, notes=str(folder / "notes"), body=indented), dag_id
    )


async def test_a_missing_inventory_is_a_red_run_that_says_so(airflow: Player):
    found = await health(airflow, "missing", None)
    assert found.state == "failed"
    assert found.failure_types() == {"check_inventory": "CRITICAL_INVENTORY_FAILURE"}
    assert "cluster.yaml: no such file" in found.exceptions["check_inventory"]
    assert found.summary["total"] == found.summary["critical_failures"] == 1
    assert "🚨 check_inventory: CRITICAL_INVENTORY_FAILURE - could not ask anything: " in found.log


async def test_a_broken_inventory_is_a_red_run_that_names_every_fault(airflow: Player):
    found = await health(
        airflow, "broken", "name: x\nhosts: {a: 192.0.2.1}\ngroups: {g: {hosts: [b], unit: []}}\n"
    )
    text = found.exceptions["check_inventory"]
    assert found.state == "failed"
    assert "cluster.yaml:3:" in text
    assert "unit" in text


BROKEN_MEANWHILE = """
@task
def change():
    Path({path!r}).write_text({text!r})

check = HealthCheckOperator(task_id="check_g", inventory="cluster.yaml", only="host/a", subject="g")
{order}
summary = HealthSummaryOperator(task_id="health_summary", checks=[check], fingerprint={fingerprint!r})
[check] >> summary >> FinalStatusOperator(task_id="final_status_check")
"""


@pytest.mark.parametrize(
    ("text", "says"),
    [("name: [\n", "cluster.yaml:"), ("name: x\nhosts: {z: {local: true}}\n", "'host/a' matches nothing")],
)
async def test_an_inventory_that_breaks_or_loses_a_group_in_mid_run_is_red_and_says_why(airflow, text, says):
    dag_id = f"changed_{len(text)}"
    path = str(airflow.home / "dags" / dag_id / "cluster.yaml")
    body = BROKEN_MEANWHILE.format(path=path, text=text, order="change() >> check", fingerprint=None)
    found = await own(airflow, dag_id, body)
    assert found.state == "failed"
    assert found.failure_types() == {"check_g": "CRITICAL_G_FAILURE"}
    assert says in found.exceptions["check_g"]


async def test_a_check_of_another_inventory_than_the_summary_knows_is_critical(airflow: Player):
    text = INVENTORY + "# changed\n"
    path = str(airflow.home / "dags" / "drifted" / "cluster.yaml")
    body = BROKEN_MEANWHILE.format(
        path=path, text=text, order="change() >> check", fingerprint="0123456789abcdef"
    )
    found = await own(airflow, "drifted", body)
    assert found.states["check_g"] == "success"
    assert found.state == "failed"
    assert "the file was changed during the run" in found.log


async def test_a_check_that_hangs_ends_in_its_time_red_and_says_why(airflow: Player):
    async with Simulation("hung-host") as cluster:
        found = await airflow.health(cluster.inventory_text(), timeout="1s")
    assert found.state == "failed"
    assert [text for text in found.exceptions.values() if "sweep timeout" in text or "sweep_timeout" in text]


async def test_a_task_that_airflow_times_out_is_critical(airflow: Player):
    body = """
check = HealthCheckOperator(
    task_id="check_g",
    inventory="cluster.yaml",
    only="host/a",
    execution_timeout=timedelta(seconds=1),
)
summary = HealthSummaryOperator(task_id="health_summary", checks=[check])
check >> summary >> FinalStatusOperator(task_id="final_status_check")
"""
    inventory = "name: x\nssh: {connect_timeout: 20s, host_timeout: 20s}\nhosts: {a: 240.0.0.1}\n"
    found = await own(airflow, "timed_out", body, inventory)
    assert found.state == "failed"
    assert found.states["check_g"] == "failed"
    assert found.summary["critical_failures"] == 1


async def test_a_task_that_never_ran_is_critical(airflow: Player):
    body = """
@task
def broken():
    raise ValueError("x")

check = HealthCheckOperator(task_id="check_g", inventory="cluster.yaml", only="host/a", subject="g")
broken() >> check
summary = HealthSummaryOperator(task_id="health_summary", checks=[check, "check_never_declared"])
check >> summary >> FinalStatusOperator(task_id="final_status_check")
"""
    found = await own(airflow, "never_ran", body)
    assert found.states["check_g"] == "upstream_failed"
    assert found.summary["critical_failures"] == found.summary["total"] == 2
    assert found.state == "failed"


async def test_a_run_whose_summary_fails_is_red(airflow: Player):
    body = """
summary = HealthSummaryOperator(task_id="health_summary", checks=["a"])
summary.checks = None
summary >> FinalStatusOperator(task_id="final_status_check")
"""
    found = await own(airflow, "no_summary", body)
    assert found.states["health_summary"] == "failed"
    assert found.state == "failed"
    assert "the summary of this run is failed" in found.exceptions["final_status_check"]


async def test_a_run_without_a_summary_is_red(airflow: Player):
    found = await own(airflow, "missing_summary", 'FinalStatusOperator(task_id="final_status_check")')
    assert found.state == "failed"
    assert "the summary of this run is missing" in found.exceptions["final_status_check"]


async def test_a_dag_of_ones_own_has_mapped_checks_counted_one_by_one(airflow: Player):
    body = """
checks = HealthCheckOperator.partial(task_id="chk", inventory="cluster.yaml").expand(
    only=[["host/a"], ["host/b"], ["nfs"]]
)
plain = HealthCheckOperator(task_id="chk_0", inventory="cluster.yaml", only="host/a")
summary = HealthSummaryOperator(task_id="health_summary", checks=["chk", plain])
[checks, plain] >> summary >> FinalStatusOperator(task_id="final_status_check")
"""
    inventory = "name: x\nhosts: {a: {local: true}, b: {local: true}}\n"
    found = await own(airflow, "mapped", body, inventory)
    assert {found.states[task] for task in ("chk[0]", "chk[1]", "chk_0")} == {"success"}
    assert found.states["chk[2]"] == "failed"
    assert (found.summary["total"], found.summary["success"]) == (4, 3)
    assert found.xcoms["health_summary"]["critical_failure_tasks"] == ["chk[2]"]


async def test_a_summary_that_is_older_than_its_checks_is_red(airflow: Player):
    body = """
check = HealthCheckOperator(task_id="check_g", inventory="cluster.yaml", only="host/a", subject="g")
summary = HealthSummaryOperator(task_id="health_summary", checks=[check])

@task
def clear_and_fail():
    import sqlite3
    with sqlite3.connect({database!r}) as connection:
        of_check = "where task_id = 'check_g' and dag_id = 'old'"
        connection.execute("update task_instance set state = 'failed' " + of_check)
        connection.execute("delete from xcom " + of_check)

check >> summary >> clear_and_fail() >> FinalStatusOperator(task_id="final_status_check")
"""
    found = await own(airflow, "old", body.format(database=str(airflow.home / "airflow.db")))
    assert found.summary["critical_failures"] == 0
    assert found.state == "failed"
    assert "older than its checks" in found.exceptions["final_status_check"]
