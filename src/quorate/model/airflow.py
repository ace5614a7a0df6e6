"""What Airflow says of its components, through its API or in its metadata database."""

from collections.abc import Mapping
from dataclasses import dataclass

COMPONENTS = ("scheduler", "triggerer", "dag_processor")
"""The programs of Airflow that leave a heartbeat, as a health answer calls them."""
JOBS = "jobs"
"""The name under which the list of jobs is asked for, where a check's own name is the health answer's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AirflowJob:
    """A row of the table of jobs: one run of a component on a host, with Airflow's own word for its state.

    `age` is how many seconds ago its last heartbeat was by the clock of whoever was asked, less than 0 where
    it is ahead of that clock; None where it never had one.
    """

    component: str
    hostname: str
    state: str
    age: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class JobsFacts:
    """The rows of the components, the latest heartbeat first, and how many rows were `left_out` behind them.

    With `standby`, a database told them that follows another one.
    """

    jobs: tuple[AirflowJob, ...]
    left_out: int = 0
    standby: bool = False
    duration: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class AirflowBeat:
    """What a health answer says of a component: healthy or not, None where none ever ran; age as of a job."""

    healthy: bool | None
    age: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthFacts:
    """What an API server says of the metadata database, and of the best instance of each component."""

    database: bool
    components: Mapping[str, AirflowBeat]
    duration: float = 0.0
