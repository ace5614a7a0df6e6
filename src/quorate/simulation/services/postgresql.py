"""A simulated PostgreSQL 15 server: its protocol on one connection, from the start-up to the end.

    SSLRequest ──► ◄── N   start-up ──► ◄── SASL ──► ◄── …   Parse Bind Describe Execute … Sync ──► ◄── …

Source: PostgreSQL manual, "Frontend/Backend Protocol". Real clients (libpq, psycopg, psql) can talk to it.
"""

import asyncio
import struct
from dataclasses import dataclass

from quorate.simulation.services import postgresql_messages as pg
from quorate.simulation.services.postgresql_messages import Reader, Refusal
from quorate.simulation.services.postgresql_statements import (
    Progress,
    Result,
    checked,
    parameter_count,
    result_of,
    session_parameters,
)
from quorate.simulation.services.scram import Exchange, ScramError
from quorate.simulation.services.state import Manner, SimulatedDatabase

_MECHANISM = "SCRAM-SHA-256"
_KEY_DATA = struct.pack(">II", 4711, 0)  # a process and its key, for cancel requests, which change nothing


class _Cut(Exception):  # noqa: N818  the scenario's, and no fault
    """The connection is to be closed in the middle of an answer."""


@dataclass(kw_only=True, slots=True)
class _Portal:
    """A statement with its parameters, and its result once it has run."""

    statement: str
    parameters: tuple[str | None, ...]
    formats: tuple[int, ...]
    result: Result | None = None


