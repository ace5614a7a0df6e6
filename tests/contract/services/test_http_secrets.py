"""No password, token or declared secret shows: not in a reply, a log record, a warning, nor in the output."""

import asyncio
import base64
import logging
import warnings

import pytest

from quorate.model import HttpAsk, HttpLogin, HttpReply, HttpRequest, NoReply
from services.breaking import Break, breaking, closed, endless, mute, saying
from services.web import OK, answering, answering_by, ask, said

SECRET = "sEcret-4d1f'x\\y%s"
TOKEN = "tOken-77ab.cd.ef"
BASIC = base64.b64encode(f"app:{SECRET}".encode()).decode()


def echo(head: list[str]) -> bytes:
    """Tell the caller all that it sent, where it is shown when it can't be read."""
    sent = "\r\n".join(f"X-{line}" for line in head[1:]).encode()
    return said("\n".join(head).encode(), status="400 Bad", headers=sent + b"\r\n")


def shout(head: list[str]) -> bytes:
    """Tell the caller all that it sent in a status line that is none."""
    return b"HTTP/1.1 no " + " ".join(head).encode() + b"\r\n\r\n"


async def test_no_secret_shows(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("asyncio").setLevel(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    request = HttpRequest(method="POST", path="/login", body=SECRET, headers={"X-Key": SECRET})
    login = HttpLogin(request=request, token="token")
    ways: list[Break] = [
        closed,
        mute,
        endless(b"x"),
        answering_by(echo),
        answering_by(shout),
        saying(SECRET.encode() + b"\r\n\r\n"),
        *(saying(b"x" * size + SECRET.encode() * 20 + b"\r\n\r\n") for size in range(len(SECRET))),
    ]
    page = said(f'{{"token": "{TOKEN}"}}'.encode())
    after_login: list[Break] = [
        answering(page, b"HTTP/1.1 " + TOKEN.encode() + b"\r\n\r\n"),
        answering(page, OK, b"\x00" + TOKEN.encode() + b"\r\n\r\n"),
        answering(page, said(TOKEN.encode(), headers=b"X-You: " + TOKEN.encode() + b"\r\n"), closes=True),
    ]
    replies: list[HttpReply | NoReply] = []
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for way, first in [*((way, None) for way in ways), *((way, login) for way in (*ways, *after_login))]:
            async with breaking(way) as server:
                reply = await ask(
                    server.port,
                    requests=(request, request),
                    login=first,
                    user="app",
                    password=SECRET,
                    secrets=(SECRET,),
                    timeout=0.2,
                )
                replies.append(reply)
    question = HttpAsk(
        host="h", port=1, requests=(request,), timeout=1.0, login=login, password=SECRET, secrets=(SECRET,)
    )

    out, err = capfd.readouterr()
    told_by_us = (
        f"{failures(replies)} {[str(w.message) for w in warned]} {caplog.text} {out} {err} {question!r}"
    )
    assert SECRET not in told_by_us
    assert SECRET[:8] not in told_by_us
    assert any("***" in each.detail for each in failures(replies))
    everything = f"{told_by_us} {replies}"  # a body has what the engine can mask, and nothing else
    assert TOKEN not in everything
    assert BASIC not in everything
    assert "authorization: Basic ***" in everything


def failures(replies: list[HttpReply | NoReply]) -> list[NoReply]:
    answered = [each for reply in replies if isinstance(reply, HttpReply) for each in reply.answers]
    return [each for each in (*replies, *answered) if isinstance(each, NoReply)]
