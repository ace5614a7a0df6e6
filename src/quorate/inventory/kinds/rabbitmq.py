"""Kind `rabbitmq`: log in to every node of a RabbitMQ cluster over AMQP; a majority must be healthy.

With `management`, what each node says of the cluster is asked as well: a node that only takes logins may be
out of the cluster, or on the other side of a partition.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from quorate.inventory.document import Document, Path
from quorate.inventory.entries import CheckEntry, Entry, SecretEntry
from quorate.inventory.faults import Fault
from quorate.inventory.fields import Duration, Line, Port, default, required, unset, wrong
from quorate.inventory.kinds.kind import Kind, Resolved
from quorate.inventory.kinds.members import MemberEntry, member_rules, places, quorum_rules
from quorate.inventory.kinds.tls import TlsEntry, tls
from quorate.inventory.secrets import secret
from quorate.model import Host


def _node(value: object) -> object:
    if isinstance(value, str) and not all(value.partition("@")):
        raise wrong("is not the name of a RabbitMQ node", "write it as rabbitmqctl shows it: rabbit@rabbit-1")
    return value


class RabbitmqMemberEntry(MemberEntry):
    """A node of a RabbitMQ cluster; a name alone is short for {name: …}."""

    node: Annotated[Line, BeforeValidator(_node)] = unset(
        "The node's name in the cluster, where it is not rabbit@ and the host's name; for management."
    )


class ManagementEntry(Entry):
    """How the nodes' management API is asked."""

    port: Port = default(15672, "Port of the management API.")
    tls: TlsEntry = unset("How the API is asked over TLS; without it, plain HTTP.")
    user: Line = unset("User with the tag `monitoring`, where it is not the check's.")
    password: SecretEntry = unset("Where that user's password is to be had; without it, the check's.")
    timeout: Duration = unset("Limit of each node's API; without it, the check's.")


class RabbitmqEntry(CheckEntry):
    """Log in to every node of a RabbitMQ cluster."""

    kind: Literal["rabbitmq"] = required("Log in to every node of a RabbitMQ cluster.")
    hosts: list[RabbitmqMemberEntry] = required("The cluster's nodes.", min_length=1)
    port: Port = default(5672, "AMQP port of the nodes.")
    vhost: Line = default("/", "Virtual host to open.")
    user: Line = required("RabbitMQ user.")
    password: SecretEntry = required("Where the user's password is to be had.")
    timeout: Duration = default("5s", "Limit of each node.")
    quorum: Annotated[int, Field(ge=1)] = unset("How many nodes must be healthy; without it a majority.")
    depth: Literal["connect", "round_trip"] = default(
        "connect", "`connect` logs in; `round_trip` also sends a message and takes it back."
    )
    management: ManagementEntry = unset("Ask each node's management API as well; without it, AMQP alone.")


def rules(tree: dict[str, Any], path: Path, document: Document) -> Iterator[Fault]:
    """Yield faults of members that are not hosts or stand twice, and of a quorum that can't be reached."""
    yield from member_rules(tree, path, document)
    yield from quorum_rules(tree, path, document)


def resolve(entry: RabbitmqEntry, hosts: Mapping[str, Host]) -> Resolved:
    """Return the settings; `members` have their own address and port, else their host's and the check's.

    A member has a `node` only where it is set, and the check `management`, `management_tls` and
    `management_password` only where there is a management section.
    """
    settings: dict[str, Any] = {
        "members": _members(entry, hosts),
        "vhost": entry.vhost,
        "user": entry.user,
        "password": secret(entry.password),
        "timeout": entry.timeout,
        "quorum": entry.quorum,
        "depth": entry.depth,
    }
    if entry.management is not None:
        settings |= _management(entry, entry.management)
    names = tuple(member.name for member in entry.hosts)
    return Resolved(settings=MappingProxyType(settings), hosts=names, members=names)


def _members(entry: RabbitmqEntry, hosts: Mapping[str, Host]) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        place if member.node is None else MappingProxyType({**place, "node": member.node})
        for member, place in zip(entry.hosts, places(entry.hosts, entry.port, hosts), strict=True)
    )


def _management(entry: RabbitmqEntry, management: ManagementEntry) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "management": MappingProxyType(
            {
                "port": management.port,
                "user": management.user or entry.user,
                "timeout": management.timeout or entry.timeout,
            }
        ),
        # At the top level, since files are found and secrets are read for what stands there.
        "management_tls": tls(management.tls),
    }
    if management.password is not None:
        settings["management_password"] = secret(management.password)
    return settings


KIND = Kind(entry=RabbitmqEntry, resolve=resolve, rules=rules)
