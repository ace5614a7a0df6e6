"""What Airflow loads by itself where quorate is installed: its provider's description, and its plugin."""

from airflow.plugins_manager import AirflowPlugin

from quorate.airflow.links import FirstFailureLink


class QuoratePlugin(AirflowPlugin):
    """Makes the link of the final status known to the web server, which never loads the DAG's operators."""

    name = "quorate"
    operator_extra_links = [FirstFailureLink()]  # noqa: RUF012  Airflow's plugins are declared so
