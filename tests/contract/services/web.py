"""HTTP servers that say what they are told to, and an ask whose limits are generous."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from quorate.model import HttpAnswer, HttpAsk, HttpReply, HttpRequest, NoReply
from quorate.transports.http import ask_http
from services.breaking import Break

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def said(body: bytes, *, status: str = "200 OK", headers: bytes = b"") -> bytes:
    """Return an answer with a body that has its length said."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n".encode()
    return head + headers + b"\r\n" + body


def said_until_the_end(body: bytes) -> bytes:
    """Return an answer of HTTP 1.0, whose body ends with the connection."""
    return b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + body


@dataclass
class Heard:
    """The requests that a server took, each as its head's lines and its body."""

    requests: list[tuple[list[str], bytes]] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """The first line of each."""
        return [head[0] for head, _ in self.requests]

    def header(self, position: int, name: str) -> str | None:
        """A header of one of them."""
        pairs = (line.split(": ", 1) for line in self.requests[position][0][1:])
        return next((value for key, value in pairs if key == name), None)


def answering(*answers: bytes, heard: Heard | None = None, closes: bool = False) -> Break:
    """Return a way that answers each request with the next of these, over all connections.

    With `closes`, it closes the connection behind each answer. Behind the last it says no more.
    """
    left = list(answers)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await _request(reader)
            if heard is not None:
                heard.requests.append(request)
            if left:
                writer.write(left.pop(0))
                await writer.drain()
                if closes:
                    writer.close()
                    return

    return answer


def answering_by(how: Callable[[list[str]], bytes]) -> Break:
    """Return a way that answers each request by its head."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(how((await _request(reader))[0]))
            await writer.drain()

    return answer


async def _request(reader: asyncio.StreamReader) -> tuple[list[str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
    length = next((int(line.split(": ")[1]) for line in head if line.startswith("content-length")), 0)
    return head, await reader.readexactly(length)


async def ask(port: int, *paths: str, deadline: float = 30.0, **changes: Any) -> HttpReply | NoReply:
    """Ask a server on a port of this machine for these paths, for / where none is given."""
    told: dict[str, Any] = {
        "host": "127.0.0.1",
        "requests": tuple(HttpRequest(path=path) for path in paths or ("/",)),
        "timeout": 10.0,
    }
    question = HttpAsk(port=port, **(told | changes))
    return await ask_http(question, deadline=asyncio.get_running_loop().time() + deadline)


async def answers(port: int, *paths: str, **changes: Any) -> list[HttpAnswer]:
    """Return all answers, where there is one to each request."""
    reply = await ask(port, *paths, **changes)
    assert isinstance(reply, HttpReply), reply
    assert all(isinstance(answer, HttpAnswer) for answer in reply.answers), reply
    return [answer for answer in reply.answers if isinstance(answer, HttpAnswer)]


async def failure(port: int, *paths: str, **changes: Any) -> NoReply:
    """Return why there was no answer at all."""
    reply = await ask(port, *paths, **changes)
    assert isinstance(reply, NoReply), reply
    return reply
