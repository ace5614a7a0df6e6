"""`quorate inventory`: which hosts there are, what they are made of, and whether they answer."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from math import inf
from pathlib import Path

from quorate.cli.errors import CommandError
from quorate.cli.inventory import load
from quorate.cli.printing import print_out
from quorate.cli.sweeping import run_sweep, seconds
from quorate.model import Check, Inventory, Report, State, Verdict
from quorate.outputs.hosts_table import HostRow, HostsTable, render_json, render_text
from quorate.plan import make_plan

FORMATS = ("text", "json")
_CHECK = "resources"
_NO_LIMIT = dict.fromkeys(("cpu", "load", "memory", "disk", "inodes", "log_folder_size"), (inf, inf))


def run_hosts_table(option: Path | None, output: str, timeout: str) -> int:
    """Ask every host once and print the table; return the exit code of the worst host."""
    if output not in FORMATS:
        raise CommandError(f"-o: there is no format {output!r} of this table; known are {', '.join(FORMATS)}")
    limit = seconds(timeout)
    _, inventory = load(option)
    bare = _bare(inventory)
    ended = asyncio.run(run_sweep(bare, make_plan(bare), seconds_left=limit, evidence=False))
    table = hosts_table(bare, ended.report)
    failed = print_out(render_json(table) if output == "json" else render_text(table, colour=_coloured()))
    if failed:
        return failed
    worst = max((host.state for host in table.hosts), key=lambda state: state.rank, default=State.UNKNOWN)
    return worst.exit_code if ended.signal is None else 128 + ended.signal


def _bare(inventory: Inventory) -> Inventory:
    """Return the inventory with its hosts alone, which are asked for nothing but cores and memory."""
    settings = {"mounts": (), "log_folder": None, "limits": _NO_LIMIT, "processes": 0, "interval": 0.0}
    names = tuple(inventory.hosts)
    check = Check(
        name=_CHECK, kind="resources", hosts=names, members=names, asks_hosts=True, settings=settings
    )
    return replace(inventory, groups={}, checks={_CHECK: check}, task_logs=())


def hosts_table(inventory: Inventory, report: Report) -> HostsTable:
    """Return the table of what a sweep of an inventory's hosts found."""
    by_id = {verdict.id: verdict for verdict in report.verdicts}
    monitor = by_id.get("monitor")
    return HostsTable(
        cluster=inventory.name,
        hosts=[_row(name, by_id) for name in inventory.hosts],
        remark=monitor.summary if monitor is not None else None,
    )


def _row(name: str, by_id: Mapping[str, Verdict]) -> HostRow:
    host, seen = by_id[f"host/{name}"], by_id[f"{_CHECK}/{name}"]
    cores, memory = seen.observed.get("cores"), seen.observed.get("memory_total_bytes")
    known = cores is not None and memory is not None
    return HostRow(
        name=name,
        address=host.observed["address"],
        state=host.state,
        reason=host.reason,
        cores=cores,
        memory_bytes=memory,
        why=host.detail if host.state is not State.OK else None if known else _unknown(seen),
    )


def _unknown(seen: Verdict) -> str:
    why = seen.detail or seen.observed.get("error")
    return f"cores and memory are not known: {why}" if why else "cores and memory are not known"


def _coloured() -> bool:
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
