"""The whole cluster as a fixture, and the table that its faults leave at the end."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from lab import Lab, LabError
from lab.cluster import airflow_api
from lab.cluster import cluster as example
from lab.faults.judging import Nominal
from lab.faults.rehearsing import Rehearsal
from lab.faults.sweeping import sweep


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the table: `seconds` is a part of the work → how long it took."""

    name: str
    expected: str
    got: str
    seconds: Mapping[str, float]
    pending: str = ""


ROWS = pytest.StashKey[list[Row]]()
LINES = pytest.StashKey[list[str]]()


@dataclass(frozen=True)
class Cluster:
    """The cluster that is up, and what is said of it when it is nominal."""

    lab: Lab
    nominal: Nominal

    def run(self, dag_id: str) -> airflow_api.Run:
        """Run a DAG by the cluster's own Airflow, and return what came of it."""
        return airflow_api.run(self.lab, dag_id)


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


def row_of(rehearsal: Rehearsal) -> Row:
    """Return the line of a fault."""
    fault = rehearsal.fault
    expected = "; ".join(f"{key} {said}" for key, said in fault.expected.items()) or "nominal"
    got = "; ".join(rehearsal.problems) or "the same"
    pending = "; ".join(f"{kind}: {said}" for kind, said in fault.pending.items())
    return Row(name=fault.name, expected=expected, got=got, seconds=rehearsal.took, pending=pending)


def pytest_configure(config: pytest.Config) -> None:
    """Make place for the table."""
    config.stash[ROWS] = []
    config.stash[LINES] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table, and what is pending until a later kind of check is there."""
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
    terminalreporter.section("pending until their kind of check exists")
    for row in rows:
        if row.pending:
            terminalreporter.write(f"{row.name:{width}}  {row.pending}\n")
