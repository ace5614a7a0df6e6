"""A RabbitMQ node, as Debian's package `rabbitmq-server` has it, with an Erlang port mapper of its own."""

import base64
import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.postgres import make_certificate
from services.processes import as_user, folder_of, free_ports, run, using, wait_until

PASSWORD = "mq-Secret-c2d8e0"
VHOST = "airflow_host"
NODE = "quorate@localhost"
_COOKIE = "quoratetests"
_USER = "rabbitmq"
_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


@dataclass
class Rabbit:
    """A running node: `port` for AMQP, `tls_port` for AMQP in TLS."""

    folder: Path
    port: int
    tls_port: int
    epmd_port: int
    options: dict[str, Any]

    def erlang(self, expression: str) -> str:
        """Have the node evaluate an expression, and return what it is, as Erlang writes it."""
        environment = {
            "ERL_EPMD_PORT": str(self.epmd_port),
            "HOME": str(self.folder),
            "PATH": os.environ["PATH"],
        }
        said = run("erl_call", "-sname", NODE, "-c", _COOKIE, "-e", input=f"{expression}.\n", env=environment)
        found = re.fullmatch(r"\{ok, (.*)\}", said.strip(), re.DOTALL)
        assert found, f"{expression}: {said}"
        return found[1]

    def connections(self) -> int:
        return int(self.erlang("length(rabbit_networking:connections())"))

    def queues(self) -> int:
        return int(self.erlang("length(rabbit_amqqueue:list())"))

    @property
    def log(self) -> str:
        return "".join(p.read_text(errors="replace") for p in sorted(self.folder.glob("*.log")))


@contextlib.contextmanager
def node() -> Iterator[Rabbit]:
    """Yield a node with users and a virtual host for the tests, on the loopback address alone."""
    assert _SERVER.exists(), "rabbitmq-server is missing; install the Debian package rabbitmq-server"
    with folder_of(_USER) as folder:
        port, tls_port, dist_port, epmd_port = free_ports(4)
        rabbit = Rabbit(folder, port, tls_port, epmd_port, as_user(_USER))
        make_certificate(folder, rabbit.options)
        _configure(rabbit)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_DIST_PORT": str(dist_port),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1",
            "ERL_EPMD_PORT": str(epmd_port),
        }
        programs = (["epmd", "-address", "127.0.0.1", "-port", str(epmd_port)], [str(_SERVER)])
        with (folder / "output").open("wb") as output:
            options: dict[str, Any] = {
                "stdout": output,
                "stderr": output,
                "env": environment,
            } | rabbit.options
            started = [subprocess.Popen(argv, **options) for argv in programs]
        try:
            wait_until(lambda: _is_up(rabbit, started[-1]), "RabbitMQ started")
            yield rabbit
        finally:
            _end(rabbit, started)


def _configure(rabbit: Rabbit) -> None:
    folder = rabbit.folder
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = 127.0.0.1:{rabbit.port}\n"
        f"listeners.ssl.1 = 127.0.0.1:{rabbit.tls_port}\n"
        f"ssl_options.certfile = {folder}/cert.pem\n"
        f"ssl_options.keyfile = {folder}/key.pem\n"
        f"load_definitions = {folder}/definitions.json\n"
    )
    full = {"configure": ".*", "write": ".*", "read": ".*"}
    users = ("app", "polite", "asker", "stranger", "limited", "limited-to-reading")
    permissions = {
        "app": full,
        "polite": full,
        "limited": full | {"configure": "^$"},
        "limited-to-reading": full | {"write": "^amq[.]gen.*"},
    }
    definitions = {
        "vhosts": [{"name": VHOST}, {"name": "full", "limits": []}],
        "users": [{"name": name, "password_hash": _hash(PASSWORD), "tags": ""} for name in users],
        "permissions": [{"user": user, "vhost": VHOST} | granted for user, granted in permissions.items()],
        "queues": [{"name": "kept", "vhost": VHOST, "durable": True, "auto_delete": False, "arguments": {}}],
    }
    (folder / "definitions.json").write_text(json.dumps(definitions))
    for name in ("rabbitmq.conf", "definitions.json"):
        (folder / name).chmod(0o644)
    cookie = folder / ".erlang.cookie"
    run("sh", "-c", f"umask 077; echo {_COOKIE} > {cookie}", **rabbit.options)


def _hash(password: str) -> str:
    """Return a password as RabbitMQ keeps it (its manual, "Credentials and Passwords")."""
    salt = b"salt"
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _is_up(rabbit: Rabbit, server: subprocess.Popen[bytes]) -> bool:
    said = (rabbit.folder / "output").read_text(errors="replace")
    assert server.poll() is None, f"RabbitMQ ended: {said}"
    return "completed with" in said


def _end(rabbit: Rabbit, started: list[subprocess.Popen[bytes]]) -> None:
    """End the node at once, and see to it that nothing of it is left; it has helpers of its own."""
    for pid in using(rabbit.folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for process in started:
        process.wait(20)
    wait_until(lambda: not using(rabbit.folder), "RabbitMQ's processes are gone", 20)
