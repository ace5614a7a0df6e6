"""DAGs of the simulated cluster, run by `dag.test()` in one process that is kept for all of them."""

import asyncio
import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PLAYER = Path(__file__).with_name("player.py")
LIMIT = 90.0

DAG_FILE = """
import json
from pathlib import Path

from quorate.airflow import health_dag


def note(context):
    with open({notes!r}, "a") as notes:
        notes.write(json.dumps([context["ti"].task_id, str(context["exception"])]) + "\\n")


dag = health_dag(
    "cluster.yaml",
    dag_id={dag_id!r},
    default_args={{"on_failure_callback": note, "on_skipped_callback": note}},
    {settings}
)
"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What became of one run; `exceptions` are texts as Airflow's callbacks get them, by task."""

    state: str
    states: dict[str, str | None]
    xcoms: dict[str, dict[str, Any]]
    exceptions: dict[str, str] = field(default_factory=dict)
    log: str = ""

    @property
    def summary(self) -> dict[str, int]:
        """The counts that the summary returned."""
        counts: dict[str, int] = self.xcoms["health_summary"]["return_value"]
        return counts

    def checks(self) -> dict[str, str | None]:
        """Return the states of the check tasks."""
        return {task: state for task, state in self.states.items() if task.startswith("check_")}

    def failure_types(self) -> dict[str, str]:
        """Return the failure types that check tasks pushed."""
        return {task: x["failure_type"] for task, x in self.xcoms.items() if "failure_type" in x}


class Player:
    """The process that runs DAGs; its log is a file, which holds everything that was printed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = home / "player.log"
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        replies, write = os.pipe()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(PLAYER), str(write)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[write],
                env=airflow_environ(home),
                cwd=home,
                start_new_session=True,
            )
        os.close(write)
        self._replies = os.fdopen(replies)

    async def health(self, inventory: str, /, *, dag_id: str | None = None, **settings: Any) -> Run:
        """Run the health DAG of an inventory's text; settings are arguments of `health_dag`."""
        dag_id = dag_id or f"ha_health_{next(self._numbers)}"
        folder = self.home / "dags" / dag_id
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cluster.yaml").write_text(inventory)
        notes = folder / "notes"
        said = "".join(f"{key}={value!r},\n    " for key, value in settings.items())
        return await self.file(
            folder, DAG_FILE.format(dag_id=dag_id, notes=str(notes), settings=said), dag_id
        )

    async def file(self, folder: Path, text: str, dag_id: str, **environ: str) -> Run:
        """Run a DAG file of the given text in a folder; a file `notes` there may hold its exceptions."""
        (folder / "dag.py").write_text(text)
        (folder / "notes").unlink(missing_ok=True)
        before = self.log.stat().st_size
        request = {"dag_file": str(folder / "dag.py"), "dag_id": dag_id, "environ": environ}
        reply = await asyncio.wait_for(asyncio.to_thread(self._ask, request), LIMIT)
        log = self.log.read_bytes()[before:].decode()
        assert "state" in reply, f"the run did not come off: {reply}\n{log[-4000:]}"
        notes = (folder / "notes").read_text().splitlines() if (folder / "notes").exists() else []
        return Run(
            state=reply["state"],
            states=reply["states"],
            xcoms=reply["xcoms"],
            exceptions=dict(json.loads(line) for line in notes),
            log=log,
        )

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            line = self._replies.readline()
        assert line, f"the player ended:\n{self.log.read_text()[-4000:]}"
        reply: dict[str, Any] = json.loads(line)
        return reply

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._replies.close()


def airflow_environ(home: Path) -> dict[str, str]:
    """Return the environment of an Airflow of its own below a folder, that talks to nobody outside."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "SSH_", "PG"))}
    return {
        **kept,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PYTHONWARNINGS": "ignore",
    }


@contextmanager
def player(home: Path) -> Iterator[Player]:
    """Make an Airflow home with a migrated database, and a player in it."""
    (home / "dags").mkdir(parents=True)
    migrated = subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"],
        env=airflow_environ(home),
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    playing = Player(home)
    try:
        yield playing
    finally:
        playing.close()
