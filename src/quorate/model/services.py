"""What passes between a check and a transport: the question, and what the service or the host answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from quorate.model.asking import NoReply, Reply


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresAsk:
    """A query to a PostgreSQL server; time-outs in seconds.

    `parameters` are sent apart from the query, never formatted into it. With `write`, a write is tried
    beside the query in a transaction that is rolled back.
    """

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    query: str
    parameters: Sequence[Any] = ()
    connect_timeout: float
    statement_timeout: float
    write: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresReply:
    """What the server answered: the first column of the query's first row, None where it has no row.

    `in_recovery` tells that a standby answered, `wrote` that a write went through and was rolled back.
    """

    value: int | float | bool | str | None
    in_recovery: bool
    wrote: bool = False
    duration: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class AmqpAsk:
    """A login to a RabbitMQ node; with `round_trip`, a message is published and consumed as well.

    `timeout` in seconds bounds each step, as a socket's time-out does.
    """

    host: str
    port: int
    vhost: str
    user: str
    password: str = field(repr=False)
    timeout: float
    round_trip: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AmqpReply:
    """A login that the node accepted: what it says of itself, and how long it took in seconds."""

    product: str
    version: str
    cluster: str | None = None
    duration: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Tls:
    """How a server is spoken to over TLS; paths of PEM files, None for the system's and for no client's.

    `name` is what the certificate must be for where that is not the address.
    """

    verify: bool = True
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    name: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpRequest:
    """One request; `body` is sent as it is. Headers and body may hold a secret, so they are never shown."""

    path: str
    method: str = "GET"
    body: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpLogin:
    """A request whose JSON answer has a token under the key `token`.

    All further requests send it in their header Authorization, behind `scheme` and a blank where it has one.
    """

    request: HttpRequest
    token: str
    scheme: str = "Bearer"


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpAsk:
    """Requests to one HTTP server, in order, over one connection; redirects are answers and not followed.

    `timeout` in seconds bounds all of them together. `user` and `password` are sent by HTTP Basic. `secrets`
    are further texts that must stand in nothing that is said of the exchange.
    """

    host: str
    port: int
    requests: tuple[HttpRequest, ...]
    timeout: float
    tls: Tls | None = None
    host_header: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    login: HttpLogin | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpAnswer:
    """The answer to one request, whole; header names in lower case, `duration` in seconds."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    duration: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpReply:
    """What a server answered to each request, or why it did not; at least one was answered.

    `certificate_ends` is when the server's own certificate ends, in UTC; None without TLS.
    """

    answers: tuple[HttpAnswer | NoReply, ...]
    certificate_ends: datetime | None = None
    duration: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class TcpAsk:
    """A TCP connection that is made and closed again; `timeout` in seconds."""

    host: str
    port: int
    timeout: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TcpReply:
    """A connection that was accepted, and after how many seconds."""

    duration: float


@dataclass(frozen=True, kw_only=True, slots=True)
class CeleryAsk:
    """A broadcast to Celery workers through a broker: who is there, and on which queues.

    The brokers are tried in order until one takes the broadcast. `workers` are the names that are waited for
    (`celery@celery-1`), until each of them has answered and somebody consumes from each of `queues`, for
    `timeout` seconds at most; each other answer in that time is told as well.
    """

    brokers: tuple[tuple[str, int], ...]
    vhost: str
    user: str
    password: str = field(repr=False)
    workers: tuple[str, ...]
    queues: tuple[str, ...] = ()
    timeout: float

    @property
    def host(self) -> str:
        """The address of the first broker."""
        return self.brokers[0][0]

    @property
    def port(self) -> int:
        """The port of the first broker."""
        return self.brokers[0][1]


@dataclass(frozen=True, kw_only=True, slots=True)
class CeleryReply:
    """The names of the workers that answered, with the queues that each consumes from.

    `without_queues` are workers that answered with an error in place of them, `unreadable` counts answers
    of which nothing could be made, not even whose they are.
    """

    workers: Mapping[str, tuple[str, ...]]
    without_queues: tuple[str, ...] = ()
    unreadable: int = 0
    duration: float = 0.0


ServiceAsk = PostgresAsk | AmqpAsk | HttpAsk | TcpAsk | CeleryAsk
ServiceReply = PostgresReply | AmqpReply | HttpReply | TcpReply | CeleryReply


@dataclass(frozen=True, kw_only=True, slots=True)
class HostReply:
    """What a host answered to the commands of a check, in their order.

    `moments` has for each when it was asked and when its answer came, by the monitor's clock in UTC, None
    where none came: what the command saw, it saw between the two.
    """

    answers: tuple[Reply | NoReply, ...]
    moments: tuple[tuple[datetime, datetime] | None, ...]
    duration: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckObservation:
    """What was learned for one check, by the name of the member's host, or of whatever else its members are.

    A check that has no members has one answer, under its own name. An answer is the facts that the check's
    probe read out of a reply, or why there are none. `addresses` are where each was asked.
    """

    answers: Mapping[str, Any]
    addresses: Mapping[str, str] = field(default_factory=dict)
