"""Airflow's own log lines in words: JSON objects with `timestamp`, `level`, `event`, `logger` and more.

{"timestamp":"2026-11-22T18:35:04.396310Z","level":"info","event":"Done","logger":"task","rows":3}
2026-11-22T18:35:04.396310Z INFO task: Done rows=3
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# Identifiers of the task itself and places in Airflow's code, the same in each of its lines.
_KNOWN = frozenset(
    {"timestamp", "level", "event", "logger", "error_detail", "exception", "filename", "lineno", "loc"}
    | {"dag_id", "task_id", "run_id", "map_index", "try_number", "ti_id"}
)
_LONGEST_VALUE = 200
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_DEEPEST = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A message: its time in UTC (a line without one has that of the line before it), prefix and text."""

    time: datetime
    prefix: str
    text: str


def read_blocks(text: str) -> list[Block]:
    """Return the messages of a log file; lines that are no JSON objects are kept as they are."""
    blocks: list[Block] = []
    time = _BEGINNING
    for line in text.split("\n"):
        if not line.strip():
            continue
        entry = _object(line)
        if entry is None:
            blocks.append(Block(time=time, prefix="", text=line))
            continue
        time = _time(entry.get("timestamp")) or time
        event = _event(entry)
        if event is not None:
            blocks.append(Block(time=time, prefix=_prefix(entry), text=event))
    return blocks


def _object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and "event" in value else None


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(value))
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _prefix(entry: Mapping[str, Any]) -> str:
    words = [str(entry.get("timestamp") or ""), str(entry.get("level") or "").upper()]
    return " ".join([*filter(None, words), f"{_logger(entry.get('logger'))}: "])


def _logger(name: object) -> str:
    """Return a logger's name; an operator's is the path of its class, of which the class says enough."""
    text = str(name or "log")
    return text.rpartition(".")[2] if text.startswith("airflow.task.operators.") else text


def _event(entry: Mapping[str, Any]) -> str | None:
    """Return the message with its further values and what was raised; None for what only ends a fold."""
    event = str(entry["event"])
    if event.startswith("::endgroup::"):
        return None
    event = event.removeprefix("::group::")
    more = [f"{key}={_value(value)}" for key, value in entry.items() if key not in _KNOWN]
    raised = entry.get("error_detail")
    told = [*_raised(raised, 0)] if isinstance(raised, list) else []
    if isinstance(entry.get("exception"), str):
        told += entry["exception"].splitlines()
    return "\n".join([" ".join([event, *more]), *told])


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _raised(chain: list[Any], depth: int) -> Iterator[str]:
    """Yield what was raised as Python prints it, the first cause first; Airflow has it last."""
    errors = [error for error in chain if isinstance(error, dict)]
    for number, error in enumerate(reversed(errors)):
        if number:
            direct = errors[len(errors) - number].get("is_cause")
            yield (
                "The above exception was the direct cause of the following exception:"
                if direct
                else "During handling of the above exception, another exception occurred:"
            )
        yield "Traceback (most recent call last):"
        for frame in _dicts(error.get("frames")):
            yield f'  File "{frame.get("filename")}", line {frame.get("lineno")}, in {frame.get("name")}'
        yield f"{error.get('exc_type')}: {error.get('exc_value')}".removesuffix(": ")
        notes = error.get("exc_notes")
        yield from (str(note) for note in (notes if isinstance(notes, list) else ()))
        if depth < _DEEPEST and isinstance(error.get("exceptions"), list):
            for inner in error["exceptions"]:
                if isinstance(inner, list):
                    yield from (f"  {line}" for line in _raised(inner, depth + 1))


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
