"""How an HTTP server fails to answer, each as a value in its time, and that nothing is left of it."""

import asyncio
import time

import pytest

from quorate.model import HttpAnswer, HttpReply, HttpRequest, NoReply, Reason
from services.breaking import Break, Breaking, between, breaking, closed, endless, mute, reset, saying
from services.processes import free_ports
from services.web import OK, answering, answers, ask, failure, said, said_until_the_end

_LATE = 1.5  # seconds that a loaded machine may add to a limit
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
_HEAD = b"HTTP/1.1 200 OK\r\n"
_ENDLESS = (
    (_HEAD + b"\r\n", b"x" * 1000),
    (_CHUNKED, b"400\r\n" + b"x" * 1024 + b"\r\n"),
    (_CHUNKED, b"1\r\nx\r\n"),
    (_HEAD, b"X-More: and more\r\n"),
    (_HEAD + b"X-Long: ", b"x"),
    (_CHUNKED + b"1;", b"x=y;"),
    (_CHUNKED + b"0\r\n", b"X-Trailer: and more\r\n"),
    (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    (b"", b"\0"),
    (b"", b"\n"),
)


async def test_nobody_listens() -> None:
    (port,) = free_ports(1)
    reply = await failure(port)

    assert (reply.reason, reply.answered) == (Reason.CONNECT_FAILED, True)
    assert reply.detail == f"no TCP connection to 127.0.0.1:{port}: Connection refused"


async def test_a_name_that_is_not_resolved() -> None:
    reply = await failure(80, host="no.such.invalid")

    assert (reply.reason, reply.answered) == (Reason.CONNECT_FAILED, False)
    assert reply.detail.startswith("the name no.such.invalid is not resolved: ")


_NONE = "what answers does not speak HTTP"
_INVALID = "GET /: the answer is no valid HTTP: "


@pytest.mark.parametrize(
    ("how", "detail"),
    [
        (closed, "the connection "),
        (reset, "the connection broke during GET /: Connection reset by peer"),
        (answering(_HEAD, closes=True), "the connection was closed in the middle of the answer to GET /, in"),
        (saying(b"SSH-2.0-OpenSSH_9.2\x1b[2J\r\n\r\n"), f"{_NONE}; it sent: SSH-2.0-OpenSSH_9.2"),
        (saying(b"<html>\r\n\r\n"), f"{_NONE}; it sent: <html>"),
        (saying(b"\0\0\x12\x04\0\0\0\0\0\r\n\r\n"), _NONE),
        (saying(b"\x15\x03\x01\0\x02\x02\x28\r\n\r\n"), "the port wants TLS"),
    ],
)
async def test_what_is_no_http_server(how: Break, detail: str) -> None:
    async with breaking(how) as server:
        reply = await failure(server.port)

    assert (reply.reason, reply.detail[: len(detail)]) == (Reason.CONNECT_FAILED, detail)
    assert reply.answered
    assert reply.detail.isprintable()


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        (b"\xff" * 2**17, "GET /: the headers of the answer are too long"),
        (b"HTTP/1.1 abc\r\n\r\n", f"{_INVALID}illegal status line"),
        (b"HTTP/2 200\r\n\r\n", f"{_INVALID}illegal status line"),
        (b"HTTP/1.1 99999 OK\r\n\r\n", f"{_INVALID}illegal status line"),
        (_HEAD + b"no colon\r\n\r\n", f"{_INVALID}illegal header line"),
        (_HEAD + b"Content-Length: -1\r\n\r\n", f"{_INVALID}bad Content-Length"),
        (_HEAD + b"Content-Length: 9\r\nContent-Length: 8\r\n\r\n", f"{_INVALID}conflicting Content-Length"),
        (_HEAD + b"Content-Length: %s\r\n\r\n" % (b"9" * 5000), _INVALID),
        (_HEAD + b"Transfer-Encoding: gzip\r\n\r\n", f"{_INVALID}Only Transfer-Encoding: chunked is"),
        (_CHUNKED + b"zz\r\n", f"{_INVALID}illegal chunk header"),
        (_CHUNKED + b"-1\r\n", f"{_INVALID}illegal chunk header"),
        (_CHUNKED + b"f" * 5000 + b"\r\n", f"{_INVALID}illegal chunk header"),
        (_CHUNKED + b"2\r\nabcd\r\n", f"{_INVALID}malformed chunk footer"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", _INVALID),
        (_HEAD + b"Content-Length: 5000000000\r\n\r\n" + b"x" * 5 * 2**20, "GET /: answer larger than 4 MiB"),
    ],
    ids=range(15),
)
async def test_http_that_makes_no_sense(sent: bytes, detail: str) -> None:
    async with breaking(saying(sent)) as server:
        reply = await failure(server.port)

    assert (reply.reason, reply.detail[: len(detail)]) == (Reason.UNPARSABLE, detail)
    assert reply.answered
    assert reply.detail.isprintable()


async def test_the_beginning_of_something() -> None:
    async with breaking(saying(b"AMQP\0\0\x09\x01")) as server:
        reply = await failure(server.port, timeout=0.3)

    assert reply.reason is Reason.TIMEOUT
    assert reply.detail == "no answer within 0.3 s during GET / (8 bytes of it came)"


