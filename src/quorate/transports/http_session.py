"""What is said to an HTTP server: request after request, over one connection where the server keeps it."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial

import h11

from quorate import __version__
from quorate.model import HttpAnswer, HttpAsk, HttpLogin, HttpRequest, Reason
from quorate.transports.errors import HostError, cleaned, seconds
from quorate.transports.http_words import not_http, token_of
from quorate.transports.services import connected
from quorate.transports.stream import Stream
from quorate.transports.threads import in_thread
from quorate.transports.tls import TlsStream, context_of

BODY_BYTES = 4 * 2**20
_HEADER_BYTES = 2**16
_ANSWER_BYTES = 4 * BODY_BYTES
"""How much may come in for one answer: chunks may be small, but not all of them."""
_HANDSHAKE_BYTES = 2**18

_SAFE = ("GET", "HEAD")  # what may be sent twice (RFC 9110, 9.2.1)
_REFUSED = (401, 403)


class Session:
    """Exchanges with one server, until the loop's time `until`.

    `secrets` is added to: what the session learns, and what is to stand in nothing that is said of it.
    """

    def __init__(self, ask: HttpAsk, *, until: float, secrets: list[str]) -> None:
        self._to = ask
        self._until = until
        self._limit = until - asyncio.get_running_loop().time()
        self._secrets = secrets
        self._hidden: list[bytes] = []
        self._authorization: str | None = None
        self._stream: Stream | TlsStream | None = None
        self._context: ssl.SSLContext | None = None
        self._talk = h11.Connection(h11.CLIENT, _HEADER_BYTES)
        self.certificate_ends: datetime | None = None
        if ask.user is not None:
            basic = base64.b64encode(f"{ask.user}:{ask.password or ''}".encode()).decode()
            self._authorize(f"Basic {basic}", basic)

    async def log_in(self, login: HttpLogin) -> None:
        """Get the token that all further requests send; HostError where it is refused, or does not come."""
        answer = await self.ask(login.request)
        said = f"the login ({_said(login.request)})"
        if answer.status in _REFUSED:
            raise HostError(Reason.AUTH_FAILED, f"{said} is refused: status {answer.status}")
        if not 200 <= answer.status < 300:
            raise HostError(Reason.UNEXPECTED_STATUS, f"{said} is answered with status {answer.status}")
        token = token_of(answer.body, login.token)
        if token is None:
            raise HostError(Reason.UNPARSABLE, f"{said} is answered without a text {login.token!r} in JSON")
        self._authorize(f"{login.scheme} {token}" if login.scheme else token, token)

    async def ask(self, request: HttpRequest) -> HttpAnswer:
        """Return what a request is answered with; HostError where it is not.

        A connection that the server has ended since its last answer is made anew (RFC 9112, 9.3.1).
        """
        kept = self._stream is not None
        try:
            return await self._exchange(request)
        except HostError as failure:
            self.close()
            if not (kept and failure.at_once and request.method in _SAFE):
                raise
        try:
            return await self._exchange(request)
        except HostError:
            self.close()
            raise

    def close(self) -> None:
        """Close at once, whatever is under way."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _authorize(self, header: str, secret: str) -> None:
        self._authorization = header
        self._secrets.append(secret)
        self._hidden.append(secret.encode())

    async def _exchange(self, request: HttpRequest) -> HttpAnswer:
        started = asyncio.get_running_loop().time()
        stream = self._stream or await self._open()
        said = _said(request)
        before = stream.received
        async with self._in_time(said, stream, before):
            stream.allow(_ANSWER_BYTES)
            sent = self._sent(request)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                await stream.send(sent)  # a server that closes at once may have said why
            answer, body = await self._answer(stream, said, before)
        self._keep_or_close()
        return HttpAnswer(
            status=answer.status_code,
            body=self._without_secrets(body),
            headers=self._headers_of(answer),
            duration=asyncio.get_running_loop().time() - started,
        )

    async def _open(self) -> Stream | TlsStream:
        to = self._to
        if to.tls is not None and self._context is None:
            async with self._in_time("the reading of the files for TLS"):
                context = await in_thread(partial(context_of, to.tls))
            if isinstance(context, HostError):
                raise context
            self._context = context
        stream = Stream(await connected(to.host, to.port, until=self._until))
        self._stream = stream
        self._talk = h11.Connection(h11.CLIENT, _HEADER_BYTES)
        if to.tls is not None and self._context is not None:
            stream.allow(_HANDSHAKE_BYTES)
            self._stream = secured = TlsStream(stream, self._context, to.tls.name or to.host)
            async with self._in_time("the TLS handshake", stream):
                await secured.shake_hands()
            self.certificate_ends = secured.certificate_ends
        return self._stream

    def _sent(self, request: HttpRequest) -> bytes:
        """Return a request as it is sent."""
        to = self._to
        body = None if request.body is None else request.body.encode()
        host = f"[{to.host.partition('%')[0]}]" if ":" in to.host else to.host
        usual = to.port == (80 if to.tls is None else 443)
        headers = {
            "host": to.host_header or (host if usual else f"{host}:{to.port}"),
            "user-agent": f"quorate/{__version__}",
            "accept": "*/*",
            "accept-encoding": "identity",  # an answer is read as it is, so that none unpacks to more
        }
        if body is not None:
            headers |= {"content-type": "application/json", "content-length": str(len(body))}
        if self._authorization is not None:
            headers["authorization"] = self._authorization
        headers |= {name.lower(): value for name, value in request.headers.items()}
        try:
            head = h11.Request(
                method=request.method,
                target=request.path,
                headers=[(name.encode(), value.encode()) for name, value in headers.items()],
            )
            sent = self._talk.send(head) or b""
        except (h11.LocalProtocolError, UnicodeError):  # its text would show the header
            detail = f"the request {_said(request)} has a path or a header that HTTP can't carry"
            raise HostError(Reason.INTERNAL_ERROR, detail, answered=False) from None
        if body:
            sent += self._talk.send(h11.Data(data=body)) or b""
        return sent + (self._talk.send(h11.EndOfMessage()) or b"")

    async def _answer(self, stream: Stream | TlsStream, said: str, before: int) -> tuple[h11.Response, bytes]:
        response, body = None, bytearray()
        while True:
            try:
                event = self._talk.next_event()
            except (h11.RemoteProtocolError, ValueError) as error:
                raise not_http(
                    error, said, stream.first, answered=response is not None, secrets=self._secrets
                ) from None
            if isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > BODY_BYTES:
                    detail = f"{said}: answer larger than {BODY_BYTES // 2**20} MiB"
                    raise HostError(Reason.UNPARSABLE, detail)
            elif isinstance(event, h11.EndOfMessage) and response is not None:
                return response, bytes(body)
            elif event is h11.NEED_DATA:
                data = await stream.receive()
                if not data and (response is None or _counted(response)):
                    raise _closed(said, stream.received - before, len(body) if response else None)
                self._talk.receive_data(data)
            elif not isinstance(event, h11.InformationalResponse):
                raise HostError(Reason.UNPARSABLE, f"{said}: the server changes the protocol, unasked")

    def _keep_or_close(self) -> None:
        """Keep the connection where the server does, and has sent nothing that nobody asked for."""
        done = self._talk.our_state is h11.DONE and self._talk.their_state is h11.DONE
        if done and self._talk.trailing_data == (b"", False):
            self._talk.start_next_cycle()
        else:
            self.close()

    def _headers_of(self, answer: h11.Response) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, value in answer.headers:
            key, text = name.decode("latin-1"), self._without_secrets(value).decode("latin-1")
            if key != "set-cookie":  # a session that is nobody's business
                found[key] = f"{found[key]}, {text}" if key in found else text
        return found

    def _without_secrets(self, sent: bytes) -> bytes:
        for secret in self._hidden:
            sent = sent.replace(secret, b"***")
        return sent

    @contextlib.asynccontextmanager
    async def _in_time(
        self, doing: str, stream: Stream | TlsStream | None = None, before: int = 0
    ) -> AsyncIterator[None]:
        scope = asyncio.timeout_at(self._until)
        try:
            async with scope:
                yield
        except OSError as error:  # a TimeoutError, ours or the kernel's, is one
            came = stream.received - before if stream is not None else 0
            so_far = f" ({came} bytes of it came)" if came else ""
            if scope.expired():
                limit = seconds(round(max(self._limit, 0.0), 3))
                detail = f"no answer within {limit} during {doing}{so_far}"
                raise HostError(Reason.TIMEOUT, detail, answered=stream is not None) from None
            why = "closed" if isinstance(error, ssl.SSLError) else error.strerror or str(error)
            detail = f"the connection broke during {doing}{so_far}: {why}"
            raise HostError(Reason.CONNECT_FAILED, detail, at_once=not came) from None


def _said(request: HttpRequest) -> str:
    return cleaned(f"{request.method} {request.path}", 100)


def _counted(response: h11.Response) -> bool:
    """Tell whether an answer says where it ends, so that the connection's end cuts it off."""
    names = {name for name, _ in response.headers}
    return b"content-length" in names or b"transfer-encoding" in names


def _closed(said: str, came: int, body: int | None) -> HostError:
    if not came:
        return HostError(Reason.CONNECT_FAILED, f"the connection was closed during {said}", at_once=True)
    where = "its headers" if body is None else f"its body, after {body} bytes"
    detail = f"the connection was closed in the middle of the answer to {said}, in {where}"
    return HostError(Reason.CONNECT_FAILED, detail)
