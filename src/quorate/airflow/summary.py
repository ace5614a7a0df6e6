"""What became of a run's check tasks, counted: successful, critical, expected. Nothing here does I/O."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quorate.airflow.outcome import EXPECTED_FAILURE
from quorate.airflow.resources_table import resources_table
from quorate.model import MAINTENANCE

Instance = tuple[str, int]
"""A task's id and its map index, -1 where it is not mapped."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """What a check task left behind.

    `state` is Airflow's word of it, None where it has not ended or never was. `failure_type` and `report`
    are its XComs, None where there are none.
    """

    instance: Instance
    state: str | None
    failure_type: object = None
    report: object = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """A check task that counts as failed, and why in one line."""

    task: str
    failure_type: str | None
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """The counts of a run: `total` = `success` + critical + expected; warnings by verdict id.

    `resources` are the lines of the hosts' table, none where no check measures them.
    """

    total: int
    critical: tuple[Failure, ...] = ()
    expected: tuple[Failure, ...] = ()
    warnings: Mapping[str, str] = field(default_factory=dict)
    resources: tuple[str, ...] = ()

    @property
    def success(self) -> int:
        """How many check tasks are well."""
        return self.total - self.total_failed

    @property
    def total_failed(self) -> int:
        """How many check tasks are not, expected or critical."""
        return len(self.critical) + len(self.expected)

    def counts(self) -> dict[str, int]:
        """Return the counts as they stand in the summary's XCom."""
        return {
            "total": self.total,
            "success": self.success,
            "total_failed": self.total_failed,
            "critical_failures": len(self.critical),
            "expected_failures": len(self.expected),
            "warnings": len(self.warnings),
        }


def summarise(
    declared: Sequence[str],
    traces: Iterable[Trace],
    *,
    fingerprint: str | None = None,
    fault: str | None = None,
) -> Summary:
    """Count what became of the declared check tasks.

    A task is well only if it succeeded and reported so. It is expected to fail only if it says exactly that.
    Everything else is critical: also what never ran, was skipped by accident, or reported nothing. With a
    `fingerprint`, so is what was asked by another inventory than the one that the summary knows. `fault` is
    what is wrong with the inventory, which explains what never ran.
    """
    found: dict[str, list[Trace]] = {}
    for trace in traces:
        found.setdefault(trace.instance[0], []).append(trace)
    counted = [
        trace
        for task in dict.fromkeys(declared)
        for trace in found.get(task) or [Trace(instance=(task, -1), state=None)]
    ]
    critical, expected = [], []
    warnings: dict[str, str] = {}
    for trace in counted:
        warnings |= _warnings(trace.report)
        name = _name(trace.instance)
        why = _fault(trace, fingerprint, fault)
        if why is not None:
            told = trace.failure_type if isinstance(trace.failure_type, str) else None
            critical.append(Failure(task=name, failure_type=told, why=why))
        elif trace.failure_type == EXPECTED_FAILURE:
            expected.append(Failure(task=name, failure_type=EXPECTED_FAILURE, why="rightly passive"))
    return Summary(
        total=len(counted),
        critical=tuple(critical),
        expected=tuple(expected),
        warnings=warnings,
        resources=tuple(resources_table(trace.report for trace in counted)),
    )


def _name(instance: Instance) -> str:
    task, index = instance
    return task if index < 0 else f"{task}[{index}]"


def _fault(trace: Trace, fingerprint: str | None, fault: str | None) -> str | None:
    """Return why a task counts as critical; None where it is well, or failed as expected."""
    report = trace.report if isinstance(trace.report, Mapping) else None
    if trace.state is None and fault is not None:
        return f"the inventory can't be used: {' '.join(fault.split())}"
    if trace.state is None:
        return "never ended: it did not run, or its end was not seen"
    if trace.failure_type is not None and trace.failure_type != EXPECTED_FAILURE:
        return _headline(report) or f"reported {trace.failure_type!s}"
    if trace.state not in ("success", "failed", "skipped"):
        return f"is {trace.state}: it never asked anything"
    if trace.failure_type is None and trace.state == "failed":
        return "failed without saying why: its process was killed, timed out, or could not start"
    if trace.failure_type is None and trace.state == "skipped":
        return "was skipped without having asked anything"
    if report is None:
        return f"is {trace.state}, but left no report"
    if "error" in report:
        return _headline(report)
    if fingerprint is not None and report.get("inventory") != fingerprint:
        return "was asked by another inventory than the summary knows: the file was changed during the run"
    return None


def _headline(report: Mapping[str, Any] | None) -> str | None:
    """Return the summary of a report's first root cause, and how many there are beside it.

    A check that could ask nothing has an error in the place of a report.
    """
    if report is None:
        return None
    if isinstance(error := report.get("error"), str):
        return f"could not ask anything: {' '.join(error.split())}"
    by_id = {v.get("id"): v for v in _verdicts(report)}
    roots = [by_id[i] for i in report.get("root_causes", []) if i in by_id]
    if not roots:
        return None
    more = f" (and {len(roots) - 1} more)" if len(roots) > 1 else ""
    return f"{roots[0].get('summary')}{more}"


def _warnings(report: object) -> dict[str, str]:
    if not isinstance(report, Mapping):
        return {}
    return {str(v.get("id")): f"{v.get('summary')}" for v in _verdicts(report) if _warns(v)}


def _warns(verdict: Mapping[str, Any]) -> bool:
    notes = verdict.get("notes")
    return verdict.get("state") == "warning" and not (isinstance(notes, list) and MAINTENANCE in notes)


def _verdicts(report: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    verdicts = report.get("verdicts")
    return iter([v for v in verdicts if isinstance(v, Mapping)] if isinstance(verdicts, list) else [])


def summary_tree(summary: Summary) -> list[str]:
    """Return the summary as lines: the counts as a tree, then what is behind each of them."""
    lines = [
        f"✅ Successful: {summary.success}",
        f"❌ Total Failed: {summary.total_failed}",
        f"   ├─ Critical Failures: {len(summary.critical)}",
        f"   └─ Expected Passive Failures: {len(summary.expected)}",
    ]
    if summary.warnings:
        lines.append(f"⚠️ Warnings: {len(summary.warnings)}")
    lines += [f"🚨 {f.task}: {f.failure_type or 'no failure type'} - {f.why}" for f in summary.critical]
    lines += [f"⏸️ {f.task}: {f.failure_type}" for f in summary.expected]
    lines += [f"⚠️ {verdict}: {said}" for verdict, said in summary.warnings.items()]
    lines += summary.resources
    return lines
