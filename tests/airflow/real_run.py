"""A run of a DAG that has ended, looked at through the REST API of a real Airflow."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from real import RealAirflow


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run that has ended, as the API shows it."""

    airflow: "RealAirflow"
    dag_id: str
    run_id: str

    @property
    def state(self) -> str:
        """The run's colour."""
        return self.airflow.state(self.dag_id, self.run_id)

    def states(self) -> dict[str, str | None]:
        """Return the states of its tasks."""
        return {name: task.state for name, task in self.airflow.tasks(self.dag_id, self.run_id).items()}

    def xcom(self, task: str, key: str = "return_value") -> Any:
        """Return an XCom; None where there is none."""
        path = f"{self._of(task)}/xcomEntries"
        if key not in [entry["key"] for entry in self.airflow.get(path)["xcom_entries"]]:
            return None
        value = self.airflow.get(f"{path}/{key}", deserialize=False)["value"]
        return json.loads(value) if isinstance(value, str) and value[:1] in '{["' else value

    def log(self, task: str) -> str:
        """Return what a task logged and raised in its last try, line by line."""
        return "\n".join(line for message in self._messages(task) for line in _lines(message))

    def exception(self, task: str) -> str:
        """Return the text of what a task raised at last, as its log has it; empty where it raised nothing."""
        raised = [error for message in self._messages(task) for error in message.get("error_detail") or []]
        return str(raised[0]["exc_value"]) if raised else ""

    def times(self, task: str) -> tuple[datetime, datetime]:
        """Return when a task began and when it ended."""
        found = self.airflow.tasks(self.dag_id, self.run_id)[task]
        assert found.began is not None
        assert found.ended is not None
        return found.began, found.ended

    def seconds(self, task: str) -> float:
        """Return how long a task took."""
        began, ended = self.times(task)
        return (ended - began).total_seconds()

    def _messages(self, task: str) -> list[dict[str, Any]]:
        tries = self.airflow.tasks(self.dag_id, self.run_id)[task].tries
        content = self.airflow.get(f"{self._of(task)}/logs/{tries}", full_content=True)["content"]
        return [message if isinstance(message, dict) else {"event": message} for message in content]

    def links(self, task: str) -> dict[str, str]:
        """Return the extra links of a task."""
        return dict(self.airflow.get(f"{self._of(task)}/links")["extra_links"])

    def _of(self, task: str) -> str:
        return f"/dags/{self.dag_id}/dagRuns/{self.run_id}/taskInstances/{task}"


def _lines(message: dict[str, Any]) -> Iterator[str]:
    yield str(message["event"])
    for error in message.get("error_detail") or []:
        yield f"{error['exc_type']}: {error['exc_value']}"
