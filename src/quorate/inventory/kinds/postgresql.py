"""Kind `postgresql`: log in to a database, through its virtual IP as a rule, and run a query."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from quorate.inventory.entries import CheckEntry, SecretEntry
from quorate.inventory.fields import Address, Duration, Line, Paragraph, Port, Scalar, default, required
from quorate.inventory.kinds.kind import Kind, Resolved, no_rules
from quorate.inventory.secrets import secret
from quorate.model import Host


class PostgresqlEntry(CheckEntry):
    """Log in to a PostgreSQL database and run a query."""

    kind: Literal["postgresql"] = required("Log in to a PostgreSQL database and run a query.")
    host: Address = required("Address of the database, or the name of one of the inventory's hosts.")
    port: Port = default(5432, "Port of the database, or of the proxy before it.")
    database: Line = required("Name of the database.")
    user: Line = required("Database user.")
    password: SecretEntry = required("Where the user's password is to be had.")
    query: Paragraph = default("SELECT COUNT(*) FROM dag", "The query; what it takes is in parameters.")
    parameters: list[Scalar] = default([], "Values of the query's parameters, in order.")
    connect_timeout: Duration = default("5s", "Limit of connecting and logging in.")
    statement_timeout: Duration = default("5s", "Limit of the query.")
    depth: Literal["read", "write"] = default(
        "read", "`read` runs the query; `write` also makes a change that is rolled back."
    )


def resolve(entry: PostgresqlEntry, hosts: Mapping[str, Host]) -> Resolved:
    """Return the settings; a `host` that names one of the inventory's hosts becomes its address."""
    named = hosts.get(entry.host)
    address = (named.address or "localhost") if named else entry.host
    settings = {
        "host": address,
        "port": entry.port,
        "database": entry.database,
        "user": entry.user,
        "password": secret(entry.password),
        "query": entry.query,
        "parameters": tuple(entry.parameters),
        "connect_timeout": entry.connect_timeout,
        "statement_timeout": entry.statement_timeout,
        "depth": entry.depth,
    }
    concerned = (named.name,) if named else tuple(h.name for h in hosts.values() if h.address == address)
    return Resolved(settings=MappingProxyType(settings), hosts=concerned)


KIND = Kind(entry=PostgresqlEntry, resolve=resolve, rules=no_rules)
