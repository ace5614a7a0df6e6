"""What HTTP answers mean that are none: pure functions from what came to a failure."""

import json
from collections.abc import Iterable

import h11

from quorate.model import Reason
from quorate.transports.errors import HostError, cleaned
from quorate.transports.services import masked

_TLS_ALERT = b"\x15\x03"
_LONGEST_TOKEN = 2**14
_FIRST_CHARACTERS = 80


def not_http(
    error: Exception, said: str, first: bytes, *, answered: bool, secrets: Iterable[str]
) -> HostError:
    """Return what an answer means that is against the rules of HTTP.

    `first` is how all that came begins, `answered` tells that there was a proper status and headers.
    """
    if getattr(error, "error_status_hint", 0) == 431:  # h11's, for what does not end within its limit
        return HostError(Reason.UNPARSABLE, f"{said}: the headers of the answer are too long")
    if answered or first.startswith(b"HTTP/"):
        # Without the bytes that h11 shows behind it: a secret may stand in them in another spelling.
        why = str(error).partition(": b")[0] if isinstance(error, h11.RemoteProtocolError) else "a number"
        return HostError(Reason.UNPARSABLE, f"{said}: the answer is no valid HTTP: {why}")
    if first.startswith(_TLS_ALERT):
        return HostError(Reason.CONNECT_FAILED, "the port wants TLS")
    sent = f"; it sent: {_beginning(first, list(secrets))}" if first else ""
    return HostError(Reason.CONNECT_FAILED, f"what answers does not speak HTTP{sent}")


def _beginning(first: bytes, secrets: list[str]) -> str:
    """Return how something begins, without a secret, and without the part of one at its end."""
    line = masked(first, *secrets)
    parts = [secret[:size] for secret in secrets for size in range(1, len(secret))]
    left = max((part for part in parts if line.endswith(part)), key=len, default="")
    return cleaned(line.removesuffix(left), _FIRST_CHARACTERS)


def token_of(body: bytes, key: str) -> str | None:
    """Return the token in a login's answer, None where there is none that a header could carry."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    token = found.get(key) if isinstance(found, dict) else None
    if not isinstance(token, str) or not 0 < len(token) <= _LONGEST_TOKEN:
        return None
    return token if token.isascii() and token.isprintable() and " " not in token else None
