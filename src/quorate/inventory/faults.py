"""Faults of an inventory, and how they are said: where, what is wrong, what was meant."""

import difflib
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass

LONGEST_SHOWN = 60
LONGEST_COMPARED = 64
MOST_COMPARED = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing that is wrong with an inventory.

    `line` and `column` count from 1; both are 0 where the fault is the file's as a whole.
    `path` is where it stands in the file (`groups.nfs.units[1]`), `hint` what was meant or what to do.
    """

    line: int
    column: int
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class InventoryError(Exception):
    """An inventory that can't be used, with every fault that was found in it, in the order of the file."""

    def __init__(self, source: str, faults: Iterable[Fault]) -> None:
        self.source = source
        self.faults = tuple(sorted(set(faults), key=lambda f: (f.line, f.column, f.message, f.path)))
        super().__init__(source, self.faults)

    def __str__(self) -> str:
        return "\n".join(printable(self._line(fault)) for fault in self.faults)

    def _line(self, fault: Fault) -> str:
        where = [self.source] if self.source else []
        if fault.line:
            where += [str(fault.line), str(fault.column)]
        return f"{':'.join(where)}: {fault}" if where else str(fault)


def whole_file(source: str, message: str, hint: str = "") -> InventoryError:
    """Return the error of a file that can't even be read."""
    return InventoryError(source, [Fault(line=0, column=0, path="", message=message, hint=hint)])


def quoted(text: str) -> str:
    """Return a text of the file as an error shows it: on one line, shortened, passwords of URLs masked."""
    text = re.sub(r":[^:@/\s]+@", ":***@", text[: 4 * LONGEST_SHOWN])
    if len(text) > LONGEST_SHOWN:
        text = text[: LONGEST_SHOWN - 1] + "…"
    return f"'{printable(text)}'"


def printable(text: str) -> str:
    """Return the text with control characters, terminal escapes and lone surrogates made visible."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def nearest(text: str, known: Iterable[str]) -> str | None:
    """Return the known word that was most likely meant, or None where none comes near."""
    if len(text) > LONGEST_COMPARED:
        return None
    # Comparing is slow: words of very different lengths can't come near, and beyond some hundred words
    # only those are compared that begin alike.
    words = {word.lower(): word for word in known if len(word) <= 2 * len(text) + 2}
    if len(words) > MOST_COMPARED:
        alike = (word for word in words if word[:1] == text[:1].lower())
        words = {word: words[word] for word in itertools.islice(alike, MOST_COMPARED)}
    found = difflib.get_close_matches(text.lower(), words, n=1, cutoff=0.6)
    return words[found[0]] if found else None


def meant(text: str, known: Iterable[str], otherwise: str) -> str:
    """Return the hint that names the nearest known word, or `otherwise`."""
    word = nearest(text, known)
    return f"did you mean {quoted(word)}?" if word else otherwise


def listed(words: Iterable[str], joined: str = "or") -> str:
    """Return words as a sentence lists them: `a, b or c`."""
    *most, last = words
    return f"{', '.join(most)} {joined} {last}" if most else last
