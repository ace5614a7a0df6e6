"""The few statements that the simulated PostgreSQL server knows, and what it answers to each.

It refuses all others as what they are to it, not implemented, rather than to make an answer up.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from quorate.simulation.services.postgresql_messages import Column, Refusal
from quorate.simulation.services.state import DELAY, Manner, SimulatedDatabase

VERSION = "15.18 (Debian 15.18-0+deb12u1)"

BOOL, INT8, INT4, TEXT, VOID = 16, 20, 23, 25, 2278  # pg_type.dat

_TRANSACTION = re.compile(r"(?i)(BEGIN|START TRANSACTION|COMMIT|END|ROLLBACK|ABORT)\b.*")
_SET = re.compile(r"(?i)SET (?:(?:LOCAL|SESSION) )?([\w.]+)(?: = ?| TO |=)(.*)")
_FORGET = re.compile(r"(?i)(DEALLOCATE ALL|DEALLOCATE|DISCARD ALL)(?: .+)?")
_SHOW = re.compile(r"(?i)SHOW ([\w.]+)")
_FROM_TABLE = re.compile(r"(?i)SELECT (COUNT ?\( ?\* ?\)|1) FROM (?:public\.)?(\w+)(?: LIMIT \d+)?")
_FROM_ANY = re.compile(r"(?i)SELECT .+? FROM (\w+)\b.*")
_CALL = re.compile(r"(?i)SELECT (?:pg_catalog\.)?(\w+) ?\( ?([\d.]*) ?\)")
_CONSTANT = re.compile(r"(?i)SELECT (?:(-?\d+)|(true|false)|(NULL)|'([^']*)')")
_ECHO = re.compile(r"(?i)SELECT \$1(?:::(int|integer|text))?")
_TEMPORARY = re.compile(r"(?i)CREATE TEMP(?:ORARY)? TABLE \w+ (?:ON COMMIT DROP )?AS SELECT .*")
_PARAMETER = re.compile(r"\$(\d+)")
_KNOWN_WORDS = {
    "SELECT",
    "DEALLOCATE",
    "DISCARD",
    "SET",
    "SHOW",
    "CREATE",
    "INSERT",
    "UPDATE",
    "DELETE",
    "COPY",
    "VALUES",
    "WITH",
    "DROP",
}
_ENDS = {"COMMIT": "COMMIT", "END": "COMMIT", "ROLLBACK": "ROLLBACK", "ABORT": "ROLLBACK"}
_MILLISECONDS = {"": 1, "ms": 1, "s": 1000, "min": 60_000}


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What a statement brings: columns and rows where it has any, and `takes` seconds that it runs."""

    tag: str
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    takes: float = 0.0


@dataclass(kw_only=True, slots=True)
class Progress:
    """Where a session stands: I (idle), T (in a transaction) or E (in a failed one), and what it has set."""

    status: bytes = b"I"
    timeout: float | None = None
    """Limit of a statement in seconds."""
    set: dict[str, str] = field(default_factory=dict)


def checked(statement: str) -> str:
    """Return a single statement without what ends it; Refusal for several, or for what is no SQL."""
    bare = statement.strip() if "'" in statement else " ".join(statement.split())
    bare = bare.rstrip("; ")
    if ";" in bare:
        raise Refusal("42601", "cannot insert multiple commands into a prepared statement")
    word = re.match(r"\w*", bare)
    first = word[0] if word else ""
    if bare and not _TRANSACTION.fullmatch(bare) and first.upper() not in _KNOWN_WORDS:
        raise Refusal("42601", f'syntax error at or near "{first or bare[0]}"')
    return bare


def parameter_count(statement: str) -> int:
    """Return how many parameters a statement wants."""
    return max((int(number) for number in _PARAMETER.findall(statement)), default=0)


def result_of(
    statement: str, parameters: Sequence[str | None], database: SimulatedDatabase, progress: Progress
) -> Result:
    """Return what a checked statement answers, and let it change where the session stands."""
    if found := _TRANSACTION.fullmatch(statement):
        return _transaction(found[1].upper(), progress)
    if progress.status == b"E":
        words = "current transaction is aborted, commands ignored until end of transaction block"
        raise Refusal("25P02", words)
    if found := _SET.fullmatch(statement):
        return _set(found[1].lower(), found[2].strip(" '"), progress)
    if found := _FORGET.fullmatch(statement):
        return Result(tag=found[1].upper())  # what is kept does no harm
    if found := _SHOW.fullmatch(statement):
        name = found[1].lower()
        return _single(name, TEXT, _shown(name, database, progress), tag="SHOW")
    if _TEMPORARY.fullmatch(statement):
        if database.manner is Manner.STANDBY:
            raise Refusal("25006", "cannot execute CREATE TABLE AS in a read-only transaction")
        return Result(tag="SELECT 1")
    return _selected(statement, parameters, database)


