"""The DAGs in the documents are what they say, and what is shown of a run is what is printed."""

import asyncio
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pages import ROOT, Block, blocks

from quorate.airflow.outcome import outcome_of, result_of
from quorate.airflow.payload import report_without_lines
from quorate.airflow.summary import Summary, Trace, summarise, summary_tree
from quorate.airflow.tasks import CheckTask, check_tasks
from quorate.airflow.text import checked_lines, failure_text
from quorate.engine import Limits, resolve_secret, sweep
from quorate.inventory import parse_inventory
from quorate.model import Report
from quorate.plan import make_plan
from quorate.simulation import Simulation
from quorate.transports import Transport

EXAMPLE = ROOT / "examples" / "cluster.yaml"
FRAME = ["detect_active_nodes", "health_summary", "final_status_check"]

DAGS = [block for block in blocks("python") if "quorate.airflow" in block.text]
SHOWN = [block for block in blocks("", "json") if block.about("airflow")]


@dataclass(frozen=True, kw_only=True)
class Swept:
    """A sweep of a whole scenario, with what the tasks of a health DAG make of it."""

    report: Report
    tasks: dict[str, CheckTask]
    selected: dict[str, frozenset[str] | None]

    def outcome(self, task_id: str) -> Any:
        return outcome_of(self.report, selected=self.selected[task_id], subject=self.tasks[task_id].subject)

    def summary(self) -> Summary:
        return summarise(list(self.tasks), [self._trace(task_id) for task_id in self.tasks])

    def _trace(self, task_id: str) -> Trace:
        outcome = self.outcome(task_id)
        chosen = [v for v in self.report.verdicts if v in outcome.verdicts]
        own = Report(
            cluster=self.report.cluster,
            started_at=self.report.started_at,
            duration=0.0,
            verdicts=tuple(chosen),
            active_nodes={},
        )
        return Trace(
            instance=(task_id, -1),
            state="success" if outcome.failure_type is None else "failed",
            failure_type=outcome.failure_type,
            report=report_without_lines(own),
        )

    def left(self) -> dict[str, Any]:
        """Return what the summary leaves."""
        summary = self.summary()
        return {
            "return_value": summary.counts(),
            "critical_failure_count": len(summary.critical),
            "critical_failure_tasks": [failure.task for failure in summary.critical],
        }


@cache
def swept(scenario: str) -> Swept:
    return asyncio.run(_swept(scenario))


