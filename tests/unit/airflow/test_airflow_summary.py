"""The summary: every declared check counts once, and what did not say that it is well is critical."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import failed, report, verdict

from quorate.airflow.payload import report_without_lines
from quorate.airflow.summary import Trace, summarise, summary_tree
from quorate.model import Reason, State

EXPECTED = "EXPECTED_PASSIVE_INACTIVE"
CRITICAL = "CRITICAL_NFS_FAILURE"
WELL = {"inventory": "f1", "verdicts": [], "root_causes": []}


def trace(task="check_nfs", state="success", failure_type=None, report=WELL, index=-1):
    return Trace(instance=(task, index), state=state, failure_type=failure_type, report=report)


def counts(*traces, declared=("check_nfs",), fingerprint=None):
    return summarise(declared, traces, fingerprint=fingerprint).counts()


def kind_of(*traces, **more):
    """Return what one declared task counts as."""
    found = counts(*traces, **more)
    assert found["total"] == found["success"] + found["total_failed"] == 1
    assert found["total_failed"] == found["critical_failures"] + found["expected_failures"]
    return (
        "critical" if found["critical_failures"] else "expected" if found["expected_failures"] else "success"
    )


def test_a_task_that_succeeded_and_reported_is_well():
    assert kind_of(trace()) == "success"


@pytest.mark.parametrize("state", ["failed", "skipped", "success"])
def test_exactly_the_expected_type_is_expected_in_every_mode(state):
    assert kind_of(trace(state=state, failure_type=EXPECTED)) == "expected"


@pytest.mark.parametrize(
    "failure_type", ["EXPECTED", "EXPECTED_PASSIVE", "expected_passive_inactive", CRITICAL, ""]
)
@pytest.mark.parametrize("state", ["failed", "skipped", "success"])
def test_every_other_type_is_critical(state, failure_type):
    assert kind_of(trace(state=state, failure_type=failure_type)) == "critical"


@pytest.mark.parametrize(
    "state", ["upstream_failed", "removed", "running", "up_for_retry", None, "skipped", "failed"]
)
def test_what_reported_nothing_is_critical(state):
    assert kind_of(trace(state=state, report=None)) == "critical"


@pytest.mark.parametrize("failure_type", [None, EXPECTED])
def test_what_could_not_ask_is_critical_also_when_it_was_marked_a_success(failure_type):
    told = {"error": "cluster.yaml: no such file"}
    assert kind_of(trace(failure_type=failure_type, report=told)) == "critical"
    (failure,) = summarise(["check_nfs"], [trace(report=told)]).critical
    assert failure.why == "could not ask anything: cluster.yaml: no such file"


def test_what_succeeded_without_a_report_is_critical():
    assert kind_of(trace(report=None)) == "critical"


@pytest.mark.parametrize("state", ["upstream_failed", "removed"])
def test_a_task_that_did_not_run_is_critical_whatever_an_earlier_try_left(state):
    assert kind_of(trace(state=state, failure_type=EXPECTED)) == "critical"


def test_what_was_declared_and_never_ended_is_critical():
    assert kind_of() == "critical"


def test_what_is_not_declared_does_not_count():
    assert kind_of(trace(), trace(task="something_else", state="failed")) == "success"


def test_mapped_instances_are_told_apart():
    found = summarise(["chk"], [trace("chk", index=0), trace("chk", state="failed", index=1)])
    assert (found.total, [f.task for f in found.critical]) == (2, ["chk[1]"])


def test_a_mapped_task_is_not_taken_for_a_plain_one_of_a_like_name():
    found = summarise(["chk", "chk_0"], [trace("chk", index=0), trace("chk_0", state="failed")])
    assert [f.task for f in found.critical] == ["chk_0"]


def test_what_was_asked_by_another_inventory_is_critical():
    assert kind_of(trace(), fingerprint="f1") == "success"
    assert kind_of(trace(), fingerprint="f2") == "critical"


def test_warnings_are_counted_once_however_many_tasks_hold_them():
    warning = report_without_lines(report(verdict("nfs/nfs-1/lsyncd", State.WARNING, Reason.MASKED)))
    found = summarise(["a", "b"], [trace("a", report=warning), trace("b", report=warning)])
    assert found.counts()["warnings"] == 1
    assert found.counts()["success"] == 2


def test_warnings_in_maintenance_do_not_count():
    quiet = verdict("nfs/nfs-1/lsyncd", State.WARNING, Reason.MASKED, notes=("odd", "maintenance"))
    loud = verdict("nfs/nfs-2/lsyncd", State.WARNING, Reason.MASKED, notes=("odd",))
    found = summarise(["a"], [trace("a", report=report_without_lines(report(quiet, loud)))])
    assert list(found.warnings) == ["nfs/nfs-2/lsyncd"]


def test_the_seeds_tree():
    well = [trace(f"well_{n}") for n in range(10)]
    passive = [trace(f"passive_{n}", "failed", EXPECTED) for n in range(3)]
    broken = trace("broken", "failed", CRITICAL, report_without_lines(report(failed())))
    traces = [*well, *passive, broken]
    tree = summary_tree(summarise([t.instance[0] for t in traces], traces))
    assert tree[:4] == [
        "✅ Successful: 10",
        "❌ Total Failed: 4",
        "   ├─ Critical Failures: 1",
        "   └─ Expected Passive Failures: 3",
    ]
    assert "🚨 broken: CRITICAL_NFS_FAILURE - lsyncd on ACTIVE node nfs-1 is FAILED" in tree


STATES = ["success", "failed", "skipped", "upstream_failed", "removed", None]
TYPES = [None, EXPECTED, CRITICAL, "EXPECTED", 0, ["x"]]
REPORTS = [None, WELL, "nonsense", {}, {"verdicts": "x"}, {"verdicts": [3], "root_causes": ["a"]}]


@given(
    st.lists(
        st.builds(
            trace,
            st.sampled_from("abcd"),
            st.sampled_from(STATES),
            st.sampled_from(TYPES),
            st.sampled_from(REPORTS),
        ),
        max_size=6,
    )
)
def test_the_counts_always_add_up_and_nothing_is_well_without_saying_so(traces):
    found = summarise("abc", traces)
    assert found.total == found.success + found.total_failed
    told = {
        t.instance[0]
        for t in traces
        if t.state == "success" and t.failure_type is None and isinstance(t.report, dict)
    }
    assert found.success <= sum(t.instance[0] in told for t in traces)
    assert summary_tree(found)[0] == f"✅ Successful: {found.success}"
