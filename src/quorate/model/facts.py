"""Facts that probes parse out of replies, and the value that stands where there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from quorate.model.asking import Contact
from quorate.model.services import HostReply
from quorate.model.state import Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Unobserved:
    """A fact that could not be had: why, and what a person should read about it."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitFacts:
    """What systemd says of one unit; `None` is what this systemd does not tell. Source: systemctl(1) show.

    Ages and limits in seconds; `state_age` since the last change of state, `active_age` since it became
    active, `starting_age` since it left inactive. All from two readings of the same host's clock.
    A limit of `inf` is systemd's `infinity`.
    """

    names: tuple[str, ...]
    load_state: str
    active_state: str
    sub_state: str
    result: str | None = None
    type: str | None = None
    unit_file_state: str | None = None
    n_restarts: int | None = None
    job: int | None = None
    triggered_by: tuple[str, ...] = ()
    exec_main_code: int | None = None
    exec_main_status: int | None = None
    kill_signal: int | None = None
    start_limit: float | None = None
    stop_limit: float | None = None
    state_age: float | None = None
    active_age: float | None = None
    starting_age: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Addresses:
    """The addresses that count as held: in canonical form, on interfaces that are up, usable and not `lo`."""

    held: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncMarker:
    """A marker of what was copied: its age in seconds by the host's own clock, None where it is missing."""

    age: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class HostObservation:
    """One look at one host. Units by the name that was asked for; `addresses` None where not asked.

    What only some findings need is asked in a follow-up, after which `followed_up` is set: `system_state` is
    systemd's own word (`running`, `starting` …), `restarts` the scheduled restarts that the journal holds
    within the window, by unit, `triggers` the active states of triggering units.
    `checks` has the answers to the commands of checks, by the check's name; further looks ask for none.
    `vrrp` has the last state that keepalived's journal tells of each VRRP instance (`BACKUP`, `MASTER`,
    `FAULT`), None where not asked; `sync` the markers by path, asked for by the first look alone.
    `sudo_refused` is what sudo said when it refused; `seen_at` is when the answer came, by our own clock.
    """

    contact: Contact
    units: Mapping[str, UnitFacts | Unobserved] = field(default_factory=dict)
    addresses: Addresses | Unobserved | None = None
    followed_up: bool = False
    system_state: str | None = None
    restarts: Mapping[str, int] = field(default_factory=dict)
    triggers: Mapping[str, str] = field(default_factory=dict)
    checks: Mapping[str, HostReply] = field(default_factory=dict)
    vrrp: Mapping[str, str] | Unobserved | None = None
    sync: Mapping[str, SyncMarker | Unobserved] = field(default_factory=dict)
    sudo_refused: str | None = None
    seen_at: datetime | None = None
