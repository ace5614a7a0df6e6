"""The example cluster for real: nominal, under every fault, and watched by its own Airflow."""

from collections.abc import Sequence

import pytest
from clustered import ROWS, Cluster, Row, Stage, row_of, told

from lab.cluster import names
from lab.cluster.airflow import DAG_ID, STRICT_DAG_ID
from lab.cluster.airflow_api import DagRun, log
from lab.faults.batches import batches
from lab.faults.catalogue import FAULTS, named
from lab.faults.fault import Fault
from lab.faults.judging import differences
from lab.faults.placing import put_in_place
from lab.faults.rehearsing import heal, rehearse
from lab.faults.sweeping import sweep

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]  # the first start builds the root file system

SWEEPS = 20
MEMORY = 10 * 2**30
CRITICAL = "vsftpd-failed"


def test_the_nominal_cluster_is_nominal_in_every_sweep(cluster: Cluster) -> None:
    for _ in range(SWEEPS):
        report = sweep(cluster.lab)
        bad = {state: report["counts"][state] for state in ("critical", "warning", "unknown")}
        assert bad == {"critical": 0, "warning": 0, "unknown": 0}, report["root_causes"]
        assert differences(report, (), cluster.nominal) == []


def test_the_cluster_is_as_small_as_it_is_said_to_be(cluster: Cluster) -> None:
    assert cluster.lab.memory() < MEMORY


def test_the_clusters_own_airflow_tells_expected_from_critical(cluster: Cluster) -> None:
    run, summary = cluster.run(STRICT_DAG_ID)
    assert run.state == "success"
    assert failed(run) == ["check_nfs"]
    assert (summary["expected_failures"], summary["critical_failures"]) == (1, 0)
    assert "EXPECTED: Passive NFS node services are correctly NOT ACTIVE" in log(
        cluster.lab, run, "check_nfs"
    )


@pytest.mark.parametrize("scheduler", names.SCHEDULERS)
def test_the_clusters_own_airflow_turns_red_by_a_fault(
    cluster: Cluster, scheduler: str, request: pytest.FixtureRequest
) -> None:
    fault = named(CRITICAL)
    others = [cluster.lab[host] for host in names.SCHEDULERS if host != scheduler]
    put_in_place(cluster.lab, fault)
    try:
        for other in others:
            other.read("systemctl", "stop", "airflow-scheduler")
        run, summary = cluster.run(DAG_ID)
        said = log(cluster.lab, run, "check_ftp")
    finally:
        for other in others:
            other.read("systemctl", "start", "airflow-scheduler")
        healed = heal(cluster.lab, [fault], cluster.nominal)
    assert run.state == "failed"
    assert failed(run) == ["check_ftp", "check_scheduler", "final_status_check"]
    assert summary["critical_failures"] == 2
    assert "🚨 CRITICAL: vsftpd on ftp is FAILED" in said
    hosts = {line.split()[1] for line in task_lines(said)}
    assert scheduler in hosts
    assert hosts & set(names.CELERY)
    assert hosts <= {scheduler, *names.CELERY}
    assert healed.problems == []
    request.config.stash[ROWS].append(
        Row(
            name=f"{CRITICAL}, by the DAG, {scheduler} scheduling",
            expected="run failed",
            got=f"run {run.state}",
            seconds={},
        )
    )


def task_lines(said: str) -> list[str]:
    """Return what a failed task's log shows of the journals of schedulers and workers."""
    part = said.partition("TASK-SPECIFIC AIRFLOW LOGS")[2].partition("📋")[0]
    return [line for line in part.splitlines() if line.startswith("20")]


def test_the_clusters_own_airflow_is_green_when_nothing_is_wrong_any_more(cluster: Cluster) -> None:
    run, summary = cluster.run(DAG_ID)
    assert run.state == "success"
    assert [task for task, state in run.tasks.items() if state not in ("success", "skipped")] == []
    assert (run.tasks["check_nfs"], run.tasks["final_status_check"]) == ("skipped", "success")
    assert (summary["critical_failures"], summary["warnings"]) == (0, 0)


def failed(run: DagRun) -> list[str]:
    """Return the tasks of a run that failed."""
    return sorted(task for task, state in run.tasks.items() if state == "failed")


@pytest.mark.timeout(1500)  # what can't be undone takes ten minutes, and is made once more on a new cluster
@pytest.mark.parametrize("batch", batches(FAULTS), ids=lambda batch: "+".join(fault.name for fault in batch))
def test_a_sweep_shows_a_fault_and_nothing_else(
    stage: Stage, batch: Sequence[Fault], request: pytest.FixtureRequest
) -> None:
    problems, stuck = rehearsed(stage, batch, request.config.stash[ROWS])
    if problems and stuck:
        # The cluster had more wrong with it than these faults, so this says nothing of the sweep.
        stage.spoilt(f"once more, since the lab itself saw stuck: {', '.join(stuck)}; {'; '.join(problems)}")
        problems, stuck = rehearsed(stage, batch, request.config.stash[ROWS])
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


def rehearsed(stage: Stage, batch: Sequence[Fault], rows: list[Row]) -> tuple[list[str], list[str]]:
    """Rehearse faults; return what was wrong, and what the lab itself saw stuck after it took them away."""
    cluster = stage.cluster()
    rehearsals = rehearse(cluster.lab, batch, cluster.nominal)
    rows += [row_of(rehearsal) for rehearsal in rehearsals]
    problems = [f"{rehearsal.fault.name}: {said}" for rehearsal in rehearsals for said in told(rehearsal)]
    return problems, [stuck for rehearsal in rehearsals for stuck in rehearsal.stuck]
