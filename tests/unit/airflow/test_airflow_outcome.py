"""How a check task classifies its report."""

import pytest
from made import failed, passive, report, verdict

from quorate.airflow.outcome import EXPECTED_FAILURE, outcome_of, result_of, subject_of
from quorate.model import Reason, State


def failure_type(*verdicts, selected=None, subject="nfs"):
    return outcome_of(report(*verdicts), selected=selected, subject=subject).failure_type


def test_nothing_wrong_has_no_failure_type():
    assert failure_type(verdict("nfs/nfs-1/lsyncd")) is None


def test_critical_beats_expected():
    assert failure_type(passive(), failed()) == "CRITICAL_NFS_FAILURE"


def test_unknown_is_critical():
    unknown = verdict("nfs/nfs-1/lsyncd", State.UNKNOWN, Reason.NO_ANSWER)
    assert failure_type(unknown, passive()) == "CRITICAL_NFS_FAILURE"


def test_expected_alone_is_expected():
    assert failure_type(verdict("nfs/nfs-1/lsyncd"), passive()) == EXPECTED_FAILURE


def test_a_warning_changes_no_colour():
    outcome = outcome_of(
        report(verdict("nfs/nfs-1/lsyncd", State.WARNING, Reason.MASKED)), selected=None, subject="nfs"
    )
    assert outcome.failure_type is None
    assert [v.id for v in outcome.warnings] == ["nfs/nfs-1/lsyncd"]


MAINTAINED = {"notes": ("maintenance",)}


def test_what_is_in_maintenance_is_neither_critical_nor_expected_nor_a_warning():
    states = [
        failed(**MAINTAINED),
        verdict("nfs/vip", State.UNKNOWN, Reason.ACTIVE_NODE_UNKNOWN, **MAINTAINED),
        verdict("nfs/nfs-2/lsyncd", State.EXPECTED, Reason.PASSIVE_INACTIVE, **MAINTAINED),
        verdict("nfs/nfs-2/x", State.WARNING, Reason.MASKED, **MAINTAINED),
    ]
    outcome = outcome_of(report(*states), selected=None, subject="nfs")
    assert (outcome.failure_type, outcome.state) == (None, State.OK)
    assert (outcome.critical, outcome.expected, outcome.warnings) == ((), (), ())
    assert outcome.verdicts == tuple(states)
    result = result_of(outcome, report(*states))
    assert (result["status"], result["counts"]["critical"]) == ("healthy", 1)


def test_what_counts_is_critical_beside_what_is_in_maintenance():
    unknown = verdict("nfs/nfs-1/x", State.UNKNOWN, Reason.NO_ANSWER)
    assert failure_type(failed(**MAINTAINED), unknown) == "CRITICAL_NFS_FAILURE"
    assert failure_type(failed(**MAINTAINED), passive()) == EXPECTED_FAILURE


def test_a_cause_that_another_task_holds_does_not_count():
    warning = verdict("nfs/nfs-1/lsyncd", State.WARNING, Reason.MASKED, caused_by="host/nfs-1")
    cause = verdict("host/nfs-1", State.CRITICAL, Reason.HOST_UNREACHABLE)
    assert failure_type(cause, warning, selected={warning.id}) is None


def test_a_report_without_a_verdict_is_critical():
    assert failure_type(subject=None) == "CRITICAL_CLUSTER_FAILURE"


def test_without_a_subject_the_worst_verdict_names_the_failure():
    unknown = verdict("haproxy/h/keepalived", State.UNKNOWN, Reason.NO_ANSWER)
    assert failure_type(unknown, failed(), subject=None) == "CRITICAL_NFS_FAILURE"


@pytest.mark.parametrize(
    ("only", "subject"),
    [
        (["nfs"], "nfs"),
        (["nfs", "host/nfs-1"], "nfs"),
        (["nfs/nfs-1", "nfs/nfs-2"], "nfs"),
        (["host/a", "host/b"], "host"),
        (["nfs", "haproxy"], None),
        ([], None),
    ],
)
def test_selectors_of_one_group_or_check_name_it(only, subject):
    assert subject_of(only) == subject


def test_a_check_returns_its_own_result():
    observed = {"status": "healthy", "healthy_nodes": 3, "total": 3, "nodes": [{"node": "rabbit-1"}]}
    members = [verdict("rabbitmq_cluster/rabbit-1", kind="rabbitmq")]
    swept = report(verdict("rabbitmq_cluster", observed=observed), *members, verdict("host/rabbit-1"))
    outcome = outcome_of(swept, selected=None, subject="rabbitmq_cluster")
    assert result_of(outcome, swept) == observed


def test_a_failover_is_no_check_s_result():
    swept = report(verdict("nfs/vip"), verdict("nfs/failover", kind="failover"))
    outcome = outcome_of(swept, selected=None, subject="nfs")
    assert result_of(outcome, swept)["counts"]["ok"] == 2


def test_a_group_returns_counts_and_its_active_node():
    swept = report(verdict("nfs/nfs-1/lsyncd"), active_nodes={"nfs": "nfs-1", "other": None})
    outcome = outcome_of(swept, selected=None, subject="nfs")
    assert result_of(outcome, swept) == {
        "status": "healthy",
        "counts": {"ok": 1, "expected": 0, "warning": 0, "unknown": 0, "critical": 0},
        "active_nodes": {"nfs": "nfs-1"},
    }
