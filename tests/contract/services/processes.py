"""Server programs as the tests need them: not as root, in a folder of their own, gone afterwards."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback address that nobody listens on, all different."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [int(sock.getsockname()[1]) for sock in sockets]


def as_user(name: str) -> dict[str, Any]:
    """Return what makes a process that user's, since both servers refuse root; nothing where we are not."""
    return {"user": name, "group": name, "extra_groups": []} if os.geteuid() == 0 else {}


@contextlib.contextmanager
def folder_of(name: str) -> Iterator[Path]:
    """Yield a folder that is the user's own; pytest's own folders are closed to everybody else."""
    folder = Path(tempfile.mkdtemp(prefix="quorate-"))
    if os.geteuid() == 0:
        shutil.chown(folder, name, name)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def run(*argv: str, **options: Any) -> str:
    """Run a program to its end and return what it printed; what it said is shown where it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, **options)
    assert done.returncode == 0, f"{argv[0]} ended with {done.returncode}: {done.stdout}{done.stderr}"
    return str(done.stdout)


def wait_until(is_so: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Return once something is so."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)


async def eventually(is_so: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Return once something is so, and let the loop serve others until then."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.01)


def using(folder: Path) -> list[int]:
    """Return the processes that were started with this folder in their command line or environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            if os.fsencode(folder) in told and int(process.name) != os.getpid():
                found.append(int(process.name))
    return found
