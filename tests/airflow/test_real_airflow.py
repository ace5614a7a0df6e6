"""The health DAG under a real Airflow: scheduler, LocalExecutor, API server, DAG processor and triggerer.

What `dag.test()` permits, a real task may not do; and only here can something be killed. Starting Airflow
takes longer than a run, so one Airflow serves all tests, and what can run at the same time does.
"""

import os
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from real import RealAirflow, processes, real_airflow, until
from real_clusters import (
    WRONG_PASSWORD,
    connections,
    declared,
    inventory_with_connections,
    served,
    switch,
    write_dag,
    write_inventory,
)
from real_run import Run

pytestmark = pytest.mark.timeout(400)

EXPECTED = "EXPECTED_PASSIVE_INACTIVE"
CHANGED = ("broken", "replaced", "removed")


@dataclass(frozen=True)
class Clusters:
    """Folders of two served clusters: one that is switched, one with a host that hangs."""

    switched: Path
    hung: Path


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    folder = tmp_path_factory.mktemp("clusters")
    with served(folder / "switched", "nominal") as switched, served(folder / "hung", "hung-host") as hung:
        yield Clusters(switched, hung)


@pytest.fixture(scope="module")
def secrets(clusters: Clusters) -> dict[str, str]:
    """Everything that nothing may show, by where it is taken from."""
    passwords = {path.name: path.read_text().strip() for path in (clusters.hung / "passwords").iterdir()}
    key = (clusters.hung / "id_ed25519").read_text()
    return {**passwords, "key": key, "line of the key": key.splitlines()[2], "wrong": WRONG_PASSWORD}


@pytest.fixture(scope="module")
def real(
    clusters: Clusters, secrets: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealAirflow]:
    home = tmp_path_factory.mktemp("real")
    dags = home / "dags"
    dags.mkdir()
    write_dag(dags, "nominal", declared(clusters.switched))
    for dag_id in CHANGED:
        write_dag(
            dags, dag_id, declared(clusters.switched, "scheduler", "celery", "ftp"), "max_active_tasks=1"
        )
    by_connection = inventory_with_connections(clusters.hung)
    write_dag(dags, "connected", by_connection)
    write_dag(dags, "deferred", by_connection, 'deferrable=True, pool="deferring"')
    mute = declared(clusters.hung, "celery", "ftp")
    mute["ssh"].update(connect_timeout="30s", host_timeout="60s")
    write_dag(dags, "timed_out", mute, 'timeout="4s"')
    write_dag(dags, "cut_off", mute, "execution_timeout=timedelta(seconds=4)")
    for dag_id, settings in {
        "task_killed": "",
        "scheduler_killed": "",
        "triggerer_killed": "deferrable=True",
    }.items():
        write_dag(dags, dag_id, declared(clusters.hung, "celery", "ftp"), settings)
    with real_airflow(home, connections(secrets)) as airflow:
        airflow.make_pool("deferring", slots=1)
        yield airflow


# The runs, in three waves


@dataclass(frozen=True)
class Sampled:
    """What was seen while a check was deferred: processes that run it, and the triggers' arguments."""

    processes: list[str]
    triggers: str


@pytest.fixture(scope="module")
def first(real: RealAirflow, clusters: Clusters) -> tuple[dict[str, Run], Sampled]:
    """Runs while no process of Airflow's dies, and what was seen in one of them."""
    names = ("deferred", *CHANGED, "connected", "timed_out", "cut_off", "nominal")
    runs = {dag_id: real.trigger(dag_id) for dag_id in names}
    with ThreadPoolExecutor() as meanwhile:
        changes = [meanwhile.submit(change, real, clusters, dag_id, runs[dag_id]) for dag_id in CHANGED]
        sampled = sample(real, runs["deferred"])
        for changed in changes:
            changed.result()
    return {dag_id: real.wait(dag_id, run) for dag_id, run in runs.items()}, sampled


@pytest.fixture(scope="module")
def calm(first: tuple[dict[str, Run], Sampled]) -> dict[str, Run]:
    return first[0]


@pytest.fixture(scope="module")
def sampled(first: tuple[dict[str, Run], Sampled]) -> Sampled:
    return first[1]


def sample(real: RealAirflow, run: str) -> Sampled:
    def state() -> str | None:
        return real.tasks("deferred", run)["check_celery"].state

    def running() -> list[str]:
        return [title for _, _, title in processes() if check in title]

    until(lambda: state() == "deferred", 60, "a deferred check")
    check = real.tasks("deferred", run)["check_celery"].id
    with suppress(AssertionError):
        until(lambda: not running(), 3, "its process takes a moment to end")
    seen = Sampled(processes=running(), triggers=triggers(real.home))
    assert state() == "deferred"
    return seen


def triggers(home: Path) -> str:
    """Return the arguments of all triggers as Airflow keeps them: in plain text."""
    with closing(sqlite3.connect(home / "airflow.db")) as database:
        return "\n".join(row[0] for row in database.execute("SELECT kwargs FROM trigger"))


