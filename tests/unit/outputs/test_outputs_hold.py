"""No text that a host, a log or a person can produce breaks a renderer."""

import json
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from quorate.model import DeclaredMaintenance, Evidence, Reason, Report, State, Verdict
from quorate.outputs import FORMATS
from quorate.outputs.nagios import LIMIT
from quorate.outputs.text import render_text

# Every code point, lone surrogates included, and more often those that formats trip over.
NASTY = st.sampled_from([*"\x00\x1b\n\r\t\\\"|{}<>&]=,#'\x85\x9b\u2028\u202e\ufffe\ufeff", "\ud800", "🚨"])
TEXT = st.text(NASTY | st.characters(), max_size=30)
MAYBE = st.none() | TEXT
VALUES = st.recursive(
    TEXT | st.floats() | st.integers() | st.none() | st.booleans() | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  hypothesis wants naive bounds
EVIDENCE = st.builds(
    Evidence,
    source=TEXT,
    host=MAYBE,
    unit=MAYBE,
    lines=st.lists(TEXT, max_size=2).map(tuple),
    truncated=st.booleans(),
    error=MAYBE,
    note=MAYBE,
)
VERDICTS = st.builds(
    Verdict,
    id=TEXT,
    kind=st.sampled_from(["host", "vip", "failover", "unit", "monitor", "postgresql"]),
    state=st.sampled_from(State),
    reason=st.sampled_from(Reason),
    summary=TEXT,
    group=MAYBE,
    host=MAYBE,
    unit=MAYBE,
    role=st.sampled_from(["active", "passive", None]),
    detail=MAYBE,
    since=st.none() | MOMENTS,
    notes=st.lists(st.just("maintenance") | TEXT, max_size=1).map(tuple),
    observed=st.dictionaries(TEXT, VALUES, max_size=2),
    expected=st.dictionaries(TEXT, VALUES, max_size=2),
    caused_by=MAYBE,
    duration=st.floats(0, 100),
    evidence=st.lists(EVIDENCE, max_size=1).map(tuple),
)
REPORTS = st.builds(
    Report,
    cluster=TEXT,
    started_at=MOMENTS,
    duration=st.floats(0, 1000),
    verdicts=st.lists(VERDICTS, max_size=4).map(tuple),
    active_nodes=st.dictionaries(TEXT, MAYBE, max_size=2),
    interrupted=st.booleans(),
    maintenance=st.lists(
        st.builds(DeclaredMaintenance, select=TEXT, until=MOMENTS, reason=MAYBE, expired=st.booleans()),
        max_size=2,
    ).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(report=REPORTS, width=st.integers(1, 200), colour=st.booleans())
def test_any_report_can_be_rendered(report: Report, width: int, colour: bool) -> None:
    outputs = {name: render(report) for name, render in FORMATS.items()}
    outputs["coloured"] = render_text(report, width=width, colour=colour)
    for output in outputs.values():
        assert output.encode("utf-8").endswith(b"\n")
    assert not any(ord(c) < 32 and c not in "\n\t" for c in outputs["text"])

    document = json.loads(outputs["json"])
    assert len(document["verdicts"]) == len(report.verdicts)

    root = ET.fromstring(outputs["junit"].encode())
    assert len(root.findall("testsuite/testcase")) == len(report.verdicts)

    families = {f.name: f for f in text_string_to_metric_families(outputs["prometheus"])}
    assert len(families["quorate_verdict_state"].samples) == len(report.verdicts)

    assert outputs["nagios"].count("|") == 1
    assert len(outputs["nagios"].encode()) <= LIMIT
