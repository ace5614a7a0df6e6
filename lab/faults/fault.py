"""A fault of the lab as data: what is done and undone, when it is in place, what a sweep must say of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.cluster import names
from lab.faults import aftermath
from lab.faults.steps import Condition, Step

MONITOR = "monitor"


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Sweeps one after the other from the set-up on, for as long as something is under way.

    The first begins with the set-up; a sweep every `every` seconds, until two in a row show what the fault
    expects and what holds does, or `seconds` have passed, which is an error. Until then each verdict must be
    as it was before, as the fault expects it, or one of `allowed`: patterns of fnmatch(3) for
    `<id> <state> <reason>`, such as `nfs/*/lsyncd warning failover_in_progress`; or a consequence of those.
    """

    seconds: float
    allowed: tuple[str, ...]
    every: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One way to break the cluster.

    `name` is in kebab-case, `summary` one sentence in the present tense for whoever rehearses a game day.
    `hosts` are those that are touched. `holds` is waited for after `set_up`; `undo` leads back to a nominal
    cluster whatever of the set-up was done.

    `expected` is the verdicts that a sweep must show, id → `<state> <reason>`, with ` | ` between
    alternatives where the moment decides; notes that must be there follow: `ok ok +sudo_denied`.
    Whatever is not named must be as in the nominal cluster, or name one of these as its cause, however far.
    `root_causes` are the ids that the report leads with; without it, those of `expected` that are WARNING or
    worse.

    `secrets` replaces what the monitor has in its environment, `sweep_from` is the host that sweeps, as
    `local`, instead of the monitor; with `by_name` it has the others' names and not their addresses.
    `sweeps` are made at random moments, `apart` seconds from each other at least and at most.
    """

    name: str
    summary: str
    hosts: tuple[str, ...]
    set_up: tuple[Step, ...]
    undo: tuple[Step, ...]
    expected: Mapping[str, str]
    holds: tuple[Condition, ...] = ()
    root_causes: tuple[str, ...] | None = None
    watch: Watch | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    sweep_from: str = MONITOR
    by_name: bool = False
    sweeps: int = 1
    apart: tuple[float, float] = (0.0, 0.0)
    alone: bool = False
    """Whether it may not be in place together with faults of other groups and hosts."""
    shakes_airflow: bool = False
    """Whether Airflow's programs lose their database by it, and may end and be started again; then it is
    alone, too, and a sweep may show that of them or not."""

    @property
    def moves_the_monitor(self) -> bool:
        """Whether it is to be swept from another place than the monitor's, or with other secrets."""
        return self.sweep_from != MONITOR or bool(self.secrets)

    @property
    def possible(self) -> Mapping[str, str]:
        """What a sweep may show beside what it must: id → alternatives."""
        of_database = aftermath.of_database() if self.shakes_airflow else {}
        of_broker = aftermath.of_broker() if set(self.hosts) & set(names.RABBIT) else {}
        of_storage = aftermath.of_storage() if set(self.hosts) & set(names.NFS) else {}
        return {**of_database, **of_broker, **of_storage}
