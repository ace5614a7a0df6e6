"""Prose within a terminal's width, broken only where a reader would break it."""

import textwrap

_GLUE = "\N{NO-BREAK SPACE}"


def glued(text: str) -> str:
    """Return text that `wrapped` keeps on one line."""
    return text.replace(" ", _GLUE)


def wrapped(text: str, width: int, *, first: str = "", rest: str | None = None) -> list[str]:
    """Return text in lines of at most `width` columns, at least one; `first` and `rest` are their indents.

    Words are never broken: an id or a path in two pieces can't be copied. `rest` is as `first` unless given.
    """
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_GLUE, " ") for line in lines] or [first]
