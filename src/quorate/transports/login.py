"""Phase 2 of reaching a host: the SSH handshake and the login, and what each way of failing means."""

import asyncio
import contextlib
import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import asyncssh

# `asyncssh.connect` builds the options anew for each connection, in the default thread pool: 0.8 ms of CPU
# a login, and a wait without a limit where that pool is busy. The class itself takes them as they are.
from asyncssh.connection import SSHClientConnection
from asyncssh.constants import MSG_IGNORE
from asyncssh.logging import SSHLogger
from asyncssh.packet import SSHPacketLogger

from quorate.model import Reason
from quorate.transports.cork import Corked
from quorate.transports.errors import HostError, cleaned, seconds
from quorate.transports.identities import Offer, Offers, own_copy
from quorate.transports.known_hosts import HostKeys
from quorate.transports.target import Target
from quorate.transports.trust import accepted, algorithms, untrusted

SLOT_SECONDS = 1.0
"""How long one login may keep others from starting; a host that is slower than this waits without a slot."""
SILENT_SECONDS = 1.0
"""How long a host may be silent before it is taken for mute and gets no slot."""


class _Silence(SSHLogger):
    """Takes what asyncssh would log; it words each packet and each list before it asks whether to log it."""

    def log(self, level: int, msg: object, *args: object, **kwargs: object) -> None:
        """Log nothing."""


_SILENCE = _Silence()


class _Connection(SSHClientConnection):
    """A connection without what costs a tenth of a login's CPU and is of no use here.

    That is the wording of messages for a log, and an empty packet before each other one: against attacks on
    CBC ciphers (RFC 4251, 9.3.1), which GCM does not need.
    """

    @property
    def logger(self) -> SSHLogger:
        return _SILENCE

    def send_packet(self, pkttype: int, *args: bytes, handler: SSHPacketLogger | None = None) -> None:
        """Send a packet, unless it is an empty one that the cipher does not need."""
        if pkttype != MSG_IGNORE or "gcm" not in self.get_extra_info("send_cipher", ""):
            super().send_packet(pkttype, *args, handler=handler)

    def log_sent_packet(self, *_: object) -> None:
        """Log nothing."""

    def log_received_packet(self, *_: object) -> None:
        """Log nothing."""


