"""A simulated cluster in a process of its own, and the command line run as a user runs it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

QUORATE = [sys.executable, "-m", "quorate"]


def environment(**extra: str) -> dict[str, str]:
    """Return a plain environment, without what the person who runs the tests has set."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")}
    return {**kept, "PYTHONWARNINGS": "default", **extra}


@pytest.fixture
def quorate(tmp_path: Path) -> Run:
    """Run `quorate` in a folder of its own."""

    def run(*arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
        options.setdefault("env", environment())
        return subprocess.run(  # type: ignore[call-overload,no-any-return]  # options are subprocess's own
            [*QUORATE, *arguments],
            check=False,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            **options,
        )

    return run


@contextmanager
def served(folder: Path, scenario: str) -> Iterator[Path]:
    """Serve a scenario; give the inventory whose addresses are the loopback ones."""
    command = [
        sys.executable,
        "-m",
        "quorate.simulation",
        "serve",
        "--scenario",
        scenario,
        "--folder",
        str(folder),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as server:
        assert server.stdout is not None
        assert server.stdout.readline().startswith("ready"), "the simulation did not start"
        try:
            yield folder / "cluster.yaml"
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(10)


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The inventory of a healthy cluster."""
    with served(tmp_path_factory.mktemp("healthy"), "nominal") as inventory:
        yield inventory


@pytest.fixture(scope="session")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The inventory of a cluster with several faults."""
    with served(tmp_path_factory.mktemp("broken"), "mixed") as inventory:
        yield inventory


@pytest.fixture(scope="session")
def hung(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The inventory of a cluster in which one host accepts connections and never speaks."""
    with served(tmp_path_factory.mktemp("hung"), "hung-host") as inventory:
        yield inventory
