"""The limit of inotify instances goes up with the first lab and back with the last."""

from pathlib import Path

import pytest

from lab import limits
from lab.process import Process
from lab.state import LabRecord


def record(inotify: int | None) -> LabRecord:
    return LabRecord(id="abc", owner=Process(pid=1, started=1), boot="", inotify=inotify)


@pytest.fixture
def instances(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in the place of the kernel's."""
    file = tmp_path / "max_user_instances"
    file.write_text("128\n")
    monkeypatch.setattr(limits, "INSTANCES", file)
    return file


def test_the_last_lab_gives_back_what_the_first_one_found(instances: Path) -> None:
    first = record(limits.raise_instances([]))
    assert (first.inotify, int(instances.read_text())) == (128, limits.NEEDED)
    second = record(limits.raise_instances([first]))
    assert second.inotify == 128
    limits.give_back_instances(first, [second])
    assert int(instances.read_text()) == limits.NEEDED
    limits.give_back_instances(second, [])
    assert int(instances.read_text()) == 128


def test_a_limit_that_is_high_enough_stays_as_it_is(instances: Path) -> None:
    instances.write_text("4096\n")
    lab = record(limits.raise_instances([]))
    assert lab.inotify is None
    limits.give_back_instances(lab, [])
    assert int(instances.read_text()) == 4096
