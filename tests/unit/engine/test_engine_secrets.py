"""A secret is had or said to be missing at once, whatever stands where it should be."""

import os
import threading
from pathlib import Path

import pytest

from quorate.engine import SecretUnavailableError, resolve_secret, secrets
from quorate.model import Check, Host, Inventory, Secret, SshSettings


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


async def test_a_secret_that_takes_too_long_can_t_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hanging(_: Secret) -> str:
        release.wait(20)
        return "late"

    monkeypatch.setattr(secrets, "PATIENCE", 0.1)
    monkeypatch.setattr(secrets, "_MASK_PATIENCE", 0.1)
    check = Check(name="db", kind="postgresql", settings={"password": Secret(env="SLOW")})
    inventory = Inventory(name="test", hosts={}, checks={"db": check})
    found = secrets.Secrets(inventory, hanging)
    try:
        with pytest.raises(SecretUnavailableError, match=r"variable SLOW was not read within 0.1 s"):
            await found.text(Secret(env="SLOW"))
        assert await found.known() == ()
    finally:
        release.set()


def test_every_place_of_a_secret_is_known() -> None:
    names = ("passphrase", "private_key", "password")
    ssh = SshSettings(**{name: Secret(env=name) for name in names})  # type: ignore[arg-type]  # all are secrets
    check = Check(name="db", kind="postgresql", settings={"password": Secret(env="db"), "port": 5432})
    inventory = Inventory(
        name="test", hosts={n: Host(name=n, address=n, ssh=ssh) for n in "ab"}, checks={"db": check}
    )
    assert [secret.env for secret in secrets.every_secret(inventory)] == [*names, "db"]
    assert secrets.known_secrets(inventory, lambda secret: f"text of {secret.env}") == (
        "text of db",
        "text of passphrase",
        "text of password",
        "text of private_key",
    )
