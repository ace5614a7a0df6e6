"""The benchmarks follow the product: they still run on what is declared now. No figure is asserted."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(400)  # real servers, an sshd for 14 hosts and forty processes, beside whatever else runs
@pytest.mark.parametrize(
    ("benchmark", "told"),
    [
        ("dag_work", ("Quorate's 10 check tasks, in a row", "parsing the DAG file")),
        ("whole", ("the whole cluster, at once", "whole sweep (nominal), cold")),
    ],
)
def test_a_benchmark_runs(benchmark: str, told: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{benchmark}", "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [line for line in told if line not in done.stdout] == []
