"""Log text made fit for any reader: nothing in it moves a cursor, hides words or turns them round.

Cleaning comes before masking, so that no escape in the middle of a secret saves the secret.
"""

import re

# Escapes of terminals. Source: ECMA-48, and XTerm's control sequences for BEL as the end of an OSC.
# A string (OSC, DCS, APC, PM, SOS) that is never ended is kept as text, without what introduced it: else
# one stray byte could hide the rest of a log. Each body stops where the next could begin, so that the time
# stays linear whatever comes.
_ESCAPE = (
    r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\n\x80-\x9f]*+(?:\x07|\x1b\\|\x9c)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|\x1b[ -/]*[0-~]?"
)
# Line ends of other kinds than \n: they count as \n, since some reader takes them for one.
_LINE_END = r"\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]"
# Half a surrogate pair and what Unicode says is no character: neither passes into UTF-8 or XML.
_BROKEN = r"[\ud800-\udfff\ufffe\uffff]"
# Controls (one of C1 at a time: the next may begin an escape), then invisible characters: direction marks
# and overrides, zero-width ones, fillers, variation selectors, annotations, tags. Source: Unicode TR36 and
# TR39, general category Cf.
_HIDDEN = (
    r"[\x80-\x9f]|[\x00-\x08\x0e-\x1a\x1f\x7f"
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]++"
)
_UNFIT = re.compile(f"(?P<escape>{_ESCAPE})|(?P<end>{_LINE_END})|(?P<broken>{_BROKEN})|(?P<tab>\t)|{_HIDDEN}")
_INSTEAD = {"end": "\n", "broken": "\ufffd", "tab": "    "}


def clean_text(text: str) -> str:
    """Return text without terminal escapes, control characters and invisible characters.

    Newlines stay, other line ends become newlines, a tab becomes four spaces, and a lone surrogate becomes
    U+FFFD. Linear in the length of the text; cleaning twice changes nothing more.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNFIT.sub(_instead, text)


def _instead(match: re.Match[str]) -> str:
    return _INSTEAD.get(match.lastgroup or "", "")
