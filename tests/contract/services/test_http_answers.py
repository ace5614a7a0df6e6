"""What an HTTP server is sent, and what comes back of what it answers."""

import asyncio

import pytest

from quorate import __version__
from quorate.model import HttpLogin, HttpReply, HttpRequest, NoReply, Reason, TcpAsk, TcpReply
from quorate.transports.tcp_service import ask_tcp
from services.breaking import breaking, closed, mute
from services.processes import free_ports
from services.web import OK, Heard, answering, answers, ask, failure, said, said_until_the_end

LOGIN = HttpLogin(
    request=HttpRequest(method="POST", path="/auth/token", body='{"username": "app"}'), token="access_token"
)
TOKEN = said(b'{"access_token": "eyJhbG.eyJzdW.SflKxw"}', status="201 Created")


async def test_requests_go_over_one_connection_in_order() -> None:
    heard = Heard()
    async with breaking(answering(said(b"one"), said(b"two"), said(b"three"), heard=heard)) as server:
        found = await answers(server.port, "/a", "/b?c=d", "/e")

    assert [answer.body for answer in found] == [b"one", b"two", b"three"]
    assert heard.lines == ["GET /a HTTP/1.1", "GET /b?c=d HTTP/1.1", "GET /e HTTP/1.1"]
    assert server.connections == 1
    assert heard.requests[0][0][1:] == [
        f"host: 127.0.0.1:{server.port}",
        f"user-agent: quorate/{__version__}",
        "accept: */*",
        "accept-encoding: identity",
    ]


async def test_a_server_that_closes_behind_each_answer_is_connected_to_again() -> None:
    pages = [said_until_the_end(b'{"role": "primary"}'), said_until_the_end(b"[]")]
    async with breaking(answering(*pages, closes=True)) as server:
        found = await answers(server.port, "/patroni", "/cluster")

    assert [answer.body for answer in found] == [b'{"role": "primary"}', b"[]"]
    assert server.connections == 2


async def test_a_server_that_closes_without_a_word_is_connected_to_again() -> None:
    async with breaking(answering(OK, OK, closes=True)) as server:
        found = await answers(server.port, "/a", "/b")
        assert [answer.status for answer in found] == [200, 200]

    async with breaking(answering(OK, OK, closes=True)) as server:
        sent = (HttpRequest(path="/a"), HttpRequest(path="/b", method="POST", body="{}"))
        reply = await ask(server.port, requests=sent)
        assert isinstance(reply, HttpReply)
        assert isinstance(reply.answers[1], NoReply)  # what may have been done is not done twice
        assert reply.answers[1].reason is Reason.CONNECT_FAILED


async def test_what_nobody_asked_for_is_no_answer_to_the_next_request() -> None:
    async with breaking(answering(OK + said(b"forged"), said(b"true"))) as server:
        found = await answers(server.port, "/a", "/b")

    assert [answer.body for answer in found] == [b"{}", b"true"]


async def test_a_body_and_headers_are_sent_as_they_are() -> None:
    heard = Heard()
    request = HttpRequest(
        method="POST", path="/v3/maintenance/status", body='{"ä": 1}', headers={"X-Own": "yes"}
    )
    async with breaking(answering(OK, heard=heard)) as server:
        await answers(
            server.port, requests=(request,), host_header="etcd.example", user="app", password="x:ü"
        )

    assert heard.requests[0][1] == '{"ä": 1}'.encode()
    assert heard.header(0, "content-length") == "9"
    assert heard.header(0, "content-type") == "application/json"
    assert heard.header(0, "x-own") == "yes"
    assert heard.header(0, "host") == "etcd.example"
    assert heard.header(0, "authorization") == "Basic YXBwOng6w7w="


@pytest.mark.parametrize(
    ("page", "status", "body"),
    [
        (said(b"no", status="401 Unauthorized"), 401, b"no"),
        (said(b"", status="302 Found", headers=b"Location: http://192.0.2.1/\r\n"), 302, b""),
        (said(b"{}", status="503 Service Unavailable"), 503, b"{}"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b"{}"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2;x=y\r\n2]\r\n0\r\n\r\n",
            200,
            b"[1,2]",
        ),
        (said(b"\x1f\x8b\x08\0", headers=b"Content-Encoding: gzip\r\n"), 200, b"\x1f\x8b\x08\0"),
        (b"HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n", 299, b""),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", 200, b"{}"),
    ],
)
async def test_every_status_is_an_answer(page: bytes, status: int, body: bytes) -> None:
    async with breaking(answering(page)) as server:
        (found,) = await answers(server.port)

    assert (found.status, found.body) == (status, body)
    assert found.duration > 0
    assert server.connections == 1


