"""What `quorate --help` takes beyond Python's own start."""

import statistics
import sys
from pathlib import Path

from benchmarks.bounds import Bounds
from benchmarks.measuring import run


def measure(bounds: Bounds, *, rounds: int) -> None:
    """Start Python and the command in turns, and print the medians of their CPU."""
    command = Path(sys.executable).with_name("quorate")
    bare, helped = [], []
    for _ in range(rounds):
        bare.append(run([sys.executable, "-c", "pass"])[0].cpu)
        helped.append(run([command, "--help"])[0].cpu)
    began = statistics.median(bare)
    own = statistics.median(helped) - began
    print(f"\nquorate --help: {own:.3f} s of CPU beyond the {began:.3f} s that Python takes to start")
    bounds.at_most("quorate --help: CPU beyond Python's start", own, 0.3, "s")