def _transaction(word: str, progress: Progress) -> Result:
    if word in {"BEGIN", "START TRANSACTION"}:
        progress.status = b"T"
        return Result(tag=word)
    failed, progress.status = progress.status == b"E", b"I"
    progress.timeout = None  # what SET LOCAL had set ends with the transaction
    return Result(tag="ROLLBACK" if failed else _ENDS[word])


def _set(name: str, value: str, progress: Progress) -> Result:
    progress.set[name] = value
    if name == "statement_timeout":
        told = re.fullmatch(r"(\d+) ?(ms|s|min|)", value)
        if told is None:
            raise Refusal("22023", f'invalid value for parameter "statement_timeout": "{value}"')
        progress.timeout = int(told[1]) * _MILLISECONDS[told[2]] / 1000 or None
    return Result(tag="SET")


def _shown(name: str, database: SimulatedDatabase, progress: Progress) -> str:
    known = {
        **dict(session_parameters(database)),
        "transaction_isolation": "read committed",
        "statement_timeout": "0" if progress.timeout is None else _written(progress.timeout),
    }
    found = (
        {key.lower(): value for key, value in known.items()}
        | progress.set
        | {"statement_timeout": known["statement_timeout"]}
    )
    if name not in found:
        raise Refusal("42704", f'unrecognized configuration parameter "{name}"')
    return found[name]


def _written(seconds: float) -> str:
    return f"{seconds:g}s" if seconds == int(seconds) else f"{seconds * 1000:g}ms"


def session_parameters(database: SimulatedDatabase) -> list[tuple[str, str]]:
    """Return what the server tells of each session at its begin, in its order."""
    return [
        ("client_encoding", "UTF8"),
        ("DateStyle", "ISO, MDY"),
        ("default_transaction_read_only", "off"),
        ("in_hot_standby", "on" if database.manner is Manner.STANDBY else "off"),
        ("integer_datetimes", "on"),
        ("IntervalStyle", "postgres"),
        ("is_superuser", "off"),
        ("server_encoding", "UTF8"),
        ("server_version", VERSION),
        ("session_authorization", database.user),
        ("standard_conforming_strings", "on"),
        ("TimeZone", "Etc/UTC"),
    ]


def _selected(statement: str, parameters: Sequence[str | None], database: SimulatedDatabase) -> Result:
    if found := _FROM_TABLE.fullmatch(statement):
        return _from_table(found[1], found[2].lower(), database)
    if found := _CALL.fullmatch(statement):
        return _called(found[1].lower(), found[2], database)
    if found := _CONSTANT.fullmatch(statement):
        number, truth, nothing, text = found.groups()
        if number:
            return _single("?column?", INT4 if -(2**31) <= int(number) < 2**31 else INT8, str(int(number)))
        if truth:
            return _single("?column?", BOOL, truth[0].lower())
        return _single("?column?", TEXT, None if nothing else text)
    if found := _ECHO.fullmatch(statement):
        return _echoed(parameters[0], is_number=(found[1] or "").lower().startswith("int"))
    if found := _FROM_ANY.fullmatch(statement):
        _table(found[1].lower(), database)
    raise Refusal("0A000", f"the simulated server does not know this statement: {statement[:100]}")


def _from_table(what: str, name: str, database: SimulatedDatabase) -> Result:
    rows = _table(name, database)
    takes = DELAY if database.manner is Manner.SLOW else 0.0
    if what == "1":
        column = (Column(name="?column?", kind=INT4),)
        return Result(tag=f"SELECT {rows}", columns=column, rows=(("1",),) * rows, takes=takes)
    return Result(
        tag="SELECT 1", columns=(Column(name="count", kind=INT8),), rows=((str(rows),),), takes=takes
    )


def _table(name: str, database: SimulatedDatabase) -> int:
    if name not in database.tables or database.manner is Manner.QUERY_FAILS:
        raise Refusal("42P01", f'relation "{name}" does not exist')
    return database.tables[name]


def _called(name: str, argument: str, database: SimulatedDatabase) -> Result:
    match name:
        case "pg_is_in_recovery":
            return _single(name, BOOL, "t" if database.manner is Manner.STANDBY else "f")
        case "version":
            return _single(name, TEXT, f"PostgreSQL {VERSION} on x86_64-pc-linux-gnu, simulated")
        case "current_database":
            return _single(name, TEXT, database.database)
        case "pg_sleep" if argument:
            column = (Column(name=name, kind=VOID),)
            return Result(tag="SELECT 1", columns=column, rows=(("",),), takes=float(argument))
        case _:
            raise Refusal("42883", f"function {name}({argument and 'numeric'}) does not exist")


def _echoed(value: str | None, *, is_number: bool) -> Result:
    if is_number and value is not None and not re.fullmatch(r" *[-+]?\d+ *", value):
        raise Refusal("22P02", f'invalid input syntax for type integer: "{value}"')
    return _single("int4" if is_number else "?column?", INT4 if is_number else TEXT, value)


def _single(name: str, kind: int, value: str | None, *, tag: str = "SELECT 1") -> Result:
    return Result(tag=tag, columns=(Column(name=name, kind=kind),), rows=((value,),))
