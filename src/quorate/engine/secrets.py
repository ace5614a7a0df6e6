"""Fetches secrets from where the inventory says they are; the one place where they become text."""

import asyncio
import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from quorate.model import Inventory, Secret

T = TypeVar("T")

PATIENCE = 10.0
"""Seconds that a secret may take to be had; a file on a mount that hangs takes for ever."""

_LONGEST = 64 * 1024
_MASK_PATIENCE = 2.0


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


class Secrets:
    """The secrets of one sweep, read in threads of their own: the event loop waits for none of them."""

    def __init__(self, inventory: Inventory, resolve: Callable[[Secret], str]) -> None:
        self._resolve = resolve
        self._known: list[str] = []
        self._reading: dict[Secret, asyncio.Future[str | SecretUnavailableError]] = {}
        places = every_secret(inventory)
        self._all = _in_thread(partial(_read_all, resolve, places, self._known)) if places else None

    async def text(self, secret: Secret) -> str:
        """Return the text of a secret; SecretUnavailableError where it can't be had, or not in time."""
        if secret not in self._reading:
            self._reading[secret] = _in_thread(partial(_read, self._resolve, secret))
        try:
            async with asyncio.timeout(PATIENCE):
                text = await asyncio.shield(self._reading[secret])
        except TimeoutError:
            raise SecretUnavailableError(f"{_place(secret)} was not read within {PATIENCE:g} s") from None
        if isinstance(text, SecretUnavailableError):
            raise text
        self._known.append(text)
        return text

    async def known(self) -> tuple[str, ...]:
        """Return the text of every secret that could be had, so that it can be masked."""
        if self._all is not None:
            await asyncio.wait({self._all}, timeout=_MASK_PATIENCE)
        return tuple(sorted(set(self._known)))


def known_secrets(inventory: Inventory, resolve: Callable[[Secret], str] = resolve_secret) -> tuple[str, ...]:
    """Return the text of every secret of an inventory that can be had here, so that it can be masked."""
    found: list[str] = []
    _read_all(resolve, every_secret(inventory), found)
    return tuple(sorted(set(found)))


def every_secret(inventory: Inventory) -> tuple[Secret, ...]:
    """Return all places of secrets that an inventory names, each once."""
    return tuple(dict.fromkeys(_secrets(inventory)))


def _secrets(inventory: Inventory) -> Iterator[Secret]:
    for host in inventory.hosts.values():
        found = (host.ssh.passphrase, host.ssh.private_key, host.ssh.password)
        yield from (secret for secret in found if secret is not None)
    for check in inventory.checks.values():
        yield from (value for value in check.settings.values() if isinstance(value, Secret))


def _read_all(resolve: Callable[[Secret], str], places: tuple[Secret, ...], found: list[str]) -> None:
    for secret in places:
        text = _read(resolve, secret)
        if isinstance(text, str):
            found.append(text)


def _read(resolve: Callable[[Secret], str], secret: Secret) -> str | SecretUnavailableError:
    try:
        return resolve(secret)
    except SecretUnavailableError as error:
        return error
    except Exception as error:  # noqa: BLE001  a backend of secrets may raise anything, and say anything in it
        return SecretUnavailableError(f"{_place(secret)} cannot be read ({type(error).__name__})")


def _place(secret: Secret) -> str:
    if secret.env is not None:
        return f"the environment variable {secret.env}"
    if secret.file is not None:
        return f"the file {secret.file}"
    return f"the Airflow connection {secret.airflow_connection!r}"


def _in_thread(function: Callable[[], T]) -> "asyncio.Future[T]":
    from quorate.transports.threads import in_thread  # noqa: PLC0415  the engine alone loads no SSH library

    return in_thread(function)
