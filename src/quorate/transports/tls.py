"""TLS over a connection: whom we trust, the handshake, and what each way of failing it means.

certificate_expired   the server's certificate, or one above it, has ended
certificate_invalid   it is not trusted, not for this name, not valid yet, …
auth_failed           the server does not take our certificate, or wants one
secret_unavailable    a file that the inventory names can't be read
connect_failed        what answers does not speak TLS, or not with us
"""

import contextlib
import ssl
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cryptography import x509

from quorate.model import Reason, Tls
from quorate.transports.errors import HostError, cleaned
from quorate.transports.stream import FIRST_BYTES, Stream

T = TypeVar("T")

_READ_BYTES = 2**16
_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED

# Alerts by which a server refuses our certificate (RFC 8446, 6.2), as OpenSSL names them.
_REFUSALS = (
    "BAD_CERTIFICATE",
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_REQUIRED",
    "CERTIFICATE_REVOKED",
    "CERTIFICATE_UNKNOWN",
    "UNKNOWN_CA",
    "UNSUPPORTED_CERTIFICATE",
    "ACCESS_DENIED",
)


def context_of(tls: Tls) -> ssl.SSLContext | HostError:
    """Return whom we trust and what we show, or what is wrong with the files; it reads them, so it blocks."""
    try:
        _readable(tls)
        if tls.verify:
            context = ssl.create_default_context(cafile=tls.ca_file)
            # Python 3.13's default finds fault with authorities that curl and browsers take.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
    except HostError as failure:
        return failure
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        return _unusable("ca_file", tls.ca_file, error)
    context.set_alpn_protocols(["http/1.1"])
    if tls.cert_file is not None:
        try:
            context.load_cert_chain(tls.cert_file, tls.key_file, _no_passphrase)
        except (OSError, ValueError) as error:
            return _unusable("cert_file", f"{tls.cert_file} with its key", error)
    return context


def _readable(tls: Tls) -> None:
    """Find the file that can't be read: the ssl module does not say which one it is."""
    for key in ("ca_file", "cert_file", "key_file"):
        if (name := getattr(tls, key)) is not None:
            try:
                with Path(name).open("rb"):
                    pass
            except OSError as error:
                raise _unusable(key, name, error) from None


def _unusable(key: str, name: str | None, error: Exception) -> HostError:
    # OpenSSL's texts name functions and lines of its source, where a person needs to know what to look at.
    told = None if isinstance(error, ssl.SSLError) else getattr(error, "strerror", None) or str(error)
    detail = f"tls.{key}: {name or 'the system’s authorities'} can't be used: {told or 'no valid PEM file'}"
    return HostError(Reason.SECRET_UNAVAILABLE, detail, answered=False)


def _no_passphrase() -> str:
    """Keep OpenSSL from asking for a passphrase on the terminal."""
    raise ValueError("its key is encrypted; store it without a passphrase")


class TlsStream:
    """A stream that is spoken to over TLS; `first` and `received` are of what was said in it."""

    def __init__(self, stream: Stream, context: ssl.SSLContext, name: str) -> None:
        self._stream = stream
        self.first = b""
        self.received = 0
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            self._tls = context.wrap_bio(self._in, self._out, server_hostname=name)
        except ValueError as error:
            detail = f"{name} is no name that a certificate can be for: {error}"
            raise HostError(Reason.CERTIFICATE_INVALID, detail) from None

    @property
    def certificate_ends(self) -> datetime | None:
        """When the server's certificate ends, in UTC; None where that can't be read."""
        try:
            return x509.load_der_x509_certificate(
                self._tls.getpeercert(binary_form=True) or b""
            ).not_valid_after_utc
        except ValueError:
            return None

    async def shake_hands(self) -> None:
        """Agree on keys, and see whom we speak to; HostError as above."""
        await self._step(self._tls.do_handshake)

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        await self._step(lambda: self._tls.write(data))

    async def receive(self) -> bytes:
        """Return what came in next, b"" at the end."""
        try:
            data = await self._step(lambda: self._tls.read(_READ_BYTES))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        self.first += data[: FIRST_BYTES - len(self.first)]
        self.received += len(data)
        return data

    def allow(self, size: int) -> None:
        """Let so many more bytes come in, as the network counts them."""
        self._stream.allow(size)

    def close(self) -> None:
        """Close at once, whatever is under way."""
        self._stream.close()

    async def _step(self, step: Callable[[], T]) -> T:
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                await self._flush()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                raise
            except ssl.SSLError as error:
                with contextlib.suppress(OSError):
                    await self._flush()  # the alert that tells the server why
                raise _failure(error, self._stream.first) from None
            else:
                await self._flush()
                return done
            data = await self._stream.receive()
            self._in.write(data) if data else self._in.write_eof()

    async def _flush(self) -> None:
        if self._out.pending:
            await self._stream.send(self._out.read())


def _failure(error: ssl.SSLError, first: bytes) -> HostError:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = Reason.CERTIFICATE_EXPIRED if error.verify_code == _EXPIRED else Reason.CERTIFICATE_INVALID
        return HostError(reason, f"the server's certificate is not valid: {error.verify_message.rstrip('.')}")
    said = error.reason or "UNKNOWN"
    words = said.replace("_", " ").lower()
    if "ALERT" in said and any(refusal in said for refusal in _REFUSALS):
        return HostError(Reason.AUTH_FAILED, f"the server does not take our certificate ({words})")
    if first and not first.startswith((b"\x15\x03", b"\x16\x03")):
        detail = f"what answers does not speak TLS; it sent: {cleaned(first, 80)}"
        return HostError(Reason.CONNECT_FAILED, detail)
    return HostError(Reason.CONNECT_FAILED, f"no agreement on TLS: {words}")
