"""What passes between a check of a service and its transport: the question, and what the service answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quorate.model.asking import NoReply


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


ServiceAsk = PostgresAsk | AmqpAsk
ServiceReply = PostgresReply | AmqpReply


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckObservation:
    """What the servers of one check answered, by the name of the member's host.

    A check that has no members has one answer, under its own name. `addresses` are where each was asked.
    """

    answers: Mapping[str, ServiceReply | NoReply]
    addresses: Mapping[str, str] = field(default_factory=dict)
