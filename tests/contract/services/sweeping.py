"""Sweeps of a cluster whose servers are real, and whose hosts are this machine.

Their systemd and its journal are two programs that say that all units run, and that tell the passwords.
"""

import asyncio
import json
import os
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quorate.engine import Limits, SecretUnavailableError, sweep
from quorate.inventory import load_inventory
from quorate.model import Secret
from quorate.outputs.json_report import render
from quorate.plan import make_plan
from quorate.transports import Transport
from services import postgres, rabbit

NODES = ("rabbit-1", "rabbit-2", "rabbit-3")
SECRETS = (postgres.PASSWORD, rabbit.PASSWORD)
WORDS = "a line of the journal"

_SYSTEMCTL = """\
#!/bin/sh
while [ $# -gt 0 ] && [ "$1" != -- ]; do shift; done
shift
for unit; do
    printf '%s\\n' "Id=$unit" "Names=$unit" LoadState=loaded ActiveState=active SubState=running ''
done
"""
_JOURNALCTL = f"""\
#!/bin/sh
case "$*" in *--header*) exit 0 ;; esac
printf '{{"__REALTIME_TIMESTAMP":"1767225600000000","SYSLOG_IDENTIFIER":"it","MESSAGE":"%s"}}\\n' \\
    '{WORDS}' 'told: {" ".join(SECRETS)}'
"""


@dataclass
class Done:
    """What a command printed, and how it ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def report(self) -> dict[str, Any]:
        return dict(json.loads(self.stdout))

    def verdict(self, name: str) -> dict[str, Any]:
        return next(dict(v) for v in self.report["verdicts"] if v["id"] == name)

    def said(self, *names: str) -> list[str]:
        """Return state and reason of some verdicts."""
        return ["{state} {reason}".format(**self.verdict(name)) for name in names]


@dataclass
class Cluster:
    """An inventory file whose checks go to these ports of this machine, and the command that sweeps it."""

    folder: Path
    database: int
    members: dict[str, int]
    db: dict[str, object] = field(default_factory=dict)
    mq: dict[str, object] = field(default_factory=dict)
    environment: dict[str, str] = field(
        default_factory=lambda: {"DB_PASSWORD": postgres.PASSWORD, "MQ_PASSWORD": rabbit.PASSWORD}
    )

    @property
    def inventory(self) -> str:
        logs = "{group: rabbitmq, unit: rabbitmq-server}"
        members = ", ".join(
            f"{{name: {name}, address: 127.0.0.1, port: {port}}}" for name, port in self.members.items()
        )
        settings = {"database": "postgres", "user": "app"} | self.db
        db = "".join(f"    {key}: {json.dumps(value)}\n" for key, value in settings.items())
        mq = "".join(f"    {key}: {json.dumps(value)}\n" for key, value in self.mq.items())
        text = f"""\
            name: services
            ssh: {{sudo: false}}
            hosts: {{{", ".join(f"{name}: {{local: true}}" for name in NODES)}}}
            groups:
              rabbitmq: {{hosts: [{", ".join(NODES)}], units: [rabbitmq-server]}}
            checks:
              db:
                kind: postgresql
                host: 127.0.0.1
                port: {self.database}
                password: {{env: DB_PASSWORD}}
                logs_from: {logs}
            DB
              mq:
                kind: rabbitmq
                hosts: [{members}]
                vhost: {rabbit.VHOST}
                user: app
                password: {{env: MQ_PASSWORD}}
                logs_from: {logs}
            MQ
        """
        return textwrap.dedent(text).replace("DB\n", db, 1).replace("MQ\n", mq, 1)

    async def start(self, command: str, *options: str) -> asyncio.subprocess.Process:
        """Start a command on the inventory, with both of its streams piped."""
        path = self._write()
        kept = {key: value for key, value in os.environ.items() if key in ("HOME", "LANG", "PATH")}
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "quorate", command, "-i", str(path), *options),
            env=kept | self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, command: str, *options: str) -> Done:
        """Run a command on the inventory to its end."""
        return await ended(await self.start(command, *options))

    async def check(self, *only: str, seconds: float = 60.0) -> Done:
        """Sweep as `quorate check -o json` does, without a process for it."""
        inventory = load_inventory(self._write())
        limits = Limits(deadline=asyncio.get_running_loop().time() + seconds)
        async with Transport(inventory.hosts, resolve=self._resolve) as transport:
            plan = make_plan(inventory, only)
            report = await sweep(inventory, transport, plan, limits=limits, resolve=self._resolve)
        return Done(report.state.exit_code, render(report), "")

    def _resolve(self, secret: Secret) -> str:
        try:
            return self.environment[secret.env or ""]
        except KeyError:
            raise SecretUnavailableError(f"the environment variable {secret.env} is not set") from None

    def _write(self) -> Path:
        path = self.folder / "cluster.yaml"
        path.write_text(self.inventory)
        return path


def make_tools(folder: Path) -> None:
    """Write the programs that the hosts are asked with."""
    folder.mkdir()
    for name, program in (("systemctl", _SYSTEMCTL), ("journalctl", _JOURNALCTL)):
        (folder / name).write_text(program)
        (folder / name).chmod(0o755)


async def ended(process: asyncio.subprocess.Process) -> Done:
    """Return what a command printed, once it has ended."""
    async with asyncio.timeout(60):
        stdout, stderr = await process.communicate()
    assert process.returncode is not None
    return Done(process.returncode, stdout.decode(), stderr.decode())