def change(real: RealAirflow, clusters: Clusters, dag_id: str, run: str) -> None:
    """Change a DAG's inventory when the first of its checks has ended."""
    until(
        lambda: any(
            t.state == "success" for n, t in real.tasks(dag_id, run).items() if n.startswith("check_")
        ),
        90,
        f"the first check of {dag_id}",
    )
    path = real.home / "dags" / dag_id / "cluster.yaml"
    if dag_id == "broken":
        path.write_text("groups: [")
    elif dag_id == "replaced":
        other = declared(clusters.switched, "scheduler", "celery")
        write_inventory(real.home / "dags", dag_id, other)
    else:
        path.unlink()


@pytest.fixture(scope="module")
def second(real: RealAirflow, clusters: Clusters, calm: dict[str, Run]) -> dict[str, Run]:
    """Runs after something in the cluster broke; a check's process is killed in one of them."""
    switch(clusters.switched, "active-unit-failed")
    runs = {dag_id: real.trigger(dag_id) for dag_id in ("task_killed", "nominal")}
    os.kill(real.process_of("task_killed", runs["task_killed"], "check_celery"), signal.SIGKILL)
    return {dag_id: real.wait(dag_id, run) for dag_id, run in runs.items()}


@pytest.fixture(scope="module")
def crashed(real: RealAirflow, second: dict[str, Run]) -> dict[str, Run]:
    """Runs in whose middle the triggerer and the scheduler are killed; both are started again."""
    deferred = real.trigger("triggerer_killed")
    until(
        lambda: real.tasks("triggerer_killed", deferred)["check_celery"].state == "deferred", 60, "deferral"
    )
    running = real.trigger("scheduler_killed")
    real.process_of("scheduler_killed", running, "check_celery")
    real.kill("triggerer")
    real.kill("scheduler")
    real.start("triggerer")
    real.start("scheduler")
    return {
        "triggerer_killed": real.wait("triggerer_killed", deferred),
        "scheduler_killed": real.wait("scheduler_killed", running),
    }


# While no process dies


def test_nothing_is_red_when_nothing_is_wrong(calm: dict[str, Run]) -> None:
    run = calm["nominal"]
    states = run.states()
    assert run.state == "success"
    assert states.pop("check_nfs") == "skipped"
    assert set(states.values()) == {"success"}
    assert len(states) == 20
    assert run.xcom("check_nfs", "failure_type") == EXPECTED
    assert run.xcom("detect_active_nodes") == {"nfs": "nfs-1"}
    assert run.xcom("check_postgresql_vip")["dags"] == 42
    assert run.xcom("check_rabbitmq_cluster")["healthy_nodes"] == 3
    report = run.xcom("check_nfs", "report")
    assert (report["schema"], report["state"]) == ("quorate.report/1", "expected")
    assert run.xcom("health_summary") == {
        "total": 18,
        "success": 17,
        "total_failed": 1,
        "critical_failures": 0,
        "expected_failures": 1,
        "warnings": 0,
    }
    assert run.links("final_status_check") == {"First critical check": None}


def test_a_deferred_check_holds_no_worker_and_no_slot(calm: dict[str, Run], sampled: Sampled) -> None:
    run = calm["deferred"]
    assert sampled.processes == []
    began, ended = run.times("check_celery")
    others = [task for task in run.states() if task.startswith("check_") and task != "check_celery"]
    # All tasks share one slot, so one that began between another's beginning and end has been given it.
    assert [task for task in others if began < run.times(task)[0] < ended]


def test_a_deferred_run_finds_what_another_one_finds(calm: dict[str, Run]) -> None:
    here, there = calm["connected"], calm["deferred"]
    assert there.states() == here.states()
    assert there.xcom("health_summary") == here.xcom("health_summary")
    for task in here.states():
        if task.startswith("check_"):
            assert there.xcom(task, "failure_type") == here.xcom(task, "failure_type")
            assert verdicts(there, task) == verdicts(here, task)


def verdicts(run: Run, task: str) -> dict[str, tuple[str, str]]:
    return {v["id"]: (v["state"], v["reason"]) for v in run.xcom(task, "report")["verdicts"]}


@pytest.mark.parametrize("dag_id", ["connected", "deferred"])
def test_credentials_come_from_connections(calm: dict[str, Run], dag_id: str) -> None:
    run = calm[dag_id]
    assert verdicts(run, "check_celery")["celery/celery-1/airflow-worker"] == ("ok", "ok")
    assert run.xcom("check_postgresql_vip")["dags"] == run.xcom("check_by_file")["dags"] == 42
    assert run.xcom("check_rabbitmq_cluster")["healthy_nodes"] == 3
    assert verdicts(run, "check_wrong_password") == {"wrong_password": ("unknown", "auth_failed")}


def test_a_host_that_hangs_is_red_in_the_sweeps_time_and_says_so(calm: dict[str, Run]) -> None:
    run = calm["timed_out"]
    assert run.state == "failed"
    assert run.xcom("check_celery", "failure_type") == "CRITICAL_CELERY_FAILURE"
    assert verdicts(run, "check_celery")["host/celery-2"] == ("unknown", "sweep_timeout")
    assert "could NOT be asked (sweep timeout)" in run.exception("check_celery")
    assert run.seconds("check_celery") < 30
    assert run.states()["check_ftp"] == "success"


