"""One sweep inside Airflow: in a task's process, or in the triggerer."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from quorate.airflow.files import InventoryFile
from quorate.airflow.keeping import kept_transport
from quorate.airflow.payload import pack_evidence, pack_report, unpack_evidence, unpack_report
from quorate.model import Evidence, Host, Inventory, Report, Secret, State, TaskInstance
from quorate.plan import make_plan

Resolve = Callable[[Secret], str]

_FAILED = (State.CRITICAL, State.UNKNOWN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What is to be swept for one task, as values that can travel to the triggerer; `timeout` in seconds."""

    file: InventoryFile
    only: tuple[str, ...]
    timeout: float
    evidence: bool
    task: TaskInstance


@dataclass(frozen=True, kw_only=True, slots=True)
class Swept:
    """A report, the ids that were selected (None for all), and what other logs hold of the task."""

    report: Report
    selected: frozenset[str] | None
    task_logs: Evidence | None = None


async def run_sweep(order: Order, inventory: Inventory, resolve: Resolve, *, keep: bool = False) -> Swept:
    """Sweep once within the order's time; SelectorError where a selector matches nothing.

    Where something is critical, the logs of schedulers and workers are searched for the task as well. With
    `keep`, connections stay open for the next sweep of the same inventory in this process.
    """
    # Loading SSH and database libraries takes a third of a second, which the triggerer's loop must not wait.
    engine, transports = await asyncio.to_thread(_load)
    plan = make_plan(inventory, order.only)
    limits = engine.Limits(deadline=asyncio.get_running_loop().time() + order.timeout)
    way = (
        kept_transport(order.file.source, inventory.hosts, resolve, partial(_transport, transports))
        if keep
        else _transport(transports, inventory.hosts, resolve)
    )
    async with way as transport:
        report = await engine.sweep(
            inventory, transport, plan, limits=limits, evidence=order.evidence, resolve=resolve
        )
        task_logs = None
        if order.evidence and any(_is_critical(report, plan.selected)):
            try:
                task_logs = await engine.collect_task_logs(
                    inventory, transport, order.task, limits=limits, resolve=resolve
                )
            except Exception as error:  # noqa: BLE001  no fault in collecting logs may cost what was found
                task_logs = Evidence(
                    source="airflow",
                    host=None,
                    unit=None,
                    error=f"a fault in quorate: {type(error).__name__}",
                )
    return Swept(report=report, selected=plan.selected, task_logs=task_logs)


def _transport(transports: Any, hosts: Mapping[str, Host], resolve: Resolve) -> Any:
    return transports.Transport(hosts, resolve=resolve)


def _load() -> tuple[Any, Any]:
    from quorate import engine, transports  # noqa: PLC0415  neither a DAG file's parsing nor its graph needs them

    return engine, transports


def _is_critical(report: Report, selected: frozenset[str] | None) -> list[bool]:
    held = (v for v in report.verdicts if selected is None or v.id in selected)
    return [v.state in _FAILED and not v.in_maintenance for v in held]


def pack_order(order: Order) -> dict[str, Any]:
    """Return an order as plain data."""
    task = order.task
    return {
        "file": {"source": order.file.source, "text": order.file.text},
        "only": list(order.only),
        "timeout": order.timeout,
        "evidence": order.evidence,
        "task": {
            "id": task.id,
            "dag_id": task.dag_id,
            "task_id": task.task_id,
            "run_id": task.run_id,
            "map_index": task.map_index,
            "try_number": task.try_number,
        },
    }


def unpack_order(packed: Mapping[str, Any]) -> Order:
    """Return the order of what `pack_order` made of it."""
    return Order(
        file=unpack_file(packed["file"]),
        only=tuple(packed["only"]),
        timeout=packed["timeout"],
        evidence=packed["evidence"],
        task=TaskInstance(**packed["task"]),
    )


def unpack_file(packed: Mapping[str, Any]) -> InventoryFile:
    """Return the inventory file that an order holds."""
    return InventoryFile(source=packed["source"], text=packed["text"])


def pack_swept(swept: Swept) -> dict[str, Any]:
    """Return what was swept as plain data of bounded size."""
    return {
        "report": pack_report(swept.report),
        "selected": None if swept.selected is None else sorted(swept.selected),
        "task_logs": None if swept.task_logs is None else pack_evidence(swept.task_logs),
    }


def unpack_swept(packed: Mapping[str, Any]) -> Swept:
    """Return what was swept of what `pack_swept` made of it."""
    selected, task_logs = packed["selected"], packed["task_logs"]
    return Swept(
        report=unpack_report(packed["report"]),
        selected=None if selected is None else frozenset(selected),
        task_logs=None if task_logs is None else unpack_evidence(task_logs),
    )
