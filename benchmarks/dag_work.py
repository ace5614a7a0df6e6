"""A DAG that asks one thing after the other, beside Quorate's check tasks: the same servers, in one run."""

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import services
from benchmarks.bounds import Bounds
from benchmarks.example import Example, Service, example
from benchmarks.measuring import environment
from benchmarks.question import Access
from benchmarks.servers import servers
from benchmarks.tables import show_table
from benchmarks.ways import ssh
from quorate.airflow.tasks import check_tasks
from quorate.inventory import load_inventory

AT_ONCE = 8
"""Tasks that a health DAG runs at once, unless it is told otherwise."""

DAG_FILE = f"""\
from quorate.airflow import health_dag

dag = health_dag("cluster.yaml", expected="success", max_active_tasks={AT_ONCE})
"""
Costs = dict[str, dict[str, Any]]
"""What each way took: `wall` and `cpu`, in seconds."""

IN_A_ROW = "(a) ssh a unit, psycopg, pika, all in a row"
SIDE_BY_SIDE = f"(a) the same as 10 tasks, {AT_ONCE} at once"


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
        (self.folder / "health.py").write_text(DAG_FILE)

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


def measure(bounds: Bounds, folder: Path, *, rounds: int) -> None:
    """Do the work of both DAGs in turns; print what each takes and how often it goes into the seed's."""
    of = example()
    of.write_answers(folder / "answers")
    with services.running() as (database, broker), servers(list(of.addresses.values()), folder) as access:
        cluster = Cluster(example=of, access=access, database=database, broker=broker, folder=folder)
        cluster.prepare()
        found = []
        parsed: list[float] = []
        for _ in range(rounds):
            asked, told = seeds(cluster), told_by_tasks(cluster)
            found.append(asked | quorates(told))
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


def told_by_tasks(cluster: Cluster) -> dict[str, Any]:
    """Return what the process of the check tasks tells; every one of them must be there, and succeed."""
    printed = cluster.run("-m", "benchmarks.check_tasks", "health.py")
    told = dict(json.loads(printed.splitlines()[-1]))  # before it are the lines that Airflow logs
    tasks = [task.task_id for task in check_tasks(load_inventory(cluster.folder / "cluster.yaml"), "group")]
    if (told["tasks"], told["at_once"]) != (tasks, AT_ONCE):
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
    }


def show(of: Example, found: Sequence[Costs], bounds: Bounds) -> None:
    """Print the medians of all rounds, and note the bound."""
    middles = {
        way: {key: statistics.median(costs[way][key] for costs in found) for key in ("wall", "cpu")}
        for way in found[0]
    }
    units = sum(map(len, of.groups()))
    print(
        f"\nInside the tasks of a health DAG: {len(of.addresses)} hosts, {units} units, a database, "
        "a broker's three nodes;\n(b) and (c) log in anew in every task; left out: what Airflow does around "
        f"a task; rounds: {len(found)}"
    )
    row, beside = middles[IN_A_ROW], middles[SIDE_BY_SIDE]
    rows = [
        (
            way,
            f"{cost['wall']:.3f} s",
            f"{cost['cpu']:.3f} s",
            f"{row['wall'] / cost['wall']:.3g}",
            f"{beside['wall'] / cost['wall']:.3g}",
            f"{row['cpu'] / cost['cpu']:.3g}",
        )
        for way, cost in middles.items()
    ]
    show_table(("", "time", "client CPU", "(a) ÷ it", f"(a) {AT_ONCE} at once ÷ it", "CPU (a) ÷ it"), rows)
    first = next(way for way in middles if way.startswith("(b)"))
    bounds.at_least(
        "check tasks in a row: less time in them than (a), by", row["wall"] / middles[first]["wall"], 20
    )
