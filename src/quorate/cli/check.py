"""`quorate check`: one sweep of the cluster."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from quorate.cli.errors import CommandError
from quorate.cli.inventory import load
from quorate.cli.printing import parse_outputs
from quorate.cli.sweeping import finish, run_sweep, seconds
from quorate.inventory import parse_duration
from quorate.model import Inventory, Maintenance
from quorate.model.selectors import select
from quorate.outputs import FORMATS
from quorate.plan import SelectorError, make_plan, verdict_ids


def run_check(
    option: Path | None,
    only: Sequence[str],
    output: Sequence[str],
    timeout: str,
    *,
    evidence: bool,
    maintenance: Sequence[str] = (),
) -> int:
    """Sweep and print; return the exit code of the worst verdict."""
    outputs = parse_outputs(output, FORMATS)
    limit = seconds(timeout)
    _, inventory = load(option)
    try:
        plan = make_plan(inventory, only)
    except SelectorError as error:
        raise CommandError(f"--only: {error}") from None
    now = datetime.now(UTC)
    entries = [_maintenance(text, inventory, now) for text in maintenance]
    ended = asyncio.run(
        run_sweep(inventory, plan, seconds_left=limit, evidence=evidence, maintenance=entries)
    )
    return finish(ended, outputs)


def _maintenance(option: str, inventory: Inventory, now: datetime) -> Maintenance:
    selector, equals, length = option.rpartition("=")
    if not equals or not selector:
        raise CommandError(f"--maintenance: {option!r} is no SELECTOR=DURATION; write nfs/nfs-1=2h")
    try:
        until = now + timedelta(seconds=parse_duration(length))
        select(verdict_ids(inventory), [selector])
    except ValueError as error:  # a SelectorError is one
        raise CommandError(f"--maintenance: {error}") from None
    return Maintenance(select=selector, until=until)
