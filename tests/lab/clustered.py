"""The whole cluster as the tests have it, and the lines of the table that its faults leave."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from lab import Lab, LabError
from lab.cluster import airflow_api
from lab.cluster import cluster as example
from lab.faults.judging import Nominal
from lab.faults.rehearsing import Rehearsal
from lab.faults.sweeping import sweep

STARTS = 5
"""How often the cluster is started at most: where so many tests fail, more of them tell nothing."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the table: `seconds` is a part of the work → how long it took."""

    name: str
    expected: str
    got: str
    seconds: Mapping[str, float]


ROWS = pytest.StashKey[list[Row]]()
LINES = pytest.StashKey[list[str]]()
FAILED = pytest.StashKey[bool]()


@dataclass(frozen=True)
class Cluster:
    """The cluster that is up, and what is said of it when it is nominal."""

    lab: Lab
    nominal: Nominal

    def run(self, dag_id: str) -> tuple[airflow_api.DagRun, dict[str, int]]:
        """Run a DAG by the cluster's own Airflow; return what came of it, and what its summary counted."""
        run = airflow_api.run_dag(self.lab, dag_id)
        return run, airflow_api.xcom(self.lab, run, "health_summary")


@dataclass(kw_only=True)
class Stage:
    """Starts the cluster, and starts it anew after a test that failed: what that left behind is not known."""

    lines: list[str]
    began: float = field(default_factory=time.monotonic)
    starts: int = 0
    up: Cluster | None = None
    held: ExitStack = field(default_factory=ExitStack)

    def cluster(self) -> Cluster:
        """Return the cluster that is up; LabError where none comes up."""
        if self.up is None:
            self.up = self._start()
        return self.up

    def spoilt(self, why: str) -> None:
        """End a cluster that is no longer what it was."""
        self.say(why)
        self.clear()

    def clear(self) -> None:
        """End the cluster."""
        if self.up is not None:
            self.up = None
            self.held.close()
            self.say("the cluster is gone")

    def say(self, text: str) -> None:
        """Add a line to what is told at the end."""
        self.lines.append(f"{time.monotonic() - self.began:5.0f} s  {text}")

    def _start(self) -> Cluster:
        if self.starts == STARTS:
            raise LabError(f"{STARTS} have been spoilt by tests that failed, and it is not started again")
        self.starts += 1
        with ExitStack() as stack:
            lab = stack.enter_context(example.cluster())
            self.say(f"{len(lab.machines)} machines are up")
            example.wait_until_well(lab, self.say)
            self.say(f"every service is well, in {lab.memory() / 2**30:.1f} GiB of memory")
            nominal = Nominal.of(sweep(lab))
            self.held = stack.pop_all()  # from here on a failure leaves it up
        return Cluster(lab, nominal)


def row_of(rehearsal: Rehearsal) -> Row:
    """Return the line of a fault."""
    fault = rehearsal.fault
    expected = "; ".join(f"{key} {said}" for key, said in fault.expected.items()) or "nominal"
    got = "; ".join(told(rehearsal)) or "the same"
    if rehearsal.stuck:
        got += f" (the lab itself saw stuck: {', '.join(rehearsal.stuck)})"
    return Row(name=fault.name, expected=expected, got=got, seconds=rehearsal.took)


def told(rehearsal: Rehearsal) -> list[str]:
    """Return what was wrong with a fault, each once."""
    return [f"{said} ({times} times)" if times > 1 else said for said, times in rehearsal.problems.items()]
