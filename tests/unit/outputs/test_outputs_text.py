"""What a person on call reads, and in which order."""

from dataclasses import replace

import pytest
from reports import (
    REPORTS,
    START,
    duplicate_vip,
    hostile,
    isolated,
    journal,
    nominal,
    passive_unreachable,
    unit_failed,
    unknown,
    warnings_only,
)

from quorate.model import Reason, Report, State, Verdict
from quorate.outputs.text import render_text


def test_a_cluster_that_is_well_takes_less_than_a_screen() -> None:
    text = render_text(nominal(), width=80)
    assert len(text.splitlines()) <= 30
    assert text.startswith("✅ airflow-prod: OK - 3 expected, 47 ok\nall well · 14 hosts, 50 verdicts")
    assert "✅ 14 hosts answered" in text
    assert "  nfs-2 (passive)  ⏸️ nfs-server: NOT ACTIVE (expected)\n" in text


def test_causes_come_first_with_evidence_then_the_tree() -> None:
    text = render_text(duplicate_vip())
    parts = [
        "2 root causes, 4 consequences",
        "\n  🚨 CRITICAL: VIP 192.0.2.220",
        "\n  ⚠️ WARNING: keepalived on nfs-2",
        "\n🚨 CRITICAL: VIP 192.0.2.220",
        "📋 SERVICE LOGS: keepalived on nfs-1",
        "Could not fetch the journal: sudo: a password is required",
        "\n⚠️ WARNING: keepalived on nfs-2",
        "evidence of 3 consequences is in -o json",
        "active nodes      nfs → not proven",
        "❌ lsyncd: CRITICAL - SPLIT BRAIN ← nfs/vip",
    ]
    positions = [text.index(part) for part in parts]
    assert positions == sorted(positions)


def test_evidence_that_verdicts_share_is_printed_once() -> None:
    text = render_text(duplicate_vip())
    assert text.count("sudo: a password is required") == 1
    assert "📋 SERVICE LOGS: keepalived on nfs-2: see above, under nfs/vip" in text


def test_evidence_of_consequences_is_counted_but_not_printed() -> None:
    assert "Started lsyncd.service" not in render_text(duplicate_vip())
    assert "evidence of" not in render_text(unit_failed())


def test_long_lines_of_logs_stay_whole() -> None:
    report = unit_failed()
    lines = report.root_causes[0].evidence[0].lines
    assert max(map(len, lines)) > 160
    text = render_text(report, width=80)
    assert all(f"  {line}\n" in text for line in lines)


@pytest.mark.parametrize("width", [40, 80, 100, 200])
@pytest.mark.parametrize("name", ["passive_unreachable", "isolated", "duplicate_vip", "interrupted"])
def test_prose_keeps_to_the_width(name: str, width: int) -> None:
    report = REPORTS[name]()
    evidence = {f"  {line}" for verdict in report.verdicts for e in verdict.evidence for line in e.lines}
    for line in render_text(report, width=width).splitlines():
        headline = line.startswith(("🚨", "❓", "⚠️", "✅", "📋", "   📋", "  "))
        assert len(line) <= width or line in evidence or headline or " " not in line.strip()


def test_age_is_told_relative_to_the_end_of_the_sweep() -> None:
    report = unit_failed()
    assert "since 2026-01-01 02:58:12 UTC (1 min 48 s ago)" in render_text(report)
    assert "(1 min 53 s ago)" in render_text(replace(report, duration=5.0))
    ahead = replace(report.root_causes[0], since=START.replace(hour=4))
    assert "since 2026-01-01 04:00:00 UTC\n" in render_text(replace(report, verdicts=(ahead,)))


def test_expected_is_named_only_where_it_differs() -> None:
    assert "observed address=192.0.2.220, holders=[nfs-1, nfs-2]; expected holders=1" in render_text(
        duplicate_vip()
    )
    warning = render_text(duplicate_vip()).split("\n⚠️ WARNING: keepalived")[1]
    assert "observed" not in warning


