"""The server's side of SCRAM-SHA-256.

Source: RFC 5802 and RFC 7677; PostgreSQL manual, "SASL Authentication".
"""

import base64
import hashlib
import hmac
import secrets
from functools import cache

_ITERATIONS = 4096  # PostgreSQL's own default
_NONCE_BYTES = 18
_SALT = secrets.token_bytes(16)


class ScramError(Exception):
    """What a client says is no SCRAM, or not for this exchange."""


class Exchange:
    """One exchange: `challenge` answers the client's first message, `proven` judges its second."""

    def __init__(self, password: str) -> None:
        self._salted = _salted(password)
        self._bare = b""
        self._challenge = b""
        self._binding = b""

    def challenge(self, first: bytes) -> bytes:
        """Return the server's first message; ScramError where the client's can't be understood."""
        flag, name, bare = first.split(b",", 2) if first.count(b",") >= 2 else (b"", b"", b"")
        # `y` says that the client could bind the channel and thinks that the server can't, which is so.
        if flag not in {b"n", b"y"} or not bare.startswith(b"n="):
            raise ScramError("malformed SCRAM message")
        nonce = dict(part.split(b"=", 1) for part in bare.split(b",") if b"=" in part).get(b"r", b"")
        own = base64.b64encode(secrets.token_bytes(_NONCE_BYTES))
        self._bare, self._binding = bare, base64.b64encode(flag + b"," + name + b",")
        self._challenge = b"r=%s%s,s=%s,i=%d" % (nonce, own, base64.b64encode(_SALT), _ITERATIONS)
        return self._challenge

    def proven(self, final: bytes) -> bytes | None:
        """Return the server's last message where the client knows the password, else None."""
        without, separator, told = final.rpartition(b",p=")
        nonce = self._challenge.split(b",", 1)[0]
        if not separator or without != b"c=%s,%s" % (self._binding, nonce):
            raise ScramError("malformed SCRAM message")
        said = b",".join((self._bare, self._challenge, without))
        client = _signed(self._salted, b"Client Key")
        signature = _signed(hashlib.sha256(client).digest(), said)
        proof = bytes(a ^ b for a, b in zip(client, signature, strict=True))
        try:
            matches = hmac.compare_digest(base64.b64decode(told, validate=True), proof)
        except ValueError:
            raise ScramError("malformed SCRAM message") from None
        if not matches:
            return None
        return b"v=" + base64.b64encode(_signed(_signed(self._salted, b"Server Key"), said))


@cache
def _salted(password: str) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), _SALT, _ITERATIONS)


def _signed(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()
