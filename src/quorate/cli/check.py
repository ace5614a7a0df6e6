"""`quorate check`: one sweep of the cluster."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from quorate.cli.errors import CommandError
from quorate.cli.inventory import load
from quorate.cli.printing import parse_outputs
from quorate.cli.sweeping import finish, run_sweep, seconds
from quorate.outputs import FORMATS
from quorate.plan import SelectorError, make_plan


def run_check(
    option: Path | None, only: Sequence[str], output: Sequence[str], timeout: str, *, evidence: bool
) -> int:
    """Sweep and print; return the exit code of the worst verdict."""
    outputs = parse_outputs(output, FORMATS)
    limit = seconds(timeout)
    _, inventory = load(option)
    try:
        plan = make_plan(inventory, only)
    except SelectorError as error:
        raise CommandError(f"--only: {error}") from None
    ended = asyncio.run(run_sweep(inventory, plan, seconds_left=limit, evidence=evidence))
    return finish(ended, outputs)
