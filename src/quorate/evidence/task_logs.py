"""Which lines of Airflow's own services speak of one task instance. Source: the logs of Airflow 3.3.

A line belongs to a task instance if it holds

    its id                                            scheduler, API server, worker: `ti_id=01a2048a-43c7-…`
    the Celery id that a worker's line ties to it     `[7f0e…] Executing workload in Celery: … ti=…01a2048a-…`
    its run, its task and its DAG, all of them        `<TaskInstance: nightly.load manual__2026-… [queued]>`

The last only where the line does not name another task as the one that it speaks of (`task_id=other`): ours
may then stand in it as a mere word.

Identifiers are fixed strings, never patterns, and bounded: where an identifier could go on, there is another
one (`task_1` in `task_10`, `789` in `1789012`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from quorate.evidence.journal import Entry, evidence_from_journal
from quorate.evidence.masking import Mask
from quorate.model import Evidence, TaskInstance

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_BRACKETED = re.compile(rf"\[({_UUID})\]")
_WORKLOAD = re.compile(r"\bti[\"']?[=:]")
_MAP_INDEX = re.compile(r"\bmap_index[\"']?\s{0,4}[=:]\s{0,4}[\"']?(-?[0-9]{1,9})\b")
_TASK_ID = re.compile(r"\btask_id[\\\"']{0,2}\s{0,4}[=:]\s{0,4}[\\\"']{0,2}([\w.-]+)")
_INSTANCE = re.compile(r"<TaskInstance: ([\w.-]+)")
# What joins words within an identifier. Source: Airflow's rules for keys, and allowed_run_id_pattern.
_KEY_JOINS = ".-"
_RUN_JOINS = ".-~:+"
_READ_JOINS = 4
_MOST_TIED = 32
_MOST_TOLD = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundEntry:
    """A message of a journal and where it was found; `source` is `scheduler-2 airflow-scheduler[123]`."""

    time: datetime
    source: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """Entries as `evidence_from_journal` takes them."""

    entries: Sequence[Entry]
    error: str | None
    skipped: int = 0


def find_entries(journals: Mapping[str, Sequence[Entry]], task: TaskInstance) -> tuple[FoundEntry, ...]:
    """Return the entries that belong to a task instance, each once, in time order; journals by host.

    Entries of the same time stay in the order of the hosts and of their journals.
    """
    tied = _tied(_messages(journals), task.id)
    found = {
        FoundEntry(time=entry.time, source=f"{host} {entry.source}", message=entry.message): None
        for host, entries in journals.items()
        for entry in entries
        if belongs(entry.message, task, tied)
    }
    return tuple(sorted(found, key=lambda entry: entry.time))


def evidence_of_task(
    entries: Sequence[FoundEntry],
    *,
    failed: Mapping[str, str],
    lines: int,
    mask: Mask,
    note: str | None = None,
) -> Evidence:
    """Return the last lines of what was found, as `2026-…Z scheduler-2 airflow-scheduler[123]: message`.

    `failed` are the hosts whose journals could not be had, or not all of them, and why.
    """
    found = _Found(entries=entries, error=_told(failed))
    evidence = evidence_from_journal(found, host="", unit="", mask=mask, note=note, lines=lines)
    return replace(evidence, source="airflow", host=None, unit=None)


def belongs(text: str, task: TaskInstance, tied: Iterable[str] = ()) -> bool:
    """Tell whether a line speaks of a task instance; `tied` are ids under which Celery knows it."""
    if any(stands(text, identifier, _KEY_JOINS) for identifier in (task.id, *tied)):
        return True
    if not stands(text, task.run_id, _RUN_JOINS):
        return False
    together = stands(text, f"{task.dag_id}.{task.task_id}", _KEY_JOINS)
    apart = stands(text, task.dag_id, _KEY_JOINS) and stands(text, task.task_id, _KEY_JOINS)
    told = _MAP_INDEX.findall(text)
    return (together or apart) and (not told or str(task.map_index) in told) and not _is_anothers(text, task)


def _is_anothers(text: str, task: TaskInstance) -> bool:
    """Tell whether a line names other tasks as those that it speaks of, and not this one."""
    named = {f"{task.dag_id}.{name.rstrip(_KEY_JOINS)}" for name in _TASK_ID.findall(text)}
    named |= {name.rstrip(_KEY_JOINS) for name in _INSTANCE.findall(text)}
    return bool(named) and f"{task.dag_id}.{task.task_id}".rstrip(_KEY_JOINS) not in named


def stands(text: str, identifier: str, joins: str) -> bool:
    """Tell whether an identifier stands in a text as a whole.

    It does not where letters, digits or `_` go on at either end, be it behind some of the characters that
    join words within an identifier: `task_1` is not in `a.task_1`, but it is in `failed: task_1.`
    """
    start = text.find(identifier) if identifier else -1
    while start >= 0:
        end = start + len(identifier)
        before = text[max(0, start - _READ_JOINS - 1) : start].rstrip(joins)[-1:]
        after = text[end : end + _READ_JOINS + 1].lstrip(joins)[:1]
        if not _in_word(before) and not _in_word(after):
            return True
        start = text.find(identifier, start + 1)
    return False


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _messages(journals: Mapping[str, Sequence[Entry]]) -> Iterator[str]:
    return (entry.message for entries in journals.values() for entry in entries)


def _tied(messages: Iterable[str], identifier: str) -> tuple[str, ...]:
    """Return the ids under which Celery knows a task instance, by the lines that name both."""
    tied: dict[str, None] = {}
    for text in messages:
        if len(tied) < _MOST_TIED and identifier in text and stands(text, identifier, _KEY_JOINS):
            head = text[: text.find(identifier)]
            workload = _WORKLOAD.search(head)
            if workload:
                tied |= dict.fromkeys(_BRACKETED.findall(head, 0, workload.start()))
    return tuple(tied)[:_MOST_TIED]


def _told(failed: Mapping[str, str]) -> str | None:
    """Return in one sentence which hosts could not be had; those with the same reason together."""
    by_reason: dict[str, list[str]] = {}
    for host, why in failed.items():
        by_reason.setdefault(why[:_MOST_TOLD], []).append(host)
    return "; ".join(f"{', '.join(hosts)}: {why}" for why, hosts in by_reason.items()) or None
