"""A file's plain values, with the place of every key and value."""

from dataclasses import dataclass, field
from typing import Any

from quorate.inventory.faults import Fault, quoted

Path = tuple[str | int, ...]


class _Broken:
    """The type of BROKEN."""

    def __repr__(self) -> str:
        return "BROKEN"


BROKEN = _Broken()
"""Stands where a value is already known to be faulty, so that no second fault is made of it."""

SECRET_KEYS = frozenset({"password", "passphrase"})


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a value and its key stand, counted from 1; `text` is None of lists and mappings."""

    line: int
    column: int
    key_line: int
    key_column: int
    text: str | None


@dataclass(slots=True)
class Document:
    """Plain values, the places they came from, and the faults of the writing itself."""

    value: Any = None
    empty: bool = True
    spots: dict[Path, Spot] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(
        self, path: Path, what: str, hint: str = "", *, at_key: bool = False, show: bool = True
    ) -> Fault:
        """Return a fault at a value or at its key, showing its text; a secret's text is never shown.

        A path that does not stand in the file is placed at the nearest thing around it.
        """
        spot, whole = self._nearest_spot(path)
        text = str(path[-1]) if at_key and path else spot.text
        if (
            show
            and whole
            and (text or (at_key and text is not None))
            and not (is_secret(path) and not at_key)
        ):
            what = f"{what}: {quoted(text)}"
        line, column = (spot.key_line, spot.key_column) if at_key else (spot.line, spot.column)
        return Fault(line=line, column=column, path=dotted(path), message=what, hint=hint)

    def rename(self, value: Any, old: Path, new: Path) -> None:
        """Give a value and all below it a second path, that of the key that was meant."""
        self.spots[new] = self.spots[old]
        below = (
            value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
        )
        for key, item in below:
            self.rename(item, (*old, key), (*new, key))

    def _nearest_spot(self, path: Path) -> tuple[Spot, bool]:
        """Return the spot of the longest part of the path that stands in the file.

        The second value tells whether its text is the value's own: a short form counts as its only key.
        """
        for length in range(len(path), -1, -1):
            spot = self.spots.get(path[:length])
            if spot is not None:
                return spot, length == len(path) or spot.text is not None
        return Spot(1, 1, 1, 1, None), False


def dotted(path: Path) -> str:
    """Return a path as people write it, `groups.nfs.units[1]`, without what stands below a secret's key."""
    text = ""
    for depth, part in enumerate(path):
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
        if depth and part in SECRET_KEYS:
            break
    return text.removeprefix(".")


def is_secret(path: Path) -> bool:
    """Tell whether what stands at a path may be a secret that someone wrote in plain text."""
    return any(part in SECRET_KEYS for part in path[1:])
