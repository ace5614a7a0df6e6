"""The units that are there to be copied are ones that systemd takes, and run a command that there is."""

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pages import ROOT, blocks

PAGE = "docs/how-to/systemd-timer.md"
NAMES = ("quorate.service", "quorate.timer", "quorate.service.d/switch.conf")
UNITS = dict(zip(NAMES, [block.text for block in blocks("ini") if block.page == PAGE], strict=True))
SYSTEMD = shutil.which("systemd-analyze")


def settings(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keys of units keep their case
    parser.read_string(UNITS[name].replace("\\\n", " "))
    return parser


def test_the_page_names_the_files() -> None:
    text = (ROOT / PAGE).read_text()
    assert [name for name in NAMES if f"`/etc/systemd/system/{name}`" not in text] == []


def test_the_command_is_one_that_there_is(tmp_path: Path) -> None:
    program, *arguments = shlex.split(settings("quorate.service")["Service"]["ExecStart"])
    assert Path(program).name == "quorate"
    assert arguments[0] == "check"
    here = [re.sub(r"/(var|etc)/.*/", f"{tmp_path}/", argument) for argument in arguments]
    # That there is no such inventory is told when all options were taken.
    done = subprocess.run(
        [sys.executable, "-m", "quorate", *here], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert f"{tmp_path}/cluster.yaml" in done.stderr


def test_the_sweep_ends_before_the_next_one_begins() -> None:
    assert int(settings("quorate.service")["Service"]["TimeoutStartSec"]) < 120
    assert settings("quorate.timer")["Timer"]["OnCalendar"] == "*:0/2"


@pytest.mark.skipif(SYSTEMD is None, reason="systemd-analyze is not installed on this machine")
def test_systemd_takes_them(tmp_path: Path) -> None:
    for name, text in UNITS.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        # Whether a program is there is the reader's affair; one that is stands for those that are not.
        for program in ("/opt/quorate/bin/quorate", "/usr/bin/curl"):
            text = text.replace(program, sys.executable)  # noqa: PLW2901  what is written is what is verified
        file.write_text(text)
    assert SYSTEMD is not None
    done = subprocess.run(
        [
            SYSTEMD,
            "verify",
            "--recursive-errors=no",
            str(tmp_path / "quorate.service"),
            str(tmp_path / "quorate.timer"),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