@pytest.mark.parametrize("name", REPORTS)
def test_without_colour_there_is_no_control_character(name: str) -> None:
    text = render_text(REPORTS[name]())
    assert [c for c in text if c != "\n" and (ord(c) < 32 or 0x7F <= ord(c) < 0xA0)] == []
    assert text.encode().endswith(b"\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("name", REPORTS)
def test_colour_adds_nothing_but_colour(name: str) -> None:
    report = REPORTS[name]()
    text = render_text(report, colour=True)
    for code in ("1", "2", "31", "32", "33", "35", "0"):
        text = text.replace(f"\x1b[{code}m", "")
    assert text == render_text(report)


def test_states_have_their_colours() -> None:
    assert render_text(duplicate_vip(), colour=True).startswith("\x1b[31m🚨")
    assert render_text(warnings_only(), colour=True).startswith("\x1b[33m⚠️")
    assert render_text(isolated(), colour=True).startswith("\x1b[35m❓")
    calm = render_text(nominal(), colour=True)
    assert calm.startswith("\x1b[32m✅")
    assert "\x1b[2m⏸️ lsyncd: NOT ACTIVE (expected)\x1b[0m" in calm


def test_notes_of_hosts_that_answered_are_told() -> None:
    text = render_text(passive_unreachable())
    assert "❌ nfs-2: CRITICAL - host unreachable" in text
    assert "✅ 13 hosts answered" in text
    assert "   sudo_denied: rabbit-1" in text
    assert "held by nfs-1 [uniqueness_unproven]" in text


def test_a_blind_monitor_does_not_fill_the_screen() -> None:
    text = render_text(isolated())
    assert "❓ 14 hosts: UNKNOWN - monitor isolated ← monitor" in text
    assert "❓ patroni: UNKNOWN - monitor isolated, on 3 hosts ← monitor" in text
    assert "✅" not in text
    assert len(text.splitlines()) < 45


def big(bad: int) -> Report:
    """A group of 300 hosts, one unit each, the first `bad` of them failed."""
    unit = nominal().verdicts[-10]
    failed = {"state": State.CRITICAL, "reason": Reason.FAILED, "observed": {"active_state": "failed"}}

    def one(number: int) -> Verdict:
        host = f"worker-{number}"
        evidence = (journal(host, "airflow-worker", (f"died on {host}",)),)
        verdict = replace(
            unit,
            id=f"celery/{host}/airflow-worker",
            kind="unit",
            group="celery",
            host=host,
            unit="airflow-worker",
            role=None,
            state=State.OK,
            reason=Reason.OK,
            summary=f"airflow-worker on {host}",
            observed={"active_state": "active"},
        )
        return replace(verdict, evidence=evidence, **failed) if number < bad else verdict  # type: ignore[arg-type]  # fields by name

    return replace(nominal(), verdicts=tuple(one(number) for number in range(300)), active_nodes={})


def test_hosts_that_are_alike_share_a_line() -> None:
    assert "celery  ✅ airflow-worker: ACTIVE on 300 hosts\n" in render_text(big(0))
    text = render_text(big(1))
    assert "✅ airflow-worker: ACTIVE on 299 hosts\n" in text
    assert "  worker-0  ❌ airflow-worker: CRITICAL - failed\n" in text


def test_every_root_cause_shows_its_evidence_however_many() -> None:
    text = render_text(big(100))
    assert all(f"  died on worker-{number}\n" in text for number in range(100))


def test_a_group_without_a_line_of_its_own_keeps_its_name() -> None:
    lines = render_text(big(300)).splitlines()
    at = lines.index("celery")
    assert lines[at + 1] == "  worker-0    ❌ airflow-worker: CRITICAL - failed"


def test_long_names_have_a_line_of_their_own() -> None:
    name = "airflow-worker-017.europe-west1.example.com"
    verdict = replace(big(1).verdicts[0], host=name)
    lines = render_text(replace(big(1), verdicts=(verdict, *big(1).verdicts[1:]))).splitlines()
    assert lines[lines.index(f"  {name}") + 1] == "        ❌ airflow-worker: CRITICAL - failed"


def test_a_check_that_broke_through_something_else_says_how() -> None:
    report = unit_failed()
    broken = [
        replace(
            v,
            state=State.CRITICAL,
            reason=Reason.COMMAND_TIMEOUT,
            summary="192.0.2.210:5000 refused the connection",
            caused_by="nfs/nfs-1/lsyncd",
        )
        if v.id == "postgresql_vip"
        else v
        for v in report.verdicts
    ]
    text = render_text(replace(report, verdicts=tuple(broken)))
    assert "❌ CRITICAL - 192.0.2.210:5000 refused the connection ← nfs/nfs-1/lsyncd" in text


def test_many_consequences_are_counted_in_full_and_named_in_part() -> None:
    text = " ".join(render_text(isolated()).split())
    assert "50 consequences: host/haproxy-1, host/haproxy-2," in text
    assert "nfs/vip and 34 more, marked ← below" in text


def test_a_hostile_text_stays_within_its_line() -> None:
    lines = render_text(hostile()).splitlines()
    assert sum(line.startswith("🚨 CRITICAL:") for line in lines) == 1


def test_members_of_a_check_that_are_well_are_left_to_the_check() -> None:
    text = render_text(nominal())
    assert "lets the monitor log in" not in text
    changed = [
        unknown(Reason.SECRET_UNAVAILABLE, "", "x")(v) if v.id == "rabbitmq_cluster/rabbit-2" else v
        for v in nominal().verdicts
    ]
    text = render_text(replace(nominal(), verdicts=tuple(changed)))
    assert "\n  rabbit-2         ❓ UNKNOWN - secret unavailable" in text
