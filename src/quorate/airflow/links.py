"""The button on a red run's last task that leads to the task which tells why."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf

from quorate.airflow.keys import CRITICAL_TASKS

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator


class FirstFailureLink(BaseOperatorLink):
    """Leads from the final status of a run to the first critical check, whose log explains it."""

    name = "First critical check"

    def get_link(self, operator: "BaseOperator", *, ti_key: Any) -> str:
        """Return the page of the first critical check in Airflow's own pages; empty where there is none.

        Airflow calls this in the task's process when it has ended, with the running task instance.
        """
        summary = getattr(operator, "summary", None)
        tasks = ti_key.xcom_pull(task_ids=summary, key=CRITICAL_TASKS, map_indexes=-1) if summary else None
        if not tasks:
            return ""
        task = str(tasks[0]).partition("[")[0]
        base = conf.get("api", "base_url", fallback="").rstrip("/")
        dag, run = quote(ti_key.dag_id, safe=""), quote(ti_key.run_id, safe="")
        return f"{base}/dags/{dag}/runs/{run}/tasks/{quote(task, safe='')}"
