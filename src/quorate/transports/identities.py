"""What a login offers: the key of the inventory, or the agent's keys and the usual files; and a password."""

import base64
import copy
import hashlib
import os
from asyncio import Future, shield
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import asyncssh

from quorate.model import Reason, Secret
from quorate.transports.agent import Agent
from quorate.transports.errors import HostError, cleaned
from quorate.transports.threads import in_thread

USUAL_FILES = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What may be offered. `named` is the inventory's key file, or `private_key` where a key as text is.

    `files` are a client configuration's, `agent_path` is where the agent listens, None for none;
    `only_files` keeps to keys that are in `files`.
    """

    named: str | None = None
    private_key: Secret | None = None
    passphrase: Secret | None = None
    password: Secret | None = None
    files: tuple[str, ...] = ()
    agent_path: str | None = None
    only_files: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A key pair and the name by which a person knows it."""

    label: str
    pair: asyncssh.SSHKeyPair


@dataclass(frozen=True, kw_only=True, slots=True)
class Offers:
    """Keys in the order in which they are offered, the password after them, and what could not be used."""

    keys: tuple[Offer, ...] = ()
    password: str | None = field(default=None, repr=False)
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Loaded:
    pairs: tuple[asyncssh.SSHKeyPair, ...] = ()
    problem: str | None = None
    encrypted: bool = False
    missing: bool = False


class Identities:
    """Keys that are loaded once per file and passphrase, and one connection to each agent."""

    def __init__(self, resolve: Callable[[Secret], str]) -> None:
        self._resolve = resolve
        self._loading: dict[tuple[str | Secret, Secret | None], Future[_Loaded]] = {}
        self._agents: dict[str, Agent] = {}

    async def offers(self, wanted: Wanted) -> Offers:
        """Return what to offer: keys in order, a password, and what could not be used of them and why.

        HostError `secret_unavailable` where the inventory names a key or a password that can't be used.
        """
        password = None if wanted.password is None else await self._password(wanted.password)
        if wanted.named is not None:
            keys = await self._named(wanted, wanted.named)
        elif wanted.private_key is not None:
            keys = await self._private(wanted.private_key, wanted.passphrase)
        elif password is not None and not wanted.files:
            # A server counts every key that it refuses: strangers' keys could cost the password its turn.
            keys = []
        else:
            keys, skipped = await self._found(wanted)
            return Offers(keys=tuple(keys), password=password, skipped=tuple(skipped))
        return Offers(keys=tuple(keys), password=password)

    async def _found(self, wanted: Wanted) -> tuple[list[Offer], list[str]]:
        """Return the keys of the agent and of files, and what could not be used of them and why."""
        agent_offers, skipped = await self._of_agent(wanted.agent_path)
        held = {offer.pair.key_public_data for offer in agent_offers}
        offers = []
        for path in wanted.files or USUAL_FILES:
            loaded = await self._load(path, None)
            if loaded.problem and not loaded.missing:
                skipped.append(f"{path} ({loaded.problem})")
            offers += [Offer(_label(path, p), p) for p in loaded.pairs if p.key_public_data not in held]
        if wanted.only_files:
            own = {_public_data(path) for path in wanted.files}
            agent_offers = [offer for offer in agent_offers if offer.pair.key_public_data in own]
        return [*agent_offers, *offers], skipped

    async def _named(self, wanted: Wanted, path: str) -> list[Offer]:
        loaded = await self._load(path, wanted.passphrase)
        if loaded.encrypted and wanted.passphrase is None:
            # As `ssh` does: an encrypted key that the agent holds needs no passphrase.
            data = _public_data(path)
            offers = [
                o for o in (await self._of_agent(wanted.agent_path))[0] if o.pair.key_public_data == data
            ]
            if offers:
                return offers
        if loaded.problem:
            raise HostError(Reason.SECRET_UNAVAILABLE, f"the key file {path} can't be used: {loaded.problem}")
        return [Offer(_label(path, pair), pair) for pair in loaded.pairs]

    async def _private(self, key: Secret, passphrase: Secret | None) -> list[Offer]:
        where = f"the private key of {_place(key)}"
        loaded = await self._load(key, passphrase)
        if loaded.problem:
            raise HostError(Reason.SECRET_UNAVAILABLE, f"{where} can't be used: {loaded.problem}")
        return [Offer(_label(where, pair), pair) for pair in loaded.pairs]

    async def _password(self, secret: Secret) -> str:
        had = await in_thread(partial(_had, secret, self._resolve))
        if isinstance(had, _Missing):
            raise HostError(Reason.SECRET_UNAVAILABLE, f"the password can't be had: {had.why}")
        return had

    async def _of_agent(self, path: str | None) -> tuple[list[Offer], list[str]]:
        if not path:
            return [], []
        if path not in self._agents:
            self._agents[path] = Agent(path)
        agent = self._agents[path]
        offers = [
            Offer(_label(f"agent: {p.get_comment(errors='replace')}", p), p) for p in await agent.pairs()
        ]
        return offers, [agent.problem] if agent.problem else []

    async def _load(self, source: str | Secret, passphrase: Secret | None) -> _Loaded:
        """Return the key pairs of a file, or of a key as text; each is loaded once."""
        key = (source, passphrase)
        if key not in self._loading:
            self._loading[key] = in_thread(partial(_load, source, passphrase, self._resolve))
        loaded = await shield(self._loading[key])
        if loaded.problem:
            self._loading.pop(key, None)  # the file may be there the next time
        return loaded

    async def aclose(self) -> None:
        """Close the connections to agents."""
        for agent in self._agents.values():
            await agent.aclose()


