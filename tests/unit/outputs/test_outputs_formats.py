"""The formats that programs read: JSON, Nagios, JUnit, Prometheus."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from prometheus_client.parser import text_string_to_metric_families
from reports import (
    HOSTILE,
    REPORTS,
    START,
    empty,
    in_maintenance,
    isolated,
    nominal,
    passive_unreachable,
    unit_failed,
)

from quorate.model import Reason, State
from quorate.outputs import FORMATS
from quorate.outputs.arrange import sections
from quorate.outputs.nagios import LIMIT
from quorate.outputs.words import silenced

KEYS = [
    *("id", "group", "host", "kind", "state", "reason", "failure_type", "summary", "since", "notes"),
    *("observed", "expected", "caused_by", "duration_s", "evidence"),
    *("detail", "role", "unit"),
]


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("form", FORMATS)
def test_every_output_is_utf8_and_ends_with_one_newline(name: str, form: str) -> None:
    output = FORMATS[form](REPORTS[name]()).encode("utf-8")
    assert output.endswith(b"\n")
    assert not output.endswith(b"\n\n")


def test_formats_import_nothing_heavy() -> None:
    code = "import sys, quorate.outputs; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert {"rich", "pydantic", "asyncssh", "asyncio", "typer"}.isdisjoint(out.split())


@pytest.mark.parametrize("name", REPORTS)
def test_json_has_every_key_in_order(name: str) -> None:
    report = REPORTS[name]()
    document = json.loads(FORMATS["json"](report))
    assert list(document) == [
        *("schema", "cluster", "started_at", "duration_s", "state", "counts", "active_nodes", "verdicts"),
        *("root_causes", "interrupted", "only", "maintenance"),
    ]
    assert document["schema"] == "quorate.report/1"
    assert list(document["counts"]) == ["ok", "expected", "warning", "unknown", "critical"]
    assert sum(document["counts"].values()) == len(report.verdicts) == len(document["verdicts"])
    for verdict in document["verdicts"]:
        assert list(verdict) == KEYS
        for evidence in verdict["evidence"]:
            assert list(evidence) == ["source", "host", "unit", "lines", "truncated", "error", "note"]


def test_json_values_are_the_contracts() -> None:
    report = unit_failed()
    verdicts = [replace(v, unit=f"{v.unit}.service") if v.unit else v for v in report.verdicts]
    document = json.loads(FORMATS["json"](replace(report, verdicts=tuple(verdicts))))
    assert document["started_at"] == "2026-01-01T03:00:00.123456Z"
    assert document["duration_s"] == 0.412
    assert document["active_nodes"] == {"nfs": "nfs-1"}
    assert document["root_causes"] == ["nfs/nfs-1/lsyncd"]
    assert document["interrupted"] is False
    lsyncd = next(v for v in document["verdicts"] if v["id"] == "nfs/nfs-1/lsyncd")
    assert lsyncd["since"] == "2026-01-01T02:58:12Z"
    assert lsyncd["unit"] == lsyncd["evidence"][0]["unit"] == "lsyncd"
    assert lsyncd["role"] == "active"
    assert lsyncd["failure_type"] == "CRITICAL_NFS_FAILURE"
    assert lsyncd["notes"] == []
    assert document["verdicts"][0]["since"] is None
    whole = json.loads(FORMATS["json"](replace(report, started_at=START.replace(microsecond=0))))
    assert whole["started_at"] == "2026-01-01T03:00:00.000000Z"


def test_what_is_in_maintenance_is_in_every_format_and_alarms_in_none() -> None:
    report = in_maintenance()
    document = json.loads(FORMATS["json"](report))
    assert (document["state"], document["counts"]["critical"]) == ("warning", 1)
    assert document["root_causes"] == ["celery/celery-2/airflow-worker"]
    assert document["maintenance"][0] == {
        "select": "host/nfs-2",
        "until": "2026-01-01T04:00:00Z",
        "reason": "new disks",
        "expired": False,
    }
    assert [entry["expired"] for entry in document["maintenance"]] == [False, False, False, True]
    assert json.loads(FORMATS["json"](nominal()))["maintenance"] == []

    suites = ET.fromstring(FORMATS["junit"](report))
    assert (suites.get("failures"), suites.get("errors"), suites.get("skipped")) == ("0", "0", "5")

    lines = FORMATS["nagios"](report).splitlines()
    assert lines[0].startswith(
        "QUORATE WARNING - airflow-prod: 1 root cause, 5 in maintenance: airflow-worker"
    )
    assert sum(line.startswith("in maintenance: ") for line in lines) == 5
    assert lines[-1].endswith("ended at 2025-12-23 03:00:00 UTC: take it out of the inventory")

    families = {f.name: f.samples for f in text_string_to_metric_families(FORMATS["prometheus"](report))}
    assert families["quorate_state"][0].value == State.WARNING.rank
    assert len(families["quorate_verdict_in_maintenance"]) == 6
    assert [s.labels["select"] for s in families["quorate_maintenance_until_timestamp_seconds"]] == [
        "host/nfs-2",
        "nfs/nfs-2",
        "ftp",
        "rabbitmq",
    ]


def test_json_has_no_word_that_json_has_not() -> None:
    observed: dict[Any, Any] = {
        "nan": float("nan"),
        "inf": float("inf"),
        "minus": float("-inf"),
        "set": frozenset({"b", "a"}),
        "tuple": (1, 2.5, None, True),
        "raw": b"\xff",
        "when": START + timedelta(days=1),
        "state": State.OK,
        "reason": Reason.FAILED,
        "object": 1j,
        7: "key",
    }
    verdict = replace(unit_failed().verdicts[0], observed=observed)
    text = FORMATS["json"](replace(unit_failed(), verdicts=(verdict,), duration=float("nan")))
    document = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert document["duration_s"] is None
    assert document["verdicts"][0]["observed"] == {
        "nan": None,
        "inf": "infinity",
        "minus": "-infinity",
        "set": ["a", "b"],
        "tuple": [1, 2.5, None, True],
        "raw": "\N{REPLACEMENT CHARACTER}",
        "when": "2026-01-02T03:00:00Z",
        "state": "ok",
        "reason": "failed",
        "object": "1j",
        "7": "key",
    }


def test_json_carries_no_escape_sequence() -> None:
    text = FORMATS["json"](REPORTS["hostile"]())
    assert "\\u001b" not in text
    assert "\\u0000" not in text
    assert "🚨" in text


def test_nagios_lines() -> None:
    calm = FORMATS["nagios"](nominal())
    assert calm == (
        "QUORATE OK - airflow-prod: 50 verdicts, all well"
        " | ok=47 expected=3 warning=0 unknown=0 critical=0 duration=0.41s\n"
    )
    first, *rest = FORMATS["nagios"](passive_unreachable()).splitlines()
    assert first == (
        "QUORATE CRITICAL - airflow-prod: 1 root cause, 4 consequences: "
        "nfs-2 (192.0.2.203) could NOT be asked (host unreachable) (host/nfs-2)"
        " | ok=45 expected=0 warning=0 unknown=4 critical=1 duration=5.04s"
    )
    assert (
        rest[0]
        == "CRITICAL: nfs-2 (192.0.2.203) could NOT be asked (host unreachable) (host/nfs-2, host_unreachable)"  # noqa: E501  the line as it is printed
    )
    assert len(rest) == 5
    assert rest[1].endswith("(nfs/nfs-2/nfs-server, host_unreachable, caused by host/nfs-2)")
    assert FORMATS["nagios"](empty()).startswith("QUORATE UNKNOWN - airflow-prod: nothing was judged |")


@pytest.mark.parametrize("name", REPORTS)
def test_nagios_has_one_pipe_and_no_evidence(name: str) -> None:
    report = REPORTS[name]()
    output = FORMATS["nagios"](report)
    assert output.count("|") == 1
    assert "|" in output.splitlines()[0]
    assert not any(line in output for v in report.verdicts for e in v.evidence for line in e.lines)


def test_nagios_is_bounded_and_says_what_it_left_out() -> None:
    output = FORMATS["nagios"](isolated())
    assert LIMIT - 300 < len(output.encode()) <= LIMIT
    kept = len(output.splitlines()) - 2
    assert output.endswith(f"({51 - kept} more lines left out, see the text report)\n")


def test_nagios_keeps_the_figures_whatever_the_summary() -> None:
    report = unit_failed()
    verdicts = tuple(
        replace(v, summary="\N{CROSS MARK}" * 9000, id="i" * 9000) for v in report.verdicts[-22:-20]
    )
    critical = tuple(replace(v, state=State.CRITICAL) for v in verdicts)
    output = FORMATS["nagios"](replace(report, cluster="\N{CROSS MARK}" * 9000, verdicts=critical))
    assert len(output.encode()) <= LIMIT
    assert output.splitlines()[0].endswith("critical=2 duration=0.41s")


@pytest.mark.parametrize("name", REPORTS)
def test_junit_counts_are_those_of_the_report(name: str) -> None:
    report = REPORTS[name]()
    root = ET.fromstring(FORMATS["junit"](report))
    counts = report.counts
    quiet = [v.state for v in silenced(report) if v.state is not State.WARNING]
    expected = {
        "tests": len(report.verdicts),
        "failures": counts["critical"] - quiet.count(State.CRITICAL),
        "errors": counts["unknown"] - quiet.count(State.UNKNOWN),
        "skipped": counts["expected"] + len(quiet),
    }
    assert {key: int(root.attrib[key]) for key in expected} == expected
    for key, number in expected.items():
        assert sum(int(suite.attrib[key]) for suite in root) == number
    assert len(root.findall(".//testcase/failure")) == expected["failures"]
    assert len(root.findall(".//testcase/error")) == expected["errors"]
    assert len(root.findall(".//testcase/skipped")) == expected["skipped"]
    assert len(root.findall(".//testcase/system-out")) == counts["warning"]
    cases = {suite.attrib["name"]: [case.attrib["name"] for case in suite] for suite in root}
    assert cases == {title: [v.id for v in verdicts] for title, verdicts in sections(report).items()}


def test_junit_failure_holds_the_evidence() -> None:
    root = ET.fromstring(FORMATS["junit"](unit_failed()))
    failure = root.find(".//testcase[@name='nfs/nfs-1/lsyncd']/failure")
    assert failure is not None
    assert failure.attrib == {"message": "lsyncd on ACTIVE node nfs-1 is FAILED", "type": "failed"}
    text = failure.text or ""
    assert "📋 SERVICE LOGS: lsyncd on nfs-1 (last 4 lines)" in text
    assert all(line in text for line in unit_failed().root_causes[0].evidence[0].lines)


def test_junit_keeps_markup_as_text() -> None:
    root = ET.fromstring(FORMATS["junit"](REPORTS["hostile"]()))
    message = root.findall(".//failure")[0].attrib["message"]
    assert "<b>&amp;</b>" in message
    assert "]]>" in message


@pytest.mark.parametrize("name", REPORTS)
def test_prometheus_parses_and_tells_the_same(name: str) -> None:
    report = REPORTS[name]()
    families = {f.name: f for f in text_string_to_metric_families(FORMATS["prometheus"](report))}
    assert all(f.documentation and f.type == "gauge" for f in families.values())
    states = families["quorate_verdict_state"].samples
    assert [(s.labels["id"], int(s.value)) for s in states] == [(v.id, v.state.rank) for v in report.verdicts]
    assert all(set(s.labels) == {"cluster", "id", "group", "host", "unit", "kind"} for s in states)
    counts = {s.labels["state"]: int(s.value) for s in families["quorate_verdicts"].samples}
    assert counts == report.counts
    infos = families["quorate_verdict_info"].samples
    assert Counter(s.labels["reason"] for s in infos) == Counter(
        v.reason.value for v in report.verdicts if v.state.rank >= State.WARNING.rank
    )
    single = {name: f.samples[0].value for name, f in families.items() if len(f.samples) == 1}
    assert single["quorate_state"] == report.state.rank
    assert single["quorate_root_causes"] == len(report.root_causes)
    assert single["quorate_sweep_timestamp_seconds"] == pytest.approx(START.timestamp(), abs=1e-5)
    assert single["quorate_sweep_duration_seconds"] == pytest.approx(report.duration)
    assert single["quorate_sweep_interrupted"] == report.interrupted
    assert single["quorate_sweep_partial"] == bool(report.only)
    nodes = [(s.labels["group"], s.labels["host"], s.value) for s in families["quorate_active_node"].samples]
    assert nodes == [(group, host, 1.0) for group, host in report.active_nodes.items() if host]


def test_prometheus_labels_are_escaped() -> None:
    output = FORMATS["prometheus"](REPORTS["hostile"]())
    families = {f.name: f for f in text_string_to_metric_families(output)}
    cluster = families["quorate_state"].samples[0].labels["cluster"]
    assert "\"quoted\" 'it' \\ back\nsecond line" in cluster
    assert cluster != HOSTILE  # what no UTF-8 text can hold is replaced


def test_a_new_reason_makes_no_new_series_of_the_state() -> None:
    def series(reason: Reason) -> set[str]:
        verdict = replace(unit_failed().root_causes[0], reason=reason)
        lines = FORMATS["prometheus"](replace(unit_failed(), verdicts=(verdict,))).splitlines()
        return {line.rpartition(" ")[0] for line in lines if line.startswith("quorate_verdict_state{")}

    assert series(Reason.FAILED) == series(Reason.CRASH_LOOP)


def test_a_root_cause_in_maintenance_says_so_where_it_leads() -> None:
    report = in_maintenance()
    woken = replace(
        report,
        verdicts=tuple(
            replace(v, notes=()) if v.id == "nfs/nfs-2/lsyncd" else v
            for v in report.verdicts
            if v.host != "celery-2"
        ),
    )
    assert [root.id for root in woken.root_causes] == ["host/nfs-2"]
    said = "CRITICAL: nfs-2 (192.0.2.203) could NOT be asked (host unreachable)"
    assert f"\n🔧 in maintenance: 🚨 {said}\n" in FORMATS["text"](woken)
    lines = FORMATS["nagios"](woken).splitlines()
    assert "could NOT be asked (host unreachable) (host/nfs-2, in maintenance) |" in lines[0]
    assert lines[1].startswith(f"in maintenance: {said}")
    assert lines[2].startswith("UNKNOWN: ")
