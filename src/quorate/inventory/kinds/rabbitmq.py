"""Kind `rabbitmq`: log in to every node of a RabbitMQ cluster over AMQP; a majority must be healthy."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from quorate.inventory.document import Document, Path
from quorate.inventory.entries import CheckEntry, SecretEntry
from quorate.inventory.faults import Fault
from quorate.inventory.fields import Duration, Line, Port, default, required, unset
from quorate.inventory.kinds.kind import Kind, Resolved
from quorate.inventory.kinds.members import MemberEntry, member_rules, places, quorum_rules
from quorate.inventory.secrets import secret
from quorate.model import Host


class RabbitmqEntry(CheckEntry):
    """Log in to every node of a RabbitMQ cluster."""

    kind: Literal["rabbitmq"] = required("Log in to every node of a RabbitMQ cluster.")
    hosts: list[MemberEntry] = required("The cluster's nodes.", min_length=1)
    port: Port = default(5672, "AMQP port of the nodes.")
    vhost: Line = default("/", "Virtual host to open.")
    user: Line = required("RabbitMQ user.")
    password: SecretEntry = required("Where the user's password is to be had.")
    timeout: Duration = default("5s", "Limit of each node.")
    quorum: Annotated[int, Field(ge=1)] = unset("How many nodes must be healthy; without it a majority.")
    depth: Literal["connect", "round_trip"] = default(
        "connect", "`connect` logs in; `round_trip` also sends a message and takes it back."
    )


def rules(tree: dict[str, Any], path: Path, document: Document) -> Iterator[Fault]:
    """Yield faults of members that are not hosts or stand twice, and of a quorum that can't be reached."""
    yield from member_rules(tree, path, document)
    yield from quorum_rules(tree, path, document)


def resolve(entry: RabbitmqEntry, hosts: Mapping[str, Host]) -> Resolved:
    """Return the settings; `members` have their own address and port, else their host's and the check's."""
    settings = {
        "members": places(entry.hosts, entry.port, hosts),
        "vhost": entry.vhost,
        "user": entry.user,
        "password": secret(entry.password),
        "timeout": entry.timeout,
        "quorum": entry.quorum,
        "depth": entry.depth,
    }
    names = tuple(member.name for member in entry.hosts)
    return Resolved(settings=MappingProxyType(settings), hosts=names, members=names)


KIND = Kind(entry=RabbitmqEntry, resolve=resolve, rules=rules)