@dataclass(frozen=True, slots=True)
class _Missing:
    """Why a secret can't be had."""

    why: str


def _had(secret: Secret, resolve: Callable[[Secret], str]) -> str | _Missing:
    try:
        return resolve(secret)
    except Exception as error:  # noqa: BLE001  whatever keeps a secret back, such as a database that is away
        return _Missing(cleaned(str(error)) or type(error).__name__)


def _load(source: str | Secret, secret: Secret | None, resolve: Callable[[Secret], str]) -> _Loaded:
    passphrase = None if secret is None else _had(secret, resolve)
    if isinstance(passphrase, _Missing):
        return _Loaded(problem=f"its passphrase can't be had: {passphrase.why}")
    if isinstance(source, str):
        return _read(partial(asyncssh.load_keypairs, str(Path(source).expanduser())), passphrase)
    text = _had(source, resolve)
    if isinstance(text, _Missing):
        return _Loaded(problem=text.why)
    return _read(partial(_from_text, text.strip() + "\n"), passphrase)


def _from_text(text: str, passphrase: str | None) -> Sequence[asyncssh.SSHKeyPair]:
    return asyncssh.load_keypairs([asyncssh.import_private_key(text, passphrase)])


def _read(read: Callable[[str | None], Sequence[asyncssh.SSHKeyPair]], passphrase: str | None) -> _Loaded:
    try:
        return _Loaded(tuple(read(passphrase)))
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        return _Loaded(problem=error.strerror or "it can't be read", missing=missing)
    except (ValueError, asyncssh.Error) as error:
        if "bcrypt" in str(error):
            return _Loaded(
                problem="encrypted keys in OpenSSH's own format need the Python package bcrypt",
                encrypted=True,
            )
        # No text of the library's: what it says of a key that it can't decrypt is not ours to vouch for.
        if isinstance(error, asyncssh.KeyEncryptionError) or (passphrase and _encrypted(read)):
            return _Loaded(problem="the passphrase does not fit", encrypted=True)
        if _encrypted(read):
            return _Loaded(problem="it is encrypted, and ssh.passphrase is not set", encrypted=True)
        return _Loaded(problem="it holds no private key in a format that is known")


def _encrypted(read: Callable[[str | None], Sequence[asyncssh.SSHKeyPair]]) -> bool:
    try:
        read(None)
    except asyncssh.KeyImportError as error:
        return str(error).startswith("Passphrase")
    except (OSError, ValueError):
        return False
    return False


def _public_data(path: str) -> bytes | None:
    try:
        return asyncssh.read_public_key(str(Path(path + ".pub").expanduser())).public_data
    except (OSError, ValueError):
        return None


def _place(secret: Secret) -> str:
    """Return where a secret is to be had, in words."""
    if secret.env is not None:
        return f"the environment variable {secret.env}"
    return f"the Airflow connection {secret.airflow_connection!r}" if secret.file is None else secret.file


def _label(source: str, pair: asyncssh.SSHKeyPair) -> str:
    digest = base64.b64encode(hashlib.sha256(pair.key_public_data).digest()).rstrip(b"=").decode()
    certificate = " with certificate" if pair.has_cert else ""
    return f"{source}{certificate} (SHA256:{digest})"


def own_copy(pair: asyncssh.SSHKeyPair) -> asyncssh.SSHKeyPair:
    """Return a key pair for one login: an RSA pair remembers the signature algorithm of its last one."""
    return copy.copy(pair)


def agent_path() -> str | None:
    """Return where this user's agent listens, None where there is none. Source: ssh-agent(1)."""
    return os.environ.get("SSH_AUTH_SOCK") or None
