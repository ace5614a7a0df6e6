"""What kinds share whose check has a member on each of some hosts: how they are written, and their places."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from pydantic import model_validator

from quorate.inventory.document import Document, Path
from quorate.inventory.entries import Entry
from quorate.inventory.faults import Fault, meant
from quorate.inventory.fields import Address, Line, Port, required, unset, wrong
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


def member_rules(tree: dict[str, Any], path: Path, document: Document, key: str = "hosts") -> Iterator[Fault]:
    """Yield faults of members that are not hosts or stand twice; `key` is where the check has them."""
    members = mapping(tree, *(str(part) for part in path)).get(key)
    if not isinstance(members, list):
        return
    declared = tree.get("hosts")
    seen: set[str] = set()
    for index, member in enumerate(members):
        short = isinstance(member, str)
        name = member if short else word(member, "name")
        if name is None:
            continue
        place: Path = (*path, key, index) if short else (*path, key, index, "name")
        if isinstance(declared, dict) and name not in declared:
            hint = meant(name, declared, "declare it under hosts")
            yield document.fault(place, f"check {path[-1]} names a host that is not declared", hint)
        elif name in seen:
            yield document.fault(place, f"check {path[-1]} names a host twice", "leave one")
        seen.add(name)


def quorum_rules(tree: dict[str, Any], path: Path, document: Document) -> Iterator[Fault]:
    """Yield the fault of a quorum that can't be reached."""
    check = mapping(tree, *(str(part) for part in path))
    members, quorum = check.get("hosts"), check.get("quorum")
    if isinstance(members, list) and isinstance(quorum, int) and quorum > len(members):
        what = f"quorum is more than the number of nodes ({len(members)})"
        yield document.fault((*path, "quorum"), what, "without it, a majority is asked for")


def login_rules(tree: dict[str, Any], path: Path, document: Document) -> Iterator[Fault]:
    """Yield the fault of a user without a password, or the other way round."""
    check = mapping(tree, *(str(part) for part in path))
    for key, other in (("user", "password"), ("password", "user")):
        if key in check and other not in check:
            yield document.fault(
                (*path, key), f"{key} stands without {other}", f"add {other}, or take it out", at_key=True
            )


def places(
    members: Iterable[MemberEntry], port: int, hosts: Mapping[str, Host]
) -> tuple[Mapping[str, Any], ...]:
    """Return the name, address and port of each member: its own, else its host's and the check's."""
    return tuple(
        MappingProxyType(
            {
                "name": member.name,
                "address": member.address or hosts[member.name].address or "localhost",
                "port": member.port or port,
            }
        )
        for member in members
    )
