"""Runs of the simulated cluster's health DAG: states, XComs, counts, exceptions, the run's colour."""

import pytest
from dag_player import Player, Run

from quorate.simulation import Simulation

EXPECTED = "EXPECTED_PASSIVE_INACTIVE"


async def run(airflow: Player, scenario: str, **settings: object) -> Run:
    # Silence tells no more after five seconds than after one.
    async with Simulation(scenario, connect_timeout=1.0) as cluster:
        return await airflow.health(cluster.inventory_text(), **settings)


async def test_nothing_is_red_when_nothing_is_wrong(airflow: Player):
    found = await run(airflow, "nominal", expected="skip")
    assert found.state == "success"
    assert found.states.pop("check_nfs") == "skipped"
    assert set(found.states.values()) == {"success"}
    assert found.failure_types() == {"check_nfs": EXPECTED}
    assert found.xcoms["detect_active_nodes"]["return_value"] == {"nfs": "nfs-1"}
    assert found.summary == {
        "total": 18,
        "success": 17,
        "total_failed": 1,
        "critical_failures": 0,
        "expected_failures": 1,
        "warnings": 0,
    }
    assert found.xcoms["health_summary"]["critical_failure_count"] == 0
    assert found.xcoms["health_summary"]["critical_failure_tasks"] == []


async def test_the_results_of_the_database_and_the_broker_are_returned(airflow: Player):
    found = await run(airflow, "nominal", expected="success")
    database = found.xcoms["check_postgresql_vip"]["return_value"]
    assert (database["status"], database["dags"]) == ("healthy", 42)
    broker = found.xcoms["check_rabbitmq_cluster"]["return_value"]
    assert (broker["status"], broker["healthy_nodes"], broker["total"]) == ("healthy", 3, 3)
    assert [node["node"] for node in broker["nodes"]] == ["rabbit-1", "rabbit-2", "rabbit-3"]


@pytest.mark.parametrize(("expected", "state"), [("fail", "failed"), ("success", "success")])
async def test_an_expected_failure_is_counted_alike_in_every_mode(airflow: Player, expected: str, state: str):
    found = await run(airflow, "nominal", expected=expected)
    assert found.state == "success"
    assert found.states["check_nfs"] == state
    assert found.failure_types() == {"check_nfs": EXPECTED}
    assert (found.summary["success"], found.summary["expected_failures"]) == (17, 1)
    text = "⏸️ EXPECTED: Passive NFS node services are correctly NOT ACTIVE"
    assert found.exceptions.get("check_nfs") == (text if expected == "fail" else None)


