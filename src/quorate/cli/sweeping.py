"""Runs one sweep for a command: limits, signals, progress and the exit code."""

import asyncio
import contextlib
import os
import resource
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from quorate.cli.errors import CommandError
from quorate.cli.printing import Output, print_report
from quorate.engine import Limits, resolve_secret, sweep
from quorate.inventory import parse_duration
from quorate.model import Inventory, Maintenance, Report
from quorate.plan import Plan
from quorate.transports import Transport

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """A report, and the signal that ended the sweep early, if one did."""

    report: Report
    signal: int | None


def seconds(option: str) -> float:
    """Return the seconds of a duration option."""
    try:
        value = parse_duration(option)
    except ValueError as error:
        raise CommandError(f"--timeout: {error}") from None
    if value <= 0:
        raise CommandError("--timeout: must be longer than nothing; write 60s")
    return value


async def run_sweep(
    inventory: Inventory,
    plan: Plan,
    *,
    seconds_left: float,
    evidence: bool,
    dial: Mapping[str, tuple[str, int]] | None = None,
    services: Mapping[tuple[str, int], tuple[str, int]] | None = None,
    maintenance: Sequence[Maintenance] = (),
) -> Ended:
    """Sweep once; SIGINT and SIGTERM end it early with what was found, a second one ends the process.

    `dial` and `services` say where hosts and services of a simulated cluster really listen.
    """
    _allow_many_connections()
    loop = asyncio.get_running_loop()
    limits = Limits(deadline=loop.time() + seconds_left)
    caught: list[int] = []

    def stop(number: int) -> None:
        caught.append(number)
        limits.stop.set()
        for each in _SIGNALS:
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop, number)
    with _progress([host.host for host in plan.hosts]) as progress:
        ways = Transport(inventory.hosts, resolve=resolve_secret, dial=dial, services=services)
        async with ways as transport:
            report = await sweep(
                inventory,
                transport,
                plan,
                limits=limits,
                evidence=evidence,
                progress=progress,
                maintenance=maintenance,
            )
    return Ended(report=report, signal=caught[0] if caught else None)


def finish(ended: Ended, outputs: Sequence[Output]) -> int:
    """Write the report and return the command's exit code."""
    failed = print_report(ended.report, outputs)
    if failed is not None:
        return failed
    return ended.report.state.exit_code if ended.signal is None else 128 + ended.signal


def _allow_many_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        # The default of 1,024 open files would end at a thousand hosts; where raising it is not allowed,
        # the hosts beyond it are reported as not verified.
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else max(soft, 65536), hard)
        )


@contextlib.contextmanager
def _progress(hosts: Sequence[str]) -> Iterator["_Line | None"]:
    if sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    line = _Line(hosts)
    try:
        yield line
    finally:
        line.clear()


class _Line:
    """One line of a terminal that says how far the sweep is, and for whom it waits."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._waiting = dict.fromkeys(hosts)

    def __call__(self, host: str, done: int, total: int) -> None:
        self._waiting.pop(host, None)
        left = f"waiting for {', '.join(self._waiting)}" if self._waiting else "looking closer"
        filled = round(24 * done / total)
        bar = "━" * filled + "╺" * (24 - filled)
        _show(f"\r\x1b[2K  {bar} {done}/{total} hosts, {left}"[: _columns()])

    def clear(self) -> None:
        _show("\r\x1b[2K")


def _columns() -> int:
    # A line that is longer than the terminal could not be taken back.
    return shutil.get_terminal_size((80, 24)).columns + len("\r\x1b[2K") - 1


def _show(text: str) -> None:
    # A terminal that has gone away must cost the progress, not the sweep.
    with contextlib.suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()
