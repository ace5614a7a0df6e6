"""Real hosts for tests: booted once a session, gone afterwards."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # `lab` is no part of the installed package

from clustered import LINES, ROWS, Cluster

from lab import Lab, LabError
from lab.cluster import cluster as example
from lab.faults.judging import Nominal
from lab.faults.sweeping import sweep
from lab.sleepers import CLUSTER

HOSTS = ("nfs-1", "nfs-2", "haproxy-1")


@pytest.fixture(scope="session")
def real_hosts() -> Iterator[Lab]:
    """Three machines of the example cluster, with the units and virtual addresses it has when all is well."""
    try:
        with Lab([CLUSTER[name] for name in HOSTS]) as lab:
            yield lab
    except LabError as error:  # a test that can't run is a failure, not a skip
        pytest.fail(f"the real hosts are not to be had: {error}", pytrace=False)


@pytest.fixture(scope="module")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """The whole cluster, every service of it well."""
    lines = request.config.stash[LINES]
    began = time.monotonic()

    def say(text: str) -> None:
        lines.append(f"{time.monotonic() - began:5.0f} s  {text}")

    try:
        with example.cluster() as lab:
            say(f"{len(lab.machines)} machines are up")
            example.wait_until_well(lab, say)
            say(f"every service is well, in {lab.memory() / 2**30:.1f} GiB of memory")
            yield Cluster(lab, Nominal.of(sweep(lab)))
            say("the last test is over")
        say("the cluster is gone")
    except LabError as error:  # a test that can't run is a failure, not a skip
        pytest.fail(f"the cluster is not to be had: {error}", pytrace=False)


def pytest_configure(config: pytest.Config) -> None:
    """Make place for the table."""
    config.stash[ROWS] = []
    config.stash[LINES] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    rows, lines = config.stash[ROWS], config.stash[LINES]
    if lines:
        terminalreporter.section("the cluster")
        terminalreporter.write("\n".join(lines) + "\n")
    if not rows:
        return
    terminalreporter.section("faults of the cluster: expected, got, seconds until in place + swept + healed")
    width = max(len(row.name) for row in rows)
    for row in rows:
        parts = (row.seconds.get(part) for part in ("in place", "swept", "healed"))
        seconds = " + ".join("-" if part is None else f"{part:.1f}" for part in parts)
        terminalreporter.write(f"{row.name:{width}}  {row.expected}  |  {row.got}  |  {seconds}\n")