async def test_headers_of_an_answer() -> None:
    sent = b"X-Two: a\r\nx-two: b\r\nSet-Cookie: session=1\r\nX-Latin: \xe9\r\n"
    async with breaking(answering(said(b"", headers=sent))) as server:
        (found,) = await answers(server.port)

    assert found.headers == {"content-length": "0", "x-two": "a, b", "x-latin": "é"}


async def test_the_method_head_has_no_body() -> None:
    async with breaking(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", OK)) as server:
        sent = (HttpRequest(path="/", method="HEAD"), HttpRequest(path="/"))
        found = await answers(server.port, requests=sent)

    assert [(answer.status, answer.body) for answer in found] == [(200, b""), (200, b"{}")]


@pytest.mark.parametrize(
    ("scheme", "authorization"), [("Bearer", "Bearer eyJhbG.eyJzdW.SflKxw"), ("", "eyJhbG.eyJzdW.SflKxw")]
)
async def test_a_login_goes_first_and_its_token_with_the_others(scheme: str, authorization: str) -> None:
    heard = Heard()
    login = HttpLogin(request=LOGIN.request, token="access_token", scheme=scheme)
    page = said(b'{"you": "eyJhbG.eyJzdW.SflKxw"}', headers=b"X-You: eyJhbG.eyJzdW.SflKxw\r\n")
    async with breaking(answering(TOKEN, page, OK, heard=heard)) as server:
        found = await answers(server.port, "/api/v2/jobs", "/b", login=login)

    assert heard.lines[0] == "POST /auth/token HTTP/1.1"
    assert [heard.header(at, "authorization") for at in range(3)] == [None, authorization, authorization]
    assert found[0].body == b'{"you": "***"}'
    assert found[0].headers["x-you"] == "***"


@pytest.mark.parametrize(
    ("page", "reason", "detail"),
    [
        (said(b"", status="401 Unauthorized"), Reason.AUTH_FAILED, " is refused: status 401"),
        (said(b"", status="403 Forbidden"), Reason.AUTH_FAILED, " is refused: status 403"),
        (said(b"", status="302 Found"), Reason.UNEXPECTED_STATUS, " is answered with status 302"),
        (said(b"", status="500 Oh"), Reason.UNEXPECTED_STATUS, " is answered with status 500"),
        *(
            (said(body), Reason.UNPARSABLE, " is answered without a text 'access_token' in JSON")
            for body in (
                b"<html>",
                b"[]",
                b"{}",
                b'{"access_token": 1}',
                b'{"access_token": ""}',
                b'{"access_token": "a\\r\\nX: y"}',
                b"[" * 100_000,
                b"\xff",
            )
        ),
    ],
)
async def test_a_login_that_brings_no_token(page: bytes, reason: Reason, detail: str) -> None:
    async with breaking(answering(page, OK)) as server:
        reply = await failure(server.port, login=LOGIN)

    assert (reply.reason, reply.detail, reply.answered) == (
        reason,
        f"the login (POST /auth/token){detail}",
        True,
    )


async def test_ipv6() -> None:
    heard = Heard()
    async with breaking(answering(OK, heard=heard), host="::1") as server:
        await answers(server.port, host="::1")

    assert heard.header(0, "host") == f"[::1]:{server.port}"


async def test_a_proxy_in_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with breaking(closed) as proxy, breaking(answering(OK)) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        await answers(server.port)

    assert proxy.connections == 0


async def test_a_port_that_takes_connections_and_one_that_does_not() -> None:
    deadline = asyncio.get_running_loop().time() + 10.0
    async with breaking(mute) as server:
        reply = await ask_tcp(TcpAsk(host="127.0.0.1", port=server.port, timeout=5.0), deadline=deadline)
    (free,) = free_ports(1)
    refused = await ask_tcp(TcpAsk(host="127.0.0.1", port=free, timeout=5.0), deadline=deadline)
    nobody = await ask_tcp(TcpAsk(host="no.such.invalid", port=1, timeout=5.0), deadline=deadline)
    late = await ask_tcp(TcpAsk(host="127.0.0.1", port=free, timeout=5.0), deadline=deadline - 20)

    assert isinstance(reply, TcpReply)
    assert 0 < reply.duration < 5.0
    assert isinstance(refused, NoReply)
    assert (refused.reason, refused.answered) == (Reason.CONNECT_FAILED, True)
    assert refused.detail == f"no TCP connection to 127.0.0.1:{free}: Connection refused"
    assert isinstance(nobody, NoReply)
    assert (nobody.reason, nobody.answered) == (Reason.CONNECT_FAILED, False)
    assert isinstance(late, NoReply)
    assert late.reason is Reason.TIMEOUT
