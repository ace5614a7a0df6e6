"""The operators that sweep: a check that fails when something is critical, and the active nodes."""

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowSkipException,
    AirflowTaskTimeout,
    TaskDeferralError,
    TaskDeferralTimeout,
)

from quorate.airflow.explaining import worker_log
from quorate.airflow.files import InventoryFile, inventory_path, read_inventory_file
from quorate.airflow.keys import FAILURE_TYPE, REPORT
from quorate.airflow.outcome import (
    EXPECTED_MODES,
    Expected,
    Outcome,
    outcome_of,
    result_of,
    subject_of,
)
from quorate.airflow.payload import report_without_lines
from quorate.airflow.sweeping import Order, Swept, pack_order, run_sweep, unpack_file, unpack_swept
from quorate.airflow.tasks import critical_failure
from quorate.airflow.text import checked_lines, expected_text, failure_text
from quorate.airflow.trigger import SweepTrigger
from quorate.airflow.viewer import unbracketed
from quorate.inventory import InventoryError, parse_duration
from quorate.model import Inventory, State, TaskInstance
from quorate.outputs.safe import one_line
from quorate.plan import SelectorError, make_plan

_GRACE = timedelta(seconds=30)
"""What a sweep is given beyond its own time before Airflow ends it."""


class HealthCheckError(AirflowException):
    """Something critical was found, or could not be asked; the message is the whole explanation."""


class _NotAskedError(Exception):
    """Nothing could be asked in the triggerer; the message says why."""


