"""How etcd refuses a login, over the wire and as it is judged: its status 400 says nothing of the quorum."""

from datetime import UTC, datetime
from types import MappingProxyType

import pytest

from quorate.checks.kinds import JUDGES
from quorate.checks.scene import Scene
from quorate.model import Check, CheckObservation, Inventory, NoReply
from quorate.probes.etcd import questions
from quorate.transports.http import ask_http
from services.breaking import breaking
from services.web import Heard, answering, said

REFUSED = b'{"error":"etcdserver: authentication failed, invalid user ID or password","code":3}'
AWAY = b'{"error":"etcdserver: no leader","code":14}'


def judged(check: Check, reply: object) -> tuple[str, str | None]:
    """Return what is said of the whole, and the detail of its one member."""
    inventory = Inventory(name="t", hosts={})
    scene = Scene(inventory=inventory, looks={}, now=datetime.now(UTC), fault=None, roles={})
    seen = CheckObservation(answers={"pg-1": reply}, addresses={"pg-1": "127.0.0.1"})
    whole, member = JUDGES["etcd"].verdicts(check, seen, scene)
    return f"{whole.state.name} {whole.reason}", member.detail


@pytest.mark.parametrize(
    ("answer", "expected", "detail"),
    [
        (said(REFUSED, status="400 Bad Request"), "UNKNOWN auth_failed", "400"),
        (
            said(b"404 page not found", status="404 Not Found"),
            "UNKNOWN unparsable",
            "404: etcd has it since version 3.4",
        ),
        (said(AWAY, status="503 Service Unavailable"), "CRITICAL quorum_lost", "503"),
    ],
    ids=["refused", "old", "away"],
)
async def test_a_login_that_etcd_does_not_take(answer: bytes, expected: str, detail: str) -> None:
    heard = Heard()
    async with breaking(answering(answer, heard=heard)) as server:
        settings = {
            "members": ({"name": "pg-1", "address": "127.0.0.1", "port": server.port},),
            "user": "root",
            "tls": None,
            "timeout": 5.0,
            "quorum": None,
        }
        check = Check(name="e", kind="etcd", members=("pg-1",), settings=MappingProxyType(settings))
        (ask,) = questions(check, {"password": "s3cret"}).values()
        reply = await ask_http(ask, deadline=float("inf"))

    assert isinstance(reply, NoReply)
    assert heard.lines == ["POST /v3/auth/authenticate HTTP/1.1"]
    login = "the login (POST /v3/auth/authenticate) is answered with status "
    assert judged(check, reply) == (expected, f"{login}{detail}")
