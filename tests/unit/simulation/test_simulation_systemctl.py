"""`systemctl` in the simulation against what a real systemd 252 printed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from talking import RECORDED, answered, machine, made

from quorate.simulation.machine import Answer, Conversation
from quorate.simulation.state import SimulatedUnit
from quorate.simulation.tools.shell import run

SHOWN = sorted(RECORDED.glob("systemctl-*.json"))
TEMPLATES = {".service": "service", ".socket": "socket", ".timer": "timer"}
VARYING = {
    "Id",
    "Names",
    "TimeoutStartUSec",
    "TimeoutStopUSec",
    "UnitFileState",
    "Job",
    "NRestarts",
    "ExecMainStatus",
    "TriggeredBy",
}


def recording(name: str) -> dict[str, Any]:
    found = json.loads((RECORDED / f"{name}.json").read_text())
    assert isinstance(found, dict)
    return found


def blocks(stdout: str) -> list[dict[str, str]]:
    return [
        dict(line.split("=", 1) for line in block.splitlines()) for block in stdout.split("\n\n") if block
    ]


def host_of(stdout: str) -> Conversation:
    """Return a host whose units are those of a recorded answer."""
    units = {}
    for block in blocks(stdout):
        template = (
            "not-found"
            if block.get("LoadState") == "not-found"
            else TEMPLATES["." + block["Id"].rsplit(".", 1)[1]]
        )
        # The stamps are the recording's own, so they are given as words.
        units[block["Id"]] = SimulatedUnit(name=block["Id"], template=template, properties=block)
    found = machine("nominal", "ftp")
    found.host = replace(found.host, units=units)
    return Conversation(machine=found, user="rocky")


def is_simulated(stdout: str) -> bool:
    """Tell whether an answer is of kinds of unit that the simulation has, and not of strangers to a glob."""
    kinds = {block["Id"].rsplit(".", 1)[1] for block in blocks(stdout) if "Id" in block}
    return bool(kinds) and kinds <= {"service", "socket", "timer"}


ANSWERED = [
    path for path in SHOWN if "glob" not in path.stem and is_simulated(recording(path.stem)["stdout"])
]


def test_nearly_all_recordings_are_compared() -> None:
    assert len(ANSWERED) > 35


@pytest.mark.parametrize("path", ANSWERED, ids=lambda path: path.stem)
def test_prints_the_same_bytes_for_the_same_units(path: Path) -> None:
    told = json.loads(path.read_text())
    stdout = told["stdout"]
    answer = run(told["argv"], host_of(stdout).sight())
    assert isinstance(answer, Answer)
    assert answer.stdout.decode() == stdout
    assert answer.stderr.decode() == told["stderr"]
    assert answer.exit_code == told["exit_code"]


WORDS = {
    "running": "running",
    "exited-oneshot": "oneshot-exited",
    "exited-simple": "simple-exited",
    "masked-running": "masked-running",
    "not-found-running": "not-found-running",
    "bad-setting-running": "bad-setting-running",
    "reloading": "reloading",
    "starting": "activating",
    "auto-restart": "activating-auto-restart",
    "stopping": "deactivating-sigterm",
    "never-started": "inactive",
    "maintenance": "maintenance",
    "queued": "queued",
    "failed": "failed-exit",
    "failed-by-signal": "failed-signal-kill",
    "failed-start-limit": "failed-start-limit",
    "failed-start-timeout": "failed-start-timeout",
    "not-found": "not-found",
    "masked": "masked",
    "bad-setting": "bad-setting",
}


@pytest.mark.parametrize("word", WORDS)
def test_a_state_is_what_systemd_says_of_it(word: str) -> None:
    """The state's words are systemd's, and the same stamps are set; what a unit file chooses may differ."""
    told = recording(f"systemctl-{WORDS[word]}")
    real = blocks(told["stdout"])[0]
    scenario = made(f"{{ftp: {{units: {{vsftpd: {{state: {word}, age: 3m}}}}}}}}")
    answer = answered(scenario, "ftp", *told["argv"][:-1], "vsftpd")
    simulated = blocks(answer.stdout.decode())[0]
    assert list(simulated) == list(real)
    stamps = {key for key in real if "Timestamp" in key}
    differ = {k for k in real if k not in VARYING | stamps and real[k] != simulated[k]}
    assert differ == set()
    assert {k for k in stamps if real[k] != "0"} == {k for k in stamps if simulated[k] != "0"}
    assert bool(real["Job"]) == bool(simulated["Job"])


def test_stamps_are_counted_back_from_the_begin_and_stand_still() -> None:
    conversation = Conversation(machine=machine("active-unit-failed", "nfs-1"), user="rocky")
    argv = ("systemctl", "show", "--property=StateChangeTimestampMonotonic", "lsyncd")
    first, second = (run(argv, conversation.sight()) for _ in range(2))
    assert isinstance(first, Answer)
    assert first == second
    stamp = int(first.stdout.decode().split("=")[1]) / 1e6
    assert conversation.machine.uptime() - stamp == pytest.approx(180, abs=1)


def test_without_properties_what_is_empty_is_left_out() -> None:
    lines = answered("nominal", "ftp", "systemctl", "show", "nosuch").stdout.decode().splitlines()
    assert "LoadState=not-found" in lines
    assert not any(line.startswith("Type=") for line in lines)
    every = answered("nominal", "ftp", "systemctl", "show", "--all", "nosuch").stdout.decode().splitlines()
    assert "Type=" in every


def test_options_may_stand_anywhere() -> None:
    usual = answered(
        "nominal", "ftp", "systemctl", "show", "--no-pager", "--property=Id,SubState", "--", "vsftpd"
    )
    for argv in (
        ("show", "vsftpd", "-p", "SubState", "-pId"),
        ("--no-pager", "show", "--property", "Id", "--property=SubState", "vsftpd.service"),
    ):
        assert answered("nominal", "ftp", "systemctl", *argv) == usual


def test_a_glob_matches_and_a_bare_template_aborts() -> None:
    found = answered("nominal", "nfs-1", "systemctl", "show", "-p", "Id", "airflow*", "ls*")
    assert found.stdout.decode() == "Id=airflow-dag-processor.service\n\nId=lsyncd.service\n"
    aborted = answered("nominal", "nfs-1", "systemctl", "show", "-p", "Id", "lsyncd", "x@", "keepalived")
    assert (aborted.stdout.decode(), aborted.exit_code) == ("Id=lsyncd.service\n", 1)


@pytest.mark.parametrize(
    ("scenario", "host", "word", "code"),
    [
        ("nominal", "ftp", "running", 0),
        ("failed", "celery-1", "degraded", 1),
        ("system-starting", "ftp", "starting", 1),
        ("no-systemd", "ftp", "offline", 1),
    ],
)
def test_the_whole_system_has_a_state(scenario: str, host: str, word: str, code: int) -> None:
    answer = answered(scenario, host, "systemctl", "is-system-running")
    assert (answer.stdout.decode(), answer.exit_code) == (f"{word}\n", code)


@pytest.mark.parametrize("name", ["not-booted", "no-bus-as-user"])
def test_without_systemd_it_says_so(name: str) -> None:
    told = recording(f"systemctl-{name}")
    answer = answered("no-systemd" if name == "not-booted" else "no-bus", "ftp", *told["argv"])
    assert (answer.stdout.decode(), answer.stderr.decode(), answer.exit_code) == (
        "",
        told["stderr"],
        told["exit_code"],
    )


def test_an_unknown_option_or_verb_is_refused_as_systemctl_does() -> None:
    assert answered("nominal", "ftp", "systemctl", "show", "--nosuch").stderr == (
        b"systemctl: unrecognized option '--nosuch'\n"
    )
    assert answered("nominal", "ftp", "systemctl", "nosuch").stderr == b"Unknown command verb nosuch.\n"


def test_is_active_tells_words_and_an_exit_code() -> None:
    answer = answered(
        "active-unit-failed", "nfs-1", "systemctl", "is-active", "keepalived", "lsyncd", "nosuch"
    )
    assert (answer.stdout.decode(), answer.exit_code) == ("active\nfailed\ninactive\n", 0)
