"""Holds the file's values against the models of its mappings, all faults at once.

A key that is misspelt is reported, and then read as the key that was meant: so it is not reported as
missing too, and a fault in its value is found in the same pass. A misspelt kind is treated alike.
"""

import typing
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from quorate.inventory.composing import DEEPEST
from quorate.inventory.document import BROKEN, Document, Path
from quorate.inventory.entries import SECTIONS, CheckEntry, InventoryFile, UnknownCheckEntry
from quorate.inventory.faults import Fault, listed, nearest, quoted
from quorate.inventory.kinds import KINDS
from quorate.inventory.tree import at, break_at, mapping
from quorate.inventory.wording import Problem, say
from quorate.model import extensions

E = TypeVar("E", bound=BaseModel)


@dataclass(slots=True)
class Shapes:
    """What of the file could be read; `kinds` has what each check most likely is, where that is known.

    `unknown` are those of the faults that were taken for another key.
    """

    faults: list[Fault] = field(default_factory=list)
    unknown: list[Fault] = field(default_factory=list)
    file: InventoryFile | None = None
    checks: dict[str, CheckEntry] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)


def read_shapes(document: Document) -> Shapes:
    """Return the entries of the file, and faults; in the document, faulty values become BROKEN."""
    shapes = Shapes()
    tree = document.value
    for section, empty in SECTIONS.items():
        if section in tree and tree[section] is None:
            tree[section] = empty()
    problems = _validate(tree, document, shapes)
    for _ in range(DEEPEST):
        misspelt = [p for p in problems if p.meant and p.meant not in at(tree, p.path[:-1])]
        if not misspelt:
            break
        for problem in misspelt:
            shapes.unknown.append(say(problem, None, document))
            _rename(tree, problem, document)
        problems = _validate(tree, document, shapes)
    for problem in problems:
        value = at(tree, problem.path)
        if value is not BROKEN:
            shapes.faults.append(say(problem, value, document))
    for problem in problems:
        if not problem.at_key and problem.type != "missing":
            break_at(tree, problem.path)
    shapes.faults += shapes.unknown
    return shapes


def _rename(tree: dict[str, Any], problem: Problem, document: Document) -> None:
    around = at(tree, problem.path[:-1])
    # Two words may both come near the same key: the first one stands for it.
    if problem.meant and problem.meant not in around:
        value = around[problem.meant] = around.pop(problem.path[-1])
        document.rename(value, problem.path, (*problem.path[:-1], problem.meant))


def _validate(tree: dict[str, Any], document: Document, shapes: Shapes) -> list[Problem]:
    shapes.file, problems = _entry(InventoryFile, tree, ())
    shapes.checks = {}
    for name, check in mapping(tree, "checks").items():
        if isinstance(check, dict):
            entry, of_check = _check(check, ("checks", name), document, shapes)
            problems += of_check
            if entry is not None:
                shapes.checks[name] = entry
    return problems


def _check(
    check: dict[str, Any], path: Path, document: Document, shapes: Shapes
) -> tuple[CheckEntry | None, list[Problem]]:
    name, kind = str(path[-1]), check.get("kind")
    if kind is None and "kind" not in check:
        word = nearest("kind", [key for key in check if not _known_anywhere(key)])
        if word:
            return None, [Problem(path=(*path, word), type="extra_forbidden", known=("kind",), meant="kind")]
    if not isinstance(kind, str):
        return _entry(UnknownCheckEntry, check, path)
    if kind in KINDS:
        shapes.kinds[name] = kind
        return _entry(KINDS[kind].entry, check, path)
    if extensions.fault(kind) is not None:
        # The file is right, the package that brings the kind is not: a sweep says so, and judges the rest.
        return _entry(UnknownCheckEntry, check, path)
    fault, guess = _unknown_kind(kind, (*path, "kind"), document)
    shapes.faults.append(fault)
    if guess is None:
        return _entry(UnknownCheckEntry, check, path)
    shapes.kinds[name] = guess
    return _entry(KINDS[guess].entry, {**check, "kind": guess}, path)


def _unknown_kind(kind: str, path: Path, document: Document) -> tuple[Fault, str | None]:
    """Return the fault of a kind that is not known, and the known kind that was most likely meant."""
    known = f"this version knows {listed(KINDS)}"
    guess = nearest(kind, KINDS)
    if guess is None:
        return document.fault(path, "unknown kind of check", known), None
    fault = document.fault(path, "unknown kind of check", f"did you mean {quoted(guess)}? {known}")
    return fault, guess


def _known_anywhere(key: str) -> bool:
    return any(key in kind.entry.model_fields for kind in KINDS.values())


def _entry(model: type[E], value: Any, path: Path) -> tuple[E | None, list[Problem]]:
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    problems = []
    for detail in details:
        at_key = detail["loc"][-1:] == ("[key]",)
        loc = detail["loc"][:-1] if at_key else detail["loc"]
        known = _known_keys(model, detail["type"], loc)
        problems.append(
            Problem(
                path=(*path, *loc),
                type=detail["type"],
                context=detail.get("ctx", {}),
                at_key=at_key,
                known=known,
                meant=nearest(str(loc[-1]), known) if detail["type"] == "extra_forbidden" else None,
            )
        )
    return None, problems


def _known_keys(model: type[BaseModel], fault: str, loc: Path) -> tuple[str, ...]:
    """Return the keys beside an unknown one, or of a mapping that is none; nothing for all other faults."""
    if fault == "extra_forbidden":
        return _keys(model, loc[:-1])
    return _keys(model, loc) if fault == "model_type" else ()


def _keys(model: type[BaseModel], loc: Path) -> tuple[str, ...]:
    """Return the keys of the mapping at a place below a model, by walking its fields' types."""
    kind: Any = model
    for part in loc:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[str(part)].annotation
        else:
            kind = typing.get_args(kind)[-1]  # of a list or a dict: the type of its values
        if typing.get_origin(kind) is typing.Annotated:
            kind = typing.get_args(kind)[0]
    return tuple(kind.model_fields)
