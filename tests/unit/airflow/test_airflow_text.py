"""What a check task prints and raises."""

from dataclasses import replace

from made import failed, passive, report, verdict

from quorate.airflow.outcome import outcome_of
from quorate.airflow.text import MOST_BYTES, checked_lines, expected_text, failure_text
from quorate.model import Evidence, Reason, Report, State

TASK_LOGS = Evidence(
    source="airflow", host=None, unit=None, lines=("2026-01-01T03:00:00Z scheduler-2 x: ti",)
)
OWN_LOG = Evidence(source="worker", host=None, unit=None, lines=("2026-01-01T03:00:00Z INFO x: asked",))


def text(swept: Report, *others: Evidence) -> str:
    return failure_text(swept, outcome_of(swept, selected=None, subject="nfs"), others)


def test_one_line_a_unit_under_its_host():
    swept = report(
        verdict(
            "nfs/nfs-1/nfs-server",
            role="active",
            observed={"active_state": "active"},
            notes=("no_process",),
        ),
        failed(),
        passive("nfs/nfs-2/nfs-server"),
        verdict("nfs/nfs-2/lsyncd", State.CRITICAL, Reason.SPLIT_BRAIN, role="passive"),
    )
    assert checked_lines(swept, outcome_of(swept, selected=None, subject="nfs")) == [
        "nfs-1 (ACTIVE node)",
        "  ✅ nfs-server: ACTIVE",
        "     nfs-server: no_process",
        "  ❌ lsyncd: CRITICAL - failed",
        "nfs-2 (PASSIVE node)",
        "  ⏸️ nfs-server: NOT ACTIVE (expected)",
        "  ❌ lsyncd: CRITICAL - SPLIT BRAIN",
    ]


def test_the_four_parts_stand_in_order():
    found = text(report(failed()), TASK_LOGS, OWN_LOG)
    parts = [
        "🚨 CRITICAL: lsyncd on ACTIVE node nfs-1 is FAILED",
        "📋 SERVICE LOGS",
        "📋 TASK-SPECIFIC AIRFLOW LOGS",
        "📋 THIS TASK'S WORKER LOG",
    ]
    places = [found.index(part) for part in parts]
    assert places == sorted(places)
    assert "no space left" in found[places[1] : places[2]]


def test_every_title_stands_between_rules():
    lines = text(report(failed()), TASK_LOGS, OWN_LOG).splitlines()
    titles = [at for at, line in enumerate(lines) if line.startswith("📋")]
    assert len(titles) == 3
    assert all(set(lines[at - 1]) == set(lines[at + 1]) == {"─"} for at in titles)


def test_all_messages_come_first_in_inventory_order():
    second = failed("nfs/nfs-1/nfs-server", summary="nfs-server on ACTIVE node nfs-1 is FAILED")
    found = text(report(second, failed()))
    assert found.index("nfs-server on") < found.index("lsyncd on") < found.index("SERVICE LOGS")


def test_logs_that_could_not_be_had_are_said_so_in_place():
    nothing = Evidence(source="airflow", host=None, unit=None, error="scheduler-2: connection refused")
    found = text(report(failed()), nothing)
    assert "Could not fetch some Airflow logs: scheduler-2: connection refused" in found
    assert "no space left" in found


def test_a_journal_that_explains_two_verdicts_is_printed_once():
    found = text(report(failed(), failed("nfs/nfs-1/nfs-server")))
    assert found.count("no space left") == 1


def test_expected_failures_and_what_is_well_are_no_part_of_the_explanation():
    found = text(report(failed(), passive(), verdict("nfs/nfs-1/keepalived")))
    assert "nfs-2" not in found
    assert "keepalived" not in found


def test_warnings_stand_behind_what_is_critical():
    warning = verdict("nfs/nfs-1/a", State.WARNING, Reason.MASKED)
    found = text(report(warning, failed()))
    assert found.index("🚨 CRITICAL") < found.index("⚠️ WARNING: nfs/nfs-1/a")


def test_the_cause_of_a_failure_is_named():
    cause = verdict("host/nfs-1", State.CRITICAL, Reason.HOST_UNREACHABLE)
    unit = failed(caused_by="host/nfs-1")
    swept = report(cause, unit)
    found = failure_text(swept, outcome_of(swept, selected={unit.id}, subject="nfs"))
    assert "caused by host/nfs-1" in found
    assert "cause: 🚨 CRITICAL: host/nfs-1 is host_unreachable" in found


def test_no_line_begins_with_a_bracket_which_the_log_viewer_takes_for_a_time():
    lines = ("[2026-01-01] scheduler says", "  [x] y", "fine")
    unit = failed(evidence=(Evidence(source="journal", host="nfs-1", unit="lsyncd", lines=lines),))
    found = text(report(unit), replace(OWN_LOG, lines=("[INFO] own",)))
    assert not [line for line in found.splitlines() if line.lstrip().startswith("[")]
    assert "2026-01-01] scheduler says" in found


def test_an_explanation_is_bounded_and_says_what_it_leaves_out():
    lines = ("x" * 1000,) * 2000
    unit = failed(evidence=(Evidence(source="journal", host="nfs-1", unit="lsyncd", lines=lines),))
    found = text(report(unit))
    assert len(found.encode()) < MOST_BYTES + 200
    assert "more lines are left out" in found.splitlines()[-1]


def test_the_text_of_an_expected_failure():
    assert expected_text("nfs") == "⏸️ EXPECTED: Passive NFS node services are correctly NOT ACTIVE"
