"""A secret is had or said to be missing at once, whatever stands where it should be."""

import os
from pathlib import Path

import pytest

from quorate.engine import SecretUnavailableError, resolve_secret
from quorate.model import Secret


def test_a_file_gives_its_text_without_the_line_break(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    assert resolve_secret(Secret(file=str(tmp_path / "secret"))) == "hunter2"


def test_a_pipe_that_nobody_writes_to_is_no_secret(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SecretUnavailableError, match="is not a regular file"):
        resolve_secret(Secret(file=str(tmp_path / "pipe")))


def test_a_folder_and_an_absent_file_are_none(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(SecretUnavailableError):
            resolve_secret(Secret(file=str(path)))
