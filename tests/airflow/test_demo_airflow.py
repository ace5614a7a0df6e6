"""`make demo-airflow`: it comes up, says where and how to break it, and leaves nothing behind."""

import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from real import processes, until
from real_clusters import switch

pytestmark = pytest.mark.timeout(400)

DEMO = Path(__file__).parents[2] / "tools" / "demo-airflow"
USUAL_PORT = 8080


class Demo:
    """A demo that was started, in folders of its own."""

    def __init__(self, home: Path, runtime: Path) -> None:
        self.home = home
        self.served = runtime / "quorate-demo"
        self.log = runtime / "said"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(DEMO), str(home)],
                env={**os.environ, "XDG_RUNTIME_DIR": str(runtime)},
                stdout=log,
                stderr=log,
            )
        self._sessions: set[int] = set()

    @property
    def said(self) -> str:
        """What it has printed."""
        return self.log.read_text()

    def says(self, text: str) -> bool:
        """Whether it has printed a text; remembers what it has started."""
        assert self.process.poll() is None, self.said
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        self._sessions |= {int(pid) for pid in children.read_text().split()}
        return text in self.said

    def alive(self) -> list[str]:
        """Return what lives of all that it started."""
        return [title for _, session, title in processes() if session in self._sessions]

    def end(self, number: int) -> int:
        """Tell it to end; return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def demo(home: Path) -> Iterator[Demo]:
    with tempfile.TemporaryDirectory(prefix="quorate-demo-test-") as runtime:
        started = Demo(home, Path(runtime))
        try:
            yield started
        finally:
            with suppress(subprocess.TimeoutExpired):
                started.end(signal.SIGTERM)
            started.process.kill()
            started.process.wait()


def test_it_comes_up_beside_a_taken_port_and_ends_with_everything_it_started(tmp_path: Path) -> None:
    with demo(tmp_path / "demo") as running, ExitStack() as taken:
        # Where someone has the usual port already, it is as taken as by us.
        with suppress(OSError):
            taken.enter_context(socket.create_server(("127.0.0.1", USUAL_PORT)))
        until(lambda: running.says("Ctrl-C here ends all of it."), 300, lambda: running.said)
        assert f"Port {USUAL_PORT} is taken, so Airflow gets port" in running.said
        assert "its first run is green" in running.said
        found = re.search(r"http://127\.0\.0\.1:(\d+)/dags/ha_health\n", running.said)
        assert found is not None
        assert httpx.get(found[0].strip(), trust_env=False).status_code == 200
        assert listening_beyond_loopback(int(found[1])) == []
        assert re.search(
            r"quorate demo --switch active-unit-failed\n.*quorate demo --switch nominal\n", running.said
        )
        switch(running.served, "active-unit-failed")
        assert len(running.alive()) >= 5
        assert running.end(signal.SIGINT) == 0
        assert running.alive() == []
        assert not running.served.exists()


def listening_beyond_loopback(port: int) -> list[str]:
    """Return the sockets that listen on a port on other addresses than 127.0.0.1. Source: proc_net(5)."""
    lines = [
        *Path("/proc/net/tcp").read_text().splitlines(),
        *Path("/proc/net/tcp6").read_text().splitlines(),
    ]
    listening = [line.split()[1] for line in lines if line.split()[3] == "0A"]
    here = [place for place in listening if place.endswith(f":{port:04X}")]
    assert here
    return [place for place in here if not place.startswith("0100007F:")]


def test_closing_the_terminal_while_it_comes_up_leaves_nothing(tmp_path: Path) -> None:
    with demo(tmp_path / "demo") as running:
        until(lambda: running.says("Starting Airflow ..."), 120, lambda: running.said)
        assert running.says("Starting Airflow ...")
        assert running.end(signal.SIGHUP) == 128 + signal.SIGHUP
        assert running.alive() == []
        assert not running.served.exists()


def test_what_is_being_started_when_it_is_told_to_end_is_ended_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = runpy.run_path(str(DEMO))
    start = subprocess.Popen

    def told_meanwhile(*args: Any, **options: Any) -> subprocess.Popen[bytes]:
        process = start(*args, **options)
        signal.raise_signal(signal.SIGHUP)
        return process

    # The program is there and not known of yet: a moment too short to be hit from outside.
    monkeypatch.setattr(subprocess, "Popen", told_meanwhile)
    programs = tool["Programs"](tmp_path, dict(os.environ))
    handlers = {number: signal.getsignal(number) for number in tool["ENDINGS"]}
    try:
        with pytest.raises(SystemExit) as ended:
            programs.start("http.server --bind 127.0.0.1 0")
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert ended.value.code == 128 + signal.SIGHUP
    (server,) = programs.running.values()
    programs.end()
    assert server.poll() == -signal.SIGTERM


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with demo(tmp_path) as running:
        assert running.process.wait(60) == 1
        assert running.said == f"make demo-airflow: {tmp_path} holds other files; name another folder\n"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
