"""What checks of the kinds tcp and http ask, as the inventory declares them, and what http reads."""

from datetime import UTC, datetime
from typing import Any

import pytest

from quorate.inventory import parse_inventory
from quorate.model import Check, HttpAnswer, HttpAsk, HttpReply, HttpRequest, NoReply, Reason, TcpAsk, Tls
from quorate.model.http import HttpFacts
from quorate.probes import http, tcp

HOSTS = "hosts: {nfs-1: 192.0.2.165, nfs-2: 192.0.2.203, web: web.example.org, me: {local: true}}\n"
ENDS = datetime(2026, 3, 1, tzinfo=UTC)


def declared(keys: str) -> Check:
    (check,) = parse_inventory(f"{HOSTS}checks:\n  c: {{{keys}}}\n", source="F").checks.values()
    return check


def url(keys: str, **secrets: str) -> HttpAsk:
    check = declared(f"kind: http, {keys}")
    return http.PROBE.questions(check, secrets)["c"]  # type: ignore[return-value]  # it asks nothing else


@pytest.mark.parametrize(
    ("keys", "asked", "hosts"),
    [
        ("address: 192.0.2.220, port: 2049", {"c": "192.0.2.220:2049"}, ()),
        ("address: 192.0.2.165, port: 2049", {"c": "192.0.2.165:2049"}, ("nfs-1",)),
        ("address: nfs-1, port: 2049", {"c": "192.0.2.165:2049"}, ("nfs-1",)),
        ("address: me, port: 22", {"c": "localhost:22"}, ("me",)),
        ("hosts: [nfs-2], port: 2049", {"c": "192.0.2.203:2049"}, ("nfs-2",)),
        (
            "hosts: [nfs-1, {name: nfs-2, address: 192.0.2.9, port: 1}], port: 2049",
            {"nfs-1": "192.0.2.165:2049", "nfs-2": "192.0.2.9:1"},
            ("nfs-1", "nfs-2"),
        ),
    ],
)
def test_a_port_is_asked(keys: str, asked: dict[str, str], hosts: tuple[str, ...]) -> None:
    check = declared(f"kind: tcp, timeout: 3s, {keys}")
    asks = tcp.PROBE.questions(check, {})
    assert {name: f"{ask.host}:{ask.port}" for name, ask in asks.items()} == asked
    assert all(isinstance(ask, TcpAsk) and ask.timeout == 3.0 for ask in asks.values())
    assert check.hosts == hosts
    assert check.members == (hosts if len(asked) > 1 else ())
    assert check.settings["slow"] == 1.0


def test_a_url_is_asked() -> None:
    asked = url("url: 'http://192.0.2.210:8081/api/v2/monitor/health?all=1'")
    assert asked == HttpAsk(
        host="192.0.2.210",
        port=8081,
        requests=(HttpRequest(path="/api/v2/monitor/health?all=1"),),
        timeout=5.0,
        host_header="192.0.2.210:8081",
    )


@pytest.mark.parametrize(
    ("written", "place", "path", "authority", "shown"),
    [
        ("http://192.0.2.1", ("192.0.2.1", 80), "/", "192.0.2.1", "http://192.0.2.1/"),
        ("HTTP://192.0.2.1:/?a=b", ("192.0.2.1", 80), "/?a=b", "192.0.2.1", "http://192.0.2.1/"),
        ("https://[2001:DB8::1]/x", ("2001:db8::1", 443), "/x", "[2001:DB8::1]", "https://[2001:DB8::1]/x"),
        ("http://nfs-1:81/x", ("192.0.2.165", 81), "/x", "nfs-1:81", "http://nfs-1:81/x"),
        ("http://me/", ("localhost", 80), "/", "me", "http://me/"),
        ("http://a/x@y:z", ("a", 80), "/x@y:z", "a", "http://a/x@y:z"),
    ],
)
def test_where_a_url_leads(
    written: str, place: tuple[str, int], path: str, authority: str, shown: str
) -> None:
    asked = url(f"url: '{written}'")
    assert (asked.host, asked.port) == place
    assert (asked.requests[0].path, asked.host_header) == (path, authority)
    assert declared(f"kind: http, url: '{written}'").settings["url"] == shown


def test_tls_of_a_url() -> None:
    assert url("url: 'http://nfs-1/'").tls is None
    assert url("url: 'https://192.0.2.1/'").tls == Tls()
    assert url("url: 'https://nfs-1/'").tls == Tls(name="nfs-1")
    assert url("url: 'https://nfs-1/', tls: {verify: false, name: x}").tls == Tls(verify=False, name="x")


def test_a_login_and_a_method() -> None:
    keys = "url: 'http://nfs-1/', user: app, password: {env: P}, method: HEAD"
    asked = url(keys, password="hidden")
    assert (asked.user, asked.password, asked.requests[0].method) == ("app", "hidden", "HEAD")
    assert "hidden" not in repr(asked)


@pytest.mark.parametrize(
    ("keys", "limits"),
    [
        ("url: 'http://a/'", None),
        ("url: 'https://a/'", (21 * 86400.0, 7 * 86400.0)),
        ("url: 'https://a/', certificate: {warning: 30d}", (30 * 86400.0, 7 * 86400.0)),
        ("url: 'https://a/', tls: {verify: false}", None),
        ("url: 'https://a/', tls: {verify: false}, certificate: {}", (21 * 86400.0, 7 * 86400.0)),
    ],
)
def test_whose_certificate_is_judged(keys: str, limits: tuple[float, float] | None) -> None:
    found = declared(f"kind: http, {keys}").settings["certificate"]
    assert (found and (found["warning"], found["critical"])) == limits


def read(answer: HttpAnswer | NoReply, keys: str = "contains: healthy") -> Any:
    check = declared(f"kind: http, url: 'https://a/', {keys}")
    return http.PROBE.read(check, "c", HttpReply(answers=(answer,), certificate_ends=ENDS, duration=0.2))


def test_facts() -> None:
    page = HttpAnswer(status=200, body=b'{"status":\n "healthy"}', headers={"server": "x"}, duration=0.1)
    begins = '\'{"status": "healthy"}\''
    assert read(page) == HttpFacts(
        status=200, contains=True, begins=begins, certificate_ends=ENDS, duration=0.2
    )
    assert read(page, "contains: Healthy").contains is False
    assert read(page, "method: GET").contains is None


def test_a_body_is_bytes_of_any_kind_and_size() -> None:
    found = read(HttpAnswer(status=200, body=b"\xff\0\x1b[2J" + b"x" * 4_000_000 + b"healthy"))
    assert found.contains is True
    assert found.begins.isprintable()
    assert len(found.begins) < 250
    assert read(HttpAnswer(status=200, body=b" \n")).begins is None
    assert read(HttpAnswer(status=200, body="gr\u00fcn".encode()), "contains: gr\u00fcn").contains is True


def test_where_a_redirect_leads() -> None:
    found = read(HttpAnswer(status=302, body=b"", headers={"location": "https://login/" + "x" * 900}))
    assert found.location == ("https://login/" + "x" * 900)[:200]


def test_no_answer_is_handed_through() -> None:
    reply = NoReply(reason=Reason.TIMEOUT, detail="no answer")
    assert read(reply) is reply
