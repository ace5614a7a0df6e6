"""The product's command, run where the real hosts can be reached."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from sweeps.lane import Lane
from sweeps.situation import Expected
from sweeps.verdicts import compared

QUORATE = str(Path(sys.executable).with_name("quorate"))


def command_line(lane: Lane, *arguments: str) -> list[str]:
    """Return the argument vector that runs the product's command on the monitor."""
    return lane.lab.network.inside("monitor", [QUORATE, *arguments])


def command(lane: Lane, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the product's command on the monitor."""
    argv = command_line(lane, *arguments)
    return subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)


def told(report: dict[str, Any]) -> dict[str, Expected]:
    """Return the verdicts of a report in JSON, in the words of what is expected."""
    return {
        v["id"]: Expected(
            state=v["state"], reason=v["reason"], caused_by=v["caused_by"], notes=compared(v["notes"])
        )
        for v in report["verdicts"]
    }
