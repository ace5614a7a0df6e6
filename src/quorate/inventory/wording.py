"""What pydantic finds, in sentences of our own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from quorate.inventory.document import Document, Path
from quorate.inventory.faults import Fault, listed, meant, quoted

_SINGULAR = {"hosts": "host", "groups": "group", "checks": "check"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One finding of pydantic at a place of the file.

    `known` has the keys that could stand where an unknown one does, `meant` the nearest of them; or those
    of the mapping that should stand where something else does.
    """

    path: Path
    type: str
    context: Mapping[str, Any] = field(default_factory=dict)
    at_key: bool = False
    known: tuple[str, ...] = ()
    meant: str | None = None


def say(problem: Problem, value: Any, document: Document) -> Fault:
    """Return the fault of a problem; `value` is what the file has at its path."""
    path = problem.path
    if problem.type == "extra_forbidden":
        hint = (
            f"did you mean {quoted(problem.meant)}?"
            if problem.meant
            else f"known here: {', '.join(problem.known)}"
        )
        return document.fault(path, "unknown key", hint, at_key=True)
    if problem.type == "missing":
        missing = quoted(str(path[-1]))
        where = (
            f"{_label(path[:-1])} lacks the key {missing}"
            if len(path) > 1
            else f"the key {missing} is missing"
        )
        return document.fault(path[:-1], where, "add it", at_key=True, show=False)
    what, hint, show = _sentence(problem, value)
    label = "this" if problem.at_key else _label(path)
    # A value that is not there has no place of its own: its key stands for it.
    at_key = problem.at_key or value is None
    return document.fault(path, f"{label} {what}", hint, at_key=at_key, show=show)


def _sentence(problem: Problem, value: Any) -> tuple[str, str, bool]:
    """Return what is wrong, what to do, and whether the text is worth showing."""
    context = problem.context
    if problem.type == "inventory":
        return context["what"], context["hint"], value is not None
    if value is None:
        return "has no value", "write one behind it", False
    if problem.type == "too_short":
        return "is empty", "name at least one", False
    if problem.type == "greater_than_equal":
        return f"must be at least {context['ge']}", "", True
    if problem.type == "less_than_equal":
        return f"must be at most {context['le']}", "", True
    if problem.type == "literal_error":
        # pydantic gives the words as one text: 'read' or 'write'
        words = [word.strip("' ") for word in context["expected"].replace(" or ", ",").split(",")]
        return f"must be {listed(words)}", meant(str(value), words, ""), True
    if problem.type in ("dict_type", "model_type"):
        hint = f"known here: {', '.join(problem.known)}" if problem.known else ""
        return "must be a mapping of keys and values", hint, True
    return _wrong_type(problem.type, value)


def _wrong_type(type_: str, value: Any) -> tuple[str, str, bool]:
    if type_ == "list_type":
        return "must be a list", f"write [{value}]" if _plain(value) else "write [… , …]", True
    if type_ == "int_type":
        digits = isinstance(value, str) and value.isdecimal()
        return "must be a whole number", "write it without quotes" if digits else "", True
    if type_ == "bool_type":
        return "must be true or false", "", True
    return "is not what belongs here", "", True


def _plain(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and len(value) < 40


def _label(path: Path) -> str:
    """Return how a sentence calls a place: by its key, or as what it is where it has a name of its own."""
    if not path:
        return "the inventory"
    if len(path) == 2 and path[0] in _SINGULAR:
        return f"{_SINGULAR[str(path[0])]} {path[1]}"
    indices = ""
    for part in reversed(path):
        if isinstance(part, str):
            return part + indices
        indices = f"[{part}]{indices}"
    return indices
