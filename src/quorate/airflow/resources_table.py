"""The hosts' resources as lines of a table, out of the reports that check tasks left behind."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from quorate.airflow.viewer import unbracketed
from quorate.model.resources import percent_words, size_words
from quorate.outputs.safe import one_line

_HEAD = ("host", "cores", "CPU", "memory", "disk", "log folder", "")
_RIGHT = frozenset({1, 2, 3, 4, 5})
_WIDEST = 40


def resources_table(reports: Iterable[object]) -> list[str]:
    """Return a table of the hosts in these reports that were measured; no lines where none was.

    What is not known is `?`, what was not asked for or is not there `-`; of several disks the fullest stands.
    """
    rows = {str(verdict["host"]): _row(verdict) for verdict in _measured(reports)}
    if not rows:
        return []
    table = [_HEAD, *rows.values()]
    widths = [max(len(row[at]) for row in table) for at in range(len(_HEAD))]
    lines = [
        "   "
        + "  ".join(
            word.rjust(width) if at in _RIGHT else word.ljust(width)
            for at, (word, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    return ["🖥️ Resources", *(unbracketed(line) for line in lines)]


def _measured(reports: Iterable[object]) -> Iterator[Mapping[str, Any]]:
    for report in reports:
        verdicts = report.get("verdicts") if isinstance(report, Mapping) else None
        for verdict in verdicts if isinstance(verdicts, list) else ():
            if isinstance(verdict, Mapping) and verdict.get("kind") == "resources" and verdict.get("host"):
                yield verdict


def _row(verdict: Mapping[str, Any]) -> tuple[str, ...]:
    seen = verdict.get("observed")
    observed: Mapping[str, Any] = seen if isinstance(seen, Mapping) else {}
    state = str(verdict.get("state"))
    cores = observed.get("cores")
    return (
        _cut(str(verdict["host"])),
        str(cores) if isinstance(cores, int) else "?",
        _percent(observed.get("cpu_percent")),
        _percent(observed.get("memory_used_percent")),
        _disk(observed.get("mounts")),
        _folder(observed.get("log_folder", "?" if "mounts" not in observed else None), verdict.get("notes")),
        "" if state == "ok" else f"{state.upper()} - {str(verdict.get('reason')).replace('_', ' ')}",
    )


def _cut(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"


def _percent(value: object) -> str:
    return percent_words(value) if isinstance(value, int | float) else "?"


def _disk(mounts: object) -> str:
    if not isinstance(mounts, Mapping):
        return "?"
    used = {
        str(path): float(disk["used_percent"])
        for path, disk in mounts.items()
        if isinstance(disk, Mapping) and isinstance(disk.get("used_percent"), int | float)
    }
    if not used:
        return "?" if mounts else "-"
    fullest = max(used, key=lambda path: used[path])
    return f"{_cut(fullest)} {percent_words(used[fullest])}"


def _folder(folder: object, notes: object) -> str:
    if folder is None or (isinstance(notes, list) and "no_log_folder" in notes):
        return "-"
    size = folder.get("bytes") if isinstance(folder, Mapping) else None
    if not isinstance(folder, Mapping) or not isinstance(size, int):
        return "?"
    return size_words(size) if folder.get("complete") else f"at least {size_words(size)}"
