"""What a kind of check brings along: its keys, its rules, and how its settings come about."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from quorate.inventory.document import Document, Path
from quorate.inventory.entries import CheckEntry
from quorate.inventory.faults import Fault
from quorate.model import Host


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """A check's settings, ready for use, the inventory hosts it concerns, and its members' names."""

    settings: Mapping[str, Any]
    hosts: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """One kind of check.

    `entry` is the model of its keys. `rules` yields faults of what its keys say of the rest of the file:
    of the whole tree, the check's path and the document. `resolve` makes settings of a valid entry.
    `asks_hosts` tells that its question is asked of the check's hosts, together with their units,
    `needs_roles` that who holds the virtual IPs of these hosts decides what its answers mean.
    """

    entry: type[CheckEntry]
    resolve: Callable[[Any, Mapping[str, Host]], Resolved]
    rules: Callable[[dict[str, Any], Path, Document], Iterator[Fault]]
    asks_hosts: bool = False
    needs_roles: bool = False


def no_rules(_tree: dict[str, Any], _path: Path, _document: Document) -> Iterator[Fault]:
    """Yield nothing: the kind's keys say nothing of the rest of the file."""
    return iter(())
