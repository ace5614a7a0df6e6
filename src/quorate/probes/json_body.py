"""Reads JSON that strangers sent: what is not as it should be becomes one sentence, never a guess.

    body = json_object(answer, "GET /patroni")
    if isinstance(body, NoReply):
        return body
    return reading("GET /patroni", lambda: Node(role=text(body, "role"), lag=maybe(number, body, "lag")))

Refused are, beside what is no JSON: NaN and infinite numbers, whole numbers of more than 40 digits, a name
that stands twice in one object, half a surrogate pair, nesting that the parser can't follow (RFC 8259).
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from quorate.model import HttpAnswer, NoReply, Reason

T = TypeVar("T")

_DIGITS = 40
_FIRST_CHARACTERS = 80
_KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}


class ReadingError(ValueError):
    """What was sent is not what was asked for; its text says what, and `reading` makes an answer of it."""


def json_object(answer: HttpAnswer | NoReply | bytes, what: str) -> Mapping[str, Any] | NoReply:
    """Return the JSON object of a body, or why there is none; `what` begins the sentence.

    A NoReply is handed through. The status of the answer is looked at by the caller, before.
    """
    found = _body(answer, what, dict)
    return found if isinstance(found, NoReply) else dict[str, Any](found)


def json_list(answer: HttpAnswer | NoReply | bytes, what: str) -> Sequence[Any] | NoReply:
    """Return the JSON list of a body, or why there is none; as `json_object`."""
    found = _body(answer, what, list)
    return found if isinstance(found, NoReply) else list[Any](found)


def reading(what: str, read: Callable[[], T]) -> T | NoReply:
    """Return what a function reads, or a NoReply `unparsable` where it raises ReadingError."""
    try:
        return read()
    except ReadingError as error:
        return unparsable(f"{what}: {error}")


def unparsable(detail: str, duration: float = 0.0) -> NoReply:
    """Return the answer that came, and can't be read."""
    return NoReply(reason=Reason.UNPARSABLE, detail=detail, duration=duration, answered=True)


def first_words(body: bytes | str, limit: int = _FIRST_CHARACTERS) -> str:
    """Return how a body begins, on one line in quotes, control characters escaped."""
    text = body[: 4 * limit].decode(errors="replace") if isinstance(body, bytes) else body[: 4 * limit]
    line = " ".join(text.split())
    return repr(line if len(line) <= limit else line[:limit] + "…")


def text(found: Mapping[str, Any], key: str) -> str:
    """Return the text under a key."""
    value = _there(found, key)
    return value if isinstance(value, str) else _wrong(key, "text", value)


def whole_number(found: Mapping[str, Any], key: str) -> int:
    """Return the whole number under a key; neither true, nor 1.0, nor "1" is one."""
    value = _there(found, key)
    good = isinstance(value, int) and not isinstance(value, bool)
    return int(value) if good else _wrong(key, "a whole number", value)


def number(found: Mapping[str, Any], key: str) -> float:
    """Return the number under a key, whole or not, as a float."""
    value = _there(found, key)
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if good else _wrong(key, "a number", value)


def flag(found: Mapping[str, Any], key: str) -> bool:
    """Return the true or false under a key."""
    value = _there(found, key)
    return value if isinstance(value, bool) else _wrong(key, "true or false", value)


def section(found: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the object under a key."""
    value = _there(found, key)
    return value if isinstance(value, dict) else _wrong(key, "an object", value)


def items(found: Mapping[str, Any], key: str) -> Sequence[Any]:
    """Return the list under a key, its items unchecked."""
    value = _there(found, key)
    return value if isinstance(value, list) else _wrong(key, "a list", value)


def objects(found: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """Return the list of objects under a key."""
    return [section({f"{key}[{at}]": each}, f"{key}[{at}]") for at, each in enumerate(items(found, key))]


def maybe(getter: Callable[[Mapping[str, Any], str], T], found: Mapping[str, Any], key: str) -> T | None:
    """Return what a getter finds, or None where the key is missing or null; a wrong type still raises."""
    return None if found.get(key) is None else getter(found, key)


def _there(found: Mapping[str, Any], key: str) -> Any:
    if key not in found:
        raise ReadingError(f"has no {key!r}")
    return found[key]


def _wrong(key: str, wanted: str, value: object) -> NoReturn:
    raise ReadingError(f"{key!r} is not {wanted} but {_kind(value)}{_sample(value)}")


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a number")


def _sample(value: object) -> str:
    if isinstance(value, str):
        return f": {first_words(value, 40)}"
    return f": {value}" if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _body(answer: HttpAnswer | NoReply | bytes, what: str, shape: type) -> Any:
    if isinstance(answer, NoReply):
        return answer
    body, duration = (answer.body, answer.duration) if isinstance(answer, HttpAnswer) else (answer, 0.0)
    try:
        value = _parsed(body)
    except (ValueError, RecursionError) as error:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        why = f" ({error})" if isinstance(error, ReadingError) else ""
        return unparsable(f"{what}: not JSON{why}: {_beginning(body)}", duration)
    if not isinstance(value, shape):
        return unparsable(f"{what}: not {_KINDS[shape]} but {_kind(value)}: {_beginning(body)}", duration)
    return value


def _beginning(body: bytes) -> str:
    return f"it begins with {first_words(body)}" if body.strip() else "it is empty"


def _parsed(body: bytes) -> Any:
    said = body.decode()  # strictly: json.loads would guess other encodings from bytes
    try:
        value = json.loads(
            said,
            object_pairs_hook=_once_each,
            parse_int=_bounded,
            parse_float=_finite,
            parse_constant=_finite,
        )
    except RecursionError:
        raise ReadingError("nested too deeply") from None
    if "\\ud" in said.lower():  # half a surrogate pair can be written, but be sent on in no encoding
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ReadingError(f"the name {first_words(name, 40)} stands twice in an object")
        found[name] = value
    return found


def _bounded(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ReadingError(f"a number of {len(digits)} digits")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ReadingError(f"{first_words(digits, 20)} is not a finite number")
    return value
