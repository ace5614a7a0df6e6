"""What a node's Patroni says of itself, and of the cluster as its configuration store has it."""

from dataclasses import dataclass

from quorate.model.asking import NoReply


@dataclass(frozen=True, kw_only=True, slots=True)
class PatroniMember:
    """A member in the store's view; `lag` in bytes, None where it is not told, or not known.

    `addresses` are where its PostgreSQL and its REST API are. `source` is the member that it is set to stream
    from, None for the leader.
    """

    name: str
    role: str
    state: str
    addresses: tuple[str, ...] = ()
    timeline: int | None = None
    lag: int | None = None
    lag_known: bool = True
    source: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PatroniView:
    """The cluster as the configuration store has it; a node that has lost the store may show an old copy."""

    members: tuple[PatroniMember, ...]
    paused: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class PatroniFacts:
    """What one node says; locations of the write-ahead log in bytes. Source: Patroni's REST API.

    `location` is how far a primary has written, `received` and `replayed` how far a standby has come.
    `replicas` are the standbys that stream from this node, by name and by address, whatever it is itself.
    `store_age` is how many seconds ago the node read the store, by its own clock.
    """

    role: str
    state: str
    timeline: int | None
    version: str
    scope: str
    name: str | None = None
    location: int | None = None
    received: int | None = None
    replayed: int | None = None
    replicas: tuple[str, ...] = ()
    streaming: bool | None = None
    pending_restart: bool = False
    paused: bool = False
    failsafe: bool = False
    view: PatroniView | NoReply
    store_age: float | None = None
    duration: float = 0.0
