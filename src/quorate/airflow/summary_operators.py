"""The operators that end a health DAG: the summary of its check tasks, and the final verdict on the run."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from airflow.sdk import BaseOperator, Context, TriggerRule

from quorate.airflow.keys import CRITICAL_COUNT, CRITICAL_TASKS, FAILURE_TYPE, REPORT
from quorate.airflow.links import FirstFailureLink
from quorate.airflow.operators import HealthCheckError, HealthCheckOperator, is_in_dag
from quorate.airflow.summary import Failure, Summary, Trace, summarise, summary_tree


class HealthSummaryOperator(BaseOperator):
    """Counts what became of a run's check tasks; fails for none of them, only where they can't be read.

    `checks` are the check tasks or their ids: all that should have reported. With `fingerprint`, a check that
    was asked by another inventory counts as critical, and so does one that the run has and `checks` no longer
    names. `fault` is why the inventory can't be used. Reads states and XComs only, no metadata database.
    """

    ui_color = "#f3ecd9"

    def __init__(
        self,
        *,
        checks: Sequence[str | BaseOperator],
        fingerprint: str | None = None,
        fault: str | None = None,
        **kwargs: Any,
    ) -> None:
        # It has to run whatever became of the checks, also where a DAG's default arguments say otherwise.
        kwargs["trigger_rule"] = TriggerRule.ALL_DONE
        super().__init__(**kwargs)
        self.checks = tuple(check if isinstance(check, str) else check.task_id for check in checks)
        self.fingerprint = fingerprint
        self.fault = fault

    def execute(self, context: Context) -> dict[str, int]:
        """Print the tree, push what is critical, return the counts."""
        ti: Any = context["ti"]
        summary = self.summarise(ti)
        for line in summary_tree(summary):
            self.log.info(line)
        ti.xcom_push(key=CRITICAL_COUNT, value=len(summary.critical))
        ti.xcom_push(key=CRITICAL_TASKS, value=[failure.task for failure in summary.critical])
        return summary.counts()

    def summarise(self, ti: Any) -> Summary:
        """Count what the check tasks of a run have left behind by now."""
        # The inventory may have been changed since the run began, and declare some of its checks no more.
        whole_run = self.fingerprint is not None or self.fault is not None
        traces = list(_traces(ti, self.checks, others=whole_run))
        checks = (*self.checks, *(trace.instance[0] for trace in traces))
        return summarise(checks, traces, fingerprint=self.fingerprint, fault=self.fault)


def _traces(ti: Any, checks: Collection[str], *, others: bool) -> Iterator[Trace]:
    for ended in ti.get_task_breadcrumbs(dag_id=ti.dag_id, run_id=ti.run_id):
        task, index = ended["task_id"], ended["map_index"]
        if task not in checks and not (others and ended["operator"] == HealthCheckOperator.__name__):
            continue
        state = None if ended["state"] is None else str(getattr(ended["state"], "value", ended["state"]))
        report = ti.xcom_pull(task_ids=task, key=REPORT, map_indexes=index)
        # What succeeded says in its report how; Airflow logs an error for each XCom that is not there.
        failure_type = (
            report.get(FAILURE_TYPE)
            if state == "success" and isinstance(report, dict)
            else ti.xcom_pull(task_ids=task, key=FAILURE_TYPE, map_indexes=index)
        )
        yield Trace(instance=(task, index), state=state, failure_type=failure_type, report=report)


class FinalStatusOperator(BaseOperator):
    """Fails the run where anything critical was found, or where the summary is missing or makes no sense."""

    ui_color = "#f6d9d5"
    operator_extra_links = (FirstFailureLink(),)

    def __init__(self, *, summary: str = "health_summary", **kwargs: Any) -> None:
        # A run is a success if its last task is, so this one has to run, and to speak, in every case.
        kwargs["trigger_rule"] = TriggerRule.ALL_DONE
        super().__init__(**kwargs)
        self.summary = summary

    def execute(self, context: Context) -> None:
        """Raise unless the summary of this very run says that nothing is critical."""
        ti: Any = context["ti"]
        ended = list(ti.get_task_breadcrumbs(dag_id=ti.dag_id, run_id=ti.run_id))
        states = [
            str(getattr(e["state"], "value", e["state"])) for e in ended if e["task_id"] == self.summary
        ]
        if states != ["success"]:
            state = states[0] if states else "missing"
            raise HealthCheckError(
                f"🚨 CRITICAL: the summary of this run is {state}, so nothing is known to be well"
            )
        count = ti.xcom_pull(task_ids=self.summary, key=CRITICAL_COUNT, map_indexes=-1)
        counts = ti.xcom_pull(task_ids=self.summary, map_indexes=-1)
        if not isinstance(count, int) or not _makes_sense(counts, count):
            raise HealthCheckError("🚨 CRITICAL: the summary left no counts, so nothing is known to be well")
        critical = self._recounted(ti, counts)
        if count:
            tasks = ti.xcom_pull(task_ids=self.summary, key=CRITICAL_TASKS, map_indexes=-1) or []
            said = f"🚨 CRITICAL: {count} of {counts['total']} checks failed: {', '.join(map(str, tasks))}"
            raise HealthCheckError("\n".join([said, *(f"   {f.task}: {f.why}" for f in critical)]))
        self.log.info(
            "✅ nothing critical: %s of %s checks well, %s rightly passive, %s warnings",
            counts["success"],
            counts["total"],
            counts["expected_failures"],
            counts["warnings"],
        )

    def _recounted(self, ti: Any, counts: Mapping[str, int]) -> tuple[Failure, ...]:
        """Return what is critical by now; raise where that is not what the summary counted."""
        summary = self.dag.task_dict.get(self.summary) if is_in_dag(self) else None
        if not isinstance(summary, HealthSummaryOperator):
            return ()
        now = summary.summarise(ti)
        if now.counts() != counts:
            named = ", ".join(f"{failure.task} ({failure.why})" for failure in now.critical) or "none"
            raise HealthCheckError(
                "🚨 CRITICAL: the summary of this run is older than its checks; clear it with them. "
                f"Critical by now: {named}"
            )
        return now.critical


def _makes_sense(counts: object, critical: int) -> bool:
    if not isinstance(counts, dict):
        return False
    names = ("total", "success", "total_failed", "critical_failures", "expected_failures", "warnings")
    if not all(isinstance(counts.get(name), int) for name in names):
        return False
    failed = counts["critical_failures"] + counts["expected_failures"]
    return bool(
        counts["critical_failures"] == critical
        and counts["total_failed"] == failed
        and counts["total"] == counts["success"] + failed
        and counts["total"] > 0
    )