async def serve_database(
    database: SimulatedDatabase, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Talk to one client until it goes, or has to."""
    session = _Session(database, reader, writer)
    try:
        if await session.log_in():
            await session.talk()
    except Refusal as refusal:
        writer.write(pg.refused(refusal))
    except (_Cut, asyncio.IncompleteReadError):
        return


class _Session:
    def __init__(
        self, database: SimulatedDatabase, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._database, self._reader, self._writer = database, reader, writer
        self._progress = Progress()
        self._statements: dict[str, str] = {}
        self._portals: dict[str, _Portal] = {}

    # ------------------------------------------------------------ login

    async def log_in(self) -> bool:
        """Return whether there is a session; Refusal where the client is told why there is none."""
        while True:
            size = struct.unpack(">I", await self._reader.readexactly(4))[0]
            if not 8 <= size <= pg.LARGEST:
                return False  # as the server does with what is no start-up at all
            body = await self._reader.readexactly(size - 4)
            code = struct.unpack_from(">I", body)[0]
            if code not in {pg.SSL_REQUEST, pg.GSS_REQUEST}:
                break
            self._writer.write(b"N")
        if code == pg.CANCEL_REQUEST:
            return False
        if code >> 16 != 3:
            words = f"unsupported frontend protocol {code >> 16}.{code & 0xFFFF}: server supports 3.0 to 3.0"
            raise Refusal("0A000", words, fatal=True)
        settings = pg.settings(body[4:])
        user = settings.get("user", "")
        if not user:
            raise Refusal("28000", "no PostgreSQL user name specified in startup packet", fatal=True)
        await self._authenticate(user)
        name = settings.get("database") or user
        if name != self._database.database or self._database.manner is Manner.NO_DATABASE:
            raise Refusal("3D000", f'database "{name}" does not exist', fatal=True)
        told = [
            ("application_name", settings.get("application_name", "")),
            *session_parameters(self._database),
        ]
        self._writer.write(b"".join(pg.parameter(*each) for each in told))
        self._writer.write(pg.message(b"K", _KEY_DATA) + pg.ready(self._progress.status))
        return True

    async def _authenticate(self, user: str) -> None:
        # An unknown user is refused as a wrong password is, so that nobody learns who is known.
        password = self._database.password if user == self._database.user else ""
        if self._database.manner is Manner.WRONG_PASSWORD:
            password = ""
        exchange = Exchange(password)
        refusal = Refusal("28P01", f'password authentication failed for user "{user}"', fatal=True)
        self._writer.write(pg.authentication(10, f"{_MECHANISM}\0\0".encode()))
        told = Reader(await self._password())
        if told.text() != _MECHANISM:
            raise Refusal("08P01", "client selected an invalid SASL authentication mechanism", fatal=True)
        try:
            challenge = exchange.challenge(told.take(told.number(">i")))
            self._writer.write(pg.authentication(11, challenge))
            proof = exchange.proven(await self._password())
        except ScramError as error:
            raise Refusal("08P01", str(error), fatal=True) from None
        if proof is None or not password:
            raise refusal
        self._writer.write(pg.authentication(12, proof) + pg.authentication(0))

    async def _password(self) -> bytes:
        kind, body = await self._message()
        if kind != b"p":
            raise Refusal("08P01", "expected SASL response, got message type " + str(kind[0]), fatal=True)
        return body

    # ------------------------------------------------------------ queries

    async def talk(self) -> None:
        """Answer messages until the client says goodbye."""
        failed = False  # then all is skipped up to the next Sync
        while True:
            await self._writer.drain()
            kind, body = await self._message()
            if kind == b"X":
                return
            if kind == b"S":
                failed = False
                self._writer.write(pg.ready(self._progress.status))
                continue
            if failed:
                continue
            try:
                await self._answer(kind, Reader(body))
            except Refusal as refusal:
                if refusal.fatal:
                    raise
                self._writer.write(pg.refused(refusal))
                if self._progress.status == b"T":
                    self._progress.status = b"E"
                failed = kind != b"Q"
                if kind == b"Q":
                    self._writer.write(pg.ready(self._progress.status))

    async def _answer(self, kind: bytes, body: Reader) -> None:
        match kind:
            case b"Q":
                await self._simple(body.text())
            case b"P":
                name, statement = body.text(), checked(body.text())
                self._statements[name] = statement
                self._writer.write(pg.message(pg.PARSE_COMPLETE))
            case b"B":
                self._bind(body)
            case b"D":
                await self._describe(body)
            case b"E":
                portal = self._portal(body.text())
                await self._execute(portal)
            case b"C":
                what, name = body.take(1), body.text()
                known: dict[str, str] | dict[str, _Portal] = (
                    self._statements if what == b"S" else self._portals
                )
                known.pop(name, None)
                self._writer.write(pg.message(pg.CLOSE_COMPLETE))
            case b"H":
                return
            case _:
                raise Refusal("08P01", f"invalid frontend message type {kind[0]}", fatal=True)

    async def _simple(self, text: str) -> None:
        statements = [part for part in text.split(";") if part.strip()]
        if not statements:
            self._writer.write(pg.message(pg.EMPTY_QUERY))
        for statement in statements:
            portal = _Portal(statement=checked(statement), parameters=(), formats=())
            result = await self._run(portal)
            if result.columns:
                self._writer.write(pg.described(result.columns, ()))
            await self._execute(portal)
        self._writer.write(pg.ready(self._progress.status))

    def _bind(self, body: Reader) -> None:
        name, statement = body.text(), self._statement(body.text())
        formats, count = body.numbers(), body.number()
        sizes_and_values = [
            (size := body.number(">i"), body.take(size) if size >= 0 else None) for _ in range(count)
        ]
        if count != parameter_count(statement):
            wanted = parameter_count(statement)
            words = f'bind message supplies {count} parameters, but prepared statement "" requires {wanted}'
            raise Refusal("08P01", words)
        if any(pg.spread(formats, count)):
            raise Refusal("0A000", "the simulated server takes parameters as text alone")
        values = tuple(None if value is None else value.decode() for _, value in sizes_and_values)
        self._portals[name] = _Portal(statement=statement, parameters=values, formats=tuple(body.numbers()))
        self._writer.write(pg.message(pg.BIND_COMPLETE))

    async def _describe(self, body: Reader) -> None:
        what, name = body.take(1), body.text()
        if what == b"S":
            statement = self._statement(name)
            count = parameter_count(statement)
            self._writer.write(pg.parameters_of([25] * count))
            # Told from a run that changes nothing, as only what has rows to show is described.
            portal = _Portal(statement=statement, parameters=(None,) * count, formats=())
            columns = self._columns(portal)
        else:
            portal = self._portal(name)
            columns = self._columns(portal)
        shown = pg.described(columns, portal.formats) if columns else pg.message(pg.NO_DATA)
        self._writer.write(shown)

    def _columns(self, portal: _Portal) -> tuple[pg.Column, ...]:
        if portal.result is not None:
            return portal.result.columns
        trial = Progress(status=self._progress.status, timeout=self._progress.timeout)
        if not portal.statement.upper().startswith(("SELECT", "SHOW")):
            return ()
        return result_of(portal.statement, portal.parameters, self._database, trial).columns

    async def _run(self, portal: _Portal) -> Result:
        if portal.result is None:
            result = result_of(portal.statement, portal.parameters, self._database, self._progress)
            limit = self._progress.timeout
            if limit is not None and result.takes > limit:
                await asyncio.sleep(limit)
                raise Refusal("57014", "canceling statement due to statement timeout")
            await asyncio.sleep(result.takes)
            portal.result = result
        return portal.result

    async def _execute(self, portal: _Portal) -> None:
        if not portal.statement:
            self._writer.write(pg.message(pg.EMPTY_QUERY))
            return
        result = await self._run(portal)
        rows = b"".join(pg.row(values, result.columns, portal.formats) for values in result.rows)
        if rows and self._database.manner is Manner.CLOSES:
            self._writer.write(rows[: len(rows) // 2])
            raise _Cut
        self._writer.write(rows + pg.complete(result.tag))

    def _statement(self, name: str) -> str:
        if name not in self._statements:
            raise Refusal("26000", f'prepared statement "{name}" does not exist')
        return self._statements[name]

    def _portal(self, name: str) -> _Portal:
        if name not in self._portals:
            raise Refusal("34000", f'portal "{name}" does not exist')
        return self._portals[name]

    async def _message(self) -> tuple[bytes, bytes]:
        head = await self._reader.readexactly(5)
        kind, size = head[:1], struct.unpack(">I", head[1:])[0]
        if not 4 <= size <= pg.LARGEST:
            raise Refusal("08P01", "invalid message length", fatal=True)
        return kind, await self._reader.readexactly(size - 4)
