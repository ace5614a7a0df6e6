"""The kinds of value an inventory holds: how each is written, checked, and described in the JSON Schema."""

import ipaddress
import posixpath
import re
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from quorate.inventory.faults import listed

NAME = re.compile(r"[A-Za-z0-9_.-]+")
RESERVED = ("host", "hosts", "monitor")
UNIT_SUFFIXES = (
    "service",
    "socket",
    "timer",
    "mount",
    "automount",
    "target",
    "path",
    "device",
    "swap",
    "slice",
    "scope",
)
LONGEST_UNIT = 255  # UNIT_NAME_MAX of systemd, with the closing zero
LONGEST_DURATION = 365 * 86400

_DURATION = re.compile(r"([0-9]{1,12})(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION_HINT = "write a whole number and ms, s, m, h or d, such as 5s"
_SIZE = re.compile(r"([0-9]{1,12})(B|KiB|MiB|GiB|TiB)")
_BYTES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_PERCENTAGE = re.compile(r"([0-9]{1,3})%")
# A timestamp of YAML 1.1, which is one of RFC 3339 with more freedom: a blank for the T, one before the zone,
# seconds and the minutes of the zone left out.
_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)(?:[Tt]|[ \t]+)(?P<time>\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)"
    r"[ \t]*(?P<zone>[Zz]|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_MOMENT_HINT = "write date, time and time zone, such as 2026-01-01T04:00:00Z or 2026-01-01 05:00:00+01:00"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def wrong(what: str, hint: str = "") -> PydanticCustomError:
    """Return the error of a value; `what` follows the key's name in the sentence that the user reads."""
    return PydanticCustomError("inventory", "{what}", {"what": what, "hint": hint})


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise not_text(value)


def not_text(value: object) -> PydanticCustomError:
    """Return the error of a value that is not text where text belongs."""
    if value is None:
        return wrong("has no value", "write one behind it")
    if isinstance(value, dict | list):
        return wrong(f"must be text, not a {'mapping' if isinstance(value, dict) else 'list'}")
    return wrong("must be text", "put it in quotes")


def _line(value: object) -> str:
    text = _text(value)
    if not text.strip():
        raise wrong("is empty", "write a value between the quotes")
    if any(ord(c) < 32 or ord(c) == 127 for c in text):
        raise wrong("holds line breaks or control characters", "write it on one line")
    return text


def _paragraph(value: object) -> str:
    text = _text(value)
    if not text.strip():
        raise wrong("is empty", "write a value between the quotes")
    return text


def _suffixed(value: object, pattern: re.Pattern[str], what: str, hint: str) -> tuple[int, str]:
    if value is None:
        raise not_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        raise wrong(f"is a bare number, not {what}", hint)
    match = pattern.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise wrong(f"is not {what}", hint)
    return int(match[1]), match[match.re.groups]


def _pause(value: object) -> float:
    bare = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LONGEST_DURATION
    hint = f"write {value}s" if bare else _DURATION_HINT
    number, unit = _suffixed(value, _DURATION, "a duration", hint)
    seconds = number * _SECONDS[unit]
    if seconds > LONGEST_DURATION:
        raise wrong("is too long", "the longest duration is 365d")
    return seconds


def duration(value: object) -> float:
    """Return the seconds of a duration that is longer than nothing."""
    seconds = _pause(value)
    if seconds == 0:
        raise wrong("must not be zero", _DURATION_HINT)
    return seconds


def _size(value: object) -> int:
    number, unit = _suffixed(
        value, _SIZE, "a size", "write a whole number and B, KiB, MiB, GiB or TiB, such as 16MiB"
    )
    return number * _BYTES[unit]


def _percentage(value: object) -> float:
    number, _ = _suffixed(value, _PERCENTAGE, "a percentage", "write a whole number and %, such as 80%")
    if number > 100:
        raise wrong("is more than 100%")
    return float(number)


