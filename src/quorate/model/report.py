"""What a sweep found: verdicts, the evidence behind them, and the report that holds them all."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from quorate.model.state import Reason, State

MAINTENANCE = "maintenance"
"""The note of a verdict that counts for nothing, because someone works on what it is about."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Lines of a log that explain a verdict, oldest first, cleaned and masked.

    `error` says why lines could not be fetched; no lines and no error means that there are none.
    `note` says what a reader should know of the lines, such as where a volatile journal begins.
    """

    source: str
    host: str | None
    unit: str | None
    lines: tuple[str, ...] = ()
    truncated: bool = False
    error: str | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskInstance:
    """The identifiers of one running Airflow task instance, by which its traces in other logs are found.

    `id` is new at each try. `map_index` is -1 for a task that is not mapped.
    """

    id: str
    dag_id: str
    task_id: str
    run_id: str
    map_index: int = -1
    try_number: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """One judged thing. `role` is "active" or "passive" in active/passive groups where proven, else None.

    `detail` is what a person should read beyond the summary, such as an error's text.
    `since` is UTC; `duration` in seconds is how long the answer took.
    """

    id: str
    kind: str
    state: State
    reason: Reason
    summary: str
    group: str | None = None
    host: str | None = None
    unit: str | None = None
    role: str | None = None
    detail: str | None = None
    since: datetime | None = None
    notes: tuple[str, ...] = ()
    observed: Mapping[str, Any] = field(default_factory=dict)
    expected: Mapping[str, Any] = field(default_factory=dict)
    caused_by: str | None = None
    duration: float = 0.0
    evidence: tuple[Evidence, ...] = ()

    @property
    def in_maintenance(self) -> bool:
        """Whether it counts neither for a state nor for an alarm, whatever its own state is."""
        return MAINTENANCE in self.notes

    @property
    def failure_type(self) -> str | None:
        """The classification that a run's summary counts by; None where nothing failed."""
        if self.state is State.EXPECTED:
            return "EXPECTED_PASSIVE_INACTIVE"
        if self.state in (State.CRITICAL, State.UNKNOWN):
            return f"CRITICAL_{upper_snake(self.group or self.kind)}_FAILURE"
        return None


def upper_snake(name: str) -> str:
    """Return a name as it stands in a failure type: upper case, other characters than A-Z, 0-9 as `_`."""
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredMaintenance:
    """An entry for maintenance as a sweep found it: which verdicts, until when, and whether that is over."""

    select: str
    until: datetime
    reason: str | None = None
    expired: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The outcome of one sweep; verdicts in report order. `duration` in seconds, `started_at` in UTC.

    `only` are the selectors that chose what is reported; empty for a report of the whole cluster.
    `maintenance` are all entries that are declared, those that are over included.
    """

    cluster: str
    started_at: datetime
    duration: float
    verdicts: tuple[Verdict, ...]
    active_nodes: Mapping[str, str | None] = field(default_factory=dict)
    interrupted: bool = False
    only: tuple[str, ...] = ()
    maintenance: tuple[DeclaredMaintenance, ...] = ()

    @property
    def state(self) -> State:
        """The worst state of a verdict that is not in maintenance; UNKNOWN where nothing was judged."""
        if not self.verdicts:
            return State.UNKNOWN
        return worst_state(self.verdicts)

    @property
    def counts(self) -> dict[str, int]:
        """How many verdicts there are of each state."""
        counts = {s.word: 0 for s in State}
        for verdict in self.verdicts:
            counts[verdict.state.word] += 1
        return counts

    @property
    def root_causes(self) -> tuple[Verdict, ...]:
        """Verdicts of WARNING or worse without a cause, worst first, then in report order.

        One that is in maintenance is among them only if it explains one that is not.
        """
        blamed = self._blamed()
        roots = [
            v
            for v in self.verdicts
            if v.state.rank >= State.WARNING.rank
            and v.caused_by is None
            and (not v.in_maintenance or v.id in blamed)
        ]
        return tuple(sorted(roots, key=lambda v: -v.state.rank))

    def _blamed(self) -> set[str]:
        """Return the ids of what explains a verdict that counts, directly or through others."""
        by_id = {v.id: v for v in self.verdicts}
        blamed: set[str] = set()
        for verdict in self.verdicts:
            cause = None if verdict.in_maintenance else verdict.caused_by
            while cause is not None and cause not in blamed:
                blamed.add(cause)
                cause = by_id[cause].caused_by if cause in by_id else None
        return blamed


def worst_state(verdicts: Iterable[Verdict]) -> State:
    """Return the worst state of those verdicts that are not in maintenance; OK where there are none."""
    return max((v.state for v in verdicts if not v.in_maintenance), key=lambda s: s.rank, default=State.OK)
