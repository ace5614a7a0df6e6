"""The file's values as the rules see them: whatever is faulty in itself is BROKEN, or of another type.

A rule that looks through these functions passes over what is faulty already, so that no second fault
is made of it.
"""

from collections.abc import Iterator
from typing import Any

from quorate.inventory.document import BROKEN, Path


def mapping(value: Any, *keys: str) -> dict[str, Any]:
    """Return the mapping below the keys, or an empty one where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def words(value: Any) -> Iterator[tuple[int, str]]:
    """Yield index and text of a list's items, those that are text."""
    for index, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, str):
            yield index, item


def word(value: Any, key: str) -> str | None:
    """Return the text at a mapping's key, or None where there is none."""
    text = value.get(key) if isinstance(value, dict) else None
    return text if isinstance(text, str) else None


def intact(value: Any) -> bool:
    """Tell whether nothing in the value is BROKEN."""
    if isinstance(value, dict):
        return all(intact(item) for item in value.values())
    if isinstance(value, list):
        return all(intact(item) for item in value)
    return value is not BROKEN


def at(value: Any, path: Path) -> Any:
    """Return what stands at a path, or at the nearest thing around it that stands there."""
    for key in path:
        if not _has(value, key):
            break
        value = value[key]
    return value


def break_at(value: Any, path: Path) -> None:
    """Put BROKEN at a path, or at the short form that stands in its place; nothing where a key is missing."""
    for depth, key in enumerate(path):
        if not _has(value, key):
            return
        if depth + 1 == len(path) or not isinstance(value[key], dict | list):
            value[key] = BROKEN
            return
        value = value[key]


def _has(value: Any, key: str | int) -> bool:
    if isinstance(value, dict):
        return key in value
    return isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value)
