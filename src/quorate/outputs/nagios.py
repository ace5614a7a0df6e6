"""One line for Nagios, Icinga and their kin, with performance data and long output.

Source: Monitoring Plugins Development Guidelines, chapters "Plugin Output" and "Performance data".
"""

import math

from quorate.model import Report, State, Verdict
from quorate.outputs.safe import one_line, shorten
from quorate.outputs.words import (
    cluster_words,
    counted,
    leading,
    maintenance_words,
    silenced,
    utc_seconds,
)

LIMIT = 4096
"""Bytes of the whole output: what NRPE and the classic core carry without cutting it themselves."""

_RESERVE = 80  # bytes kept for the line that says how much was left out


def render(report: Report) -> str:
    """Return the status line, then a line for each root cause and each consequence, within LIMIT bytes.

    Below them is what is in maintenance, and which maintenance is over.
    """
    roots = report.root_causes
    text = f"QUORATE {_word(report.state)} - {_clean(cluster_words(report), 200)}: {_lead(report)}"
    lines = [f"{text} | {_figures(report)}"]
    lines += [_line(verdict) for verdict in roots]
    lines += [
        _line(verdict)
        for verdict in report.verdicts
        if verdict.caused_by is not None
        and verdict.state.rank >= State.WARNING.rank
        and not verdict.in_maintenance
    ]
    lines += [_line(verdict) for verdict in silenced(report) if verdict not in roots]
    lines += [_clean(maintenance_words(entry), 300) for entry in report.maintenance if entry.expired]
    return _bounded(lines)


def _word(state: State) -> str:
    return State.OK.word.upper() if state is State.EXPECTED else state.word.upper()


def _lead(report: Report) -> str:
    lead = leading(report)
    if report.interrupted:
        lead = f"interrupted, {lead}"
    if not report.root_causes:
        return f"{counted(len(report.verdicts), 'verdict')}, {lead}" if report.verdicts else lead
    worst = report.root_causes[0]
    quiet = ", in maintenance" if worst.in_maintenance else ""
    return f"{lead}: {_clean(worst.summary, 300)} ({_clean(worst.id, 200)}{quiet})"


def _figures(report: Report) -> str:
    counts = report.counts
    order = (State.OK, State.EXPECTED, State.WARNING, State.UNKNOWN, State.CRITICAL)
    figures = [f"{state.word}={counts[state.word]}" for state in order]
    # `U` is the guidelines' word for a value that could not be determined.
    duration = f"{report.duration:.2f}s" if math.isfinite(report.duration) else "U"
    return " ".join([*figures, f"duration={duration}"])


def _line(verdict: Verdict) -> str:
    facts = [_clean(verdict.id, 200), verdict.reason.value]
    if verdict.since:
        facts.append(f"since {utc_seconds(verdict.since)}")
    if verdict.caused_by is not None:
        facts.append(f"caused by {_clean(verdict.caused_by, 200)}")
    quiet = "in maintenance: " if verdict.in_maintenance else ""
    return f"{quiet}{verdict.state.word.upper()}: {_clean(verdict.summary, 300)} ({', '.join(facts)})"


def _clean(text: str, limit: int) -> str:
    """Return text on one line and without a pipe, behind which performance data would begin."""
    return shorten(one_line(text).replace("|", "/"), limit)


def _bounded(lines: list[str]) -> str:
    kept: list[str] = []
    size = 0
    for at, line in enumerate(lines):
        size += len(line.encode()) + 1
        room = LIMIT if at == len(lines) - 1 else LIMIT - _RESERVE
        if size > room:
            kept.append(f"({counted(len(lines) - at, 'more line')} left out, see the text report)")
            break
        kept.append(line)
    return "\n".join(kept) + "\n"
