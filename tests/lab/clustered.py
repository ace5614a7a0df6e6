"""The whole cluster as the tests have it, and the lines of the table that its faults leave."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from lab import Lab
from lab.cluster import airflow_api
from lab.faults.judging import Nominal
from lab.faults.rehearsing import Rehearsal


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the table: `seconds` is a part of the work → how long it took."""

    name: str
    expected: str
    got: str
    seconds: Mapping[str, float]


ROWS = pytest.StashKey[list[Row]]()
LINES = pytest.StashKey[list[str]]()


@dataclass(frozen=True)
class Cluster:
    """The cluster that is up, and what is said of it when it is nominal."""

    lab: Lab
    nominal: Nominal

    def run(self, dag_id: str) -> tuple[airflow_api.DagRun, dict[str, int]]:
        """Run a DAG by the cluster's own Airflow; return what came of it, and what its summary counted."""
        run = airflow_api.run_dag(self.lab, dag_id)
        return run, airflow_api.xcom(self.lab, run, "health_summary")


def row_of(rehearsal: Rehearsal) -> Row:
    """Return the line of a fault."""
    fault = rehearsal.fault
    expected = "; ".join(f"{key} {said}" for key, said in fault.expected.items()) or "nominal"
    got = "; ".join(rehearsal.problems) or "the same"
    return Row(name=fault.name, expected=expected, got=got, seconds=rehearsal.took)
