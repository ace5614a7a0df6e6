"""What a sweep found: verdicts, the evidence behind them, and the report that holds them all."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from quorate.model.state import Reason, State


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
class Report:
    """The outcome of one sweep; verdicts in report order. `duration` in seconds, `started_at` in UTC.

    `only` are the selectors that chose what is reported; empty for a report of the whole cluster.
    """

    cluster: str
    started_at: datetime
    duration: float
    verdicts: tuple[Verdict, ...]
    active_nodes: Mapping[str, str | None] = field(default_factory=dict)
    interrupted: bool = False
    only: tuple[str, ...] = ()

    @property
    def state(self) -> State:
        """The worst verdict's state; UNKNOWN where nothing was judged."""
        return max((v.state for v in self.verdicts), key=lambda s: s.rank, default=State.UNKNOWN)

    @property
    def counts(self) -> dict[str, int]:
        """How many verdicts there are of each state."""
        counts = {s.word: 0 for s in State}
        for verdict in self.verdicts:
            counts[verdict.state.word] += 1
        return counts

    @property
    def root_causes(self) -> tuple[Verdict, ...]:
        """Verdicts of WARNING or worse without a cause, worst first, then in report order."""
        roots = [v for v in self.verdicts if v.state.rank >= State.WARNING.rank and v.caused_by is None]
        return tuple(sorted(roots, key=lambda v: -v.state.rank))
