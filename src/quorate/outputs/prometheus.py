"""Text exposition for the textfile collector of Prometheus' node exporter.

Source: Prometheus documentation, "Exposition formats", text format 0.0.4. No sample carries a time stamp,
which that collector refuses; the sweep's own time is a metric.
"""

import math
from collections.abc import Iterable

from quorate.model import Report, State, unit_id
from quorate.outputs.safe import printable

_RANKS = "0 ok, 1 expected, 2 warning, 3 unknown, 4 critical"

Sample = tuple[dict[str, str], float]


def render(report: Report) -> str:
    """Return the sweep as gauges. What changes with a verdict's reason is apart from the gauge of its state.

    `quorate_verdict_state` keeps its labels for as long as the inventory stays as it is, so that it is one
    series; the reason and the cause, whose change makes a new series, are in `quorate_verdict_info`.
    """
    metrics: tuple[tuple[str, str, Iterable[Sample]], ...] = (
        ("quorate_state", f"State of the whole sweep: {_RANKS}.", [({}, report.state.rank)]),
        ("quorate_verdicts", "Verdicts by state.", [({"state": s}, n) for s, n in report.counts.items()]),
        (
            "quorate_root_causes",
            "Verdicts of warning or worse that no other verdict explains.",
            [({}, len(report.root_causes))],
        ),
        (
            "quorate_sweep_timestamp_seconds",
            "When the sweep started, in seconds since 1970.",
            [({}, report.started_at.timestamp())],
        ),
        ("quorate_sweep_duration_seconds", "How long the sweep took.", [({}, report.duration)]),
        (
            "quorate_sweep_interrupted",
            "1 if the sweep was interrupted before everything had answered.",
            [({}, int(report.interrupted))],
        ),
        (
            "quorate_sweep_partial",
            "1 if only a part of the cluster was chosen to be reported.",
            [({}, int(bool(report.only)))],
        ),
        ("quorate_active_node", "1 for the proven active node of a group.", _active_nodes(report)),
        ("quorate_verdict_state", f"State of one verdict: {_RANKS}.", _states(report)),
        (
            "quorate_verdict_info",
            "Why a verdict is warning or worse; always 1.",
            _infos(report),
        ),
        (
            "quorate_verdict_in_maintenance",
            "1 for a verdict that counts for nothing, because it is in maintenance.",
            [({"id": verdict.id}, 1) for verdict in report.verdicts if verdict.in_maintenance],
        ),
        (
            "quorate_maintenance_until_timestamp_seconds",
            "When a declared maintenance ends or ended, in seconds since 1970.",
            _maintenance(report),
        ),
    )
    lines: list[str] = []
    for name, help_text, samples in metrics:
        lines += [f"# HELP {name} {help_text}", f"# TYPE {name} gauge"]
        lines += [_sample(name, {"cluster": report.cluster} | labels, value) for labels, value in samples]
    return "\n".join(lines) + "\n"


def _active_nodes(report: Report) -> list[Sample]:
    return [({"group": group, "host": host}, 1) for group, host in report.active_nodes.items() if host]


def _states(report: Report) -> list[Sample]:
    return [
        (
            {
                "id": verdict.id,
                "group": verdict.group or "",
                "host": verdict.host or "",
                "unit": unit_id(verdict.unit or ""),
                "kind": verdict.kind,
            },
            verdict.state.rank,
        )
        for verdict in report.verdicts
    ]


def _infos(report: Report) -> list[Sample]:
    return [
        (
            {
                "id": verdict.id,
                "state": verdict.state.word,
                "reason": verdict.reason.value,
                "caused_by": verdict.caused_by or "",
            },
            1,
        )
        for verdict in report.verdicts
        if verdict.state.rank >= State.WARNING.rank
    ]


def _maintenance(report: Report) -> list[Sample]:
    # Two entries of one selector would be one series, of which the later end counts.
    ends: dict[str, float] = {}
    for entry in report.maintenance:
        ends[entry.select] = max(entry.until.timestamp(), ends.get(entry.select, -math.inf))
    return [({"select": select}, end) for select, end in ends.items()]


def _sample(name: str, labels: dict[str, str], value: float) -> str:
    inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{name}{{{inner}}} {_number(value)}"


def _escaped(text: str) -> str:
    """Return a label's value: backslash, quote and line feed escaped, other control characters replaced."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return "\\n".join(printable(line) for line in escaped.split("\n"))


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "NaN"
    return str(value) if isinstance(value, int) else f"{value:.6f}".rstrip("0").rstrip(".")
