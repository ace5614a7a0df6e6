"""The colours of a terminal, and no colour at all: the one place that writes an escape sequence."""

from collections.abc import Callable

from quorate.model import State

Paint = Callable[[str, str], str]
"""Puts a text into a style, by the style's name."""

_STYLES = {
    State.OK.word: "32",
    State.EXPECTED.word: "2",
    State.WARNING.word: "33",
    State.UNKNOWN.word: "35",
    State.CRITICAL.word: "31",
    "strong": "1",
    "faint": "2",
}


def painter(*, colour: bool) -> Paint:
    """Return the function that styles text: with ANSI sequences, or as plain text."""
    return _ansi if colour else _plain


def _ansi(style: str, text: str) -> str:
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if text else text


def _plain(style: str, text: str) -> str:  # noqa: ARG001  a painter takes the style, whether it uses it or not
    return text
