"""What a RabbitMQ node's management API says of the cluster, as that node sees it."""

from dataclasses import dataclass

from quorate.model.asking import NoReply


@dataclass(frozen=True, kw_only=True, slots=True)
class RabbitNode:
    """A node in another one's list, or in its own; `partitions` are the nodes that it is parted from.

    `alarms` are what it is short of (`memory`, `disk`), None where the list does not tell. `drained` is None
    where the version does not tell (before 3.11.19 and 3.12.1).
    """

    name: str
    running: bool
    partitions: tuple[str, ...] = ()
    alarms: tuple[str, ...] | None = None
    drained: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RabbitAlarm:
    """An alarm that is in effect: the node, and what it is short of."""

    node: str
    resource: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ManagementFacts:
    """A node's own name, its list of the cluster's nodes, and its health checks.

    Each is a NoReply where just that could not be had. `queues` are those that would lose their quorum
    without the node. `alarms` and `queues` are None where the version has no such check, `node` where it is
    not told.
    """

    nodes: tuple[RabbitNode, ...] | NoReply
    node: str | None = None
    alarms: tuple[RabbitAlarm, ...] | NoReply | None = None
    queues: tuple[str, ...] | NoReply | None = None
    duration: float = 0.0
