"""Kind `patroni`: every node of a Patroni cluster says what it is; exactly one leads, the others follow."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal

from quorate.inventory.document import Document, Path
from quorate.inventory.entries import CheckEntry, Entry, SecretEntry
from quorate.inventory.faults import Fault
from quorate.inventory.fields import Duration, Line, Port, Size, default, required, unset
from quorate.inventory.kinds.kind import Kind, Resolved
from quorate.inventory.kinds.members import MemberEntry, login_rules, member_rules, places
from quorate.inventory.kinds.tls import TlsEntry, tls
from quorate.inventory.secrets import secret
from quorate.inventory.tree import mapping
from quorate.model import Host

Level = Literal["warning", "critical"]


class LagEntry(Entry):
    """Limits of a standby's lag."""

    warning: Size = default("16MiB", "More than so much is a warning.")
    critical: Size = default("128MiB", "More than so much is critical.")


class LevelsEntry(Entry):
    """How much a standby's trouble weighs."""

    not_streaming: Level = default("warning", "A standby that does not stream.")
    timeline: Level = default("warning", "A standby on another timeline than the leader's.")
    pending_restart: Level = default("warning", "A node whose settings wait for a restart.")


class PatroniEntry(CheckEntry):
    """Ask every node of a Patroni cluster what it is."""

    kind: Literal["patroni"] = required("Ask every node of a Patroni cluster what it is.")
    hosts: list[MemberEntry] = required("The cluster's nodes.", min_length=1)
    port: Port = default(8008, "Port of the nodes' REST API.")
    tls: TlsEntry = unset("How the nodes are asked over TLS; without it, plain HTTP.")
    user: Line = unset("User of the REST API, where it wants a login.")
    password: SecretEntry = unset("Where the user's password is to be had.")
    timeout: Duration = default("5s", "Limit of each node.")
    lag: LagEntry = unset("How far a standby may be behind.")
    levels: LevelsEntry = unset("What a standby's trouble is for the cluster.")


def rules(tree: dict[str, Any], path: Path, document: Document) -> Iterator[Fault]:
    """Yield faults of members, of half a login, and of a lag that is critical before it is a warning."""
    yield from member_rules(tree, path, document)
    yield from login_rules(tree, path, document)
    lag = mapping(tree, *(str(part) for part in path), "lag")
    try:
        read = LagEntry.model_validate(lag)
    except ValueError:
        return  # its shape was told already
    if read.warning > read.critical:
        what = f"check {path[-1]} has a critical lag below that of the warning"
        yield document.fault((*path, "lag"), what, "raise critical, or lower warning")


def resolve(entry: PatroniEntry, hosts: Mapping[str, Host]) -> Resolved:
    """Return the settings; lags in bytes, `password` only where a login is declared."""
    lag, levels = entry.lag or LagEntry(), entry.levels or LevelsEntry()
    settings: dict[str, Any] = {
        "members": places(entry.hosts, entry.port, hosts),
        "tls": tls(entry.tls),
        "user": entry.user,
        "timeout": entry.timeout,
        "lag": MappingProxyType({"warning": lag.warning, "critical": lag.critical}),
        "levels": MappingProxyType(levels.model_dump()),
    }
    if entry.password is not None:
        settings["password"] = secret(entry.password)
    names = tuple(member.name for member in entry.hosts)
    return Resolved(settings=MappingProxyType(settings), hosts=names, members=names)


KIND = Kind(entry=PatroniEntry, resolve=resolve, rules=rules)
