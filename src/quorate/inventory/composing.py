"""From YAML text to a Document: every value of YAML 1.2's core schema, and no text that is too much for it.

faults
├─ the text can't be read as YAML, or is too deep or too large: reading stops there
└─ it can be read, but has something that has no place in an inventory (a key twice, a tag, an alias
   of nothing …): the value is left out or BROKEN, and reading goes on
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from quorate.inventory.document import BROKEN, Document, Path, Spot, dotted, is_secret
from quorate.inventory.faults import Fault, quoted
from quorate.inventory.scalars import plain_value
from quorate.inventory.syntax import sentence

MOST_VALUES = 200_000
DEEPEST = 32


def read_document(text: str) -> Document:
    """Return the text's values and places; whatever the text is, faults are in the result, none is raised."""
    composer = _Composer(text)
    document = composer.document
    try:
        composer.compose()
    except _StopError as stop:
        document.faults.append(stop.fault)
        document.value = BROKEN
    except (
        YAMLError,
        ValueError,
        ArithmeticError,
        LookupError,
        AttributeError,
        TypeError,
        AssertionError,
    ) as error:
        # The latter are what ruamel.yaml's scanner itself stumbles over, such as "\UFFFFFFFF".
        document.faults.append(_syntax_fault(error, text, composer.last_place))
        document.value = BROKEN
    return document


