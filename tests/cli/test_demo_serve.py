"""`quorate demo --serve` and `--switch`: a simulated cluster that is kept up, watched and broken."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import QUORATE, Run, environment

from quorate.simulation.cluster import nominal

BROKEN = "active-unit-failed"


@contextmanager
def served(*arguments: str, **extra: str) -> Iterator["subprocess.Popen[str]"]:
    """Start `quorate demo --serve` and wait until it says that the cluster is up."""
    with subprocess.Popen(
        [*QUORATE, "demo", "--serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**extra),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def lines(process: "subprocess.Popen[str]", count: int = 5) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(count)]


def found(quorate: Run, inventory: Path) -> tuple[int, dict[str, Any]]:
    ended = quorate("check", "-i", str(inventory), "-o", "json", "--no-evidence")
    assert ended.stderr == ""
    return ended.returncode, json.loads(ended.stdout)


def test_a_cluster_is_kept_up_switched_and_gone_without_a_trace(quorate: Run, tmp_path: Path) -> None:
    folder = tmp_path / ("a deep folder, deeper than the path of a socket goes " * 4).strip()
    inventory = folder / "cluster.yaml"
    with served("--folder", str(folder)) as process:
        told = lines(process)
        held = f"14 hosts and {len(nominal().checks)} checks"
        assert told[0].startswith(f"The simulated cluster is up: {held}, scenario nominal.")
        assert f"quorate check -i '{inventory}'" in told[1]
        assert f"quorate demo --folder '{folder}' --switch active-unit-failed" in told[2]
        ports = inventory.read_text()
        code, report = found(quorate, inventory)
        assert (code, report["state"]) == (0, "expected")
        assert {v["id"]: v["state"] for v in report["verdicts"]}["postgresql_vip"] == "ok"
        for scenario, expected in ((BROKEN, 2), ("database-auth-failed", 3), ("nominal", 0)):
            switched = quorate("demo", "--switch", scenario, "--folder", str(folder))
            assert (switched.returncode, switched.stderr) == (0, "")
            assert switched.stdout.startswith(f"The simulated cluster is in scenario {scenario} now. ")
            assert found(quorate, inventory)[0] == expected
            assert inventory.read_text() == ports
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")
    assert not folder.exists()


def test_a_folder_that_was_there_stays_with_what_was_in_it(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    with served("--folder", str(tmp_path)) as process:
        lines(process)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_there_is_one_at_a_time_and_a_killed_one_is_in_nobodys_way(quorate: Run, tmp_path: Path) -> None:
    folder = tmp_path / "cluster"
    with served("--folder", str(folder)) as first:
        lines(first)
        second = quorate("demo", "--serve", "--folder", str(folder))
        assert (second.returncode, second.stdout) == (3, "")
        assert second.stderr == (
            f"quorate: demo: a simulated cluster is already served in {folder}; "
            "end that one first, or choose another --folder\n"
        )
        first.kill()
        first.wait()
        none = quorate("demo", "--switch", BROKEN, "--folder", str(folder))
        assert (none.returncode, none.stdout) == (3, "")
        assert none.stderr.startswith(f"quorate: demo: no simulated cluster is served in {folder}; ")
        with served("--folder", str(folder)) as again:
            assert lines(again)[0].startswith("The simulated cluster is up")
            again.send_signal(signal.SIGTERM)
            assert again.wait(20) == 0
    assert not folder.exists()


def test_without_a_folder_it_is_the_users_own(quorate: Run, tmp_path: Path) -> None:
    runtime = {"XDG_RUNTIME_DIR": str(tmp_path)}
    folder = tmp_path / "quorate-demo"
    with served(**runtime) as process:
        told = lines(process)
        assert "--folder" not in "".join(told)
        assert folder.stat().st_mode & 0o777 == 0o700
        switched = quorate("demo", "--switch", "split-brain", env=environment(**runtime))
        assert switched.returncode == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    temporary = quorate("demo", "--switch", "nominal", env=environment(TMPDIR=str(tmp_path)))
    assert f"no simulated cluster is served in {tmp_path}/quorate-demo-{os.getuid()};" in temporary.stderr


def test_a_folder_that_others_can_write_to_is_refused(quorate: Run, tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    refused = quorate("demo", "--serve", "--folder", str(folder))
    assert (refused.returncode, refused.stdout) == (3, "")
    assert refused.stderr == (
        f"quorate: demo: others can write to the folder {folder}; choose another --folder\n"
    )
    (tmp_path / "file").write_text("")
    for inside in ("file", "file/below"):
        refused = quorate("demo", "--serve", "--folder", str(tmp_path / inside))
        assert refused.returncode == 3
        assert len(refused.stderr.splitlines()) == 1
        assert "a fault in quorate" not in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--switch", "splitbrain"],
            "--switch: there is no scenario 'splitbrain'; did you mean 'split-brain'?",
        ),
        (["--serve", "--scenario", "splitbrain"], "--scenario: there is no scenario 'splitbrain'"),
        (["--serve", "--switch", BROKEN], "exclude each other"),
        (["--serve", "--list"], "exclude each other"),
        (["--switch", BROKEN, "--scenario", BROKEN], "leave --scenario out"),
        (["--serve", "-o", "json"], "leave -o out"),
        (["--folder", "/tmp/x"], "--folder belongs to --serve and --switch"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(quorate: Run, arguments: list[str], words: str) -> None:
    ended = quorate("demo", *arguments)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert words in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_garbage_at_its_socket_changes_nothing(quorate: Run, tmp_path: Path) -> None:
    program = (
        "import socket, sys\n"
        "for sent in (b'garbage\\n', b'[]\\n', b'{}\\n', b'x' * 200000, b''):\n"
        "    s = socket.socket(socket.AF_UNIX)\n"
        "    s.connect(sys.argv[1])\n"
        "    try:\n"
        "        s.sendall(sent)\n"
        "        s.shutdown(socket.SHUT_WR)\n"
        "        s.recv(1000)\n"
        "    except OSError:\n"
        "        pass\n"
        "    s.close()\n"
    )
    folder = tmp_path / "c"
    with served("--folder", str(folder)) as process:
        lines(process)
        subprocess.run(
            [sys.executable, "-c", program, "control"], cwd=folder, check=True, timeout=20, env=environment()
        )
        assert quorate("demo", "--switch", "nominal", "--folder", str(folder)).returncode == 0
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