@pytest.mark.parametrize("size", [4 * 2**20, 4 * 2**20 + 1])
async def test_how_large_an_answer_may_be(size: int) -> None:
    async with breaking(answering(said(b"x" * size), OK)) as server:
        reply = await ask(server.port, "/a", "/b")

    if size == 4 * 2**20:
        assert isinstance(reply, HttpReply)
        assert [getattr(answer, "status", None) for answer in reply.answers] == [200, 200]
    else:
        assert isinstance(reply, NoReply)
        assert (reply.reason, reply.detail) == (Reason.UNPARSABLE, "GET /a: answer larger than 4 MiB")


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(("first", "piece"), _ENDLESS, ids=range(len(_ENDLESS)))
async def test_an_endless_answer_ends(first: bytes, piece: bytes, secured: bool, web_tls: object) -> None:
    server_tls, client_tls = web_tls if secured else (None, None)  # type: ignore[misc]  # a pair
    async with breaking(endless(piece, first=first), tls=server_tls) as server:
        started = time.monotonic()
        reply = await failure(server.port, timeout=1.0, tls=client_tls)

    assert time.monotonic() - started < 1.0 + _LATE
    assert reply.reason in {Reason.UNPARSABLE, Reason.TIMEOUT, Reason.CONNECT_FAILED}
    assert reply.answered


async def test_a_flood_holds_up_nobody_else() -> None:
    """Another ask is answered while one is flooded with what is no answer yet."""
    async with (
        breaking(endless(b"HTTP/1.1 100 Continue\r\n\r\n")) as flood,
        breaking(answering(OK)) as server,
    ):
        flooded = asyncio.create_task(ask(flood.port, timeout=1.0))
        await asyncio.sleep(0.05)
        started = time.monotonic()
        await answers(server.port)
        assert time.monotonic() - started < 0.5
        assert isinstance(await flooded, NoReply)


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "tls"])
async def test_a_server_that_says_nothing(secured: bool, web_tls: object) -> None:
    server_tls, client_tls = web_tls if secured else (None, None)  # type: ignore[misc]  # a pair
    async with breaking(mute, tls=server_tls) as server:
        started = time.monotonic()
        reply = await failure(server.port, timeout=0.3, tls=client_tls)

    assert 0.3 <= time.monotonic() - started < 0.3 + _LATE
    assert reply.detail == "no answer within 0.3 s during GET /"
    assert (reply.reason, reply.answered) == (Reason.TIMEOUT, True)


async def test_the_limit_is_for_all_requests_and_what_was_answered_stays() -> None:
    async with breaking(answering(said(b"1"), said(b"2"))) as server:
        reply = await ask(server.port, "/a", "/b", "/c", "/d", timeout=0.3)

    assert isinstance(reply, HttpReply)
    first, second, third, fourth = reply.answers
    assert isinstance(first, HttpAnswer)
    assert isinstance(second, HttpAnswer)
    assert (first.body, second.body) == (b"1", b"2")
    assert isinstance(third, NoReply)
    assert (third.reason, third.detail) == (Reason.TIMEOUT, "no answer within 0.3 s during GET /c")
    assert fourth == third


async def test_a_drip_gets_no_longer_than_the_limit() -> None:
    async with (
        breaking(answering(said(b"x" * 1000))) as real,
        breaking(between(real.port, pause=0.02)) as server,
    ):
        started = time.monotonic()
        reply = await failure(server.port, timeout=0.4)

    assert time.monotonic() - started < 0.4 + _LATE
    assert reply.reason is Reason.TIMEOUT
    assert "during GET / (" in reply.detail


async def test_the_deadline_bounds_an_ask_with_a_longer_limit() -> None:
    async with breaking(mute) as server:
        started = time.monotonic()
        reply = await failure(server.port, timeout=30.0, deadline=0.3)
        past = await failure(server.port, timeout=30.0, deadline=-1.0)

    assert time.monotonic() - started < 0.3 + _LATE
    assert (reply.reason, past.reason) == (Reason.TIMEOUT, Reason.TIMEOUT)


async def test_an_answer_that_is_cut_off_at_each_byte() -> None:
    page = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    count = Breaking()
    async with breaking(answering(*[page] * (len(page) + 1))) as real:
        async with breaking(between(real.port, count=count)) as whole:
            await answers(whole.port)
        assert bytes(count.seen) == page
        for size in range(len(page)):
            async with breaking(between(real.port, cut=size)) as server:
                reply = await failure(server.port)
                assert (reply.reason, reply.answered) == (Reason.CONNECT_FAILED, True), (size, reply)


async def test_a_body_without_a_length_ends_with_its_connection() -> None:
    """Nothing in HTTP 1.0 tells that it is cut off: who reads it finds that it is no whole document."""
    async with breaking(answering(said_until_the_end(b'{"role": "pri'), closes=True)) as server:
        (found,) = await answers(server.port)

    assert found.body == b'{"role": "pri'


@pytest.mark.parametrize("path", ["/a b", "/ä", "/\r\nX: y", ""])
async def test_a_request_that_http_does_not_carry(path: str) -> None:
    async with breaking(answering(OK)) as server:
        reply = await failure(server.port, path)

    assert reply.reason is Reason.INTERNAL_ERROR
    assert reply.detail.startswith("the request GET ")


async def test_a_header_that_http_does_not_carry_is_not_shown() -> None:
    request = HttpRequest(path="/", headers={"X-Key": "hidden\r\nvalue"})
    async with breaking(answering(OK)) as server:
        reply = await failure(server.port, requests=(request,))

    assert reply.detail == "the request GET / has a path or a header that HTTP can't carry"


@pytest.mark.parametrize("after", [0.0, 0.001, 0.01, 0.1])
@pytest.mark.parametrize("secured", [False, True], ids=["plain", "tls"])
async def test_an_ask_that_is_cancelled_leaves_nothing(after: float, secured: bool, web_tls: object) -> None:
    """What is left is found by the watch over all tests here."""
    server_tls, client_tls = web_tls if secured else (None, None)  # type: ignore[misc]  # a pair
    async with breaking(mute, tls=server_tls) as server:
        asking = asyncio.create_task(ask(server.port, tls=client_tls))
        await asyncio.sleep(after)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
