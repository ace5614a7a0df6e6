"""The asking side in a process of its own: sweeps an inventory cold, then with connections kept.

`python -m benchmarks.asking INVENTORY KEPT` prints one line of JSON. Starting Python, importing and reading
the inventory are not in the times; judging is, and so is everything else between two reports.
"""

import asyncio
import json
import resource
import statistics
import sys
import time
from pathlib import Path

from quorate.engine import resolve_secret, sweep
from quorate.inventory import load_inventory
from quorate.model import Report, State
from quorate.plan import make_plan
from quorate.transports import Transport


async def measured(inventory_file: Path, kept: int) -> dict[str, object]:
    """Return what one cold sweep and some kept ones cost, in seconds of wall clock and of CPU."""
    inventory = load_inventory(inventory_file)
    plan = make_plan(inventory)
    walls, cpus = [], []
    async with Transport(inventory.hosts, resolve=resolve_secret) as transport:
        for _ in range(1 + kept):
            wall, cpu = time.perf_counter(), time.process_time()
            report = await sweep(inventory, transport, plan)
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
    return {
        "wall": walls[0],
        "cpu": cpus[0],
        "kept_wall": statistics.median(walls[1:]) if kept else None,
        "kept_cpu": statistics.median(cpus[1:]) if kept else None,
        "peak": peak_bytes(),
        "verdicts": len(report.verdicts),
        "not_well": wrong(report),
    }


def wrong(report: Report) -> list[str]:
    """Return the first verdicts that are not OK or EXPECTED."""
    bad = [v for v in report.verdicts if v.state not in (State.OK, State.EXPECTED)]
    return [f"{v.id} {v.state.word} {v.reason}: {v.detail}" for v in bad[:3]]


def peak_bytes() -> int:
    """Return the most memory that this process ever had. Source: proc(5), VmHWM.

    Not `ru_maxrss`, which begins with what the parent had when it made this process.
    """
    status = Path("/proc/self/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    print(json.dumps(asyncio.run(measured(Path(sys.argv[1]), int(sys.argv[2])))))
