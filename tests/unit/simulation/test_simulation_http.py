"""The small HTTP server of the simulation: what it understands, and how its answers go wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from quorate.model import HttpAnswer, HttpAsk, HttpLogin, HttpReply, HttpRequest, NoReply, Reason, Tls
from quorate.simulation.services import certificates
from quorate.simulation.services.airflow import AirflowSite
from quorate.simulation.services.page import PageSite
from quorate.simulation.services.port import ServicePort
from quorate.simulation.services.site import Certificate, Site
from quorate.simulation.services.state import Manner, SimulatedPort, SimulatedService, SimulatedSite
from quorate.transports.http import ask_http

SECRET = "a long password"
AIRFLOW = AirflowSite(user="monitor", password=SECRET, beats={"scheduler": {"scheduler-2": 3.0}})


@asynccontextmanager
async def served(service: SimulatedService) -> AsyncIterator[ServicePort]:
    port = ServicePort("127.0.0.1")
    await port.become(service)
    try:
        yield port
    finally:
        await port.close()


async def ask(port: ServicePort, *paths: str, limit: float = 10.0, **more: object) -> HttpReply | NoReply:
    requests = tuple(HttpRequest(path=path) for path in paths or ("/",))
    question = HttpAsk(host=port.address, port=port.port, requests=requests, timeout=limit, **more)  # type: ignore[arg-type]  # told by name
    return await ask_http(question, deadline=asyncio.get_running_loop().time() + 20)


async def asked(service: SimulatedService, *paths: str, **more: object) -> list[HttpAnswer | NoReply]:
    async with served(service) as port:
        reply = await ask(port, *paths, **more)  # type: ignore[arg-type]  # as above
    return [reply] if isinstance(reply, NoReply) else list(reply.answers)


def told(answer: HttpAnswer | NoReply) -> str:
    return answer.reason.value if isinstance(answer, NoReply) else f"{answer.status} {answer.body.decode()}"


async def test_requests_of_one_connection_are_answered_one_after_the_other() -> None:
    request = "{} / HTTP/1.1\r\nHost: here\r\nConnection: {}\r\n\r\n"
    async with served(SimulatedSite(site=PageSite(body="here"))) as port:
        reader, writer = await asyncio.open_connection(port.address, port.port)
        writer.write(request.format("GET", "keep-alive").encode() * 2)
        writer.write(request.format("HEAD", "keep-alive").encode() + request.format("GET", "close").encode())
        found = (await asyncio.wait_for(reader.read(), 5)).decode()
        writer.close()
        await writer.wait_closed()
    heads_and_bodies = [answer.split("\r\n\r\n") for answer in found.split("HTTP/1.1 200 OK\r\n")[1:]]
    assert [body for _, body in heads_and_bodies] == ["here", "here", "", "here"]
    assert all("Content-Length: 4" in head and "Date: " in head for head, _ in heads_and_bodies)


@pytest.mark.parametrize(
    ("manner", "said"),
    [
        (Manner.NORMAL, "200 here"),
        (Manner.REFUSED, "connect_failed"),
        (Manner.SILENT, "timeout"),
        (Manner.MUTE, "timeout"),
        (Manner.SLOW, "timeout"),
        (Manner.NO_BACKEND, "connect_failed"),
        (Manner.CLOSES, "connect_failed"),
        (Manner.GARBAGE, "200 <!DOCTYPE html>"),
        (Manner.UNAVAILABLE, "503 <html><body><h1>503 Service Unavailable</h1>"),
    ],
)
async def test_each_manner_is_what_it_says(manner: Manner, said: str) -> None:
    limit = 0.5 if said == "timeout" else 10.0
    answers = await asked(SimulatedSite(site=PageSite(body="here"), manner=manner), limit=limit)
    assert told(answers[0]).splitlines()[0] == said


async def test_a_port_takes_connections_and_closes_them() -> None:
    async with served(SimulatedPort()) as port:
        reader, writer = await asyncio.open_connection(port.address, port.port)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        await writer.wait_closed()


async def test_a_page_wants_its_password_and_takes_its_time() -> None:
    site = SimulatedSite(site=PageSite(user="monitor", password=SECRET, status=404, after=0.2))
    assert told((await asked(site))[0]) == "401 401 Unauthorized\n"
    assert told((await asked(site, user="monitor", password="another"))[0]).startswith("401")
    known = (await asked(site, user="monitor", password=SECRET))[0]
    assert isinstance(known, HttpAnswer)
    assert (known.status, known.duration >= 0.2) == (404, True)


async def test_airflow_lists_its_jobs_for_who_has_logged_in() -> None:
    def login(password: str) -> HttpLogin:
        body = f'{{"username": "monitor", "password": "{password}"}}'
        request = HttpRequest(method="POST", path="/auth/token", body=body)
        return HttpLogin(request=request, token="access_token")

    site, jobs = SimulatedSite(site=AIRFLOW), "/api/v2/jobs"
    assert told((await asked(site, jobs))[0]) == '401 {"detail": "Not authenticated"}'
    assert told((await asked(site, jobs, login=login("another")))[0]) == Reason.AUTH_FAILED.value
    assert told((await asked(site, jobs, login=login(SECRET)))[0]).startswith('200 {"jobs": [{"id": 1,')
    assert told((await asked(site, f"{jobs}?limit=0", login=login(SECRET)))[0]) == (
        '200 {"jobs": [], "total_entries": 1}'
    )


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
)
async def test_it_hangs_up_on_what_is_no_request(sent: bytes) -> None:
    async with served(SimulatedSite(site=PageSite())) as port:
        reader, writer = await asyncio.open_connection(port.address, port.port)
        writer.write(sent)
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        (lambda: Certificate(left=86_400), "200 here"),
        (lambda: Certificate(left=-86_400), "certificate_expired"),
        (lambda: Certificate(left=86_400, trusted=False), "certificate_invalid"),
    ],
)
async def test_certificates_are_what_they_are_told_to_be(
    certificate: Callable[[], Certificate], said: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    authority = tmp_path_factory.mktemp("tls") / "authority.pem"
    authority.write_bytes(certificates.authority_pem())
    site: Site = PageSite(body="here")
    tls = Tls(ca_file=str(authority), name=certificates.NAME)
    answers = await asked(SimulatedSite(site=site, certificate=certificate()), tls=tls)
    assert told(answers[0]) == said
