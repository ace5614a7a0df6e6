"""Asks many hosts at once, until all have answered, the time is over, or the operator stops it."""

import asyncio
import traceback
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from quorate.model import NoReply, Reason

T = TypeVar("T")


@dataclass(kw_only=True, slots=True)
class Limits:
    """When a sweep has to end: `deadline` by the event loop's clock, or as soon as `stop` is set."""

    deadline: float | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def over(self) -> NoReply | None:
        """Return why the sweep has to end now, or None where it may go on."""
        if self.stop.is_set():
            return NoReply(
                reason=Reason.INTERRUPTED, detail="the sweep was interrupted before the answer came"
            )
        if self.deadline is not None and asyncio.get_running_loop().time() >= self.deadline:
            return NoReply(
                reason=Reason.SWEEP_TIMEOUT, detail="the sweep's time ended before the answer came"
            )
        return None


async def fan_out(jobs: Mapping[str, Coroutine[Any, Any, T]], limits: Limits) -> dict[str, T | NoReply]:
    """Run a job a host at once; return each result, or why there is none. Nothing is left running.

    What a job raises costs its own result alone, unless it is no `Exception`: that ends the other jobs and is
    raised again, as when Airflow ends a task whose time is over.
    """
    if (too_late := limits.over()) is not None:
        for job in jobs.values():
            job.close()
        return dict.fromkeys(jobs, too_late)
    loop = asyncio.get_running_loop()
    tasks = {name: loop.create_task(job) for name, job in jobs.items()}
    if not tasks:
        return {}
    ended: asyncio.Future[BaseException] = loop.create_future()
    for task in tasks.values():
        task.add_done_callback(partial(_tell_end, ended))
    everything: asyncio.Future[Any] = asyncio.gather(*tasks.values(), return_exceptions=True)
    stopped: asyncio.Future[Any] = loop.create_task(limits.stop.wait())
    left = None if limits.deadline is None else max(0.0, limits.deadline - loop.time())
    try:
        await asyncio.wait({everything, stopped, ended}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        why = limits.over()
    finally:
        stopped.cancel()
        unfinished = {name for name, task in tasks.items() if not task.done()}
        for name in unfinished:
            tasks[name].cancel()
        await asyncio.gather(stopped, *(tasks[name] for name in unfinished), return_exceptions=True)
    if ended.done():
        raise ended.result()
    return {name: _result(task, why) for name, task in tasks.items()}


def _tell_end(ended: "asyncio.Future[BaseException]", task: "asyncio.Task[Any]") -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, Exception) and not ended.done():
        ended.set_result(error)


def _result(task: "asyncio.Task[T]", why: NoReply | None) -> T | NoReply:
    if task.cancelled():
        return why or NoReply(reason=Reason.INTERRUPTED, detail="the question was cancelled")
    error = task.exception()
    if error is None:
        return task.result()
    # A fault of ours in one host's question must cost neither the other hosts nor a colour. The message
    # of an unforeseen exception may hold anything, so only its place is told.
    place = traceback.extract_tb(error.__traceback__)[-1]
    detail = (
        f"a fault in quorate: {type(error).__name__} in {place.name}, line {place.lineno}; please report it"
    )
    return NoReply(reason=Reason.INTERNAL_ERROR, detail=detail)


async def pause(seconds: float, limits: Limits) -> None:
    """Wait, but no longer than the sweep may go on."""
    loop = asyncio.get_running_loop()
    left = seconds if limits.deadline is None else min(seconds, limits.deadline - loop.time())
    try:
        async with asyncio.timeout(max(0.0, left)):
            await limits.stop.wait()
    except TimeoutError:
        return
