"""The task-specific logs in a failed task's explanation: found by this very task instance's identifiers."""

import os
import stat
import sys

from dag_player import DAG_FILE, Player, Run

INVENTORY = """
name: logs
ssh: {sudo: false}
hosts: {app-1: {local: true}, scheduler-1: {local: true}, scheduler-2: {local: true}, celery-1: {local: true}}
groups:
  app: {hosts: [app-1], units: [app]}
  scheduler: {hosts: [scheduler-1, scheduler-2], units: [airflow-scheduler]}
  celery: {hosts: [celery-1], units: [airflow-worker]}
airflow: {task_logs: [{group: scheduler, unit: airflow-scheduler}, {group: celery, unit: airflow-worker}]}
"""

SYSTEMCTL = """\
#!/bin/sh
while [ $# -gt 0 ] && [ "$1" != -- ]; do shift; done
shift
for unit; do
    state=active; [ "$unit" = app.service ] && state=failed
    printf '%s\\n' "Id=$unit" "Names=$unit" LoadState=loaded ActiveState=$state SubState=$state ''
done
"""

# A journal that knows which task instance is running, as those of a scheduler and a worker do.
JOURNALCTL = """\
#!{python}
import json, os, sqlite3, sys, time
words = " ".join(sys.argv)
if "--header" in words:
    sys.exit(0)
if "worker" in words and {worker_fails}:
    sys.exit("journalctl: cannot open the journal of this worker")
with sqlite3.connect(os.environ["AIRFLOW_HOME"] + "/airflow.db") as database:
    row = "select id, run_id from task_instance where state = 'running' and task_id = 'check_app'"
    (found, run), = database.execute(row).fetchall()
found = found if "-" in found else "-".join((found[:8], found[8:12], found[12:16], found[16:20], found[20:]))
celery = "0f0e0d0c-1111-2222-3333-444455556666"
lines = {{
    "scheduler": [
        "TaskInstance Finished: dag_id=other, task_id=check_app, run_id=another, ti_id=" + found[:-1] + "x",
        "Sending to executor ti_id=" + found + " password=hunter22",
        "[a bracket] dag_id=logs task_id=check_app_2 run_id=" + run,
    ],
    "worker": [
        "[" + celery + "] Executing workload in Celery: ti=" + found,
        "[" + celery + "] the worker is at it",
        "[ffffffff-1111-2222-3333-444455556666] another task",
    ],
    "app": ["the unit's own last line"],
}}
kind = next(kind for kind in lines if kind in words)
for number, line in enumerate(lines[kind]):
    # The worker's lines come between those of the schedulers.
    at = int(time.time() * 1e6) - 1_000_000 + number * 100 + (50 if kind == "worker" else 0)
    print(json.dumps({{"__REALTIME_TIMESTAMP": str(at), "SYSLOG_IDENTIFIER": kind, "MESSAGE": line}}))
"""


async def explained(airflow: Player, dag_id: str, *, worker_fails: bool) -> Run:
    folder = airflow.home / "dags" / dag_id
    programs = folder / "bin"
    programs.mkdir(parents=True)
    journalctl = JOURNALCTL.format(python=sys.executable, worker_fails=worker_fails)
    for name, text in (("systemctl", SYSTEMCTL), ("journalctl", journalctl)):
        program = programs / name
        program.write_text(text)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (folder / "cluster.yaml").write_text(INVENTORY)
    text = DAG_FILE.format(dag_id=dag_id, notes=str(folder / "notes"), settings="")
    return await airflow.file(folder, text, dag_id, PATH=f"{programs}:{os.environ['PATH']}")


def part(text: str, title: str) -> list[str]:
    """Return the lines below a title, up to the rule that ends its part."""
    lines = text.splitlines()
    begin = next(at for at, line in enumerate(lines) if title in line) + 2
    end = next(at for at in range(begin, len(lines)) if set(lines[at]) == {"─"})
    return lines[begin:end]


async def test_lines_of_this_task_instance_come_from_all_schedulers_and_workers_each_once(airflow: Player):
    found = await explained(airflow, "logs", worker_fails=False)
    assert found.failure_types() == {"check_app": "CRITICAL_APP_FAILURE"}
    # No group here has a virtual IP, which is nothing to fail for.
    assert found.states["detect_active_nodes"] == "success"
    lines = part(found.exceptions["check_app"], "TASK-SPECIFIC AIRFLOW LOGS")
    said = [line.partition(": ")[2] for line in lines if line.startswith("20")]
    assert [line for line in said if "Sending to executor" in line] != []
    assert len([line for line in lines if "Sending to executor" in line]) == 2
    assert {line.split()[1] for line in lines if "Sending to executor" in line} == {
        "scheduler-1",
        "scheduler-2",
    }
    assert len([line for line in lines if "the worker is at it" in line]) == 1
    text = "\n".join(lines)
    assert "another task" not in text
    assert "check_app_2" not in text
    assert "dag_id=other" not in text
    stamps = [line.split()[0] for line in lines if line.startswith("20")]
    assert stamps == sorted(stamps)
    assert "hunter22" not in text


async def test_logs_that_can_not_be_had_hide_and_change_nothing(airflow: Player):
    found = await explained(airflow, "logs_fail", worker_fails=True)
    assert found.failure_types() == {"check_app": "CRITICAL_APP_FAILURE"}
    text = found.exceptions["check_app"]
    assert text.startswith("🚨 CRITICAL: app on app-1 is FAILED")
    assert "the unit's own last line" in text
    lines = part(text, "TASK-SPECIFIC AIRFLOW LOGS")
    (failed,) = (line for line in lines if "Could not fetch some Airflow logs: " in line)
    assert "celery-1" in failed
    assert [line for line in lines if "Sending to executor" in line] != []
