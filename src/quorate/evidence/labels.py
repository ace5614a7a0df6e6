"""Secrets that are known by the word before them: `password=…`, `"token": "…"`, `Authorization: Bearer …`.

How a label and its value may stand in a log line:

    label  = …password…, …secret…, …token…, …api_key… and the like, with what is joined to it (`_HASH`, `Id`)
    value  = label [quote] ( = | : | => | := ) ( quoted | word )       any log, JSON, YAML, environment
           | --label  ( quoted | word )                                a command line
           | label  quoted                                             SQL: PASSWORD '…'
           | { label , quoted } | ( label , quoted )                   Erlang and Python tuples
           | <label> text <                                            XML
           | label [is|was]  word that looks like a secret             prose

Prose that only speaks of passwords (`password authentication failed`) has no value by these rules. Where a
rule has to guess, it masks too much rather than too little.
"""

import re
from dataclasses import dataclass

Span = tuple[int, int]

_LABEL = re.compile(
    r"pass(?:word|wd|phrase)|secret|token|authorization|(?:api|fernet|private|access)[ _-]?key"
    r"|(?<=[_;-])(?:pwd|pass(?![a-z]))|identified by",
    re.IGNORECASE,
)
# What may be joined to a label before its value; `_file`, `_type` and so on name no secret, nor does the
# name of a unit (`vault-token.service: Failed …`).
_JOINED = r"(?P<joined>[\w.-]{0,40})(?:\\{0,4}[\"'`])?[\])]?"
_HARMLESS = re.compile(
    r"[_.-](?:file|path|dir|type|count|length|policy|stdin)$|\.(?:service|socket|timer|target|mount|slice|scope)$",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    _JOINED + r"(?:"
    r"[ ]{0,8}(?:=>|:=|!?={1,3}|:{1,2}(?!//))[ ]{0,8}"
    r"|(?P<comma>[ ]{0,4},[ ]{0,4}(?:<<)?)(?=[bu]?\\{0,4}[\"'])"
    r"|(?P<xml>>)(?=[^\s<])"
    r"|(?P<space>[ ]{1,8}(?:(?:is|was)[ ]{1,8})?)(?=\S)"
    r")"
)
_TUPLE = re.compile(r"[({](?:[bu]?[\"'])?[\w.-]{0,40}$")
_QUOTE = re.compile(r"[bBrRuUfF]{0,2}(\\{0,4})(\"\"\"|'''|[\"'`])")
# A word goes on over , ; & unless another key follows behind.
_WORD = re.compile(r"(?:[^\s,;&]++|[,;&](?!\\{0,4}[\"']?[\w.-]{1,64}\\{0,4}[\"']?[=:]))++")
_TRAILING = "\"'`)]},;"
_NO_VALUE = re.compile(r"(?:none|null|nil|true|false)", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,30}(?=[ ]{1,8}\S)")
_SCHEME_OF_MANY = re.compile(r"digest|oauth|hawk|signature|aws4", re.IGNORECASE)
_NAME_OR_VERSION = re.compile(r"[A-Za-z]+(?:[-_.][A-Za-z]+)*[-_.]\d{1,3}|v?\d+(?:\.\w+)+")


@dataclass(slots=True)
class _Reader:
    """A text, with the ends that were found last, so that none is looked for twice: time stays linear."""

    text: str
    line_end: int = -1
    word: Span = (-1, -1)
    bare_end: int = -1

    def end_of_line(self, start: int) -> int:
        if start > self.line_end:
            found = self.text.find("\n", start)
            self.line_end = len(self.text) if found < 0 else found
        return self.line_end

    def end_of_word(self, start: int) -> int:
        """Return where a word ends, without the punctuation that closes what it stands in."""
        if not self.word[0] <= start < self.word[1]:
            match = _WORD.match(self.text, start)
            self.word = (start, match.end() if match else start)
            self.bare_end = start + len(self.text[start : self.word[1]].rstrip(_TRAILING))
        return self.bare_end


