"""The table of hosts' resources in a run's summary: out of reports alone, whatever these hold."""

import pytest

from quorate.airflow.resources_table import resources_table
from quorate.airflow.summary import Trace, summarise, summary_tree


def measured(host="celery-1", state="ok", reason="ok", notes=(), **observed):
    values = {
        "status": "healthy",
        "cores": 8,
        "cpu_percent": 12.4,
        "memory_used_percent": 43.0,
        "mounts": {"/": {"used_percent": 71.0}, "/data": {"used_percent": 12.0}},
        "log_folder": {"path": "/logs", "bytes": 4 * 2**30, "complete": True},
    }
    return {
        "id": f"resources/{host}",
        "kind": "resources",
        "host": host,
        "state": state,
        "reason": reason,
        "notes": list(notes),
        "observed": values | observed,
    }


def report(*verdicts):
    return {"verdicts": [{"id": "resources", "kind": "resources", "host": None}, *verdicts]}


def cells(*verdicts):
    """Return the words of each host's line."""
    return [line.split() for line in resources_table([report(*verdicts)])[2:]]


def test_a_line_for_each_host_in_columns():
    full = measured("postgresql-1", "critical", "disk_full", mounts={"/": {"used_percent": 96.0}})
    assert resources_table([report(measured()), report(full)]) == [
        "🖥️ Resources",
        "   host          cores   CPU  memory    disk  log folder",
        "   celery-1          8  12 %    43 %  / 71 %     4.0 GiB",
        "   postgresql-1      8  12 %    43 %  / 96 %     4.0 GiB  CRITICAL - disk full",
    ]


def test_no_check_of_resources_makes_no_table():
    assert resources_table([]) == []
    assert resources_table([None, {"error": "no inventory"}, {"verdicts": None}, report()]) == []


def test_a_host_that_two_checks_measure_stands_once():
    assert len(cells(measured(), measured())) == 1


@pytest.mark.parametrize(
    ("observed", "line"),
    [
        ({"cpu_percent": None}, "celery-1 8 ? 43 % / 71 % 4.0 GiB"),
        ({"mounts": {}}, "celery-1 8 12 % 43 % - 4.0 GiB"),
        ({"mounts": {"/": {"error": "hung"}}}, "celery-1 8 12 % 43 % ? 4.0 GiB"),
        ({"log_folder": None}, "celery-1 8 12 % 43 % / 71 % -"),
        ({"log_folder": {"bytes": None, "complete": False}}, "celery-1 8 12 % 43 % / 71 % ?"),
        (
            {"log_folder": {"bytes": 1024, "complete": False}},
            "celery-1 8 12 % 43 % / 71 % at least 1.0 KiB",
        ),
    ],
)
def test_what_is_not_known_is_no_figure(observed, line):
    assert " ".join(cells(measured(**observed))[0]) == line


def test_a_host_without_the_log_folder_has_none():
    folder = {"bytes": None, "complete": False, "error": "not there"}
    assert cells(measured(log_folder=folder, notes=["no_log_folder"]))[0][-1] == "-"


def test_a_host_that_could_not_be_asked_has_question_marks_and_says_why():
    verdict = measured("ftp", "unknown", "host_unreachable")
    verdict["observed"] = {"status": "unknown", "error": "no route"}
    assert " ".join(cells(verdict)[0]) == "ftp ? ? ? ? ? UNKNOWN - host unreachable"


@pytest.mark.parametrize("odd", ["x", 5, None, [], {"cores": "8", "mounts": [], "log_folder": "much"}])
def test_reports_of_other_shapes_break_nothing(odd):
    verdict = measured()
    verdict["observed"] = odd
    assert len(cells(verdict)) == 1


def test_the_summary_ends_with_the_table():
    trace = Trace(instance=("check_resources", -1), state="success", report=report(measured()))
    summary = summarise(["check_resources"], [trace])
    assert summary_tree(summary)[-3:] == list(summary.resources)
    assert summary.counts() == summarise(["check_resources"], [trace]).counts()
    assert "resources" not in summary.counts()