def canonical_ip(text: str) -> str | None:
    """Return an IPv4 or IPv6 address in its canonical form, or None where the text is none."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _vip(value: object) -> str:
    text = _text(value)
    if "/" in text:
        raise wrong("is not an IP address", "write it without the length of its network")
    address = canonical_ip(text)
    if address is None or "%" in text:
        raise wrong("is not an IP address", "write an IPv4 or IPv6 address")
    return address


def address(value: object) -> str:
    """Return an IP address in its canonical form, or a host name as it is."""
    text = _text(value)
    if not text:
        raise wrong("is empty", "write an IP address or a host name")
    canonical = canonical_ip(text)
    if canonical is not None:
        return canonical
    fault = _address_fault(text)
    if fault:
        raise fault
    return text


def _address_fault(text: str) -> PydanticCustomError | None:
    if any(c.isspace() for c in text):
        return wrong("is not an address: it holds white space", "write an IP address or a host name alone")
    if text.startswith("-"):
        return wrong("is not an address: it starts with a dash", "write an IP address or a host name")
    if "@" in text:
        return wrong("is not an address", "write the user as `ssh: {user: …}` or as the check's own key")
    if re.fullmatch(r"[\w.-]+:[0-9]+", text):
        return wrong("is not an address", "the port has a key of its own")
    if text.startswith("["):
        return wrong("is not an address", "write an IPv6 address without brackets")
    if not re.fullmatch(r"[\w.-]+", text) or len(text) > 253:
        return wrong("is not an address", "write an IP address or a host name")
    # A name that ends in a number is a mistyped IPv4 address (URL standard, "ends in a number").
    if re.fullmatch(r"[0-9]*", text.rstrip(".").rpartition(".")[2]):
        return wrong("is not an IPv4 address", "it has four numbers from 0 to 255, such as 192.0.2.10")
    return None


def full_unit_name(value: object) -> str:
    """Return a unit's full systemd name; `.service` is added where none of systemd's suffixes stands.

    Source of the rules: systemd.unit(5).
    """
    text = _text(value)
    if not text:
        raise wrong("is empty", "write the name of a systemd unit")
    if any(c in text for c in "*?["):
        raise wrong("is a pattern", "name each unit: a pattern would match strangers")
    if text.startswith("-"):
        raise wrong("is not the name of a unit: it starts with a dash")
    if not re.fullmatch(r"[A-Za-z0-9:_.\\@-]+", text):
        raise wrong("is not the name of a unit", r"systemd allows letters, digits and : _ . - @ \ in it")
    stem, dot, suffix = text.rpartition(".")
    full = text if dot and suffix in UNIT_SUFFIXES else f"{text}.service"
    stem = full.rpartition(".")[0]
    if stem.endswith("@"):
        raise wrong("is a template, not a unit", f"name an instance of it, such as {stem}NAME")
    if not stem or stem.startswith("@") or len(full) > LONGEST_UNIT:
        raise wrong("is not the name of a unit", "write it as systemctl shows it")
    return full


def host_path(value: object) -> str:
    """Return an absolute path on the hosts, without what says nothing in it."""
    if not isinstance(value, str):
        raise not_text(value)
    if not value.startswith("/"):
        raise wrong("is not an absolute path", "it begins with /, since it is one of the hosts")
    if any(ord(c) < 32 or ord(c) == 127 for c in value) or len(value) > 1000:
        raise wrong("is not a path", "write it on one line")
    return posixpath.normpath("/" + value.lstrip("/"))


def _moment(value: object) -> datetime:
    if value is None:
        raise not_text(value)
    match = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise wrong("is not a moment", _MOMENT_HINT)
    if match["zone"] is None:
        raise wrong("has no time zone", "write Z behind it for UTC, or an offset such as +01:00")
    try:
        told = datetime.fromisoformat(f"{match['date']}T{match['time']}{match['zone'].upper()}")
        return told.astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong("is no moment that there is", _MOMENT_HINT) from None


def _scalar(value: object) -> object:
    if isinstance(value, dict | list):
        raise wrong("must be text, a number, true, false or null")
    return value


def _port(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise not_whole(value)
    if not 1 <= value <= 65535:
        raise wrong("is not a port number", "port numbers are 1 to 65535")
    return value


def not_whole(value: object) -> PydanticCustomError:
    """Return the error of a value that is not a whole number where one belongs."""
    if value is None:
        return not_text(value)
    bare = isinstance(value, str) and re.fullmatch(r"[0-9]+", value)
    return wrong("must be a whole number", "write it without quotes" if bare else "")


def _name(value: str, what: str, reserved: tuple[str, ...]) -> str:
    if not NAME.fullmatch(value):
        raise wrong(f"is not a name for a {what}", "names are made of letters, digits and _ . -")
    if value in reserved:
        raise wrong(
            f"is reserved and can't name a {what}",
            f"{listed(reserved)} have a meaning of their own" if len(reserved) > 1 else "choose another",
        )
    return value


def _variable(value: object) -> str:
    if not isinstance(value, str) or not _VARIABLE.fullmatch(value):
        raise wrong("is not the name of an environment variable", "names are letters, digits and _")
    return value


def _pattern(regex: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{regex}$", "examples": list(examples)})


def _name_schema(reserved: tuple[str, ...]) -> WithJsonSchema:
    rules = [{"pattern": f"^{NAME.pattern}$"}, {"not": {"enum": list(reserved)}}]
    return WithJsonSchema({"type": "string", "allOf": rules})


_TEXT = WithJsonSchema({"type": "string", "minLength": 1})
_UNIT_SCHEMA = WithJsonSchema(
    {
        "type": "string",
        "pattern": r"^[A-Za-z0-9:_.\\][A-Za-z0-9:_.\\@-]*$",
        "maxLength": LONGEST_UNIT,
        "examples": ["nfs-server", "backup.timer", "worker@1"],
    }
)

Line = Annotated[str, BeforeValidator(_line), _TEXT]
"""Text on one line, not empty."""

Paragraph = Annotated[str, BeforeValidator(_paragraph), _TEXT]
"""Text that may have several lines, not empty."""

Duration = Annotated[float, BeforeValidator(duration), _pattern("[0-9]+(ms|s|m|h|d)", "5s", "500ms")]
"""`5s` as seconds; never zero."""

Pause = Annotated[float, BeforeValidator(_pause), _pattern("[0-9]+(ms|s|m|h|d)", "60s", "0s")]
"""`60s` as seconds; may be zero."""

Size = Annotated[int, BeforeValidator(_size), _pattern("[0-9]+(B|KiB|MiB|GiB|TiB)", "16MiB")]
"""`16MiB` as bytes."""

Percentage = Annotated[float, BeforeValidator(_percentage), _pattern("[0-9]{1,3}%", "80%")]
"""`80%` as 80.0."""

VirtualIp = Annotated[
    str, BeforeValidator(_vip), WithJsonSchema({"type": "string", "examples": ["192.0.2.220"]})
]
"""An IPv4 or IPv6 address in canonical form."""

HostPath = Annotated[
    str,
    BeforeValidator(host_path),
    WithJsonSchema({"type": "string", "pattern": "^/", "examples": ["/var/log/airflow"]}),
]
"""An absolute path on the hosts."""

Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    _pattern(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt]|[ \t]+)[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?[ \t]*"
        r"([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)",
        "2026-01-01T04:00:00Z",
    ),
]
"""A moment with its time zone, in UTC."""

Address = Annotated[str, BeforeValidator(address), _TEXT]
"""An IP address in canonical form, or a host name."""

Unit = Annotated[str, BeforeValidator(full_unit_name), _UNIT_SCHEMA]
"""A unit's full systemd name."""