class Slots:
    """How many handshakes are worked on at once, so that they don't starve each other into time-outs."""

    def __init__(self, count: int) -> None:
        self._places = asyncio.Semaphore(count)

    @contextlib.asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Hold a slot, for SLOT_SECONDS at most: what is slow then waits for the host, not for our CPU."""
        await self._places.acquire()
        place = [self._places]

        def give_back() -> None:
            if place:
                place.pop().release()

        timer = asyncio.get_running_loop().call_later(SLOT_SECONDS, give_back)
        try:
            yield
        finally:
            timer.cancel()
            give_back()


class Client(asyncssh.SSHClient):
    """What one login learns on its way; asyncssh calls it back."""

    def __init__(self, offers: Callable[[], Awaitable[Offers]]) -> None:
        self._offers = offers
        self._had: Offers | None = None
        self._left: list[Offer] = []
        self._password: str | None = None
        self.offered: list[str] = []
        self.skipped: tuple[str, ...] = ()
        self.problem: HostError | None = None
        self.stage = "no SSH greeting"
        self.banner = ""
        self.first = b""
        self.shown: asyncssh.SSHKey | None = None
        self.authenticating = False
        self.made = False
        self.closed = False
        self.lost: Exception | None = None

    def connection_made(self, _conn: SSHClientConnection) -> None:
        self.made = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self.lost = exc

    def validate_host_public_key(self, _host: str, _addr: str, _port: int, key: asyncssh.SSHKey) -> bool:
        self.shown = key
        return False

    def auth_banner_received(self, msg: str, _lang: str) -> None:
        self.banner = (self.banner + msg)[:4096]

    async def public_key_auth_requested(self) -> list[asyncssh.SSHKeyPair] | None:
        """Return the next key to offer; asyncssh asks again after each refusal."""
        await self._prepare()
        if not self._left:
            return None
        offer = self._left.pop(0)
        self.offered.append(offer.label)
        return [own_copy(offer.pair)]

    async def password_auth_requested(self) -> str | None:
        """Return the password, once: a second time would only count as another failure."""
        await self._prepare()
        password, self._password = self._password, None
        if password is not None:
            self.offered.append("a password")
        return password

    async def kbdint_auth_requested(self) -> str | None:
        """Return that any way of asking will do, where there is a password to answer with."""
        await self._prepare()
        return None if self._password is None else ""

    async def kbdint_challenge_received(
        self, _name: str, _instructions: str, _lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        """Return the password for the one question that hides its answer; nothing for mere notices."""
        if not prompts:
            return []
        password = await self.password_auth_requested() if [echo for _, echo in prompts] == [False] else None
        return None if password is None else [password]

    async def _prepare(self) -> None:
        """Fetch what is to be offered, once."""
        self.authenticating = True
        if self._had is not None or self.problem is not None:
            return
        self.stage = "the keys to log in with could not be had"
        try:
            had = await self._offers()
        except HostError as failure:
            self.problem = failure
            return
        self.stage = "the login did not end"
        self._had, self._left, self._password, self.skipped = had, [*had.keys], had.password, had.skipped

    def without_password(self, text: str) -> str:
        """Return what a host said without the password, which a hostile one might repeat."""
        password = self._had.password if self._had else None
        return text.replace(password, "***") if password else text


async def log_in(
    target: Target,
    keys: HostKeys,
    client: Client,
    slots: Slots,
    attach: Callable[[Corked], Awaitable[None]],
) -> SSHClientConnection:
    """Return an authenticated connection to a host whose key is verified; within connect_timeout.

    `attach` gives the connection its way to the host, which counts as phase 1; waiting for a slot does not
    count. Raises HostError, what asyncssh raises, and TimeoutError; `explained` says what that means.
    """
    loop = asyncio.get_running_loop()
    keys = accepted(keys, target)
    options = copy.copy(target.options)
    waiter: asyncio.Future[None] = loop.create_future()
    options.waiter = waiter
    options.protocol_factory = lambda: client
    options.host, options.port = target.known_as, target.endpoint.port
    options.known_hosts = (keys.trusted, keys.authorities, keys.revoked, (), (), (), ())
    options.server_host_key_algs = algorithms(keys)
    connection = _Connection(loop, options, wait="auth")
    way = Corked(connection)
    try:
        await attach(way)
        await _handshake(way, waiter, client, slots, target.settings.connect_timeout)
    except BaseException:
        waiter.cancel()
        connection.abort()
        if client.made:
            await connection.wait_closed()
        raise
    return connection


async def _handshake(
    way: Corked, waiter: asyncio.Future[None], client: Client, slots: Slots, limit: float
) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + limit
    # A mute host must not keep others from a slot: it gets one when it speaks, or none.
    if await way.greeted(min(SILENT_SECONDS, limit / 2)):
        client.first = way.first
        asked = loop.time()
        async with slots.held():
            end += loop.time() - asked
            way.release()
            async with asyncio.timeout_at(end):
                await waiter
    else:
        way.release()
        async with asyncio.timeout_at(end):
            await waiter


def explained(error: Exception, target: Target, keys: HostKeys, client: Client) -> HostError:
    """Return what a login that failed with `error` means."""
    failure = _explained(error, target, accepted(keys, target), client)
    failure.detail = client.without_password(failure.detail)
    return failure


def _explained(error: Exception, target: Target, keys: HostKeys, client: Client) -> HostError:
    if client.problem:
        return client.problem
    if isinstance(error, asyncssh.HostKeyNotVerifiable) or _key_algorithm(error, keys):
        return untrusted(error, target, keys, client.shown)
    if isinstance(error, TimeoutError) and not getattr(error, "errno", None):
        reason = Reason.SECRET_UNAVAILABLE if "keys" in client.stage else Reason.SSH_UNRESPONSIVE
        detail = f"{client.stage} within {seconds(target.settings.connect_timeout)}, though TCP connects"
        return HostError(reason, detail + _said(client.first, client))
    if isinstance(error, asyncssh.PermissionDenied) or (client.authenticating and _disconnected(error)):
        return _refused(error, target, client)
    closed = isinstance(error, OSError | asyncssh.ConnectionLost | asyncssh.DisconnectError)
    if client.authenticating and closed:
        detail = f"the host closed the connection during the login of {_user(target)}"
        return HostError(Reason.LOGIN_CLOSED, detail + _said(b"", client), at_once=True)
    gone = isinstance(error, OSError | asyncssh.ConnectionLost)
    detail = f"no SSH login: {cleaned(str(error)) or type(error).__name__}"
    if gone and not client.first:
        detail = "the host accepts the TCP connection and closes it before any SSH greeting"
    return HostError(Reason.SSH_UNRESPONSIVE, detail + _said(client.first, client), at_once=gone)


def _key_algorithm(error: Exception, keys: HostKeys) -> bool:
    return isinstance(error, asyncssh.KeyExchangeFailed) and keys.known and "host key" in str(error).lower()


def _disconnected(error: Exception) -> bool:
    return isinstance(error, asyncssh.DisconnectError) and not isinstance(error, asyncssh.ConnectionLost)


def _refused(error: Exception, target: Target, client: Client) -> HostError:
    parts = [f"the host refuses the login of {_user(target)}"]
    if client.offered:
        parts.append("offered: " + ", ".join(client.offered))
    elif client.authenticating:
        parts.append("there was no key to offer: set ssh.identity_file, or add a key to the SSH agent")
    elif target.wanted.password is not None:
        parts.append("it accepts neither public keys nor passwords, and nothing else is tried")
    else:
        parts.append("it does not accept public keys, and nothing else is tried")
    if client.skipped:
        parts.append("left out: " + ", ".join(client.skipped))
    if not isinstance(error, asyncssh.PermissionDenied):
        parts.append(f"the host said: {cleaned(str(error))}")
    if client.banner.strip():
        parts.append(f"its banner: {cleaned(client.banner, 200)}")
    return HostError(Reason.SSH_AUTH_FAILED, "; ".join(parts))


def _user(target: Target) -> str:
    return str(target.options.username)


def _said(first: bytes, client: Client) -> str:
    said: Sequence[str] = [cleaned(client.banner), "" if first.startswith(b"SSH-") else cleaned(first, 200)]
    return "".join(f"; it said: {text}" for text in said if text)