class SweepOperator(BaseOperator):
    """Sweeps a part of the cluster in the task's own process or, deferred, in the triggerer.

    `inventory` is a path, looked for beside the DAG file where it is relative; without one it is found as
    the command line finds it. `only` are selectors as on the command line; without one all is swept.
    `timeout` bounds the sweep (`60s`). `deferrable` is what Airflow's `default_deferrable` says unless given.
    """

    def __init__(
        self,
        *,
        inventory: str | os.PathLike[str] | None = None,
        only: str | Sequence[str] = (),
        timeout: str | timedelta = "60s",
        evidence: bool = True,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self.timeout = timeout if isinstance(timeout, timedelta) else _duration(timeout)
        super().__init__(**kwargs)
        if self.execution_timeout is None:
            self.execution_timeout = self.timeout + 2 * _GRACE
        self.inventory = None if inventory is None else os.fspath(inventory)
        self.only = (only,) if isinstance(only, str) else tuple(only)
        self.evidence = evidence
        if deferrable is None:
            deferrable = conf.getboolean("operators", "default_deferrable", fallback=False)
        self.deferrable = deferrable

    def execute(self, context: Context) -> Any:
        """Sweep, or defer to a trigger that does; then conclude."""
        with self.failing(context):
            file = self.inventory_file()
            inventory = file.parse()
            only = self.selectors(inventory)
            if only is None:
                return {}
            order = self._order(context, file, only)
            make_plan(inventory, only)
        if self.deferrable:
            self.defer(
                trigger=SweepTrigger(pack_order(order)),
                method_name="execute_complete",
                timeout=self.timeout + _GRACE,
            )
        with self.failing(context):
            from quorate.airflow.connections import connect_inventory  # noqa: PLC0415  not needed to parse a DAG

            connected, resolve = connect_inventory(inventory)
            swept = asyncio.run(run_sweep(order, connected, resolve))
        return self.conclude(context, swept, order.file)

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> Any:
        """Conclude from what the trigger swept; the inventory is the one that was sent to it."""
        with self.failing(context):
            if "error" in event:
                raise _NotAskedError(str(event["error"]))
            swept, file = unpack_swept(event["swept"]), unpack_file(event["file"])
        return self.conclude(context, swept, file)

    def conclude(self, context: Context, swept: Swept, file: InventoryFile) -> Any:
        """Say what the task makes of what was swept; returns its result or raises."""
        raise NotImplementedError

    def selectors(self, inventory: Inventory) -> tuple[str, ...] | None:  # noqa: ARG002  for those who choose by it
        """Return what is swept of the inventory; None where there is nothing to sweep."""
        return self.only

    def inventory_file(self) -> InventoryFile:
        """Return the inventory as it is now; a mapped operator is made anew far from its DAG file."""
        folder = Path(self.dag.fileloc).parent if is_in_dag(self) else Path.cwd()
        return read_inventory_file(inventory_path(self.inventory, folder))

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on after the trigger, or say why it brought nothing; Airflow's way back into a deferred task."""
        with self.failing(context):
            return super().resume_execution(next_method, next_kwargs, context)

    @contextmanager
    def failing(self, context: Context) -> Iterator[None]:
        """Turn whatever stands in the way of a sweep into one failure that says what it was."""
        try:
            yield
        except (HealthCheckError, AirflowSkipException):
            raise
        except (InventoryError, SelectorError, _NotAskedError) as error:
            why = str(error)
        except TaskDeferralTimeout:
            why = "the triggerer brought no answer in time; does a triggerer run?"
        except TaskDeferralError:
            why = "the trigger failed in the triggerer, whose part of this log says why"
        except AirflowTaskTimeout:
            why = "Airflow's execution_timeout ended it"
        except Exception as error:  # noqa: BLE001  whatever it is, the task must fail and say so
            # The message of an unforeseen exception may hold anything, so only its type is told.
            why = f"a fault in quorate: {type(error).__name__}; please report it"
        else:
            return
        self.before_failing(context, why)
        raise HealthCheckError(_not_asked(self.task_id, why)) from None

    def before_failing(self, context: Context, why: str) -> None:
        """Leave word of why nothing could be asked, before it is raised."""

    def push(self, context: Context, key: str, value: Any) -> None:
        """Push an XCom; where that fails it is printed, since no finding may be lost over it."""
        try:
            context["ti"].xcom_push(key=key, value=value)
        except Exception as error:  # noqa: BLE001  a summary that misses the XCom counts the task as critical
            self.log.warning("the XCom %s could not be pushed: %s", key, type(error).__name__)

    def _order(self, context: Context, file: InventoryFile, only: tuple[str, ...]) -> Order:
        return Order(
            file=file,
            only=only,
            timeout=self.timeout.total_seconds(),
            evidence=self.evidence,
            task=task_instance(context),
        )


def is_in_dag(operator: BaseOperator) -> bool:
    """Tell whether an operator belongs to a DAG; asking it for the DAG would raise."""
    return bool(operator.has_dag())  # type: ignore[no-untyped-call]  # Airflow's own has no types


def _duration(text: str) -> timedelta:
    try:
        return timedelta(seconds=parse_duration(text))
    except ValueError as error:
        raise ValueError(f"timeout={text!r}: {error}") from None


def task_instance(context: Context) -> TaskInstance:
    """Return the identifiers of the task instance that runs."""
    ti = context["ti"]
    return TaskInstance(
        id=str(ti.id),
        dag_id=ti.dag_id,
        task_id=ti.task_id,
        run_id=ti.run_id,
        map_index=-1 if ti.map_index is None else ti.map_index,
        try_number=ti.try_number,
    )


def _not_asked(task: str, why: str) -> str:
    lines = [f"🚨 CRITICAL: {task} could not ask anything", *(f"   {line}" for line in why.splitlines())]
    return "\n".join(unbracketed(line) for line in lines)


class HealthCheckOperator(SweepOperator):
    """Checks a part of the cluster: fails with the whole explanation where anything is critical.

    `expected` says what a passive node's rightful rest makes of the task: `fail`, `skip` or `success`. It is
    marked as expected in each of them, in the XCom `failure_type`. `subject` is what a critical failure is
    named by (`CRITICAL_<SUBJECT>_FAILURE`); without it, the group or check that `only` is of.
    """

    ui_color = "#e6f1f2"

    def __init__(self, *, expected: Expected = "fail", subject: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if expected not in EXPECTED_MODES:
            raise ValueError(f"expected={expected!r}: must be one of {', '.join(EXPECTED_MODES)}")
        self.expected = expected
        self.subject = subject or subject_of(self.only)

    def before_failing(self, context: Context, why: str) -> None:
        """Push the failure type, so that a summary knows what failed even where nothing could be asked."""
        failure_type = critical_failure(self.subject or "cluster")
        self.push(context, FAILURE_TYPE, failure_type)
        self.push(context, REPORT, {"error": why, "failure_type": failure_type})

    def conclude(self, context: Context, swept: Swept, file: InventoryFile) -> dict[str, Any]:
        """Return the result where all is well; raise what was found where it is not."""
        with self.failing(context):
            outcome = outcome_of(swept.report, selected=swept.selected, subject=self.subject)
            for line in checked_lines(swept.report, outcome):
                self.log.info(line)
            report = {
                **report_without_lines(swept.report),
                "failure_type": outcome.failure_type,
                "inventory": file.fingerprint,
            }
            explanation = self._explanation(context, swept, outcome, file) if outcome.is_critical else ""
        if outcome.failure_type is not None:
            self.push(context, FAILURE_TYPE, outcome.failure_type)
        self.push(context, REPORT, report)
        if outcome.is_critical:
            raise HealthCheckError(explanation)
        if outcome.failure_type is not None:
            text = expected_text(self.subject or "cluster")
            if self.expected == "fail":
                raise HealthCheckError(text)
            # Airflow's viewer folds away what a skipped task raises.
            self.log.info(text)
            if self.expected == "skip":
                raise AirflowSkipException(text)
        return result_of(outcome, swept.report)

    def _explanation(self, context: Context, swept: Swept, outcome: Outcome, file: InventoryFile) -> str:
        others = []
        if self.evidence:
            others += [swept.task_logs] if swept.task_logs is not None else []
            others.append(worker_log(task_instance(context), file))
        return failure_text(swept.report, outcome, others)


class ActiveNodesOperator(SweepOperator):
    """Shows which node holds each virtual IP; succeeds whatever it finds, and no other task judges by it."""

    ui_color = "#eef4e8"

    def selectors(self, inventory: Inventory) -> tuple[str, ...] | None:
        """Return the virtual IPs that were chosen, all of the inventory where none was."""
        vips = (f"{group.name}/vip" for group in inventory.groups.values() if group.virtual_ip)
        if found := self.only or tuple(vips):
            return found
        self.log.info("no group of the inventory has a virtual IP")
        return None

    def execute(self, context: Context) -> dict[str, Any]:
        """Look for the active nodes; what stands in the way is printed, for the checks to fail by."""
        try:
            return dict(super().execute(context))
        except HealthCheckError as error:
            return self._not_found(error)

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> dict[str, Any]:
        """Show what the trigger found."""
        try:
            return dict(super().execute_complete(context, event))
        except HealthCheckError as error:
            return self._not_found(error)

    def conclude(self, context: Context, swept: Swept, file: InventoryFile) -> dict[str, Any]:  # noqa: ARG002  as above
        """Return the active node of each active/passive group; print the holders of every virtual IP."""
        for verdict in swept.report.verdicts:
            if verdict.kind != "vip":
                continue
            holders = ", ".join(map(str, verdict.observed.get("holders", ()))) or "nobody that is proven"
            state = "" if verdict.state is State.OK else f" ({verdict.reason.value})"
            self.log.info(one_line(f"{verdict.group}: {verdict.observed.get('address')} → {holders}{state}"))
        return dict(swept.report.active_nodes)

    def _not_found(self, error: HealthCheckError) -> dict[str, Any]:
        for line in str(error).splitlines():
            self.log.warning(line)
        return {}