Port = Annotated[
    int, BeforeValidator(_port), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 65535})
]
"""A TCP port."""

Scalar = Annotated[
    Any, BeforeValidator(_scalar), WithJsonSchema({"type": ["string", "number", "boolean", "null"]})
]
"""Any single value."""

Variable = Annotated[str, BeforeValidator(_variable), _pattern(_VARIABLE.pattern, "AIRFLOW_DB_PASSWORD")]
"""The name of an environment variable."""

HostName = Annotated[
    str, BeforeValidator(partial(_name, what="host", reserved=("vip",))), _name_schema(("vip",))
]
GroupName = Annotated[
    str, BeforeValidator(partial(_name, what="group", reserved=RESERVED)), _name_schema(RESERVED)
]
CheckName = Annotated[
    str, BeforeValidator(partial(_name, what="check", reserved=RESERVED)), _name_schema(RESERVED)
]


def unset(description: str) -> Any:
    """Declare a key that may be left out and then has no value of its own."""
    return Field(default=None, validate_default=False, description=description)


def default(written: Any, description: str, **rules: Any) -> Any:
    """Declare a key that may be left out; its default is given as it would be written in the file."""
    return Field(default=written, validate_default=True, description=description, **rules)


def required(description: str, **rules: Any) -> Any:
    """Declare a key that must be there."""
    return Field(description=description, **rules)
