"""The description by which Airflow lists quorate among its providers; imports no Airflow."""

from typing import Any

from quorate import __version__


def get_provider_info() -> dict[str, Any]:
    """Return the provider's description. Source: Airflow's provider_info.schema.json."""
    return {
        "package-name": "quorate",
        "name": "Quorate",
        "description": "The health of the highly available cluster that Airflow runs on, as a DAG.",
        "versions": [__version__],
        "extra-links": ["quorate.airflow.links.FirstFailureLink"],
    }
