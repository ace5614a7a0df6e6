"""How a kind is told where a web server is: one URL, and what is in it."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import BeforeValidator, WithJsonSchema

from quorate.inventory.fields import address, not_text, wrong

_PORTS = {"http": 80, "https": 443}
_EXAMPLE = "such as https://api.example.org:8443/health"


@dataclass(frozen=True, kw_only=True, slots=True)
class WebPlace:
    """Where a URL leads; `path` as it stands in a request, `authority` as in the header Host.

    `shown` is the URL without its query, in which people put what is nobody's business.
    """

    secured: bool
    host: str
    port: int
    path: str
    authority: str
    shown: str


def has_credentials(url: str) -> bool:
    """Tell whether a user or a password may stand in a URL."""
    return "@" in url.partition("//")[2].partition("/")[0].partition("?")[0]


def _url(value: object) -> str:
    if not isinstance(value, str):
        raise not_text(value)
    if has_credentials(value):
        return value  # a rule says so, without showing it
    if not value.lower().startswith(("http://", "https://")):
        raise wrong("is not a URL", _EXAMPLE)
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise wrong("holds what can't stand in a URL", "write it percent-encoded")
    if "#" in value:
        raise wrong("has a part behind #, which no server is sent", "take it out")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise wrong("is not a URL", _EXAMPLE) from None
    if port == 0:
        raise wrong("has no valid port", "port numbers are 1 to 65535")
    if not parts.hostname:
        raise wrong("names no server", _EXAMPLE)
    address(parts.hostname)
    return value


Url = Annotated[
    str,
    BeforeValidator(_url),
    WithJsonSchema(
        {"type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://", "examples": ["http://192.0.2.210:8081/"]}
    ),
]
"""An http or https URL, without credentials."""


def located(url: str) -> WebPlace:
    """Return what a valid URL says."""
    parts: SplitResult = urlsplit(url)
    scheme = parts.scheme.lower()
    path = parts.path or "/"
    return WebPlace(
        secured=scheme == "https",
        host=address(parts.hostname),
        port=parts.port or _PORTS[scheme],
        path=f"{path}?{parts.query}" if parts.query else path,
        authority=parts.netloc.removesuffix(":"),
        shown=f"{scheme}://{parts.netloc.removesuffix(':')}{path}",
    )
