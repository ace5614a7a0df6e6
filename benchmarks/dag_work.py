"""A DAG that asks one thing after the other, beside Quorate's check tasks: the same servers, in one run.

`python -m benchmarks.dag_work [--quick]` measures it by itself.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import services
from benchmarks.bounds import Bounds
from benchmarks.example import CHECKS, Example, Service, example
from benchmarks.measuring import environment
from benchmarks.question import Access
from benchmarks.servers import servers
from benchmarks.tables import show_table
from benchmarks.ways import ssh
from quorate.airflow.tasks import check_tasks
from quorate.inventory import load_inventory

AT_ONCE = 8
"""Tasks that a health DAG runs at once, unless it is told otherwise."""

DAG_FILE = """\
from quorate.airflow import health_dag

dag = health_dag("cluster.yaml", expected="success", {settings})
"""
Costs = dict[str, dict[str, Any]]
"""What each way took: `wall` and `cpu`, in seconds."""

IN_A_ROW = "(a) ssh a unit, psycopg, pika, all in a row"
SIDE_BY_SIDE = f"(a) the same as 10 tasks, {AT_ONCE} at once"

FIRST = "(d) deferred: their triggers, first run"
LATER = "(d) deferred: their triggers, later runs"
BEGINNING = "(d) beside them: execute(), in a row"
CONCLUDING = "(d) beside them: execute_complete(), in a row"
TOGETHER = "(d) later runs: these three together"


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The example cluster while its servers run, and a folder with its inventory and DAG file."""

    example: Example
    access: Access
    database: Service
    broker: Service
    folder: Path

    def prepare(self) -> None:
        """Write the inventory, and the DAG file beside it."""
        text = self.example.inventory(self.access, self.database, self.broker)
        (self.folder / "cluster.yaml").write_text(text)
        (self.folder / "health.py").write_text(DAG_FILE.format(settings=f"max_active_tasks={AT_ONCE}"))
        (self.folder / "deferrable.py").write_text(DAG_FILE.format(settings="deferrable=True"))

    def tasks(self) -> list[str]:
        """Return the ids of the check tasks that the DAG should have."""
        inventory = load_inventory(self.folder / "cluster.yaml")
        return [task.task_id for task in check_tasks(inventory, "group")]

    def run(self, *argv: str, given: str = "") -> str:
        """Run Python in the folder, with an Airflow of its own that has nothing; return what it printed."""
        done = subprocess.run(
            [sys.executable, *argv],
            cwd=self.folder,
            env=environment()
            | self.example.passwords(self.database, self.broker)
            | {"AIRFLOW_HOME": str(self.folder / "airflow"), "PYTHONPATH": str(Path(__file__).parents[1])},
            input=given,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(f"benchmarks: {' '.join(argv[:2])} failed; its error stands above")
        return done.stdout


def measure(bounds: Bounds, folder: Path, *, quick: bool) -> None:
    """Do the work of both DAGs in turns; print what each takes and how often it goes into the seed's."""
    of = example()
    of.write_answers(folder / "answers")
    with services.running() as (database, broker), servers(list(of.addresses.values()), folder) as access:
        cluster = Cluster(example=of, access=access, database=database, broker=broker, folder=folder)
        cluster.prepare()
        found = []
        parsed: list[float] = []
        for _ in range(1 if quick else 2):
            asked, told = seeds(cluster), told_by_tasks(cluster, quick=quick)
            found.append(asked | quorates(told) | deferred(cluster, runs=3 if quick else 6))
            parsed += told["parsing"]
    show(of, found, bounds)
    middle = statistics.median(parsed)
    print(f"\nParsing the DAG file: {middle:.3f} s of CPU beyond importing Airflow's SDK")
    bounds.at_most("parsing the DAG file: CPU beyond importing Airflow's SDK", middle, 0.3, "s")


def seeds(cluster: Cluster) -> Costs:
    """Return what the seed's tasks take; every unit's state must be the right one."""
    database, broker = cluster.database, cluster.broker
    node = {"host": "127.0.0.1", "port": broker.port, "vhost": broker.name}
    given = {
        "at_once": AT_ONCE,
        "groups": [
            [
                [*ssh(cluster.access), cluster.example.addresses[host], f"systemctl is-active {unit}"]
                for host, unit in units
            ]
            for units in cluster.example.groups()
        ],
        "database": {
            "host": "127.0.0.1",
            "port": database.port,
            "dbname": database.name,
            "user": database.user,
            "password": database.password,
        },
        "brokers": [{**node, "user": broker.user, "password": broker.password}] * 3,
    }
    told = json.loads(cluster.run("-m", "benchmarks.seed_dag", given=json.dumps(given)))
    states = [[cluster.example.state(*pair) for pair in units] for units in cluster.example.groups()]
    for each in told:
        if each["said"][: len(states)] != states:
            raise SystemExit(f"benchmarks: ssh saw {each['said']}: no ratio would mean anything")
    return dict(zip((IN_A_ROW, SIDE_BY_SIDE), told, strict=True))


def told_by_tasks(cluster: Cluster, *, quick: bool) -> dict[str, Any]:
    """Return what the process of the check tasks tells; every one of them must be there, and succeed."""
    printed = cluster.run("-m", "benchmarks.check_tasks", "health.py", *(["--quick"] if quick else []))
    told = dict(json.loads(printed.splitlines()[-1]))  # before it are the lines that Airflow logs
    if (told["tasks"], told["at_once"]) != (cluster.tasks(), AT_ONCE):
        raise SystemExit(f"benchmarks: the DAG has {told['tasks']}, {told['at_once']} at once")
    return told


def quorates(told: dict[str, Any]) -> Costs:
    """Return what the check tasks take in each way."""
    tasks = f"Quorate's {len(told['tasks'])} check tasks"
    ways = {
        "in_a_row": f"(b) {tasks}, in a row",
        "side_by_side": f"(b) {tasks}, {AT_ONCE} at once",
        "whole": "(c) Quorate, all in one task",
    }
    return {
        f"{what}{how}": told[loaded][way]
        for loaded, how in (("as_it_is", ""), ("loaded", ", libraries loaded"))
        for way, what in ways.items()
        if loaded in told
    }


def deferred(cluster: Cluster, *, runs: int) -> Costs:
    """Return what the deferred check tasks take; each must succeed, and connections must be kept."""
    printed = cluster.run("-m", "benchmarks.deferred", "deferrable.py", str(runs))
    told = json.loads(printed.splitlines()[-1])  # as above
    if told["tasks"] != cluster.tasks():
        raise SystemExit(f"benchmarks: the DAG has {told['tasks']}")
    for run in told["runs"]:
        expect_states(cluster.example, run["reports"])
    first, *later = told["runs"]
    kept = [run["kept"] for run in later]
    if min(kept) < len(cluster.example.addresses):
        raise SystemExit(f"benchmarks: so many connections were kept: {kept}; (d) would mean something else")
    parts = {
        way: {key: statistics.median(run[part][key] for run in later) for key in ("wall", "cpu")}
        for way, part in ((LATER, "triggers"), (BEGINNING, "execute"), (CONCLUDING, "execute_complete"))
    }
    together = {key: sum(cost[key] for cost in parts.values()) for key in ("wall", "cpu")}
    return {FIRST: first["triggers"], **parts, TOGETHER: together}


def expect_states(of: Example, reports: Sequence[dict[str, str]]) -> None:
    """Raise SystemExit unless reports have every unit, all as they should be; "" is a report's own state."""
    due = of.verdicts()
    units: dict[str, str] = {}
    for report in reports:
        units |= {id_: state for id_, state in report.items() if id_ in due}
        others = {id_: state for id_, state in report.items() if id_ not in due and id_}
        resting = any(due.get(id_) == "expected" for id_ in report)
        if report[""] != ("expected" if resting else "ok") or not others or set(others.values()) != {"ok"}:
            raise SystemExit(f"benchmarks: a report has {report}: no ratio would mean anything")
    if units != due or not {*CHECKS} <= {id_ for report in reports for id_ in report}:
        raise SystemExit(f"benchmarks: the reports have {reports}: no ratio would mean anything")


def show(of: Example, found: Sequence[Costs], bounds: Bounds) -> None:
    """Print the medians of all rounds, and note the bound."""
    middles = {
        way: {key: statistics.median(costs[way][key] for costs in found) for key in ("wall", "cpu")}
        for way in found[0]
    }
    units = sum(map(len, of.groups()))
    print(
        f"\nInside the tasks of a health DAG: {len(of.addresses)} hosts, {units} units, a database, "
        "a broker's three nodes;\n(b) and (c) log in anew in every task, (d) once in the triggerer, "
        f"all triggers at once;\nleft out: what Airflow does around a task; rounds: {len(found)}"
    )
    row, beside = middles[IN_A_ROW], middles[SIDE_BY_SIDE]
    rows = []
    for way, cost in middles.items():
        parts = (BEGINNING, CONCLUDING)  # which check nothing
        compared = ("", "", "") if way in parts else ratios(cost, row, beside)
        rows.append((way, f"{cost['wall']:.3f} s", f"{cost['cpu']:.3f} s", *compared))
    show_table(("", "time", "client CPU", "(a) ÷ it", f"(a) {AT_ONCE} at once ÷ it", "CPU (a) ÷ it"), rows)
    bounds.at_least(
        "deferred check tasks from the second run on: less time in the checks than (a), by",
        row["wall"] / middles[LATER]["wall"],
        20,
    )
    for way in middles:
        if way.startswith("(b)") or way in (FIRST, TOGETHER):
            bounds.beside(f"  {way}", row["wall"] / middles[way]["wall"], 20)


def ratios(cost: dict[str, Any], row: dict[str, Any], beside: dict[str, Any]) -> tuple[str, ...]:
    """Return how often a cost goes into those of (a): time in a row, time side by side, and CPU."""
    values = row["wall"] / cost["wall"], beside["wall"] / cost["wall"], row["cpu"] / cost["cpu"]
    return tuple(f"{value:.3g}" for value in values)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dag_work")
    parser.add_argument("--quick", action="store_true")
    given, noted = parser.parse_args(), Bounds()
    with tempfile.TemporaryDirectory(prefix="quorate-bench-") as scratch:
        measure(noted, Path(scratch), quick=given.quick)
    noted.show()
