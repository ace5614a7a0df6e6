"""How a verdict is put in words: the same on the command line, in Airflow and in every other front."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from quorate.model import DeclaredMaintenance, Reason, Report, State, Verdict, unit_id
from quorate.outputs.safe import one_line

SYMBOLS = {
    State.OK: "✅",
    State.EXPECTED: "⏸️",
    State.WARNING: "⚠️",
    State.UNKNOWN: "❓",
    State.CRITICAL: "🚨",
}
"""The symbol before a header."""

LINE_SYMBOLS = SYMBOLS | {State.CRITICAL: "❌"}
"""The symbol before a line of a list."""


def header(verdict: Verdict) -> str:
    """Return a verdict's headline, such as `🚨 CRITICAL: lsyncd on ACTIVE node nfs-1 is FAILED`."""
    return f"{SYMBOLS[verdict.state]} {verdict.state.word.upper()}: {one_line(verdict.summary)}"


def unit_line(verdict: Verdict) -> str:
    """Return the one line of a unit, such as `✅ nfs-server: ACTIVE` or `❌ lsyncd: CRITICAL - failed`."""
    name = one_line(unit_id(verdict.unit or verdict.id.rpartition("/")[2]))
    return f"{LINE_SYMBOLS[verdict.state]} {name}: {_unit_words(verdict)}"


def _unit_words(verdict: Verdict) -> str:
    if verdict.state is State.OK:
        # Not every unit that is well is active: one that its socket or timer will start is inactive.
        if "waiting" in verdict.notes:
            return "WAITING"
        return _active_state(verdict).upper() or "ACTIVE"
    if verdict.state is State.EXPECTED:
        return "NOT ACTIVE (expected)"
    return f"{verdict.state.word.upper()} - {reason_words(verdict)}"


def reason_words(verdict: Verdict) -> str:
    """Return what follows the dash: systemd's own word where that says it, else the reason with spaces.

    A unit that runs where it must not is `SPLIT BRAIN`, whether it runs on the active node too or not.
    """
    if verdict.kind == "unit" and verdict.state is State.CRITICAL:
        if verdict.reason in (Reason.SPLIT_BRAIN, Reason.ROLE_MISPLACED):
            return "SPLIT BRAIN"
        if verdict.reason in (Reason.INACTIVE, Reason.FAILED):
            return _active_state(verdict) or verdict.reason.value
    return verdict.reason.value.replace("_", " ")


def _active_state(verdict: Verdict) -> str:
    observed = verdict.observed.get("active_state")
    return one_line(observed) if isinstance(observed, str) else ""


def facts_words(facts: Mapping[str, Any]) -> str:
    """Return what was observed or expected on one line: `active_state=failed, result=exit-code`."""
    return one_line(", ".join(f"{key}={_value(value)}" for key, value in facts.items() if value is not None))


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, set | frozenset):
        return _value(sorted(value, key=str))
    if isinstance(value, Mapping):
        return "{" + facts_words(value) + "}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 root cause` or `7 consequences`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def cluster_words(report: Report) -> str:
    """Return the cluster's name, with what was chosen of it where the report is not of the whole."""
    chosen = f" (only {', '.join(report.only)})" if report.only else ""
    return one_line(report.cluster + chosen)


def leading(report: Report) -> str:
    """Return the words that a report leads with: `1 root cause, 7 consequences`, or `all well`.

    What is not well, but in maintenance, is counted apart.
    """
    if not report.verdicts:
        return "nothing was judged"
    roots = len(report.root_causes)
    consequences = sum(v.caused_by is not None and not v.in_maintenance for v in report.verdicts)
    words = [counted(roots, "root cause")] if roots or consequences else ["all well"]
    words += [counted(consequences, "consequence")] if consequences else []
    quiet = len(silenced(report))
    return ", ".join([*words, f"{quiet} in maintenance"] if quiet else words)


def silenced(report: Report) -> list[Verdict]:
    """Return the verdicts of WARNING or worse that are in maintenance, in report order."""
    return [v for v in report.verdicts if v.in_maintenance and v.state.rank >= State.WARNING.rank]


def maintenance_words(entry: DeclaredMaintenance) -> str:
    """Return what is to be known of an entry for maintenance, and what to do about one that is over."""
    until, why = utc_words(entry.until), f" ({one_line(entry.reason)})" if entry.reason else ""
    if entry.expired:
        return f"maintenance of {one_line(entry.select)}{why} ended at {until}: take it out of the inventory"
    return f"maintenance of {one_line(entry.select)}{why} until {until}"


def utc_seconds(moment: datetime) -> str:
    """Return a moment in UTC as `2026-01-01T00:00:00Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def utc_words(moment: datetime) -> str:
    """Return a moment in UTC as `2026-01-01 00:00:00 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def span(seconds: float) -> str:
    """Return a length of time in its two greatest units, such as `1 min 48 s` or `2 d 4 h`."""
    rest = int(seconds)
    parts = []
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        number, rest = divmod(rest, size)
        parts.append((number, name))
    first = next((at for at, (number, _) in enumerate(parts) if number), len(parts) - 1)
    return " ".join(f"{number} {name}" for number, name in parts[first : first + 2] if number) or "0 s"
