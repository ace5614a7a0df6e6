"""What a check task prints and raises: a line a unit, and the four parts of a failure's explanation."""

from collections.abc import Iterator, Sequence

from quorate.airflow.outcome import Outcome
from quorate.airflow.viewer import unbracketed
from quorate.model import Evidence, Report, State, Verdict
from quorate.outputs.logs import framed_logs
from quorate.outputs.safe import one_line
from quorate.outputs.words import LINE_SYMBOLS, facts_words, header, reason_words, unit_line, utc_words

WIDTH = 80
MOST_BYTES = 400 * 1024
"""How long an explanation gets at most; Airflow keeps it in the task's log and gives it to callbacks."""


def checked_lines(report: Report, outcome: Outcome) -> list[str]:
    """Return one line for each thing that was checked, under a title for each host."""
    lines: list[str] = []
    title = None
    for verdict in outcome.verdicts:
        at = _title(verdict)
        if at != title and at is not None:
            lines.append(at)
        title = at
        indent = "  " if at is not None else ""
        lines.append(indent + _line(verdict))
        lines += [f"{indent}   {verdict.unit or verdict.id}: {one_line(note)}" for note in verdict.notes]
    lines += [f"cause, held by another task: {header(v)}" for v in _held_elsewhere(report, outcome)]
    return [unbracketed(line) for line in lines]


def _held_elsewhere(report: Report, outcome: Outcome) -> list[Verdict]:
    """Return the verdicts that the report has as causes alone, which another task holds."""
    held = {v.id for v in outcome.verdicts}
    return [v for v in report.verdicts if v.id not in held]


def _title(verdict: Verdict) -> str | None:
    if verdict.kind != "unit" or verdict.host is None:
        return None
    role = f" ({verdict.role.upper()} node)" if verdict.role else ""
    return f"{one_line(verdict.host)}{role}"


def _line(verdict: Verdict) -> str:
    if verdict.kind == "unit":
        return unit_line(verdict)
    if verdict.state is State.OK:
        return f"{LINE_SYMBOLS[State.OK]} {one_line(verdict.summary)}"
    words = f"{verdict.state.word.upper()} - {reason_words(verdict)}"
    return f"{LINE_SYMBOLS[verdict.state]} {one_line(verdict.id)}: {words}"


def expected_text(subject: str) -> str:
    """Return the sentence of a failure that is none: a passive node's services rest."""
    return f"⏸️ EXPECTED: Passive {subject.upper()} node services are correctly NOT ACTIVE"


def failure_text(report: Report, outcome: Outcome, others: Sequence[Evidence] = ()) -> str:
    """Return a critical failure's explanation in four parts.

    The headers of all that is critical, in inventory order, each with what is known of it; the service logs
    behind them; then `others`: the task-specific Airflow logs and this task's own worker log.
    """
    if not outcome.verdicts:
        return "❓ UNKNOWN: nothing was judged, so nothing is known to be well"
    parts = [*_headers(report, outcome), *_service_logs(outcome)]
    for evidence in others:
        parts += ["", *framed_logs(evidence, width=WIDTH)]
    return _bounded([unbracketed(line) for line in parts])


def _headers(report: Report, outcome: Outcome) -> Iterator[str]:
    for verdict in outcome.critical:
        yield header(verdict)
        yield from (f"   {line}" for line in _known(verdict))
    for verdict in _held_elsewhere(report, outcome):
        yield f"   cause: {header(verdict)} - {one_line(verdict.id)}"
    for verdict in outcome.warnings:
        yield header(verdict)


def _known(verdict: Verdict) -> Iterator[str]:
    since = [f"since {utc_words(verdict.since)}"] if verdict.since is not None else []
    cause = [f"caused by {one_line(verdict.caused_by)}"] if verdict.caused_by else []
    yield " · ".join([one_line(verdict.id), verdict.reason.value, *since, *verdict.notes, *cause])
    if verdict.caused_by and verdict.kind == "unit":
        return  # its host or its VIP tells the rest
    yield from (one_line(line) for line in (verdict.detail or "").splitlines() if line.strip())
    if verdict.kind == "unit":
        seen = facts_words(verdict.observed) or "nothing"
        yield f"observed {seen}; expected {facts_words(verdict.expected)}"


def _service_logs(outcome: Outcome) -> Iterator[str]:
    shown: set[tuple[str, str | None, str | None]] = set()
    for verdict in (*outcome.critical, *outcome.warnings):
        for evidence in verdict.evidence:
            # One journal explains several verdicts; it is printed once.
            name = (evidence.source, evidence.host, evidence.unit)
            if name not in shown:
                shown.add(name)
                yield from ("", *framed_logs(evidence, width=WIDTH))


def _bounded(lines: Sequence[str]) -> str:
    """Return the lines as text that is not longer than MOST_BYTES; its beginning is what matters most."""
    kept: list[str] = []
    left = MOST_BYTES
    for number, line in enumerate(lines):
        left -= len(line.encode()) + 1
        if left < 0:
            kept.append(f"… {len(lines) - number} more lines are left out; `quorate check` prints them all")
            break
        kept.append(line)
    return "\n".join(kept)
