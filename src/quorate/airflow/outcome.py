"""What a check task makes of its report: how it is classified, and what it returns. Nothing here does I/O."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from quorate.airflow.tasks import critical_failure
from quorate.model import Report, State, Verdict, worst_state
from quorate.outputs.json_report import plain

EXPECTED_FAILURE = "EXPECTED_PASSIVE_INACTIVE"
"""The one failure type that is no problem: a summary counts every other one as critical."""

Expected = Literal["fail", "skip", "success"]
EXPECTED_MODES: tuple[str, ...] = get_args(Expected)

_NOT_OF_CHECKS = frozenset({"host", "vip", "failover", "unit", "monitor"})
_NOT_SECTIONS = frozenset({"host", "monitor"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """A task's verdicts by what they mean for it; `failure_type` is None where the task is well.

    `verdicts` are those that the task holds; the report may hold others, which are named as their causes.
    Those in maintenance are neither critical nor expected nor warnings, whatever their state is.
    """

    failure_type: str | None
    state: State
    verdicts: tuple[Verdict, ...]
    critical: tuple[Verdict, ...] = ()
    expected: tuple[Verdict, ...] = ()
    warnings: tuple[Verdict, ...] = ()

    @property
    def is_critical(self) -> bool:
        """Whether the task has to fail."""
        return self.failure_type is not None and self.failure_type != EXPECTED_FAILURE


def outcome_of(report: Report, *, selected: Collection[str] | None, subject: str | None) -> Outcome:
    """Classify the verdicts that were selected, all where `selected` is None.

    CRITICAL and UNKNOWN are critical, and so is a report without a verdict: what was not judged is not well.
    `subject` is what the failure is named by; without it, it is named as the worst verdict names it.
    """
    verdicts = tuple(v for v in report.verdicts if selected is None or v.id in selected)
    counting = [v for v in verdicts if not v.in_maintenance]
    critical = tuple(v for v in counting if v.state in (State.CRITICAL, State.UNKNOWN))
    expected = tuple(v for v in counting if v.state is State.EXPECTED)
    failure_type = None
    if critical or not verdicts:
        failure_type = _critical_failure(critical, subject)
    elif expected:
        failure_type = EXPECTED_FAILURE
    return Outcome(
        failure_type=failure_type,
        state=worst_state(verdicts) if verdicts else State.UNKNOWN,
        verdicts=verdicts,
        critical=critical,
        expected=expected,
        warnings=tuple(v for v in counting if v.state is State.WARNING),
    )


def _critical_failure(critical: Sequence[Verdict], subject: str | None) -> str:
    if subject is not None:
        return critical_failure(subject)
    worst = max(critical, key=lambda v: v.state.rank, default=None)
    return (worst.failure_type if worst else None) or critical_failure("cluster")


def subject_of(only: Sequence[str]) -> str | None:
    """Return the one group or check that all selectors are of; `host` where all are of hosts; else None."""
    first = {selector.partition("/")[0] for selector in only}
    sections = first - _NOT_SECTIONS
    if len(sections) == 1:
        return sections.pop()
    return "host" if first == {"host"} else None


def result_of(outcome: Outcome, report: Report) -> dict[str, Any]:
    """Return what a task that is well returns: a check's own result, or what was counted of a group.

    `status` is `healthy`, or `degraded` where there are warnings.
    """
    status = "degraded" if outcome.warnings else "healthy"
    of_check = [v for v in outcome.verdicts if v.kind not in _NOT_OF_CHECKS]
    whole = [v for v in of_check if v.id == v.group]
    if len(whole) == 1 and all(v.group == whole[0].group for v in of_check):
        return {"status": status, **plain(whole[0].observed)}
    counts = {state.word: sum(v.state is state for v in outcome.verdicts) for state in State}
    nodes = {group: node for group, node in report.active_nodes.items() if _concerns(group, outcome)}
    return {"status": status, "counts": counts, "active_nodes": nodes}


def _concerns(group: str, outcome: Outcome) -> bool:
    return any(v.group == group for v in outcome.verdicts)
