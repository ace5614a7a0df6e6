"""Kind `etcd`: every member of an etcd cluster says how it is; a majority must be healthy, with a leader."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from quorate.inventory.document import Document, Path
from quorate.inventory.entries import CheckEntry, SecretEntry
from quorate.inventory.faults import Fault
from quorate.inventory.fields import Duration, Line, Port, default, required, unset
from quorate.inventory.kinds.kind import Kind, Resolved
from quorate.inventory.kinds.members import MemberEntry, login_rules, member_rules, places, quorum_rules
from quorate.inventory.kinds.tls import TlsEntry, tls
from quorate.inventory.secrets import secret
from quorate.model import Host


class EtcdEntry(CheckEntry):
    """Ask every member of an etcd cluster how it is."""

    kind: Literal["etcd"] = required("Ask every member of an etcd cluster how it is.")
    hosts: list[MemberEntry] = required("The cluster's voting members.", min_length=1)
    port: Port = default(2379, "Client port of the members.")
    tls: TlsEntry = unset("How the members are asked over TLS; without it, plain HTTP.")
    user: Line = unset("User of etcd, where it wants a login.")
    password: SecretEntry = unset("Where the user's password is to be had.")
    timeout: Duration = default("5s", "Limit of each member.")
    quorum: Annotated[int, Field(ge=1)] = unset("How many members must be healthy; without it a majority.")


def rules(tree: dict[str, Any], path: Path, document: Document) -> Iterator[Fault]:
    """Yield faults of members, of a quorum that can't be reached, and of half a login."""
    yield from member_rules(tree, path, document)
    yield from quorum_rules(tree, path, document)
    yield from login_rules(tree, path, document)


def resolve(entry: EtcdEntry, hosts: Mapping[str, Host]) -> Resolved:
    """Return the settings; `password` only where a login is declared."""
    settings: dict[str, Any] = {
        "members": places(entry.hosts, entry.port, hosts),
        "tls": tls(entry.tls),
        "user": entry.user,
        "timeout": entry.timeout,
        "quorum": entry.quorum,
    }
    if entry.password is not None:
        settings["password"] = secret(entry.password)
    names = tuple(member.name for member in entry.hosts)
    return Resolved(settings=MappingProxyType(settings), hosts=names, members=names)


KIND = Kind(entry=EtcdEntry, resolve=resolve, rules=rules)
