"""Reads command-line options as getopt_long(3) does: in any order, `--name=value` or `--name value`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass


class UnknownOption(Exception):  # noqa: N818  named for what it tells, as getopt words it
    """An option that the program does not have; its text is getopt's own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """Options in the order given, with their values, and the words that are none."""

    given: tuple[tuple[str, str], ...]
    words: list[str]

    def has(self, *names: str) -> bool:
        """Tell whether any of these options was given."""
        return any(name in names for name, _ in self.given)

    def all(self, *names: str) -> list[str]:
        """Return the values of all these options."""
        return [value for name, value in self.given if name in names]

    def last(self, *names: str) -> str | None:
        """Return the value that wins; None where the option was not given."""
        values = self.all(*names)
        return values[-1] if values else None


def parse_options(
    argv: Sequence[str],
    *,
    values: Collection[str],
    flags: Collection[str],
    optional: Collection[str] = (),
) -> Options:
    """Return the options among the arguments. `optional` take a value only after `=`, or as one word."""
    given: list[tuple[str, str]] = []
    words: list[str] = []
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word == "--":
            words += rest
            break
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            if name in values:
                given.append(
                    (name, value if equals else _value(rest, f"option '{name}' requires an argument"))
                )
            elif name in optional or (name in flags and not equals):
                given.append((name, value))
            else:
                raise UnknownOption(f"unrecognized option '{word}'")
        elif len(word) > 1 and word[0] == "-":
            given += _short(word, rest, values=values, flags=flags, optional=optional)
        else:
            words.append(word)
    return Options(given=tuple(given), words=words)


def _short(
    word: str,
    rest: list[str],
    *,
    values: Collection[str],
    flags: Collection[str],
    optional: Collection[str],
) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    letters = word[1:]
    while letters:
        name, letters = f"-{letters[0]}", letters[1:]
        if name in values:
            value = letters or _value(rest, f"option requires an argument -- '{name[1]}'")
            return [*found, (name, value)]
        if name in optional:
            return [*found, (name, letters)]
        if name not in flags:
            raise UnknownOption(f"invalid option -- '{name[1]}'")
        found.append((name, ""))
    return found


def _value(rest: list[str], otherwise: str) -> str:
    if not rest:
        raise UnknownOption(otherwise)
    return rest.pop(0)
