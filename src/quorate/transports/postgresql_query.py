"""One query and what surrounds it, in one round trip and one transaction that is rolled back."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import OperationalError, pq
from psycopg.pq.abc import PGconn, PGresult

from quorate.model import PostgresAsk, Reason
from quorate.transports.errors import HostError, cleaned, seconds
from quorate.transports.postgresql_login import SESSION_BYTES, ready, received
from quorate.transports.postgresql_words import query_failure

GRACE = 0.5
"""How much longer than the server's own limit is waited, so that its own words about it can arrive."""

_WRITE = b"CREATE TEMPORARY TABLE quorate_write ON COMMIT DROP AS SELECT 1 AS written"
"""Refused by a standby and by a read-only session alike, and needs an entry in the write-ahead log (the
system catalogs') as any write does. It needs the TEMPORARY privilege on the database, which everybody has
unless it was revoked, and is gone with the transaction, however that ends."""

_BEGIN = b"BEGIN ISOLATION LEVEL READ COMMITTED"  # a default of `serializable` would be refused by a standby

_INTEGERS = {20, 21, 23, 26}  # int8, int2, int4, oid (pg_type.dat)
_FLOATS = {700, 701}
_NUMERIC = 1700
_BOOLEAN = 16

_PLACEHOLDER = re.compile(rb"%[s%]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The query's value as a plain scalar or None, and how the server answered beside it."""

    value: int | float | bool | str | None
    in_recovery: bool
    wrote: bool


async def run(connection: PGconn, ask: PostgresAsk, *, deadline: float) -> Answer:
    """Run the ask's query and bring its answer; HostError where there is none in time.

    All statements are sent at once: the first error makes the server skip the rest, up to the rollback that
    the end of the connection is anyway.
    """
    loop = asyncio.get_running_loop()
    limit = min(ask.statement_timeout, max(deadline - loop.time(), 0.0))
    milliseconds = max(1, round(limit * 1000))
    statements: list[tuple[bytes, Sequence[Any]]] = [
        (_BEGIN, ()),
        (b"SET LOCAL statement_timeout = %d" % milliseconds, ()),
        (_numbered(ask.query.encode(), ask.parameters), ask.parameters),
        (b"SELECT pg_is_in_recovery()", ()),
        *([(_WRITE, ())] if ask.write else []),
        (b"ROLLBACK", ()),
    ]
    try:
        async with asyncio.timeout_at(min(deadline, loop.time() + limit + GRACE)):
            _send(connection, statements)
            results = await _results(connection)
    except TimeoutError:
        detail = f"no answer to the query within {seconds(round(limit, 3))}"
        raise HostError(Reason.TIMEOUT, detail) from None
    except OperationalError as error:
        raise query_failure(None, str(error)) from None
    if len(results) != len(statements):
        raise query_failure(None, "the server answered fewer statements than it was sent")
    return Answer(value=_value(results[2]), in_recovery=_in_recovery(results[3]), wrote=ask.write)


def _send(connection: PGconn, statements: Sequence[tuple[bytes, Sequence[Any]]]) -> None:
    connection.enter_pipeline_mode()
    for statement, parameters in statements:
        connection.send_query_params(statement, [_literal(value) for value in parameters])
    connection.pipeline_sync()


async def _results(connection: PGconn) -> list[PGresult]:
    """Return the statements' results up to the end of what was sent; HostError for the first error."""
    results: list[PGresult] = []
    while connection.flush():
        await ready(connection.socket, read=True, write=True)
        connection.consume_input()
    ended = False
    while True:
        while connection.is_busy():
            await ready(connection.socket, read=True)
            connection.consume_input()
            if received(connection.socket) > SESSION_BYTES:
                detail = f"the answer is larger than {SESSION_BYTES // 2**20} MiB; ask for one row"
                raise HostError(Reason.QUERY_FAILED, detail)
        result = connection.get_result()
        if result is None and not ended:
            ended = True  # of one statement's results; a second time, of all that will ever come
            continue
        if result is None or result.status == pq.ExecStatus.PIPELINE_SYNC:
            return results
        _refuse(result)
        results.append(result)
        ended = False


def _refuse(result: PGresult) -> None:
    status = result.status
    if status in {pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_BOTH}:
        raise HostError(Reason.QUERY_FAILED, "the query is a COPY, which answers with no value; use a SELECT")
    if status in {pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK, pq.ExecStatus.EMPTY_QUERY}:
        return
    code = _field(result, pq.DiagnosticField.SQLSTATE)
    said = _field(result, pq.DiagnosticField.MESSAGE_PRIMARY)
    if said is None:
        said = result.error_message.decode(errors="replace").strip() or "the connection is lost"
    else:
        said = f"{_field(result, pq.DiagnosticField.SEVERITY) or 'ERROR'}: {cleaned(said)}"
    raise query_failure(code, said)


def _field(result: PGresult, field: pq.DiagnosticField) -> str | None:
    found = result.error_field(field)
    return None if found is None else found.decode(errors="replace")


def _numbered(query: bytes, parameters: Sequence[Any]) -> bytes:
    """Return a query with PostgreSQL's own placeholders ($1) where it has Python's (%s; %% is a per cent).

    A query that has no parameters, or has $1 already, is sent as it is.
    """
    if not parameters or b"%s" not in query:
        return query
    numbers = iter(range(1, query.count(b"%") + 1))
    return _PLACEHOLDER.sub(lambda found: b"%" if found[0] == b"%%" else b"$%d" % next(numbers), query)


def _literal(value: Any) -> bytes | None:
    """Return a parameter as text; the server gives it the type that its place in the query asks for."""
    if value is None:
        return None
    if isinstance(value, bool):
        return b"t" if value else b"f"
    return str(value).encode()


def _in_recovery(result: PGresult) -> bool:
    told = result.get_value(0, 0) if result.ntuples and result.nfields else None
    if told not in {b"t", b"f"}:
        raise query_failure(None, "the server did not tell whether it is a standby")
    return told == b"t"


def _value(result: PGresult) -> int | float | bool | str | None:
    """Return the first column of the first row: numbers and booleans as such, else as one line of text."""
    if result.ntuples == 0 or result.nfields == 0:
        return None
    found = result.get_value(0, 0)
    if found is None:
        return None
    kind = result.ftype(0)
    if kind == _BOOLEAN:
        return found == b"t"
    if kind in _INTEGERS or (kind == _NUMERIC and re.fullmatch(rb"-?\d+", found)):
        return int(found)
    if (kind in _FLOATS or kind == _NUMERIC) and re.fullmatch(rb"-?[\d.]+(e[-+]?\d+)?", found):
        return float(found)
    return cleaned(found)
