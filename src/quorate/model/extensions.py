"""Kinds of check that other packages bring along, found by their entry points in the group `quorate.checks`.

The name of an entry point is the kind's; what it leads to is an Extension. It is loaded when an inventory
first names the kind, so that a package nobody uses costs nothing and breaks nothing. Source:
importlib.metadata, docs/how-to/add-a-kind.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

GROUP = "quorate.checks"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Extension:
    """A kind of check: a `quorate.inventory.kinds.Kind`, a `quorate.probes.Probe`, a `quorate.checks.Judge`.

    They are of rooms above this one, which therefore can't name their types.
    """

    kind: Any
    probe: Any
    judge: Any


class BrokenExtensionError(Exception):
    """An entry point that leads to no Extension; the message says which one and why."""


@cache
def found() -> Mapping[str, EntryPoint]:
    """Return the entry points of all packages that are installed, by the kind's name."""
    return {point.name: point for point in entry_points(group=GROUP)}


@cache
def extension(kind: str) -> Extension:
    """Return the extension of a kind; KeyError where there is none, BrokenExtensionError where it is none."""
    point = found()[kind]
    try:
        loaded = point.load()
    except Exception as error:  # noqa: BLE001  another's module may raise anything while it is imported
        raise BrokenExtensionError(
            f"{point.value} can't be loaded: {type(error).__name__}: {error}"
        ) from None
    if not isinstance(loaded, Extension):
        raise BrokenExtensionError(f"{point.value} is no quorate.model.Extension")
    return loaded


def fault(kind: str) -> str | None:
    """Return why the extension of a kind can't be used, None where it can, or where there is none."""
    try:
        extension(kind)
    except KeyError:
        return None
    except BrokenExtensionError as error:
        return str(error)
    return None


class Registry(Mapping[str, T], Generic[T]):
    """What this package has for each kind, and behind it what other packages bring along for further ones.

    `part` is the field of an Extension. An extension of a name that is here already is never used, and one
    that is broken is not in it.
    """

    def __init__(self, part: str, own: Mapping[str, T]) -> None:
        self._part = part
        self.own = own

    def __getitem__(self, kind: str) -> T:
        if kind in self.own:
            return self.own[kind]
        try:
            found_part: T = getattr(extension(kind), self._part)
        except BrokenExtensionError as error:
            raise KeyError(kind) from error
        return found_part

    def __iter__(self) -> Iterator[str]:
        yield from self.own
        yield from (kind for kind in found() if kind not in self.own and fault(kind) is None)

    def __len__(self) -> int:
        return sum(1 for _ in self)
