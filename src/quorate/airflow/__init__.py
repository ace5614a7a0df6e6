"""The health of the cluster as a DAG: the only room that imports Airflow (3.3 or later).

from quorate.airflow import health_dag
dag = health_dag("cluster.yaml")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quorate.airflow.dag import health_dag
    from quorate.airflow.operators import ActiveNodesOperator, HealthCheckError, HealthCheckOperator
    from quorate.airflow.summary_operators import FinalStatusOperator, HealthSummaryOperator

__all__ = [
    "ActiveNodesOperator",
    "FinalStatusOperator",
    "HealthCheckError",
    "HealthCheckOperator",
    "HealthSummaryOperator",
    "health_dag",
]

_HOMES = {
    "health_dag": "dag",
    "ActiveNodesOperator": "operators",
    "HealthCheckError": "operators",
    "HealthCheckOperator": "operators",
    "FinalStatusOperator": "summary_operators",
    "HealthSummaryOperator": "summary_operators",
}


def __getattr__(name: str) -> Any:
    # What judges and prints can be used, and tested, where Airflow is not installed.
    if name not in _HOMES:
        raise AttributeError(f"module 'quorate.airflow' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  as above

    try:
        return getattr(import_module(f"quorate.airflow.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "airflow":
            raise
        raise ImportError("quorate.airflow needs Airflow 3.3: pip install 'quorate[airflow]'") from None
