"""A small HTTP/1.1 server: requests of one connection, one after the other, and how their answers go wrong.

    GET /patroni HTTP/1.1 ──► site.answer(Request(method="GET", path="/patroni")) ──► ◄── HTTP/1.1 200 OK …

It knows what the simulated services need: Content-Length, connections that are kept, Basic authentication.
Source: RFC 9112.
"""

import asyncio
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

from quorate.simulation.services.site import Request, Response, Site
from quorate.simulation.services.state import DELAY, Manner

_LARGEST = 2**20
_PAGE = b"<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>\n"
_UNAVAILABLE = (
    b"<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n"
    b"</body></html>\n"
)
"""What HAProxy says where a backend has no server."""


async def serve_site(
    site: Site, manner: Manner, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer one client until it goes, or has to."""
    while (request := await _request(reader)) is not None:
        response = _answer(site, manner, request)
        if response is None:
            return
        await asyncio.sleep(DELAY if manner is Manner.SLOW else response.after)
        sent = _sent(response, request)
        if manner is Manner.CLOSES:
            writer.write(sent[: len(sent) - len(response.body) // 2 - 1])
            return
        writer.write(sent)
        await writer.drain()
        if request.headers.get("connection", "").lower() == "close":
            return


def _answer(site: Site, manner: Manner, request: Request) -> Response | None:
    match manner:
        case Manner.GARBAGE:
            return Response(body=_PAGE, content="text/html")
        case Manner.UNAVAILABLE:
            return Response(status=503, body=_UNAVAILABLE, content="text/html")
        case _:
            return site.answer(request)


async def _request(reader: asyncio.StreamReader) -> Request | None:
    """Return the next request, None at the end of the connection, or of what can be understood."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")[:-2]
        method, target, _version = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", "0"))
        body = await reader.readexactly(size) if 0 < size <= _LARGEST else b""
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
        return None
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query))
    return Request(method=method, path=parts.path, query=query, headers=headers, body=body)


def _sent(response: Response, request: Request) -> bytes:
    lines = [
        f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
        f"Date: {formatdate(usegmt=True)}",
        f"Content-Type: {response.content}",
        f"Content-Length: {len(response.body)}",
    ]
    head = "\r\n".join([*lines, "", ""]).encode()
    return head if request.method == "HEAD" else head + response.body