async def test_one_failed_unit_is_a_red_run_with_the_whole_explanation(airflow: Player):
    found = await run(airflow, "active-unit-failed", expected="skip")
    assert found.state == "failed"
    assert {task for task, state in found.states.items() if state == "failed"} == {
        "check_nfs",
        "final_status_check",
    }
    assert found.failure_types() == {"check_nfs": "CRITICAL_NFS_FAILURE"}
    assert found.xcoms["health_summary"]["critical_failure_tasks"] == ["check_nfs"]
    text = found.exceptions["check_nfs"]
    assert text.startswith("🚨 CRITICAL: lsyncd on ACTIVE node nfs-1 is FAILED")
    parts = ["SERVICE LOGS: lsyncd on nfs-1", "TASK-SPECIFIC AIRFLOW LOGS", "THIS TASK'S WORKER LOG"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "rsync error: error in socket IO" in text[places[0] : places[1]]
    assert "check_nfs" in found.exceptions["final_status_check"]


async def test_every_unit_is_visited_and_printed_whatever_failed_before(airflow: Player):
    found = await run(airflow, "active-unit-failed", expected="skip")
    printed = ["❌ lsyncd: CRITICAL - failed", "✅ nfs-server: ACTIVE", "⏸️ nfs-server: NOT ACTIVE (expected)"]
    printed += ["✅ keepalived: ACTIVE", "⏸️ airflow-dag-processor: NOT ACTIVE (expected)"]
    assert [line for line in printed if line not in found.log] == []


async def test_the_report_in_the_xcom_has_no_log_lines(airflow: Player):
    found = await run(airflow, "active-unit-failed", expected="skip")
    report = found.xcoms["check_nfs"]["report"]
    failed = next(v for v in report["verdicts"] if v["id"] == "nfs/nfs-1/lsyncd")
    assert (failed["state"], failed["evidence"][0]["lines"]) == ("critical", [])
    assert report["root_causes"] == ["nfs/nfs-1/lsyncd"]


async def test_the_seeds_four_counts_come_out_of_one_task_a_unit(airflow: Player):
    found = await run(airflow, "fourteen-tasks", granularity="unit")
    assert found.state == "failed"
    assert found.summary == {
        "total": 14,
        "success": 10,
        "total_failed": 4,
        "critical_failures": 1,
        "expected_failures": 3,
        "warnings": 0,
    }
    tree = [
        "✅ Successful: 10",
        "❌ Total Failed: 4",
        "   ├─ Critical Failures: 1",
        "   └─ Expected Passive Failures: 3",
    ]
    assert [line for line in tree if line not in found.log] == []


async def test_split_brain_is_critical_on_the_passive_node(airflow: Player):
    found = await run(airflow, "split-brain")
    assert found.failure_types()["check_nfs"] == "CRITICAL_NFS_FAILURE"
    assert "SPLIT BRAIN" in found.log


async def test_an_unreachable_passive_node_is_never_expected(airflow: Player):
    found = await run(airflow, "passive-unreachable", granularity="host")
    assert found.failure_types()["check_nfs__nfs-2"] == "CRITICAL_NFS_FAILURE"
    assert found.state == "failed"


async def test_a_pair_without_an_active_node_is_critical_and_not_expected(airflow: Player):
    found = await run(airflow, "no-active-node")
    assert found.failure_types()["check_nfs"] == "CRITICAL_NFS_FAILURE"
    assert found.xcoms["detect_active_nodes"]["return_value"] == {"nfs": None}
    assert found.states["detect_active_nodes"] == "success"


async def test_a_database_that_is_down_shows_its_error_before_the_patroni_logs(airflow: Player):
    found = await run(airflow, "database-down")
    assert found.failure_types()["check_postgresql_vip"] == "CRITICAL_POSTGRESQL_VIP_FAILURE"
    text = found.exceptions["check_postgresql_vip"]
    logs = [text.index(f"SERVICE LOGS: patroni on postgresql-{n}") for n in (1, 2, 3)]
    assert logs == sorted(logs)
    assert "postgresql_vip could NOT connect" in text[: logs[0]]


async def test_a_broker_without_quorum_is_critical_with_the_logs_of_every_node(airflow: Player):
    found = await run(airflow, "rabbit-quorum-lost")
    text = found.exceptions["check_rabbitmq_cluster"]
    assert "RabbitMQ QUORUM LOST: Only 1/3 nodes healthy" in text
    for host in ("rabbit-1", "rabbit-2", "rabbit-3"):
        assert f"SERVICE LOGS: rabbitmq-server on {host}" in text


async def test_a_lost_node_is_a_warning_that_changes_no_colour(airflow: Player):
    found = await run(airflow, "rabbit-node-lost", expected="skip")
    assert found.states["check_rabbitmq_cluster"] == "success"
    result = found.xcoms["check_rabbitmq_cluster"]["return_value"]
    assert (result["status"], result["healthy_nodes"]) == ("degraded", 2)
    assert found.summary["warnings"] >= 1
    assert "rabbitmq_cluster: RabbitMQ has lost redundancy" in found.log


@pytest.mark.parametrize("scenario", ["nominal", "active-unit-failed"])
async def test_a_deferred_run_finds_what_another_one_finds(airflow: Player, scenario: str):
    here = await run(airflow, scenario, expected="skip")
    there = await run(airflow, scenario, expected="skip", deferrable=True)
    assert there.states == here.states
    assert there.failure_types() == here.failure_types()
    assert there.summary == here.summary
    assert "running trigger in line" in there.log
    told = [text.split("since")[0] for text in (here.exceptions["check_nfs"], there.exceptions["check_nfs"])]
    assert told[0] == told[1]


async def test_a_secret_that_can_not_be_had_is_critical_and_says_where_it_was_looked_for(airflow: Player):
    found = await run(airflow, "database-secret-missing")
    assert found.failure_types()["check_postgresql_vip"] == "CRITICAL_POSTGRESQL_VIP_FAILURE"
    assert "password can't be had" in found.exceptions["check_postgresql_vip"]


async def test_passwords_are_in_nothing_that_is_written(airflow: Player):
    async with Simulation("rabbit-one-auth-failed") as cluster:
        files = list((cluster.folder / "passwords").iterdir())
        assert {"postgresql_vip", "rabbitmq_cluster"} <= {path.name for path in files}
        secrets = [path.read_text().strip() for path in files]
        await airflow.health(cluster.inventory_text(), dag_id="secrets", granularity="host")
        await airflow.health(cluster.inventory_text(), dag_id="secrets_deferred", deferrable=True)
    written = [path for path in airflow.home.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in written)
    assert [path for path in written for secret in secrets if secret.encode() in path.read_bytes()] == []
