"""Secrets that are known by their own shape, without a label: in URLs, as web tokens, as private keys."""

import re

Span = tuple[int, int]

_URL_USER = re.compile(r"://[^\s/?#@:\[\]\"'<>]{0,256}:")
_AUTHORITY_END = re.compile(r"[/?#\s\"'<>]")
_AT_OR_END = re.compile(r"[@\s\"'<>]")
_PORT = re.compile(r"[0-9]{1,5}(?![^/?#,])")

# A web token (RFC 7519), a scheme of HTTP authentication with its credentials, and a key in PEM (RFC 7468).
_JWT = re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,4}")
_SCHEME = re.compile(r"\b(?:bearer|basic)[ ]{1,4}([A-Za-z0-9+/=._~-]{8,})", re.IGNORECASE)
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")


def url_passwords(text: str) -> list[Span]:
    """Return where passwords of URLs stand: `scheme://user:PASSWORD@host`, up to the authority's last `@`."""
    spans: list[Span] = []
    position = 0
    while match := _URL_USER.search(text, position):
        start = match.end()
        end = _end(_AUTHORITY_END, text, start)
        # The next URL may begin with the colon in front of the slashes that end this one.
        position = max(start, end - 1)
        at = text.rfind("@", start, end)
        if at < 0 and not _PORT.match(text, start, end):
            # Perhaps a slash that should have been quoted: the password goes on behind it.
            position = _end(_AT_OR_END, text, end)
            at = position if text.startswith("@", position) else -1
        if at > start:
            spans.append((start, at))
    return spans


def bare_tokens(text: str) -> list[Span]:
    """Return where web tokens, credentials behind `Bearer` and `Basic`, and private keys stand."""
    spans = [match.span() for match in _JWT.finditer(text)]
    # `Basic authentication` is prose; credentials in base64 hold digits, or end in an equals sign.
    spans += [match.span(1) for match in _SCHEME.finditer(text) if re.search(r"[0-9=]", match[1])]
    position = 0
    while begin := _PEM.search(text, position):
        end = text.find("-----END", begin.end())
        position = len(text) if end < 0 else end
        spans.append((begin.end(), position))
    return spans


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.search(text, start)
    return match.start() if match else len(text)
