"""Kind `rabbitmq`: log in to every node of a RabbitMQ cluster over AMQP; a majority must be healthy."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from quorate.inventory.document import Document, Path
from quorate.inventory.entries import CheckEntry, Entry, SecretEntry
from quorate.inventory.faults import Fault, meant
from quorate.inventory.fields import Address, Duration, Line, Port, default, required, unset, wrong
from quorate.inventory.kinds.kind import Kind, Resolved
from quorate.inventory.secrets import secret
from quorate.inventory.tree import mapping, word
from quorate.model import Host


class MemberEntry(Entry):
    """A node of the cluster; a name alone is short for {name: …}."""

    short_for: ClassVar[str] = "name"

    name: Line = required("Name of one of the inventory's hosts.")
    address: Address = unset("Address that the node listens on, where it is not the host's.")
    port: Port = unset("Port that the node listens on, where it is not the check's.")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {cls.short_for: value}
        if not isinstance(value, dict):
            raise wrong("must be a host's name or a mapping", "such as {name: rabbit-1, port: 5673}")
        return value


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
    check = mapping(tree, *(str(part) for part in path))
    members = check.get("hosts")
    if not isinstance(members, list):
        return
    declared = tree.get("hosts")
    seen: set[str] = set()
    for index, member in enumerate(members):
        short = isinstance(member, str)
        name = member if short else word(member, "name")
        if name is None:
            continue
        place: Path = (*path, "hosts", index) if short else (*path, "hosts", index, "name")
        if isinstance(declared, dict) and name not in declared:
            hint = meant(name, declared, "declare it under hosts")
            yield document.fault(place, f"check {path[-1]} names a host that is not declared", hint)
        elif name in seen:
            yield document.fault(place, f"check {path[-1]} names a host twice", "leave one")
        seen.add(name)
    quorum = check.get("quorum")
    if isinstance(quorum, int) and quorum > len(members):
        what = f"quorum is more than the number of nodes ({len(members)})"
        yield document.fault((*path, "quorum"), what, "without it, a majority is asked for")


def resolve(entry: RabbitmqEntry, hosts: Mapping[str, Host]) -> Resolved:
    """Return the settings; `members` have their own address and port, else their host's and the check's."""
    members = tuple(
        MappingProxyType(
            {
                "name": member.name,
                "address": member.address or hosts[member.name].address or "localhost",
                "port": member.port or entry.port,
            }
        )
        for member in entry.hosts
    )
    settings = {
        "members": members,
        "vhost": entry.vhost,
        "user": entry.user,
        "password": secret(entry.password),
        "timeout": entry.timeout,
        "quorum": entry.quorum,
        "depth": entry.depth,
    }
    return Resolved(settings=MappingProxyType(settings), hosts=tuple(member.name for member in entry.hosts))


KIND = Kind(entry=RabbitmqEntry, resolve=resolve, rules=rules)
