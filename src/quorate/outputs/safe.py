"""Strings made safe to print: whatever a host said, no renderer breaks on it and no terminal obeys it."""

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# Control characters (C0, DEL, C1) but the tab, line and paragraph separators, the marks that turn the
# direction of writing, and lone surrogates, which no encoding can write.
_UNPRINTABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

# As above, but text may have its lines. JSON would escape most of these, and what reads it would undo that.
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

# Everything outside of the production Char of XML 1.0, section 2.2, DEL and C1, which it discourages, and
# the carriage return, which a parser turns into a line feed.
_NOT_XML = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(line: str) -> str:
    """Return one line with its spaces and tabs as they are, and every unprintable character replaced."""
    return _UNPRINTABLE.sub(REPLACEMENT, line)


def one_line(text: str) -> str:
    """Return text as a single printable line, any run of white space in it as one space."""
    return printable(" ".join(text.split()))


def writable(text: str) -> str:
    """Return text of any number of lines, every unprintable character in them replaced."""
    return _UNWRITABLE.sub(REPLACEMENT, text)


def xml_text(text: str) -> str:
    """Return text in which every character is one that XML 1.0 allows; escaping is the writer's."""
    return _NOT_XML.sub(REPLACEMENT, text)


def shorten(text: str, limit: int) -> str:
    """Return text of at most `limit` characters, an ellipsis in the place of what was left out."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
