"""What a simulated service is like at one moment, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from quorate.simulation.services.site import Certificate, Site


class Manner(StrEnum):
    """How a service behaves towards whoever wants something of it."""

    NORMAL = "normal"
    REFUSED = "refused"
    """Nothing listens: the connection is refused at once."""
    SILENT = "silent"
    """No answer at all, as from an address that nobody holds: the connection attempt hangs."""
    MUTE = "mute"
    """TCP is accepted and nothing is said."""
    NO_BACKEND = "no_backend"
    """TCP is accepted and closed at once, as by a proxy that has no server behind it."""
    CLOSES = "closes"
    """The connection is closed in the middle of an answer."""
    SLOW = "slow"
    """The login is as ever, and what comes after it takes half a minute."""
    WRONG_PASSWORD = "wrong_password"  # noqa: S105  a manner of a service, not a password
    """The service knows another password than the one that is asked with."""
    NO_DATABASE = "no_database"
    """The database, or the virtual host, does not exist."""
    STANDBY = "standby"
    """Of a database: a standby answers, which can only be read."""
    QUERY_FAILS = "query_fails"
    """Of a database: its tables are gone."""
    ALARM = "alarm"
    """Of a node: its memory is short, and it takes no more messages."""
    NACKS = "nacks"
    """Of a node: it does not take the message that it is sent."""
    GARBAGE = "garbage"
    """Of a web server: something else answers there, with a page for people."""
    UNAVAILABLE = "unavailable"
    """Of a web server: a proxy before it says that there is none (503)."""


_BOTH = frozenset(
    {
        Manner.NORMAL,
        Manner.REFUSED,
        Manner.SILENT,
        Manner.MUTE,
        Manner.NO_BACKEND,
        Manner.CLOSES,
        Manner.SLOW,
        Manner.WRONG_PASSWORD,
        Manner.NO_DATABASE,
    }
)
_WEB = _BOTH - {Manner.WRONG_PASSWORD, Manner.NO_DATABASE} | {Manner.GARBAGE, Manner.UNAVAILABLE}
MANNERS: Mapping[str, frozenset[Manner]] = {
    "postgresql": _BOTH | {Manner.STANDBY, Manner.QUERY_FAILS},
    "rabbitmq": _BOTH | {Manner.ALARM, Manner.NACKS},
    "patroni": _WEB,
    "etcd": _WEB,
    "haproxy": _WEB,
    "airflow": _WEB | {Manner.WRONG_PASSWORD},
    "http": _WEB | {Manner.WRONG_PASSWORD},
    "celery": frozenset({Manner.NORMAL, Manner.WRONG_PASSWORD}),
    "tcp": frozenset({Manner.NORMAL, Manner.REFUSED, Manner.SILENT}),
}
"""The manners of each kind of service."""

DELAY = 30.0
"""Seconds that a slow service takes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedDatabase:
    """A PostgreSQL server with one user and one database; `tables` are names with their number of rows."""

    database: str
    user: str
    password: str = field(repr=False)
    tables: Mapping[str, int]
    manner: Manner = Manner.NORMAL


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedWorker:
    """A Celery worker that is connected to a node.

    It answers `after` so many seconds, never where that is None, and if it is `broken` with an error.
    """

    name: str
    queues: tuple[str, ...]
    after: float | None = 0.0
    broken: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedNode:
    """A RabbitMQ node with one virtual host; `cluster` is the name of the node's cluster.

    `others` are further users with their passwords. `workers` are None where none ever connected.
    """

    cluster: str
    vhost: str
    user: str
    password: str = field(repr=False)
    others: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)
    workers: tuple[SimulatedWorker, ...] | None = None
    manner: Manner = Manner.NORMAL


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedSite:
    """A web server; `certificate` is what it shows over TLS, without one it speaks plain HTTP."""

    site: Site
    manner: Manner = Manner.NORMAL
    certificate: Certificate | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedPort:
    """A port that takes connections, and closes them again."""

    manner: Manner = Manner.NORMAL


SimulatedService = SimulatedDatabase | SimulatedNode | SimulatedSite | SimulatedPort
