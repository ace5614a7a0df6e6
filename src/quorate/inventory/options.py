"""Values of the command line that are written as in the inventory."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def parse_duration(text: str) -> float:
    """Return the seconds of a duration such as `60s`; ValueError says what is wrong with it."""
    from quorate.inventory.fields import duration  # noqa: PLC0415  pydantic is slow to import

    return _read(duration, text)


def unit_name(text: str) -> str:
    """Return a unit's full systemd name; ValueError says what is wrong with it."""
    from quorate.inventory.fields import full_unit_name  # noqa: PLC0415  as above

    return _read(full_unit_name, text)


def _read(read: Callable[[object], T], text: str) -> T:
    from pydantic_core import PydanticCustomError  # noqa: PLC0415  as above

    try:
        return read(text)
    except PydanticCustomError as error:
        hint = (error.context or {}).get("hint")
        raise ValueError(f"{text!r} {error.message()}" + (f"; {hint}" if hint else "")) from None