async def _swept(scenario: str) -> Swept:
    async with Simulation(scenario) as cluster:
        inventory = parse_inventory(cluster.inventory_text(), source="cluster.yaml")
        limits = Limits(deadline=asyncio.get_running_loop().time() + 60)
        async with Transport(inventory.hosts, resolve=resolve_secret) as transport:
            report = await sweep(inventory, transport, make_plan(inventory), limits=limits)
    tasks = {task.task_id: task for task in check_tasks(inventory)}
    selected = {name: make_plan(inventory, task.only).selected for name, task in tasks.items()}
    return Swept(report=report, tasks=tasks, selected=selected)


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Airflow reads in the DAG files of all pages, each beside the example inventory."""
    home = tmp_path_factory.mktemp("airflow")
    for number, block in enumerate(DAGS):
        folder = home / "dags" / f"{number}"
        folder.mkdir(parents=True)
        (folder / "dag.py").write_text(block.text)
        (folder / "cluster.yaml").write_text(EXAMPLE.read_text())
    (home / "quorate-demo").mkdir()
    (home / "quorate-demo" / "cluster.yaml").write_text(EXAMPLE.read_text())
    scenarios = {_scenario(block) for block in SHOWN if _what(block) == ["final"]}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(Path(__file__).with_name("dag_reader.py")), str(home / "dags")],
        input=json.dumps({scenario: swept(scenario).left() for scenario in scenarios}),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "AIRFLOW_HOME": str(home / "airflow"),
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        },
    )
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _scenario(block: Block) -> str:
    return str(block.about("airflow")).split()[0]


def _what(block: Block) -> list[str]:
    return str(block.about("airflow")).split()[1:]


def standard() -> list[str]:
    inventory = parse_inventory(EXAMPLE.read_text(), source="cluster.yaml")
    return [FRAME[0], *(task.task_id for task in check_tasks(inventory)), *FRAME[1:]]


@pytest.mark.parametrize("number", range(len(DAGS)), ids=[block.id for block in DAGS])
def test_a_dag_of_a_page_has_its_tasks(number: int, read: dict[str, Any]) -> None:
    block = DAGS[number]
    said = block.about("tasks")
    assert said is not None, "say above it which tasks it has: <!-- tasks: … -->"
    wanted = [name for word in said.split() for name in (standard() if word == "standard" else [word])]
    (dag,) = read["dags"][str(number)]
    assert sorted(dag["tasks"]) == sorted(wanted)


def test_the_pages_settings_arrive(read: dict[str, Any]) -> None:
    by_page = {
        page: [
            read["dags"][str(n)][0] for n, block in enumerate(DAGS) if block.page == f"docs/how-to/{page}.md"
        ]
        for page in ("airflow-alerts", "airflow-workers", "airflow-own-dag")
    }
    of_tasks, of_dag = by_page["airflow-alerts"]
    assert (of_tasks["alerts"], of_tasks["tasks"]["check_nfs"]["alerts"]) == (False, True)
    assert (of_dag["alerts"], of_dag["tasks"]["check_nfs"]["alerts"]) == (True, False)
    placed, deferred = by_page["airflow-workers"]
    assert {(task["pool"], task["queue"]) for task in placed["tasks"].values()} == {("health", "monitoring")}
    assert (placed["max_active_tasks"], placed["dagrun_timeout"]) == (4, 300)
    assert deferred["tasks"]["check_nfs"]["deferrable"] is True
    waiting = by_page["airflow-own-dag"][1]["tasks"]["check_database"]
    assert (waiting["retries"], waiting["deferrable"]) == (3, True)


def test_a_health_dag_is_bounded(read: dict[str, Any]) -> None:
    number = next(n for n, block in enumerate(DAGS) if block.page == "docs/reference/airflow.md")
    (dag,) = read["dags"][str(number)]
    assert (dag["dag_id"], dag["schedule"]) == ("ha_health", "*/2 * * * *")
    assert (dag["catchup"], dag["max_active_runs"], dag["max_active_tasks"]) == (False, 1, 8)
    assert dag["dagrun_timeout"] == 600
    assert {task["retries"] for task in dag["tasks"].values()} == {0}
    assert Path(dag["tasks"]["check_nfs"]["inventory"]).parent.name == str(number)


def test_the_granularities_have_as_many_checks_as_their_table_says() -> None:
    inventory = parse_inventory(EXAMPLE.read_text(), source="cluster.yaml")
    page = (ROOT / "docs" / "how-to" / "airflow-modes.md").read_text()
    said = dict(re.findall(r'^\| `"(\w+)"`.*\| (\d+) checks \|$', page, flags=re.MULTILINE))
    assert said == {g: str(len(check_tasks(inventory, g))) for g in ("group", "host", "unit")}


def printed(block: Block, read: dict[str, Any]) -> str:
    """Return the whole of what a block shows, as it is printed; JSON as data in one form."""
    of, what = swept(_scenario(block)), _what(block)
    match what:
        case ["summary"]:
            return "\n".join(summary_tree(of.summary()))
        case ["final"]:
            return str(read["finals"][_scenario(block)])
        case ["counts"]:
            return json.dumps(of.summary().counts())
        case ["active_nodes"]:
            return json.dumps(dict(of.report.active_nodes))
        case [task, "lines"]:
            return "\n".join(checked_lines(_alone(of, task), of.outcome(task)))
        case [task, "failure"]:
            return failure_text(_alone(of, task), of.outcome(task))
        case [task, "result"]:
            return json.dumps(result_of(of.outcome(task), of.report))
    raise ValueError(f"{block.id}: a mark says {what}, which is nothing that is printed")


def _alone(of: Swept, task: str) -> Report:
    """Return the report as a task's own sweep makes it: without what others hold."""
    report = of.report
    return Report(
        cluster=report.cluster,
        started_at=report.started_at,
        duration=report.duration,
        verdicts=of.outcome(task).verdicts,
        active_nodes=report.active_nodes,
    )


def plain(text: str) -> list[str]:
    """Return the lines without what differs from run to run: moments of time."""
    moment = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)?"
    return [re.sub(moment, "TIME", line).rstrip() for line in text.splitlines()]


@pytest.mark.parametrize("block", SHOWN, ids=[block.id for block in SHOWN])
def test_what_a_page_shows_is_what_is_printed(block: Block, read: dict[str, Any]) -> None:
    whole = plain(printed(block, read))
    if block.kind == "json":
        assert json.loads("".join(whole)) == json.loads(block.text)
        return
    shown = plain(block.text)
    if "…" not in (line.strip() for line in shown):
        assert shown == whole
        return
    lines = iter(whole)
    missing = [line for line in shown if line.strip() not in ("", "…") and line not in lines]
    assert missing == [], "these are not printed, or not in this order"


def test_there_is_something_to_compare() -> None:
    assert len(DAGS) >= 9
    assert len(SHOWN) >= 10