def labelled_values(text: str) -> list[Span]:
    """Return where values stand that a word before them calls a secret."""
    reader = _Reader(text)
    spans = []
    for label in _LABEL.finditer(text):
        after = _SEPARATOR.match(text, label.end())
        if after and not _HARMLESS.search(after["joined"]):
            span = _value(reader, label, after)
            if span and not _NO_VALUE.fullmatch(text, *span):
                spans.append(span)
    return spans


def _value(reader: _Reader, label: re.Match[str], after: re.Match[str]) -> Span | None:
    start = after.end()
    if after["xml"]:
        end = reader.text.find("<", start, min(start + 1024, reader.end_of_line(start)))
        return (start, end) if end > start else None
    if after["space"]:
        return _behind_space(reader, label, after)
    if after["comma"] and "<<" not in after["comma"] and not _TUPLE.search(_head(reader.text, label)):
        return None
    if span := _quoted(reader, start):
        return span
    if label[0].lower() == "authorization":
        return _credentials(reader, start)
    return _plain(reader, start)


def _behind_space(reader: _Reader, label: re.Match[str], after: re.Match[str]) -> Span | None:
    """Return the value behind a mere space: of an option, quoted as in SQL, or that looks like a secret."""
    text, start = reader.text, after.end()
    word = label[0].lower()
    option = _head(text, label).split(" ")[-1].lstrip("\"'([,").startswith("-")
    if option and not text.startswith("-", start):
        return _quoted(reader, start) or _plain(reader, start)
    span = _quoted(reader, start)
    if span and (word.startswith(("pass", "identified"))):
        return span
    span = span or _plain(reader, start)
    return span if span and _looks_secret(text[span[0] : span[1]]) else None


def _head(text: str, label: re.Match[str]) -> str:
    """Return what stands before a label on its line, as far as it matters."""
    return text[max(0, label.start() - 48) : label.start()].rpartition("\n")[2]


def _quoted(reader: _Reader, start: int) -> Span | None:
    """Return a quoted value without its quotes; to the end of the line where the quote is never closed.

    The opening quote may itself be escaped, as in JSON within JSON; the closing one is escaped no deeper.
    """
    text = reader.text
    opening = _QUOTE.match(text, start)
    if opening is None:
        return None
    begin, depth, quote = opening.end(), len(opening[1]), opening[2]
    limit = reader.end_of_line(start)
    position = begin
    while (found := text.find(quote, position, limit)) >= 0:
        escapes = found - len(text[position:found].rstrip("\\")) - position
        closes = escapes <= depth or (depth == 0 and escapes % 2 == 0)
        # SQL writes a quote within a value twice.
        doubled = quote == "'" and depth == escapes == 0 and found > begin and text.startswith("'", found + 1)
        if closes and not doubled:
            return (begin, found - min(escapes, depth))
        position = found + (2 if doubled else 1)
    return (begin, limit)


def _plain(reader: _Reader, start: int) -> Span | None:
    end = reader.end_of_word(start)
    return (start, end) if end > start else None


def _credentials(reader: _Reader, start: int) -> Span | None:
    """Return the value of an authorization header: a scheme and its credentials. Source: RFC 9110, 11.4."""
    scheme = _SCHEME.match(reader.text, start)
    if scheme is None:
        return _plain(reader, start)
    if _SCHEME_OF_MANY.match(scheme[0]):
        return (start, reader.end_of_line(start))
    behind = scheme.end()
    while reader.text.startswith(" ", behind):
        behind += 1
    span = _plain(reader, behind)
    return (start, span[1] if span else scheme.end())


def _looks_secret(word: str) -> bool:
    if len(word) < 6 or _NAME_OR_VERSION.fullmatch(word):
        return False
    return any(c.isdigit() for c in word) and any(c.isalpha() for c in word)
