"""`python -m quorate.simulation serve` as a process, and the real OpenSSH client against it."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from quorate.simulation.clone import cloned
from quorate.simulation.cluster import nominal
from quorate.transports.wire import Framer, Question, login_command

SSH = shutil.which("ssh")


@contextmanager
def served(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "quorate.simulation",
        "serve",
        "--folder",
        str(folder),
        *arguments,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_is_ready_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "cluster"
    with served(folder, "--scenario", "mixed") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line == f"ready: 14 hosts, scenario mixed, inventory {folder}/cluster.yaml\n"
        assert (folder / "id_ed25519").exists()
        assert len((folder / "known_hosts").read_text().splitlines()) == 14
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--scenario", "nosuch"], "there is no scenario 'nosuch'"),
        (["--hosts", "0"], "one host is the least"),
        (["--hosts", "100000"], "open files"),
        (["--hosts", "3", "--scenario", "active-unit-failed"], "there is no host nfs-1"),
    ],
)
def test_what_can_not_be_is_one_sentence(tmp_path: Path, arguments: list[str], words: str) -> None:
    with served(tmp_path, *arguments) as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (3, "")
    assert words in err
    assert len(err.splitlines()) == 1


@pytest.mark.skipif(SSH is None, reason="needs the OpenSSH client")
def test_the_openssh_client_logs_in_and_asks(tmp_path: Path) -> None:
    with served(tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        told = YAML(typ="safe", pure=True).load((tmp_path / "cluster.yaml").read_text())
        common = [
            *("ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"),
            *("-o", f"UserKnownHostsFile={tmp_path}/known_hosts", "-o", "GlobalKnownHostsFile=none"),
            *("-i", str(tmp_path / "id_ed25519"), "-o", "StrictHostKeyChecking=yes"),
        ]
        host = told["hosts"]["nfs-1"]
        to_host = [*common, "-p", str(host["ssh"]["port"]), f"rocky@{host['address']}"]
        active = subprocess.run(
            [*to_host, "sudo systemctl is-active nosuch lsyncd"], capture_output=True, timeout=20, check=False
        )
        assert (active.returncode, active.stdout) == (0, b"inactive\nactive\n")
        question = Question(
            number=1, argv=("systemctl", "show", "--property=SubState", "--", "lsyncd", "keepalived")
        )
        asked = subprocess.run(
            [*to_host, login_command("c0ffee", [question])],
            input=b"",
            capture_output=True,
            timeout=20,
            check=False,
        )
        framer = Framer("c0ffee")
        framer.expect([1])
        frames = framer.feed_stdout(asked.stdout) + framer.feed_stderr(asked.stderr)
        assert [frame.stdout for frame in frames] == [b"SubState=running\n\nSubState=running\n"]
        assert asked.returncode == 0


def test_clones_keep_the_shape_of_the_cluster() -> None:
    many = cloned(nominal(), 1000)
    assert len(many.hosts) == 1000
    addresses = [a.local for host in many.hosts.values() for i in host.interfaces for a in i.addresses]
    assert len(set(addresses)) == len(addresses)
    second = many.hosts["nfs-1-2"]
    assert second.address == "198.18.2.165"
    assert [a.local for a in second.interfaces[0].addresses] == ["198.18.2.165", "198.18.2.220"]
    assert many.groups["nfs-2"]["active_passive"]["vip"] == "198.18.2.220"
    assert many.groups["nfs-2"]["hosts"] == ["nfs-1-2", "nfs-2-2"]
    assert all(set(group["hosts"]) <= set(many.hosts) for group in many.groups.values())


def test_a_cluster_cut_short_has_no_half_pairs() -> None:
    few = cloned(nominal(), 4)
    assert list(few.hosts) == ["haproxy-1", "haproxy-2", "scheduler-2", "nfs-1"]
    assert list(few.groups) == ["haproxy", "scheduler", "webserver"]