def test_a_check_that_airflow_cuts_off_is_red_and_says_so(calm: dict[str, Run]) -> None:
    run = calm["cut_off"]
    assert run.state == "failed"
    assert run.xcom("check_celery", "failure_type") == "CRITICAL_CELERY_FAILURE"
    assert run.seconds("check_celery") < 30
    assert "execution_timeout" in run.log("health_summary")


@pytest.mark.parametrize(
    ("dag_id", "why"),
    [("broken", "cluster.yaml:1:"), ("removed", "no such file"), ("replaced", "changed during the run")],
)
def test_an_inventory_that_changes_during_a_run_makes_it_red_and_is_named(
    calm: dict[str, Run], dag_id: str, why: str
) -> None:
    run = calm[dag_id]
    assert run.state == "failed"
    assert run.xcom("health_summary", "critical_failure_count") > 0
    assert why in run.log("health_summary")


@pytest.mark.parametrize(("dag_id", "why"), [("broken", "cluster.yaml:1:"), ("removed", "no such file")])
def test_each_check_after_the_change_fails_at_once_and_says_why(
    calm: dict[str, Run], dag_id: str, why: str
) -> None:
    run = calm[dag_id]
    failed = [task for task, state in run.states().items() if state == "failed" and task.startswith("check_")]
    assert failed
    assert [task for task in failed if why not in run.exception(task)] == []


# After something in the cluster broke


def test_one_failed_unit_is_a_red_run_with_the_whole_explanation(second: dict[str, Run]) -> None:
    run = second["nominal"]
    assert run.state == "failed"
    failed = {task for task, state in run.states().items() if state == "failed"}
    assert failed == {"check_nfs", "final_status_check"}
    assert run.xcom("check_nfs", "failure_type") == "CRITICAL_NFS_FAILURE"
    assert run.xcom("health_summary", "critical_failure_tasks") == ["check_nfs"]
    text = run.exception("check_nfs")
    assert text.startswith("🚨 CRITICAL: lsyncd on ACTIVE node nfs-1 is FAILED")
    parts = ["SERVICE LOGS: lsyncd on nfs-1", "TASK-SPECIFIC AIRFLOW LOGS", "THIS TASK'S WORKER LOG"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "rsync error: error in socket IO" in text[places[0] : places[1]]
    assert "airflow-scheduler on haproxy-1, scheduler-2; airflow-worker on celery-1" in text[places[1] :]
    assert "❌ lsyncd: CRITICAL - failed" in text[places[2] :]
    assert "task_id=check_nfs/attempt=1.log" in text[places[2] :]


def test_a_red_run_says_at_its_end_which_check_it_was_and_leads_there(second: dict[str, Run]) -> None:
    run = second["nominal"]
    said = run.exception("final_status_check").splitlines()
    assert said[0] == "🚨 CRITICAL: 1 of 18 checks failed: check_nfs"
    assert run.links("final_status_check")["First critical check"].endswith("/tasks/check_nfs")
    assert "🚨 check_nfs: CRITICAL_NFS_FAILURE" in run.log("health_summary")


def test_a_check_whose_process_is_killed_counts_as_critical(second: dict[str, Run]) -> None:
    run = second["task_killed"]
    assert run.state == "failed"
    assert run.xcom("check_celery", "failure_type") is None
    assert run.xcom("health_summary", "critical_failure_tasks") == ["check_celery"]
    assert "its process was killed" in run.log("health_summary")


# After processes of Airflow died


@pytest.mark.parametrize("dag_id", ["triggerer_killed", "scheduler_killed"])
def test_a_run_ends_right_although_a_part_of_airflow_was_killed(crashed: dict[str, Run], dag_id: str) -> None:
    run = crashed[dag_id]
    assert run.state == "failed"
    assert run.states()["check_ftp"] == "success"
    assert run.xcom("health_summary", "critical_failure_tasks") == ["check_celery"]
    assert "host/celery-2 · ssh_unresponsive" in run.exception("check_celery")


# After all of them


def test_no_secret_is_in_anything_that_was_written(
    real: RealAirflow, crashed: dict[str, Run], sampled: Sampled, secrets: dict[str, str]
) -> None:
    written = {path: path.read_bytes() for path in real.home.rglob("*") if path.is_file()}
    everything = [*written.values(), sampled.triggers.encode()]
    # What should be found is found: in the database, in a task's log and in a trigger.
    assert any(b"auth_failed" in text for path, text in written.items() if path.name.startswith("airflow.db"))
    assert any(b"auth_failed" in text for path, text in written.items() if path.suffix == ".log")
    assert b"quorate_ssh" in everything[-1]
    shown = [path for path, text in written.items() for secret in secrets.values() if secret.encode() in text]
    assert shown == []
    assert [name for name, secret in secrets.items() if secret in sampled.triggers] == []
