"""A session on a PostgreSQL server, spoken through libpq without blocking; psycopg's own binding of it.

Below psycopg's connection class on purpose: that one answers a cancelled wait by asking the server to cancel
the query, and waits up to ten seconds for that and for the query's end, which a server that went mute never
grants.
"""

import asyncio
import ctypes
import os
import socket
import struct
import sys
from collections.abc import Callable
from functools import cache
from typing import cast

from psycopg import OperationalError, pq
from psycopg.conninfo import make_conninfo
from psycopg.pq.abc import PGconn

from quorate.model import PostgresAsk, Reason
from quorate.transports.errors import HostError, seconds
from quorate.transports.postgresql_words import login_failure
from quorate.transports.tcp import Endpoint, Resolver

SESSION_BYTES = 2**20
"""How much a server may send in a session before it is cut off; libpq keeps most of it in memory."""

_TCP_INFO_BYTES_RECEIVED = struct.Struct("@128xQ")  # struct tcp_info of linux/tcp.h, since Linux 4.1
_SQLSTATE_IN_MESSAGES = 2  # PQERRORS_VERBOSE

# A path that can't exist. libpq looks for a password of its own where it is given none or an empty one.
_NO_PASSWORD_FILE = f"{os.devnull}/none"


async def log_in(ask: PostgresAsk, *, until: float) -> PGconn:
    """Return a session that the caller must `finish`; HostError where there is none by then.

    Every address of a name is tried, as long as none answers: each gets an equal share of the time left.
    """
    loop = asyncio.get_running_loop()
    endpoint = Endpoint(address=ask.host, port=ask.port)
    try:
        async with asyncio.timeout_at(until):
            found = await Resolver().addresses(endpoint)
    except TimeoutError:
        detail = f"the name {ask.host} is not resolved: no answer within {seconds(ask.connect_timeout)}"
        raise HostError(Reason.TIMEOUT, detail, answered=False) from None
    failures = []
    for position, (*_, address) in enumerate(found):
        share = (until - loop.time()) / (len(found) - position)
        try:
            return await _connect(ask, str(address[0]), limit=max(share, 0.0))
        except HostError as failure:
            if failure.reason not in {Reason.CONNECT_FAILED, Reason.TIMEOUT}:
                raise
            failures.append(failure)
    if len(failures) == 1:
        raise failures[0]
    mute = all(failure.reason is Reason.TIMEOUT for failure in failures)
    raise HostError(
        Reason.TIMEOUT if mute else Reason.CONNECT_FAILED,
        "; ".join(failure.detail for failure in failures),
        answered=any(failure.answered for failure in failures),
    )


async def ready(descriptor: int, *, read: bool = False, write: bool = False) -> None:
    """Return when a socket can be read or written; it is watched no longer than that."""
    loop = asyncio.get_running_loop()
    is_ready: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not is_ready.done():
            is_ready.set_result(None)

    try:
        if read:
            loop.add_reader(descriptor, tell)
        if write:
            loop.add_writer(descriptor, tell)
        await is_ready
    finally:
        loop.remove_reader(descriptor)
        loop.remove_writer(descriptor)


def received(descriptor: int) -> int:
    """Return how many bytes came in on a connection so far, by the kernel's count; 0 where it has none."""
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES_RECEIVED.size)
    if len(told) < _TCP_INFO_BYTES_RECEIVED.size:
        return 0
    return int(_TCP_INFO_BYTES_RECEIVED.unpack(told)[0])


async def _connect(ask: PostgresAsk, address: str, *, limit: float) -> PGconn:
    where = str(Endpoint(address=address, port=ask.port))
    if address != ask.host:
        where += f", {ask.host}"
    connection = pq.PGconn.connect_start(_conninfo(ask, address).encode())
    try:
        _name_sqlstates(connection)
        async with asyncio.timeout(limit):
            await _finish_login(connection, where)
    except TimeoutError:
        connected = connection.status != pq.ConnStatus.STARTED
        connection.finish()
        raise _mute(where, limit, connected=connected) from None
    except OperationalError as error:  # the socket is gone in the middle of the login
        connection.finish()
        raise login_failure(str(error).encode(), where) from None
    except BaseException:
        connection.finish()
        raise
    connection.nonblocking = 1
    return connection


async def _finish_login(connection: PGconn, where: str) -> None:
    status = pq.PollingStatus.WRITING  # what libpq says to begin with
    while connection.status != pq.ConnStatus.BAD and status != pq.PollingStatus.FAILED:
        if status == pq.PollingStatus.OK:
            return
        writes = status == pq.PollingStatus.WRITING
        await ready(connection.socket, read=not writes, write=writes)
        status = pq.PollingStatus(connection.connect_poll())
        if connection.status != pq.ConnStatus.BAD and received(connection.socket) > SESSION_BYTES:
            raise HostError(
                Reason.CONNECT_FAILED, f"the server never stops talking before the login ({where})"
            )
    raise login_failure(connection.error_message, where, needs_password=connection.needs_password)


def _mute(where: str, limit: float, *, connected: bool) -> HostError:
    no_answer = f"no answer within {seconds(round(limit, 3))}"
    if not connected:
        return HostError(Reason.TIMEOUT, f"no TCP connection to {where}: {no_answer}", answered=False)
    return HostError(
        Reason.TIMEOUT, f"{where} accepted the connection, but the login did not end: {no_answer}"
    )


def _conninfo(ask: PostgresAsk, address: str) -> str:
    """Return what libpq is told; the rest, TLS above all, follows its defaults and PG… variables."""
    return make_conninfo(
        host=ask.host,
        hostaddr=address,  # so that libpq looks up nothing, which would block
        port=ask.port,
        dbname=ask.database,
        user=ask.user,
        password=ask.password,
        passfile=_NO_PASSWORD_FILE,
        application_name="quorate",
        client_encoding="UTF8",
        # Set here, as variables of the environment would have them otherwise. `options` is empty because
        # PgBouncer refuses sessions that bring some; the statement's limit is set in the transaction.
        options="",
        target_session_attrs="any",
        gssencmode="disable",
        tcp_user_timeout=max(1, round(ask.connect_timeout * 1000)),
    )


def _name_sqlstates(connection: PGconn) -> None:
    """Have libpq name the SQLSTATE in what it says of a failed login.

    A server translates its words, and libpq keeps the SQLSTATE of a failed login nowhere else.
    """
    set_verbosity = _verbosity_setter(sys.modules[type(connection).__module__].__file__ or "")
    if set_verbosity is not None:
        set_verbosity(
            connection.pgconn_ptr,  # type: ignore[attr-defined]  # psycopg documents it, its protocol lacks it
            _SQLSTATE_IN_MESSAGES,
        )


@cache
def _verbosity_setter(binding: str) -> Callable[[int | None, int], int] | None:
    """Return PQsetErrorVerbosity, which psycopg does not bind, out of what its C part is linked to.

    None for a psycopg without a C part, or one that hides it: the English words must do then.
    """
    try:
        setter = ctypes.CDLL(binding).PQsetErrorVerbosity
    except (OSError, AttributeError):
        return None
    setter.argtypes = [ctypes.c_void_p, ctypes.c_int]
    return cast(Callable[[int | None, int], int], setter)
