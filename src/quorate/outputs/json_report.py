"""The JSON report, schema `quorate.report/1`: keys are added, never removed and never changed in meaning."""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from quorate.model import DeclaredMaintenance, Evidence, Report, State, Verdict, unit_id
from quorate.outputs.safe import writable
from quorate.outputs.words import utc_seconds

SCHEMA = "quorate.report/1"


def render(report: Report) -> str:
    """Return the report as JSON, indented by two, characters beyond ASCII unescaped."""
    document = {
        "schema": SCHEMA,
        "cluster": report.cluster,
        "started_at": f"{report.started_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z",
        "duration_s": _seconds(report.duration),
        "state": report.state.word,
        "counts": report.counts,
        "active_nodes": report.active_nodes,
        "verdicts": [_verdict(verdict) for verdict in report.verdicts],
        "root_causes": [verdict.id for verdict in report.root_causes],
        "interrupted": report.interrupted,
        "only": report.only,
        "maintenance": [_maintenance(entry) for entry in report.maintenance],
    }
    return json.dumps(plain(document), ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "id": verdict.id,
        "group": verdict.group,
        "host": verdict.host,
        "kind": verdict.kind,
        "state": verdict.state.word,
        "reason": verdict.reason.value,
        "failure_type": verdict.failure_type,
        "summary": verdict.summary,
        "since": utc_seconds(verdict.since) if verdict.since else None,
        "notes": verdict.notes,
        "observed": verdict.observed,
        "expected": verdict.expected,
        "caused_by": verdict.caused_by,
        "duration_s": _seconds(verdict.duration),
        "evidence": [_evidence(evidence) for evidence in verdict.evidence],
        "detail": verdict.detail,
        "role": verdict.role,
        "unit": _unit(verdict.unit),
    }


def _maintenance(entry: DeclaredMaintenance) -> dict[str, Any]:
    return {
        "select": entry.select,
        "until": utc_seconds(entry.until),
        "reason": entry.reason,
        "expired": entry.expired,
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "source": evidence.source,
        "host": evidence.host,
        "unit": _unit(evidence.unit),
        "lines": evidence.lines,
        "truncated": evidence.truncated,
        "error": evidence.error,
        "note": evidence.note,
    }


def _unit(name: str | None) -> str | None:
    return None if name is None else unit_id(name)


def _seconds(seconds: float) -> float:
    return round(seconds, 3)


def plain(value: Any) -> Any:
    """Return a value as JSON has it; what JSON has no word for is null (NaN), a word, or its text.

    Infinities are `infinity` and `-infinity`, as systemd writes them; sets become sorted lists.
    """
    match value:
        case None | bool() | int():
            return value
        case State():
            return value.word
        case Enum():
            return plain(value.value)
        case str():
            return writable(value)
        case float():
            return value if math.isfinite(value) else _not_finite(value)
        case datetime():
            return utc_seconds(value)
        case bytes():
            return writable(value.decode("utf-8", "replace"))
        case Mapping():
            return {writable(str(key)): plain(item) for key, item in value.items()}
        case set() | frozenset():
            return sorted((plain(item) for item in value), key=str)
        case Iterable():
            return [plain(item) for item in value]
        case _:
            return writable(str(value))


def _not_finite(value: float) -> str | None:
    if math.isnan(value):
        return None
    return "infinity" if value > 0 else "-infinity"
