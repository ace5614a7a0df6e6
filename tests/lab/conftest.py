"""Real hosts for tests: booted once a session, gone afterwards."""

import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # `lab` is no part of the installed package

from clustered import FAILED, LINES, ROWS, Cluster, Stage

from lab import Lab, LabError
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
def kept_stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """The place where the whole cluster is up as soon as a test needs it, and stays."""
    stage = Stage(lines=request.config.stash[LINES])
    yield stage
    stage.clear()


@pytest.fixture
def stage(kept_stage: Stage, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """The place where the whole cluster is up; the one of the test before, if that passed."""
    yield kept_stage
    if request.node.stash.get(FAILED, False):
        kept_stage.spoilt(f"failed: {request.node.name}")


@pytest.fixture
def cluster(stage: Stage) -> Cluster:
    """The whole cluster, every service of it well."""
    try:
        return stage.cluster()
    except LabError as error:  # a test that can't run is a failure, not a skip
        pytest.fail(f"the cluster is not to be had: {error}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the fixtures of a test know that it failed."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


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
