"""The YAML reader's complaints in plain sentences.

None of them repeats a piece of the text, which may be a secret that was written without quotes.
"""

_QUOTES = "put text that holds special characters in quotes"

# How a complaint of ruamel.yaml begins: what we say, what to do, and whether it points to where the
# thing began that was not finished (else to where reading stopped).
_SENTENCES: tuple[tuple[str, str, str, bool], ...] = (
    ("found character '\\t'", "a tab stands where spaces belong", "indent with spaces", False),
    ("found character", "a value can't start with this character", _QUOTES, False),
    (
        "mapping values are not allowed",
        "a ':' where no key can be",
        f"check the indentation, or {_QUOTES}",
        False,
    ),
    (
        "sequence entries are not allowed",
        "a '-' where no list can begin",
        "put the list on a line of its own",
        False,
    ),
    ("mapping keys are not allowed", "a '?' where no key can be", _QUOTES, False),
    (
        "could not find expected ':'",
        "a key without its ':'",
        "write `key: value`, with a space after the ':'",
        True,
    ),
    ("expected <block end>", "this does not fit what stands above it", "check the indentation", False),
    (
        "expected ',' or ']'",
        "a list that is not closed",
        "write ',' between its items and ']' at its end",
        True,
    ),
    (
        "expected ',' or '}'",
        "a mapping that is not closed",
        "write ',' between its keys and '}' at its end",
        True,
    ),
    ("expected the node content", "a value is missing here", "", False),
    ("found unexpected end of stream", "a quoted text that is not closed", "add the closing quote", True),
    (
        "found unexpected document separator",
        "a quoted text that is not closed",
        "add the closing quote",
        True,
    ),
    ("found unexpected ':'", "a ':' inside a word", _QUOTES, False),
    (
        "found unknown escape character",
        "an unknown escape in a quoted text",
        "write a backslash twice",
        False,
    ),
    (
        "expected escape sequence",
        "an escape in a quoted text that is not complete",
        "write a backslash twice",
        False,
    ),
    (
        "more indented follow up line",
        "a block of text whose first line is indented less",
        "indent it alike",
        True,
    ),
    ("expected chomping", "a block of text that does not begin on a line of its own", _QUOTES, True),
    (
        "expected indentation indicator",
        "a block of text that does not begin on a line of its own",
        _QUOTES,
        True,
    ),
    ("found undefined tag handle", "a tag has no place in an inventory", _QUOTES, False),
    (
        "found non-comment content",
        "text after the end of the document",
        "one file holds one inventory",
        False,
    ),
    (
        "expected '<document start>'",
        "the inventory does not begin after its directives",
        "leave out lines with %",
        False,
    ),
    ("found incompatible YAML", "not a version of YAML that can be read", "leave out the %YAML line", False),
)

_CONTEXTS: tuple[tuple[str, str, str], ...] = (
    ("while scanning a directive", "a line that starts with %", "leave it out"),
    ("while scanning a block scalar", "a block of text that does not begin on a line of its own", _QUOTES),
    ("while scanning an anchor", "an anchor without a proper name", _QUOTES),
    ("while scanning an alias", "an alias without a proper name", _QUOTES),
)


def sentence(context: str | None, problem: str | None) -> tuple[str, str, bool]:
    """Return what is wrong, what to do, and whether it is placed at the context rather than the problem."""
    for start, message, hint, at_context in _SENTENCES:
        if (problem or context or "").startswith(start):
            return message, hint, at_context
    for start, message, hint in _CONTEXTS:
        if (context or "").startswith(start):
            return message, hint, False
    return "not YAML from here on", _QUOTES, False
