"""Messages of PostgreSQL's protocol 3.0, to and from bytes.

Source: PostgreSQL manual, "Message Formats" and "Error and Notice Message Fields".
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LARGEST = 2**20
"""Bytes of a message beyond which a client is cut off."""

SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102
PROTOCOL = 3 << 16

PARSE_COMPLETE, BIND_COMPLETE, CLOSE_COMPLETE = b"1", b"2", b"3"
NO_DATA, EMPTY_QUERY = b"n", b"I"

_SIZES = {16: 1, 20: 8, 23: 4}  # bool, int8, int4


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of an answer: its name and its type's object id (pg_type.dat)."""

    name: str
    kind: int


class Refusal(Exception):  # noqa: N818  it is what the server says, and no fault of ours
    """An error that the server tells: its SQLSTATE, its words, and whether the session ends with it."""

    def __init__(self, code: str, words: str, *, fatal: bool = False) -> None:
        super().__init__(words)
        self.code, self.words, self.fatal = code, words, fatal


def message(kind: bytes, body: bytes = b"") -> bytes:
    """Return a message of a kind."""
    return kind + struct.pack(">I", len(body) + 4) + body


def authentication(step: int, body: bytes = b"") -> bytes:
    """Return a step of the authentication: 0 done, 10 begin of SASL, 11 its next, 12 its last."""
    return message(b"R", struct.pack(">I", step) + body)


def parameter(name: str, value: str) -> bytes:
    """Return what a session's parameter is."""
    return message(b"S", _text(name) + _text(value))


def ready(status: bytes) -> bytes:
    """Return that the next query may come; `status` is I (idle), T (in a transaction) or E (failed one)."""
    return message(b"Z", status)


def refused(refusal: Refusal) -> bytes:
    """Return an error."""
    severity = "FATAL" if refusal.fatal else "ERROR"
    fields = (("S", severity), ("V", severity), ("C", refusal.code), ("M", refusal.words))
    return message(b"E", b"".join(name.encode() + _text(value) for name, value in fields) + b"\0")


def described(columns: Sequence[Column], formats: Sequence[int]) -> bytes:
    """Return what the columns are; `formats` as asked for: 0 text, 1 binary."""
    parts = [struct.pack(">H", len(columns))]
    for column, form in zip(columns, spread(formats, len(columns)), strict=True):
        size = _SIZES.get(column.kind, -1)
        parts.append(_text(column.name) + struct.pack(">IHIhih", 0, 0, column.kind, size, -1, form))
    return message(b"T", b"".join(parts))


def row(values: Sequence[str | None], columns: Sequence[Column], formats: Sequence[int]) -> bytes:
    """Return a row of values, which are given as text."""
    parts = [struct.pack(">H", len(values))]
    for value, column, form in zip(values, columns, spread(formats, len(columns)), strict=True):
        if value is None:
            parts.append(struct.pack(">i", -1))
            continue
        found = _binary(value, column.kind) if form else value.encode()
        parts.append(struct.pack(">I", len(found)) + found)
    return message(b"D", b"".join(parts))


def complete(tag: str) -> bytes:
    """Return that a command is done."""
    return message(b"C", _text(tag))


def parameters_of(kinds: Sequence[int]) -> bytes:
    """Return the types of a statement's parameters."""
    return message(b"t", struct.pack(f">H{len(kinds)}I", len(kinds), *kinds))


def spread(formats: Sequence[int], count: int) -> list[int]:
    """Return a format for each of `count` values: none means text, one is for all."""
    if len(formats) < 2:
        return [*formats, 0][:1] * count
    return list(formats)


class Reader:
    """Takes the fields of a message's body one by one; Refusal 08P01 where they are not there."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def text(self) -> str:
        """Take a text up to its zero byte."""
        found, separator, self._body = self._body.partition(b"\0")
        if not separator:
            raise broken()
        return found.decode("utf-8", "replace")

    def number(self, form: str = ">H") -> int:
        """Take a number."""
        return int(struct.unpack(form, self.take(struct.calcsize(form)))[0])

    def numbers(self) -> list[int]:
        """Take a list of 16-bit numbers."""
        return [self.number() for _ in range(self.number())]

    def take(self, count: int) -> bytes:
        """Take bytes."""
        if count < 0 or len(self._body) < count:
            raise broken()
        found, self._body = self._body[:count], self._body[count:]
        return found


def broken() -> Refusal:
    """Return that a message makes no sense."""
    return Refusal("08P01", "invalid message format", fatal=True)


def settings(body: bytes) -> dict[str, str]:
    """Return the settings of a start-up message, behind its version."""
    parts = body.split(b"\0")
    pairs: Iterable[tuple[bytes, bytes]] = zip(parts[::2], parts[1::2], strict=False)
    return {
        name.decode("utf-8", "replace"): value.decode("utf-8", "replace") for name, value in pairs if name
    }


def _text(text: str) -> bytes:
    return text.encode() + b"\0"


def _binary(value: str, kind: int) -> bytes:
    if kind == 16:
        return b"\1" if value == "t" else b"\0"
    if kind in _SIZES:
        return int(value).to_bytes(_SIZES[kind], "big", signed=True)
    return value.encode()
