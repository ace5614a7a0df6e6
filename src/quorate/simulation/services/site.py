"""What is asked of a simulated web server, and what it answers, as values; how they travel is in http.py."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What was asked; header names in lower case, `query` decoded, of a key that stands twice the last."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def told(self) -> Mapping[str, Any]:
        """The JSON object of the body, empty where there is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """What is answered, and after how many seconds."""

    status: int = 200
    body: bytes = b""
    content: str = "application/json"
    after: float = 0.0


class Site(Protocol):
    """What a server answers with."""

    def answer(self, request: Request) -> Response | None:
        """Return the answer, None where the connection is closed without one."""


def said(value: Any, status: int = 200) -> Response:
    """Return an answer in JSON."""
    return Response(status=status, body=json.dumps(value).encode())


NOT_FOUND = said({"error": "Object Not Found", "reason": "Not Found"}, 404)


def basic(user: str, password: str) -> str:
    """Return the header Authorization that a client of HTTP Basic sends (RFC 7617)."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """A server's certificate: how many seconds it is still valid, and whether our authority signed it."""

    left: float
    trusted: bool = True
