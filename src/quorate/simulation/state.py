"""What a simulated host is like at one moment: its units, addresses, logs and manners, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from quorate.simulation.resources import SimulatedResources


class Ssh(StrEnum):
    """How a host behaves towards whoever wants to log in."""

    NORMAL = "normal"
    REFUSED = "refused"
    """Nothing listens: the connection is refused at once."""
    SILENT = "silent"
    """No answer at all, as from a host that is off: the connection attempt hangs."""
    MUTE = "mute"
    """TCP is accepted and nothing is said."""
    ENDLESS_LOGIN = "endless_login"
    """The login begins and never ends."""
    RESETS_ONCE = "resets_once"
    """The first connection of a scenario is closed at once; later ones are served."""
    OTHER_KEY = "other_key"
    """Another host key of the same algorithm than the one that is known."""
    OTHER_ALGORITHM = "other_algorithm"
    """A host key of an algorithm of which none is known."""
    UNKNOWN_KEY = "unknown_key"
    """No host key is known for the address."""
    AUTH_REFUSED = "auth_refused"
    NOLOGIN = "nologin"
    """The account may not log in now: a banner, and the connection is closed. Source: pam_nologin(8)."""
    NO_SHELL = "no_shell"
    """The account's shell is /usr/sbin/nologin."""
    NO_SESSION = "no_session"
    """The login succeeds and no session is granted, as with `MaxSessions 0`."""
    CLOSES = "closes"
    """The login succeeds and the connection is closed at once."""


class Sudo(StrEnum):
    """What `sudo -n` does for the user."""

    OK = "ok"
    PASSWORD = "password"  # noqa: S105  a manner of sudo, not a password
    FORBIDDEN = "forbidden"
    NOT_IN_SUDOERS = "not_in_sudoers"


class Trouble(StrEnum):
    """What goes wrong when a certain program is started on a host."""

    MISSING = "missing"
    NOT_EXECUTABLE = "not_executable"
    NO_SYSTEMD = "no_systemd"
    NO_BUS = "no_bus"
    HANGS = "hangs"
    LOSES_CONNECTION = "loses_connection"
    GARBAGE = "garbage"
    SAYS_NOTHING = "says_nothing"
    DRIBBLES = "dribbles"
    """A byte each second, for ever."""
    FLOODS = "floods"
    """100 MiB."""


class JournalAccess(StrEnum):
    """What journalctl shows a plain user without sudo."""

    REFUSED = "refused"
    """No journal file may be read: an error."""
    OWN = "own"
    """Only the user's own messages: a hint on standard error, and exit code 0."""
    ALL = "all"
    """The user is a member of systemd-journal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalLine:
    """One entry of a journal; `age` in seconds before the unit's anchor.

    `text` as bytes is what no text can hold. `manager` marks what systemd says of the unit.
    """

    age: float
    text: str | bytes
    priority: int = 6
    identifier: str = "systemd"
    pid: int = 1
    manager: bool = True
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedUnit:
    """A unit as systemd knows it: a recorded template, what differs from it, and when its state set in.

    `properties` are systemctl's own words; `ages` gives for a stamp (`StateChange`, `ActiveEnter`, …) how
    many seconds it lies before the unit's anchor: the begin of the scenario, or of the step that changed it.
    `answered` False leaves the unit out of systemctl's answer.
    """

    name: str
    template: str = "service"
    properties: Mapping[str, str] = field(default_factory=dict)
    ages: Mapping[str, float] = field(default_factory=dict)
    journal: tuple[JournalLine, ...] = ()
    answered: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """All names that the unit answers to."""
        return tuple(self.properties.get("Names", self.name).split())


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedAddress:
    """An address on an interface; `flags` are those that `ip` prints (tentative, dadfailed, …)."""

    local: str
    prefix: int
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Interface:
    """A network interface; one that is not `up` still shows its addresses."""

    name: str
    addresses: tuple[SimulatedAddress, ...] = ()
    up: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedHost:
    """All that a host would answer by; durations in seconds, `uptime` at the begin of the scenario.

    `units` by full name. `lacks` are properties that the host's systemd is too old for. `noise` is what a
    login script prints before any answer, `banner` what is shown during login.
    """

    name: str
    address: str
    uptime: float
    units: Mapping[str, SimulatedUnit] = field(default_factory=dict)
    interfaces: tuple[Interface, ...] = ()
    ssh: Ssh = Ssh.NORMAL
    sudo: Sudo = Sudo.OK
    journal_access: JournalAccess = JournalAccess.REFUSED
    volatile_journal: bool = False
    trouble: Mapping[str, Trouble] = field(default_factory=dict)
    banner: str = ""
    noise: str = ""
    system_state: str | None = None
    """systemd's word for the whole system; None lets the units decide between running and degraded."""
    lacks: frozenset[str] = frozenset()
    resources: SimulatedResources = field(default_factory=SimulatedResources)
    clock: float = 0.0
    """How many seconds the host's clock is ahead of the right time."""
    markers: Mapping[str, float] = field(default_factory=dict)
    """Files by their paths, with how many seconds ago they were written when the scenario began."""
