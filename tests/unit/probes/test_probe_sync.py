"""The age of a marker, by two times and the clock of its own host."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.model import NoReply, Reason, Reply, SyncMarker, Unobserved
from quorate.probes.sync import ask_sync, parse_sync

PATH = "/srv/airflow/.synced"


def reply(stdout: bytes = b"", *, stderr: str = "", exit_code: int = 0) -> Reply:
    return Reply(stdout=stdout, stderr=stderr.encode(), exit_code=exit_code)


AGES = {
    "the copy is older than its content": (b"1767225600 1767225590\n1767225630\n", 40.0),
    "the content is older than the copy": (b"1767225000 1767225600\n1767225630\n", 630.0),
    "just now": (b"1767225630 1767225630\n1767225630\n", 0.0),
    "written by a clock that is ahead": (b"1767229999 1767225600\n1767225630\n", 30.0),
    "by a clock that was set back since": (b"1767229999 1767229999\n1767225630\n", 0.0),
    "before 1970": (b"-1 0\n100\n", 101.0),
}


@pytest.mark.parametrize(("stdout", "age"), AGES.values(), ids=AGES)
def test_age_is_that_of_the_older_time(stdout: bytes, age: float) -> None:
    assert parse_sync(reply(stdout), PATH) == SyncMarker(age=age)


GONE = {
    "coreutils": "stat: cannot statx '/srv/airflow/.synced': No such file or directory\n",
    "busybox": "stat: can't stat '/srv/airflow/.synced': No such file or directory\n",
    "a folder of it is a file": "stat: cannot statx '/srv/airflow/.synced': Not a directory\n",
}


@pytest.mark.parametrize("stderr", GONE.values(), ids=GONE)
def test_a_marker_that_is_missing(stderr: str) -> None:
    assert parse_sync(reply(stderr=stderr, exit_code=1), PATH) == SyncMarker(age=None)


UNSEEN = {
    "it may not be looked at": (
        reply(stderr="stat: cannot statx '/srv/airflow/.synced': Permission denied\n", exit_code=1),
        "Permission denied",
    ),
    "a stale mount": (
        reply(stderr="stat: cannot statx '/srv/airflow/.synced': Stale file handle\n", exit_code=1),
        "Stale file handle",
    ),
    "no stat": (reply(stderr="sh: 1: stat: not found\n", exit_code=127), "stat cannot be run"),
    "one time": (reply(b"1767225600\n1767225630\n"), "can't be told"),
    "no clock": (reply(b"1767225600 1767225600\n"), "can't be told"),
    "words": (reply(b"% Y % Z\nnow\n"), "can't be told"),
    "nothing": (reply(), "can't be told"),
    "no end of digits": (reply(b"9" * 40 + b" 1\n2\n"), "can't be told"),
    "other digits": (reply("١ ٢\n٣\n".encode()), "can't be told"),
}


@pytest.mark.parametrize(("answer", "detail"), UNSEEN.values(), ids=UNSEEN)
def test_what_can_not_be_told_is_no_age(answer: Reply, detail: str) -> None:
    found = parse_sync(answer, PATH)
    assert isinstance(found, Unobserved)
    assert detail in found.detail


def test_no_answer_passes_its_reason_on() -> None:
    nothing = NoReply(reason=Reason.COMMAND_TIMEOUT, detail="no answer within 3 s")
    assert parse_sync(nothing, PATH) == Unobserved(reason=Reason.COMMAND_TIMEOUT, detail=nothing.detail)


@given(st.binary(max_size=80), st.binary(max_size=80), st.integers(0, 255))
def test_any_answer_is_read_without_a_fault(stdout: bytes, stderr: bytes, exit_code: int) -> None:
    found = parse_sync(Reply(stdout=stdout, stderr=stderr, exit_code=exit_code), PATH)
    assert isinstance(found, SyncMarker | Unobserved)


def asked(path: Path) -> SyncMarker | Unobserved:
    """Ask this machine."""
    ask = ask_sync(str(path))
    assert not ask.sudo
    done = subprocess.run(ask.argv, capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"})
    return parse_sync(Reply(stdout=done.stdout, stderr=done.stderr, exit_code=done.returncode), str(path))


def test_the_question_is_answered_by_a_real_shell(tmp_path: Path) -> None:
    marker = tmp_path / "it's; a $(marker)"
    assert asked(marker) == SyncMarker(age=None)
    assert asked(marker / "below") == SyncMarker(age=None)
    marker.touch()
    fresh = asked(marker)
    assert isinstance(fresh, SyncMarker)
    assert fresh.age is not None
    assert fresh.age < 60
    then = marker.stat().st_mtime - 3600
    os.utime(marker, (then, then))
    old = asked(marker)
    assert isinstance(old, SyncMarker)
    assert old.age is not None
    assert 3600 <= old.age < 3700
    link = tmp_path / "link"
    link.symlink_to(marker)
    assert isinstance(linked := asked(link), SyncMarker)
    assert linked.age is not None
    assert linked.age >= 3600
