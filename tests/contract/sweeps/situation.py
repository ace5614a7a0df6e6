"""What a situation is: how both clusters come into it, and the verdicts that the semantics ask for then."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sweeps.declared import units_of

if TYPE_CHECKING:
    from sweeps.lane import Lane

Step = Callable[["Lane"], None]
"""One thing that is done to real hosts."""
Changes = Mapping[str, Any]
"""What becomes of simulated hosts, in the words of a scenario's file."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a verdict has to be."""

    state: str
    reason: str
    caused_by: str | None = None
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        notes = f" ({', '.join(self.notes)})" if self.notes else ""
        cause = f" ← {self.caused_by}" if self.caused_by else ""
        return f"{self.state} {self.reason}{notes}{cause}"


@dataclass(frozen=True, kw_only=True)
class Then:
    """What happens while a sweep is under way: after every host's `after`-th look, before the next one."""

    after: int = 1
    real: tuple[Step, ...]
    simulated: Changes


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A state of the cluster. `simulated` None: the simulation can't be brought into it; `why` says why not.

    `expect` names what differs from a nominal sweep. `groups`, `hosts`, `ssh` and `judging` change the
    inventory. `logs` False: the journals can't be had, and the evidence has to say so; None: either way.
    """

    name: str
    real: tuple[Step, ...] = ()
    simulated: Changes | None = field(default_factory=dict)
    why: str = ""
    then: tuple[Then, ...] = ()
    groups: Changes = field(default_factory=dict)
    hosts: Changes = field(default_factory=dict)
    ssh: Changes = field(default_factory=dict)
    judging: Changes = field(default_factory=dict)
    expect: Mapping[str, Expected] = field(default_factory=dict)
    active: str | None = "nfs-1"
    logs: bool | None = True

    def expected(self) -> dict[str, Expected]:
        """Return every verdict of a sweep in this situation, by id."""
        declared = [f"host/{host}" for host in units_of(self.groups)]
        declared += ["haproxy/vip", "nfs/vip", "nfs/failover"]
        declared += [i for ids in units_of(self.groups).values() for i in ids]
        found = {**({"monitor": ok()} if "monitor" in self.expect else {}), **nominal(declared)}
        if self.active is None:
            found["nfs/failover"] = unknown("active_node_unknown", by="nfs/vip")
        return {**found, **self.expect}


NOMINAL = Situation(name="nominal")
"""The cluster on a good day."""


def nominal(ids: list[str]) -> dict[str, Expected]:
    """Return the verdicts of a sweep of the cluster when all is well."""
    found = {i: ok() for i in ids}
    found["nfs/nfs-1/nfs-server"] = ok("no_process")
    passive = ("nfs/nfs-2/nfs-server", "nfs/nfs-2/lsyncd", "nfs/nfs-2/airflow-dag-processor")
    return {i: expected() if i in passive else verdict for i, verdict in found.items()}


def ok(*notes: str) -> Expected:
    """Return OK."""
    return Expected(state="ok", reason="ok", notes=notes)


def expected(*notes: str) -> Expected:
    """Return EXPECTED: a passive node that does not run the unit."""
    return Expected(state="expected", reason="passive_inactive", notes=notes)


def warning(reason: str, *notes: str, by: str | None = None) -> Expected:
    """Return WARNING."""
    return Expected(state="warning", reason=reason, notes=notes, caused_by=by)


def unknown(reason: str, *notes: str, by: str | None = None) -> Expected:
    """Return UNKNOWN."""
    return Expected(state="unknown", reason=reason, notes=notes, caused_by=by)


def critical(reason: str, *notes: str, by: str | None = None) -> Expected:
    """Return CRITICAL."""
    return Expected(state="critical", reason=reason, notes=notes, caused_by=by)


def lost(host: str, verdict: Expected, *, units_by: str | None = None) -> dict[str, Expected]:
    """Return the verdicts of a host that could not be asked: its own, and those of its units."""
    units = units_of({})[host]
    return {
        f"host/{host}": verdict,
        **{i: unknown(verdict.reason, by=units_by or f"host/{host}") for i in units},
    }
