"""Kind `tcp`: whether ports take connections, of hosts or at an address such as a virtual IP."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from quorate.inventory.document import Document, Path
from quorate.inventory.entries import CheckEntry
from quorate.inventory.faults import Fault
from quorate.inventory.fields import Address, Duration, Port, default, required, unset
from quorate.inventory.kinds.kind import Kind, Resolved
from quorate.inventory.kinds.members import MemberEntry, member_rules, places
from quorate.inventory.tree import mapping
from quorate.model import Host


class TcpEntry(CheckEntry):
    """Make a TCP connection, and close it again."""

    kind: Literal["tcp"] = required("Make a TCP connection, and close it again.")
    hosts: Annotated[list[MemberEntry], Field(min_length=1)] = unset(
        "The hosts whose port is asked; in place of `address`."
    )
    address: Address = unset("Address that is asked, such as a virtual IP; in place of `hosts`.")
    port: Port = required("The port.")
    timeout: Duration = default("5s", "Limit of a connection, the resolution of a name included.")
    slow: Duration = default("1s", "A connection that takes longer is a warning.")


def rules(tree: dict[str, Any], path: Path, document: Document) -> Iterator[Fault]:
    """Yield faults of members, and of a check that says neither or both of hosts and address."""
    yield from member_rules(tree, path, document)
    check = mapping(tree, *(str(part) for part in path))
    if "hosts" in check and "address" in check:
        what = f"check {path[-1]} has hosts and address"
        hint = "leave one, and write a check of its own for the other"
        yield document.fault((*path, "address"), what, hint, at_key=True, show=False)
    elif "hosts" not in check and "address" not in check:
        what = f"check {path[-1]} has neither hosts nor address"
        yield document.fault(path, what, "say whose port is asked", at_key=True, show=False)


def resolve(entry: TcpEntry, hosts: Mapping[str, Host]) -> Resolved:
    """Return the settings: `host` and `port` of the one place, or `members` where there are several."""
    limits = {"timeout": entry.timeout, "slow": entry.slow}
    if entry.hosts:
        names = tuple(member.name for member in entry.hosts)
        found = places(entry.hosts, entry.port, hosts)
        if len(found) > 1:
            settings = {"members": found, **limits}
            return Resolved(settings=MappingProxyType(settings), hosts=names, members=names)
        settings = {"host": found[0]["address"], "port": found[0]["port"], **limits}
        return Resolved(settings=MappingProxyType(settings), hosts=names)
    named = hosts.get(entry.address)
    address = (named.address or "localhost") if named else entry.address
    concerned = (named.name,) if named else tuple(h.name for h in hosts.values() if h.address == address)
    settings = {"host": address, "port": entry.port, **limits}
    return Resolved(settings=MappingProxyType(settings), hosts=concerned)


KIND = Kind(entry=TcpEntry, resolve=resolve, rules=rules)
