"""A report as plain data and back: how it travels from the triggerer to the task, and into an XCom."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from quorate.model import DeclaredMaintenance, Evidence, Reason, Report, State, Verdict, unit_id
from quorate.outputs import FORMATS

EVENT_BYTES = 512 * 1024
"""How much of log lines a trigger's event holds at most; it is kept in Airflow's metadata database."""


class EventPayload(dict[str, Any]):
    """What a trigger's event holds; Airflow writes the event into the task's log, where it must be short."""

    def __repr__(self) -> str:
        return "an error" if "error" in self else "what was swept"


_STATES = {state.word: state for state in State}


def report_without_lines(report: Report) -> dict[str, Any]:
    """Return the JSON report (schema `quorate.report/1`) with no log lines, small enough for an XCom."""
    bare = [replace(v, evidence=tuple(replace(e, lines=()) for e in v.evidence)) for v in report.verdicts]
    return _document(replace(report, verdicts=tuple(bare)))


def pack_report(report: Report) -> dict[str, Any]:
    """Return the JSON report with at most EVENT_BYTES of log lines; what is left out is marked."""
    left = EVENT_BYTES
    verdicts = []
    for verdict in report.verdicts:
        kept = []
        for evidence in verdict.evidence:
            size = sum(len(line.encode()) + 1 for line in evidence.lines)
            if size > left:
                kept.append(replace(evidence, lines=_newest(evidence.lines, left), truncated=True))
                left = 0
            else:
                kept.append(evidence)
                left -= size
        verdicts.append(replace(verdict, evidence=tuple(kept)))
    return _document(replace(report, verdicts=tuple(verdicts)))


def _newest(lines: tuple[str, ...], most: int) -> tuple[str, ...]:
    kept: list[str] = []
    for line in reversed(lines):
        most -= len(line.encode()) + 1
        if most < 0:
            break
        kept.append(line)
    return tuple(reversed(kept))


def _document(report: Report) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(FORMATS["json"](report))
    return document


def unpack_report(document: Mapping[str, Any]) -> Report:
    """Return the report of a document that `pack_report` made."""
    return Report(
        cluster=document["cluster"],
        started_at=datetime.fromisoformat(document["started_at"]),
        duration=document["duration_s"],
        verdicts=tuple(_verdict(entry) for entry in document["verdicts"]),
        active_nodes=document["active_nodes"],
        interrupted=document["interrupted"],
        only=tuple(document["only"]),
        maintenance=tuple(_maintenance(entry) for entry in document.get("maintenance", ())),
    )


def _maintenance(entry: Mapping[str, Any]) -> DeclaredMaintenance:
    until = datetime.fromisoformat(entry["until"]).astimezone(UTC)
    return DeclaredMaintenance(
        select=entry["select"], until=until, reason=entry["reason"], expired=entry["expired"]
    )


def _verdict(entry: Mapping[str, Any]) -> Verdict:
    since = entry["since"]
    return Verdict(
        id=entry["id"],
        kind=entry["kind"],
        state=_STATES[entry["state"]],
        reason=Reason(entry["reason"]),
        summary=entry["summary"],
        group=entry["group"],
        host=entry["host"],
        unit=entry["unit"],
        role=entry["role"],
        detail=entry["detail"],
        since=datetime.fromisoformat(since).astimezone(UTC) if since else None,
        notes=tuple(entry["notes"]),
        observed=entry["observed"],
        expected=entry["expected"],
        caused_by=entry["caused_by"],
        duration=entry["duration_s"],
        evidence=tuple(unpack_evidence(each) for each in entry["evidence"]),
    )


def pack_evidence(evidence: Evidence) -> dict[str, Any]:
    """Return evidence as plain data."""
    return {
        "source": evidence.source,
        "host": evidence.host,
        "unit": None if evidence.unit is None else unit_id(evidence.unit),
        "lines": list(evidence.lines),
        "truncated": evidence.truncated,
        "error": evidence.error,
        "note": evidence.note,
    }


def unpack_evidence(entry: Mapping[str, Any]) -> Evidence:
    """Return the evidence of what `pack_evidence` or the JSON report made of it."""
    return Evidence(
        source=entry["source"],
        host=entry["host"],
        unit=entry["unit"],
        lines=tuple(entry["lines"]),
        truncated=entry["truncated"],
        error=entry["error"],
        note=entry["note"],
    )
