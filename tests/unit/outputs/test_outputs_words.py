"""The lines that operators know by heart."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from reports import duplicate_vip, empty, in_maintenance, nominal, passive_unreachable, unit_failed

from quorate.model import Evidence, Reason, State, Verdict
from quorate.outputs.arrange import consequences, sections
from quorate.outputs.logs import framed_logs, logs_body, logs_title
from quorate.outputs.words import facts_words, header, leading, span, unit_line, utc_seconds


def unit(state: State, reason: Reason, **rest: object) -> Verdict:
    base = Verdict(
        id="nfs/nfs-1/lsyncd", kind="unit", unit="lsyncd.service", state=state, reason=reason, summary="s"
    )
    return replace(base, **rest)  # type: ignore[arg-type]  # tests pass fields by name


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (unit(State.OK, Reason.OK), "✅ lsyncd: ACTIVE"),
        (unit(State.OK, Reason.OK, observed={"active_state": "active"}), "✅ lsyncd: ACTIVE"),
        (unit(State.OK, Reason.OK, observed={"active_state": "reloading"}), "✅ lsyncd: RELOADING"),
        (
            unit(State.OK, Reason.OK, notes=("waiting",), observed={"active_state": "inactive"}),
            "✅ lsyncd: WAITING",
        ),
        (unit(State.EXPECTED, Reason.PASSIVE_INACTIVE), "⏸️ lsyncd: NOT ACTIVE (expected)"),
        (
            unit(State.CRITICAL, Reason.FAILED, observed={"active_state": "failed"}),
            "❌ lsyncd: CRITICAL - failed",
        ),
        (
            unit(State.CRITICAL, Reason.INACTIVE, observed={"active_state": "maintenance"}),
            "❌ lsyncd: CRITICAL - maintenance",
        ),
        (unit(State.CRITICAL, Reason.INACTIVE), "❌ lsyncd: CRITICAL - inactive"),
        (unit(State.CRITICAL, Reason.SPLIT_BRAIN), "❌ lsyncd: CRITICAL - SPLIT BRAIN"),
        (unit(State.CRITICAL, Reason.ROLE_MISPLACED), "❌ lsyncd: CRITICAL - SPLIT BRAIN"),
        (unit(State.CRITICAL, Reason.UNIT_NOT_FOUND), "❌ lsyncd: CRITICAL - unit not found"),
        (unit(State.UNKNOWN, Reason.HOST_UNREACHABLE), "❓ lsyncd: UNKNOWN - host unreachable"),
        (unit(State.WARNING, Reason.FAILED_ON_PASSIVE), "⚠️ lsyncd: WARNING - failed on passive"),
        (unit(State.OK, Reason.OK, unit="logrotate.timer"), "✅ logrotate.timer: ACTIVE"),
        (unit(State.OK, Reason.OK, unit=None), "✅ lsyncd: ACTIVE"),
    ],
)
def test_unit_line(verdict: Verdict, line: str) -> None:
    assert unit_line(verdict) == line


@pytest.mark.parametrize(
    ("state", "line"),
    [
        (State.CRITICAL, "🚨 CRITICAL: two words"),
        (State.UNKNOWN, "❓ UNKNOWN: two words"),
        (State.WARNING, "⚠️ WARNING: two words"),
        (State.EXPECTED, "⏸️ EXPECTED: two words"),
        (State.OK, "✅ OK: two words"),
    ],
)
def test_header_is_one_line(state: State, line: str) -> None:
    assert header(unit(state, Reason.OK, summary="two\n words")) == line


def test_leading_words() -> None:
    assert leading(nominal()) == "all well"
    assert leading(empty()) == "nothing was judged"
    assert leading(unit_failed()) == "1 root cause"
    assert leading(passive_unreachable()) == "1 root cause, 4 consequences"
    assert leading(duplicate_vip()) == "2 root causes, 4 consequences"
    assert leading(in_maintenance()) == "1 root cause, 5 in maintenance"
    calm = [v for v in in_maintenance().verdicts if v.state is not State.WARNING]
    assert leading(replace(in_maintenance(), verdicts=tuple(calm))) == "all well, 5 in maintenance"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (48.9, "48 s"),
        (108, "1 min 48 s"),
        (120, "2 min"),
        (3_599, "59 min 59 s"),
        (3_660, "1 h 1 min"),
        (3_601, "1 h"),
        (187_620, "2 d 4 h"),
    ],
)
def test_span(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_moments_are_told_in_utc() -> None:
    there = timezone(timedelta(hours=2))
    assert utc_seconds(datetime(2026, 1, 1, 1, 59, 59, 999_999, there)) == "2025-12-31T23:59:59Z"
    assert utc_seconds(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00Z"


def test_facts_leave_out_what_is_not_known() -> None:
    facts = {"a": None, "b": 0, "c": ["x", "y"], "d": frozenset({"q", "p"}), "e": {"f": True}}
    assert facts_words(facts) == "b=0, c=[x, y], d=[p, q], e={f=yes}"


def test_logs_say_in_place_what_was_not_had() -> None:
    had = Evidence(source="journal", host="nfs-1", unit="lsyncd.service", lines=("one", "two"))
    assert logs_title(had) == "📋 SERVICE LOGS: lsyncd on nfs-1 (last 2 lines)"
    assert logs_body(had) == ["one", "two"]
    none = replace(had, lines=())
    assert logs_title(none) == "📋 SERVICE LOGS: lsyncd on nfs-1"
    assert logs_body(none) == ["(the journal holds no line of this unit)"]
    refused = replace(none, error="sudo: a password\nis required")
    assert logs_body(refused) == ["⚠️ Could not fetch the journal: sudo: a password is required"]
    some = replace(had, error="cut off", note="begins at 02:40", truncated=True)
    assert logs_body(some) == [
        "⚠️ Could not fetch the journal: cut off",
        "(begins at 02:40)",
        "(shortened: not everything that was found is shown)",
        "one",
        "two",
    ]
    other = Evidence(source="airflow", host=None, unit=None, error="no access")
    assert logs_title(other) == "📋 TASK-SPECIFIC AIRFLOW LOGS"
    assert logs_body(other) == ["⚠️ Could not fetch some Airflow logs: no access"]
    strange = Evidence(source="patroni_history", host="postgresql-1", unit=None)
    assert logs_title(strange) == "📋 PATRONI HISTORY: on postgresql-1"
    assert logs_body(strange) == ["(the patroni history holds no line)"]


def test_logs_are_framed_by_rules() -> None:
    had = Evidence(source="journal", host="nfs-1", unit="lsyncd", lines=("one",))
    rule = "─" * 60
    assert framed_logs(had, width=60) == [rule, logs_title(had), rule, "one", rule]


def test_sections_are_in_report_order() -> None:
    assert list(sections(nominal()))[:3] == ["hosts", "haproxy", "nfs"]
    assert list(sections(nominal()))[-2:] == ["postgresql_vip", "rabbitmq_cluster"]
    assert sum(len(verdicts) for verdicts in sections(nominal()).values()) == len(nominal().verdicts)


def test_consequences_are_those_of_the_first_cause() -> None:
    first = unit(State.CRITICAL, Reason.FAILED, id="a")
    chain = [replace(first, id="b", caused_by="a"), replace(first, id="c", caused_by="b")]
    circle = [replace(first, id="x", caused_by="y"), replace(first, id="y", caused_by="x")]
    stray = replace(first, id="z", caused_by="not/in/report")
    report = replace(nominal(), verdicts=(first, *chain, *circle, stray))
    found = consequences(report)
    assert [verdict.id for verdict in found["a"]] == ["b", "c"]
    assert sum(len(verdicts) for verdicts in found.values()) == 5
