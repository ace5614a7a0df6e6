"""Kind `haproxy`: ask every load balancer for its statistics; each backend must have as many servers up."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from quorate.inventory.document import Document, Path
from quorate.inventory.entries import CheckEntry, Entry, LogsFromEntry, SecretEntry
from quorate.inventory.faults import Fault
from quorate.inventory.fields import Duration, Line, Port, default, not_text, required, unset, wrong
from quorate.inventory.kinds.kind import Kind, Resolved
from quorate.inventory.kinds.members import MemberEntry, login_rules, member_rules, places
from quorate.inventory.kinds.tls import TlsEntry, tls
from quorate.inventory.secrets import secret
from quorate.inventory.tree import mapping
from quorate.model import Host, LogsFrom


def _page(value: object) -> str:
    if not isinstance(value, str):
        raise not_text(value)
    if not value.startswith("/"):
        raise wrong("is not the path of a page", "it begins with a slash, as `stats uri` in haproxy.cfg does")
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise wrong("holds what can't stand in a path", "write it as `stats uri` in haproxy.cfg has it")
    if value.endswith(";csv"):
        raise wrong("names the table of the page", "write the path of the page, without ;csv")
    return value


Page = Annotated[
    str,
    BeforeValidator(_page),
    WithJsonSchema({"type": "string", "pattern": "^/", "examples": ["/", "/haproxy?stats"]}),
]
"""The path of a page, as it stands in a request."""


class BackendEntry(Entry):
    """How many servers of a backend must be up."""

    min_up: Annotated[int, Field(ge=0)] = default(1, "So many servers must be up at least.")
    max_up: Annotated[int, Field(ge=1)] = unset("So many servers may be up at most; without it, all of them.")
    served_by: LogsFromEntry = unset("The unit that the servers of the backend are, as a group has it.")


class HaproxyEntry(CheckEntry):
    """Ask HAProxy for its statistics."""

    kind: Literal["haproxy"] = required("Ask HAProxy for its statistics.")
    hosts: list[MemberEntry] = required("The hosts that HAProxy runs on.", min_length=1)
    port: Port = default(7000, "Port of the statistics page.")
    path: Page = default("/", "Path of the statistics page (`stats uri`), without `;csv`.")
    tls: TlsEntry = unset("How the page is asked over TLS; without it, plain HTTP.")
    user: Line = unset("User of the page (`stats auth`), where it wants a login.")
    password: SecretEntry = unset("Where the user's password is to be had.")
    timeout: Duration = default("5s", "Limit of each host.")
    backends: dict[Line, BackendEntry] = required(
        "The backends (`backend` or `listen`), by their name in haproxy.cfg.", min_length=1
    )


def rules(tree: dict[str, Any], path: Path, document: Document) -> Iterator[Fault]:
    """Yield faults of members, of half a login, and of backends that can't be as declared."""
    yield from member_rules(tree, path, document)
    yield from login_rules(tree, path, document)
    check = mapping(tree, *(str(part) for part in path))
    for name, backend in mapping(check, "backends").items():
        fewest, most = mapping(backend).get("min_up", 1), mapping(backend).get("max_up")
        if isinstance(fewest, int) and isinstance(most, int) and fewest > most:
            what = f"max_up is less than min_up ({fewest})"
            yield document.fault((*path, "backends", name, "max_up"), what, "no number of servers fits both")


def resolve(entry: HaproxyEntry, hosts: Mapping[str, Host]) -> Resolved:
    """Return the settings; `backends` have min_up, max_up and served_by, None where one is not set."""
    settings: dict[str, Any] = {
        "members": places(entry.hosts, entry.port, hosts),
        "path": entry.path,
        "tls": tls(entry.tls),
        "user": entry.user,
        "timeout": entry.timeout,
        "backends": MappingProxyType({name: _backend(of) for name, of in entry.backends.items()}),
    }
    if entry.password is not None:
        settings["password"] = secret(entry.password)
    names = tuple(member.name for member in entry.hosts)
    return Resolved(settings=MappingProxyType(settings), hosts=names, members=names)


def _backend(entry: BackendEntry) -> Mapping[str, Any]:
    unit = entry.served_by
    return MappingProxyType(
        {
            "min_up": entry.min_up,
            "max_up": entry.max_up,
            "served_by": None if unit is None else LogsFrom(group=unit.group, unit=unit.unit),
        }
    )


KIND = Kind(entry=HaproxyEntry, resolve=resolve, rules=rules, needs_roles=True)
