"""Sweeps of ports and web servers, from the inventory's text to the report."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from quorate.engine import Limits, SecretUnavailableError, sweep
from quorate.inventory import parse_inventory
from quorate.model import Secret
from quorate.outputs.json_report import render
from quorate.plan import make_plan
from quorate.transports import Transport
from services.breaking import breaking, closed, endless, mute
from services.certificates import signed
from services.processes import free_ports
from services.web import answering, answering_by, said

PASSWORD = "hunter2-of-the-page"


async def swept(checks: str) -> dict[str, dict[str, Any]]:
    """Sweep a cluster of one host, this machine, and return the verdicts of its checks."""

    def resolve(secret: Secret) -> str:
        if secret.env != "PAGE":
            raise SecretUnavailableError(f"the environment variable {secret.env} is not set")
        return PASSWORD

    inventory = parse_inventory(f"hosts: {{me: {{local: true}}}}\nchecks:\n{checks}", source="F")
    limits = Limits(deadline=asyncio.get_running_loop().time() + 20)
    async with Transport(inventory.hosts, resolve=resolve) as transport:
        report = await sweep(inventory, transport, make_plan(inventory, ()), limits=limits, resolve=resolve)
    text = render(report)
    assert PASSWORD not in text
    return {v["id"]: v for v in json.loads(text)["verdicts"] if v["group"]}


def words(verdicts: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: "{state} {reason}".format(**verdict) for name, verdict in verdicts.items()}


async def test_ports() -> None:
    (free,) = free_ports(1)
    async with breaking(mute) as server:
        found = await swept(
            f"  up: {{kind: tcp, address: 127.0.0.1, port: {server.port}}}\n"
            f"  down: {{kind: tcp, hosts: [{{name: me, address: 127.0.0.1}}], port: {free}}}\n"
        )

    assert words(found) == {"up": "ok ok", "down": "critical connect_failed"}
    assert found["up"]["observed"]["latency_ms"] > 0


async def test_pages(tmp_path: Path) -> None:
    soon = datetime.now(UTC) + timedelta(days=10, hours=1)
    authority = signed(tmp_path, "authority", names=())
    ending = signed(tmp_path, "ending", by=authority, ends=soon)
    page = said(b'{"status": "healthy"}')
    async with (
        breaking(answering_by(lambda _: page)) as plain,
        breaking(answering(page), tls=ending.server()) as secured,
        breaking(answering_by(lambda _: said(b"who?", status="401 Unauthorized"))) as picky,
    ):
        http = f"kind: http, url: 'http://127.0.0.1:{plain.port}/'"
        found = await swept(
            f"  well: {{{http}, contains: healthy}}\n"
            f"  other: {{{http}, contains: sick}}\n"
            f"  status: {{{http}, status: [204]}}\n"
            f"  ends: {{kind: http, url: 'https://127.0.0.1:{secured.port}/', "
            f"tls: {{ca_file: {authority.file}}}}}\n"
            f"  picky: {{kind: http, url: 'http://127.0.0.1:{picky.port}/', "
            "user: a, password: {env: PAGE}}\n"
            f"  keyless: {{{http}, user: a, password: {{env: GONE}}}}\n"
        )

    assert words(found) == {
        "well": "ok ok",
        "other": "critical unexpected_body",
        "status": "critical unexpected_status",
        "ends": "warning certificate_expires",
        "picky": "unknown auth_failed",
        "keyless": "unknown secret_unavailable",
    }
    assert found["ends"]["observed"]["certificate_days_left"] == 10


async def test_servers_that_break_hold_up_nobody() -> None:
    async with (
        breaking(mute) as silent,
        breaking(endless(b"x" * 1000, first=b"HTTP/1.1 200 OK\r\n\r\n")) as flood,
        breaking(closed) as gone,
        breaking(answering_by(lambda _: said(b"ok"))) as well,
    ):
        started = time.monotonic()
        found = await swept(
            "".join(
                f"  {name}: {{kind: http, url: 'http://127.0.0.1:{server.port}/', timeout: 1s}}\n"
                for name, server in {"silent": silent, "flood": flood, "gone": gone, "well": well}.items()
            )
        )
        took = time.monotonic() - started

    assert words(found) == {
        "silent": "critical timeout",
        "flood": "unknown unparsable",
        "gone": "critical connect_failed",
        "well": "ok ok",
    }
    assert took < 2.5
