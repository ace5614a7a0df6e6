"""Real Celery workers, each a process of its own, on a virtual host of a node that is made for them."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.processes import wait_until
from services.rabbit import PASSWORD, Rabbit

VHOST = "workers"
QUEUES = {"celery@celery-1": ("default", "card_processing_queue"), "celery@celery-2": ("default",)}
_APP = 'import os\nfrom celery import Celery\napp = Celery("tests", broker=os.environ["BROKER"])\n'
_FULL = (".*", ".*", ".*")
_LEAST = ("^amq[.]gen-.*$", "^celery[.]pidbox$", "^amq[.]gen-.*$")
"""What the monitor's user needs: to configure, to write, to read (docs/reference/inventory.md)."""
_PERMISSIONS = {"app": _FULL, "asker": _LEAST, "limited": (_LEAST[0], "^$", _LEAST[2])}


@dataclass
class Worker:
    """A worker's process; `log` is what it says."""

    process: subprocess.Popen[bytes]
    log: Path

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def vhost(node: Rabbit, name: str = VHOST) -> Iterator[str]:
    """Yield a virtual host, whose exchanges and queues are gone with it at the end."""
    node.erlang(f'rabbit_vhost:add(<<"{name}">>, <<"tests">>)')
    for user, patterns in _PERMISSIONS.items():
        told = ", ".join(f'<<"{each}">>' for each in (user, name, *patterns, "tests"))
        node.erlang(f"rabbit_auth_backend_internal:set_permissions({told})")
    try:
        yield name
    finally:
        node.erlang(f'rabbit_vhost:delete(<<"{name}">>, <<"tests">>)')


@contextlib.contextmanager
def started(
    folder: Path, port: int, vhost: str, queues: Mapping[str, Sequence[str]] = QUEUES
) -> Iterator[dict[str, Worker]]:
    """Yield workers that are ready, by name, and end them; `queues` has what each consumes from."""
    (folder / "staff.py").write_text(_APP)
    environment = {
        **os.environ,
        "BROKER": f"amqp://app:{PASSWORD}@127.0.0.1:{port}/{vhost}",
        "PYTHONPATH": str(folder),
        "PYTHONWARNINGS": "default",
    }
    staff = {}
    try:
        for name, consumed in queues.items():
            argv = ["worker", "--pool", "solo", "--hostname", name, "--queues", ",".join(consumed)]
            log = folder / f"{name}.log"
            with log.open("wb") as output:
                process = subprocess.Popen(
                    [sys.executable, "-m", "celery", "--app", "staff", *argv, "--loglevel", "INFO"],
                    cwd=folder,
                    env=environment,
                    stdout=output,
                    stderr=output,
                )
            staff[name] = Worker(process, log)
        for name, worker in staff.items():
            wait_until(lambda name=name, worker=worker: _ready(name, worker), f"{name} is ready")  # type: ignore[misc]  # bound in the loop
        yield staff
    finally:
        for worker in staff.values():
            worker.process.send_signal(signal.SIGCONT)
            worker.process.kill()
        for worker in staff.values():
            worker.process.wait(20)


def _ready(name: str, worker: Worker) -> bool:
    said = worker.log.read_text(errors="replace")
    assert worker.process.poll() is None, f"{name} ended: {said}"
    return f"{name} ready." in said
