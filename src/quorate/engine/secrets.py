"""Fetches secrets from where the inventory says they are; the one place where they become text."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from quorate.model import Inventory, Secret

_LONGEST = 64 * 1024


class SecretUnavailableError(Exception):
    """A secret that cannot be had; the message says where it was looked for and never holds it."""


def resolve_secret(secret: Secret) -> str:
    """Return the text of a secret, without a line break at its end; SecretUnavailableError where none is."""
    if secret.env is not None:
        value = os.environ.get(secret.env)
        if not value:
            raise SecretUnavailableError(f"the environment variable {secret.env} is not set, or empty")
        return value
    if secret.file is not None:
        return _from_file(Path(secret.file))
    raise SecretUnavailableError(
        f"the Airflow connection {secret.airflow_connection!r} can only be read inside Airflow"
    )


def _from_file(path: Path) -> str:
    try:
        # Never wait for a pipe's other end: a secret is a plain file.
        number = os.open(path.expanduser(), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(number, encoding="utf-8") as file:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise SecretUnavailableError(f"the file {path} is not a regular file")
            value = file.read(_LONGEST).rstrip("\r\n")
    except OSError as error:
        raise SecretUnavailableError(f"the file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SecretUnavailableError(f"the file {path} is not UTF-8 text") from None
    except RuntimeError:
        raise SecretUnavailableError(f"the file {path} is in a home folder that does not exist") from None
    if not value:
        raise SecretUnavailableError(f"the file {path} is empty")
    return value


def known_secrets(inventory: Inventory) -> tuple[str, ...]:
    """Return the text of every secret of an inventory that can be had here, so that it can be masked."""
    return tuple(sorted({text for secret in _secrets(inventory) if (text := _or_none(secret))}))


def _secrets(inventory: Inventory) -> Iterator[Secret]:
    yield from (host.ssh.passphrase for host in inventory.hosts.values() if host.ssh.passphrase)
    for check in inventory.checks.values():
        yield from (value for value in check.settings.values() if isinstance(value, Secret))


def _or_none(secret: Secret) -> str | None:
    try:
        return resolve_secret(secret)
    except SecretUnavailableError:
        return None