class _StopError(Exception):
    """Nothing sensible can be read beyond this fault."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault


@dataclass(slots=True)
class _Node:
    """A value with its place, before aliases are spread out; `size` and `height` count all below too."""

    line: int
    column: int
    value: Any
    text: str | None = None
    size: int = 1
    height: int = 0


@dataclass(frozen=True, slots=True)
class _Key:
    text: str
    line: int
    column: int


class _Composer:
    """Reads one document; recursion is bounded by DEEPEST, the spread of aliases by MOST_VALUES."""

    def __init__(self, text: str) -> None:
        self.document = Document()
        self.last_place = (1, 1)
        self._text = text
        self._anchors: dict[str, _Node] = {}
        self._open: set[str] = set()
        self._count = 0

    def compose(self) -> None:
        events = self._events()
        for event in events:
            if not isinstance(event, DocumentStartEvent):
                continue
            if not self.document.empty:
                self._complain((), "a second document begins here", "one file holds one inventory")
                return
            self.document.empty = False
            root = self._node(next(events), events, ())
            self.document.value = self._spread(root, (), None)

    def _events(self) -> Iterator[Any]:
        for event in YAML(typ="safe", pure=True).parse(self._text):
            self.last_place = (event.start_mark.line + 1, event.start_mark.column + 1)
            yield event

    def _complain(self, path: Path, what: str, hint: str = "", text: str | None = None) -> None:
        self.document.faults.append(self._here(path, what, hint, text))

    def _here(self, path: Path, what: str, hint: str = "", text: str | None = None) -> Fault:
        line, column = self.last_place
        if text is not None and not is_secret(path):
            what = f"{what}: {quoted(text)}"
        return Fault(line=line, column=column, path=dotted(path), message=what, hint=hint)

    def _node(self, event: Any, events: Iterator[Any], path: Path) -> _Node:
        line, column = self.last_place
        if isinstance(event, AliasEvent):
            return self._alias(event, path)
        self._grow(1, path)
        if len(path) > DEEPEST:
            raise _StopError(self._here(path, f"nested deeper than {DEEPEST} levels"))
        node = _Node(line, column, None)
        tag = event.ctag if event.ctag is None else str(event.ctag)
        if tag not in (None, "!", "tag:yaml.org,2002:str"):
            self._complain(
                path, "a tag has no place in an inventory", "leave out the word that starts with !"
            )
        if event.anchor:
            self._open.add(event.anchor)
        if isinstance(event, ScalarEvent):
            node.text = event.value
            node.value = self._scalar(event, path, plain=event.style is None and tag is None)
        elif isinstance(event, SequenceStartEvent):
            node.value = self._sequence(node, events, path)
        elif isinstance(event, MappingStartEvent):
            node.value = self._mapping(node, events, path)
        if event.anchor:
            self._open.discard(event.anchor)
            self._anchors[event.anchor] = node
        return node

    def _scalar(self, event: Any, path: Path, *, plain: bool) -> Any:
        text: str = event.value
        if plain:
            return plain_value(text)
        if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text):
            self._complain(path, "holds a character that text can't have", "look for \\0, \\x or \\u in it")
            return BROKEN
        return text

    def _sequence(self, node: _Node, events: Iterator[Any], path: Path) -> list[_Node]:
        items: list[_Node] = []
        for event in events:
            if isinstance(event, SequenceEndEvent):
                break
            items.append(self._child(node, event, events, (*path, len(items))))
        return items

    def _mapping(self, node: _Node, events: Iterator[Any], path: Path) -> dict[_Key, _Node]:
        pairs: dict[_Key, _Node] = {}
        seen: dict[str, _Key] = {}
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            key = self._key(event, events, path)
            first = seen.get(key.text) if key else None
            if key and first:
                self._complain(
                    (*path, key.text),
                    "key written twice" if is_secret(path) else f"key written twice: {quoted(key.text)}",
                    f"the first is at line {first.line}, column {first.column}; leave one",
                )
            value = self._child(node, next(events), events, (*path, key.text if key else "?"))
            if key and not first:
                seen[key.text] = key
                pairs[key] = value
        return pairs

    def _key(self, event: Any, events: Iterator[Any], path: Path) -> _Key | None:
        """Return a key by its text as written, or None, with a fault, where it is none."""
        line, column = self.last_place
        node = self._node(event, events, (*path, "?"))
        if node.value is BROKEN:
            return None
        if node.text is None:
            self.document.faults.append(
                Fault(
                    line=line,
                    column=column,
                    path=dotted(path),
                    message="a key must be a word, not a list or a mapping",
                    hint="text that holds braces or brackets goes in quotes",
                )
            )
            return None
        if node.text == "<<":
            self._complain(path, "merge keys (<<) are not part of YAML 1.2", "write the keys out")
            return None
        return _Key(node.text, line, column)

    def _child(self, parent: _Node, event: Any, events: Iterator[Any], path: Path) -> _Node:
        child = self._node(event, events, path)
        parent.size += child.size
        parent.height = max(parent.height, child.height + 1)
        return child

    def _alias(self, event: Any, path: Path) -> _Node:
        line, column = self.last_place
        target = self._anchors.get(event.anchor)
        if event.anchor in self._open:
            self._complain(path, "an alias stands inside what it refers to", "write the value out")
            target = None
        elif target is None:
            self._complain(
                path,
                "no anchor of that name before this",
                "text that starts with * goes in quotes",
                event.anchor,
            )
        if target is None:
            return _Node(line, column, BROKEN)
        self._grow(target.size, path)
        if len(path) + target.height > DEEPEST:
            raise _StopError(self._here(path, f"nested deeper than {DEEPEST} levels, by its aliases"))
        return target

    def _grow(self, by: int, path: Path) -> None:
        self._count += by
        if self._count > MOST_VALUES:
            raise _StopError(self._here(path, f"more than {MOST_VALUES} values, aliases spread out"))

    def _spread(self, node: _Node, path: Path, key: _Key | None) -> Any:
        """Return the node's plain value, and note the place of it and all below."""
        key_line, key_column = (key.line, key.column) if key else (node.line, node.column)
        self.document.spots[path] = Spot(node.line, node.column, key_line, key_column, node.text)
        if isinstance(node.value, dict):
            return {k.text: self._spread(child, (*path, k.text), k) for k, child in node.value.items()}
        if isinstance(node.value, list):
            return [self._spread(child, (*path, i), None) for i, child in enumerate(node.value)]
        return node.value


def _syntax_fault(error: Exception, text: str, last_place: tuple[int, int]) -> Fault:
    line, column = last_place
    if isinstance(error, MarkedYAMLError):
        message, hint, at_context = sentence(error.context, error.problem)
        mark = error.context_mark if at_context and error.context_mark else error.problem_mark
        mark = mark or error.context_mark
        if mark is not None:
            line, column = mark.line + 1, mark.column + 1
    elif isinstance(error, ReaderError):
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        message, hint = f"a character that YAML does not allow: U+{error.character:04X}", "take it out"
    else:
        message, hint = "can't be read as YAML", "look at the escapes and directives after this place"
    return Fault(line=line, column=column, path="", message=message, hint=hint)
