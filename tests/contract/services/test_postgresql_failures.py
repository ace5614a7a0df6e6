"""How a PostgreSQL server fails to answer, and that nothing is left of it."""

import asyncio
import sys
import textwrap
import time
from typing import Any

import pytest

from quorate.model import NoReply, PostgresReply, Reason
from quorate.simulation.services.state import Manner
from quorate.transports import postgresql_login
from services import simulated
from services.breaking import Break, Breaking, between, breaking, closed, endless, mute, reset, saying
from services.conftest import AskPostgres
from services.postgres import PASSWORD, Postgres
from services.processes import eventually, free_ports, wait_until

_LOGIN_DONE = b"R\0\0\0\x08\0\0\0\0"
_PARAMETER = b"S\0\0\0\x08a\0b\0"
_LATE = 1.5  # seconds that a loaded machine may add to a limit


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        (
            {"password": "wrong"},
            Reason.AUTH_FAILED,
            'FATAL: password authentication failed for user "app" (127.0.0.1:{port})',
        ),
        ({"password": ""}, Reason.AUTH_FAILED, "fe_sendauth: no password supplied"),
        ({"user": "nobody-here"}, Reason.AUTH_FAILED, "FATAL: "),
        ({"database": "nix"}, Reason.CONNECT_FAILED, 'FATAL: database "nix" does not exist'),
        ({"query": "SELECT COUNT(*) FROM nix"}, Reason.QUERY_FAILED, 'ERROR: relation "nix" does not exist'),
        ({"query": "SELEC 1"}, Reason.QUERY_FAILED, 'ERROR: syntax error at or near "SELEC"'),
        ({"query": "SELECT 1; SELECT 2"}, Reason.QUERY_FAILED, "ERROR: cannot insert multiple commands"),
        ({"query": "SELECT nix()"}, Reason.QUERY_FAILED, "ERROR: function nix() does not exist"),
        (
            {"query": "SELECT $1::int", "parameters": [1, 2]},
            Reason.QUERY_FAILED,
            "ERROR: bind message supplies 2",
        ),
        (
            {"query": "SELECT %s::int", "parameters": ["x"]},
            Reason.QUERY_FAILED,
            'ERROR: invalid input syntax for type integer: "x"',
        ),
        (
            {"query": "SELECT pg_sleep(30)", "statement_timeout": 0.2},
            Reason.TIMEOUT,
            "ERROR: canceling statement due to statement timeout",
        ),
    ],
    ids=str,
)
async def test_what_every_server_refuses(
    database: int, ask_database: AskPostgres, changes: dict[str, Any], reason: Reason, detail: str
) -> None:
    reply = await ask_database(database, **changes)

    assert isinstance(reply, NoReply), reply
    assert (reply.reason, reply.detail[: len(detail.format(port=database))]) == (
        reason,
        detail.format(port=database),
    )
    assert reply.answered


@pytest.mark.parametrize(
    ("manner", "reason", "answered"),
    [
        (Manner.REFUSED, Reason.CONNECT_FAILED, True),
        (Manner.SILENT, Reason.TIMEOUT, False),
        (Manner.MUTE, Reason.TIMEOUT, True),
        (Manner.NO_BACKEND, Reason.CONNECT_FAILED, True),
        (Manner.CLOSES, Reason.CONNECT_FAILED, True),
        (Manner.SLOW, Reason.TIMEOUT, True),
        (Manner.WRONG_PASSWORD, Reason.AUTH_FAILED, True),
        (Manner.NO_DATABASE, Reason.CONNECT_FAILED, True),
        (Manner.QUERY_FAILS, Reason.QUERY_FAILED, True),
    ],
)
async def test_how_the_simulated_server_is_ill(
    ask_database: AskPostgres, manner: Manner, reason: Reason, answered: bool
) -> None:
    async with simulated.served(simulated.database(manner)) as port:
        reply = await ask_database(port, connect_timeout=0.4, statement_timeout=0.4)

    assert isinstance(reply, NoReply), reply
    assert (reply.reason, reply.answered) == (reason, answered)


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        (
            {"user": "nobody-here"},
            Reason.AUTH_FAILED,
            'FATAL: no pg_hba.conf entry for host "127.0.0.1", user ',
        ),
        ({"user": "ghost"}, Reason.AUTH_FAILED, "FATAL: pg_hba.conf rejects connection for host "),
        ({"user": "nologin"}, Reason.AUTH_FAILED, 'FATAL: role "nologin" is not permitted to log in'),
        ({"database": "private"}, Reason.AUTH_FAILED, 'FATAL: permission denied for database "private"'),
        ({"user": "crowded"}, Reason.CONNECT_FAILED, 'FATAL: too many connections for role "crowded"'),
        (
            {"host": "nix.invalid"},
            Reason.CONNECT_FAILED,
            "the name nix.invalid is not resolved: ",
        ),
        ({"query": "SELECT 1 FROM hidden"}, Reason.QUERY_FAILED, "ERROR: permission denied for table hidden"),
        (
            {"query": "SELECT 1/(g-5) FROM generate_series(1,9) g"},
            Reason.QUERY_FAILED,
            "ERROR: division by zero",
        ),
        (
            {"query": "COPY dag TO STDOUT"},
            Reason.QUERY_FAILED,
            "the query is a COPY, which answers with no value",
        ),
        ({"query": "SELECT repeat('x', 50000000)"}, Reason.QUERY_FAILED, "the answer is larger than 1 MiB"),
        (
            {"query": "SELECT repeat('x', 900) FROM generate_series(1, 100000)"},
            Reason.QUERY_FAILED,
            "the answer is larger than 1 MiB",
        ),
        (
            {"user": "limited", "write": True},
            Reason.QUERY_FAILED,
            "ERROR: permission denied to create temporary",
        ),
        (
            {"query": "SELECT pg_sleep(30)", "statement_timeout": 0.2},
            Reason.TIMEOUT,
            "ERROR: canceling statement due to statement timeout",
        ),
        (
            {"user": "admin", "query": "SELECT pg_terminate_backend(pg_backend_pid())"},
            Reason.CONNECT_FAILED,
            "FATAL: terminating connection due to administrator command (before the query had its answer)",
        ),
    ],
    ids=str,
)
async def test_the_servers_own_words_come_first(
    primary: Postgres, ask_database: AskPostgres, changes: dict[str, Any], reason: Reason, detail: str
) -> None:
    reply = await ask_database(primary.port, **changes)

    assert isinstance(reply, NoReply), reply
    assert (reply.reason, reply.detail[: len(detail)]) == (reason, detail.format(port=primary.port))
    assert "\n" not in reply.detail
    assert len(reply.detail) < 700
    wait_until(lambda: primary.sessions() == 0, "the server's sessions are closed", 5)


async def test_nobody_listens(ask_database: AskPostgres) -> None:
    (port,) = free_ports(1)

    reply = await ask_database(port)

    assert isinstance(reply, NoReply)
    assert (reply.reason, reply.detail) == (Reason.CONNECT_FAILED, f"Connection refused (127.0.0.1:{port})")


async def test_every_address_of_a_name_is_tried(ask_database: AskPostgres) -> None:
    (port,) = free_ports(1)

    reply = await ask_database(port, host="localhost")

    assert isinstance(reply, NoReply)
    assert reply.reason is Reason.CONNECT_FAILED
    assert f"Connection refused (127.0.0.1:{port}, localhost)" in reply.detail


async def test_a_server_that_takes_no_sessions_yet(
    primary: Postgres, standby: Postgres, ask_database: AskPostgres
) -> None:
    standby.stop()
    standby.start("hot_standby=off")
    reply: object = None
    end = time.monotonic() + 20
    while not (isinstance(reply, NoReply) and "FATAL" in reply.detail) and time.monotonic() < end:
        reply = await ask_database(standby.port)  # refused at first, until the port is open
        await asyncio.sleep(0.02)
    standby.stop()
    standby.start()
    standby.wait()

    assert isinstance(reply, NoReply)
    assert reply.reason is Reason.CONNECT_FAILED
    assert reply.detail.startswith("FATAL: the database system is ")


async def test_a_libpq_that_does_not_name_codes(
    primary: Postgres, ask_database: AskPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_login, "_verbosity_setter", lambda _: None)
    replies = [
        await ask_database(primary.port, **changes)
        for changes in ({"password": "wrong"}, {"user": "ghost"}, {"database": "nix"}, {"user": "crowded"})
    ]

    assert [reply.reason for reply in replies if isinstance(reply, NoReply)] == [
        *(Reason.AUTH_FAILED, Reason.AUTH_FAILED),
        *(Reason.CONNECT_FAILED, Reason.CONNECT_FAILED),
    ]


async def test_tls_that_the_environment_demands_and_the_server_lacks(
    ask_database: AskPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLMODE", "require")
    async with breaking(saying(b"N")) as server:
        reply = await ask_database(server.port)

    assert isinstance(reply, NoReply)
    assert reply.reason is Reason.CONNECT_FAILED
    assert reply.detail.startswith("server does not support SSL, but SSL was required")


async def test_a_certificate_that_the_environment_has_verified(
    primary: Postgres, ask_database: AskPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    monkeypatch.setenv("PGSSLROOTCERT", "system")

    reply = await ask_database(primary.port)

    assert isinstance(reply, NoReply)
    assert reply.reason is Reason.CONNECT_FAILED
    assert "certificate verify failed" in reply.detail


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (closed, Reason.CONNECT_FAILED),
        (reset, Reason.CONNECT_FAILED),
        (saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Reason.CONNECT_FAILED),
        (saying(b"AMQP\0\0\x09\x01"), Reason.CONNECT_FAILED),
        (saying(b"S" + b"\x16\x03\x03\0\x05hello"), Reason.TIMEOUT),  # libpq took it for no part of the TLS
        (mute, Reason.TIMEOUT),
        (saying(b"S"), Reason.TIMEOUT),
        (saying(b"N"), Reason.TIMEOUT),
    ],
    ids=["closed", "reset", "http", "amqp", "half-tls", "mute", "mute-in-tls", "mute-without-tls"],
)
async def test_what_is_no_postgresql_server(ask_database: AskPostgres, how: Break, reason: Reason) -> None:
    await _is_no_server(ask_database, how, reason)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (saying(b"\xff" * 4000), Reason.CONNECT_FAILED),
        (saying(b"R\0\0\0\x08\0\0\0\x63"), Reason.AUTH_FAILED),  # a way to authenticate that nobody knows
        (endless(b"\xff"), Reason.CONNECT_FAILED),
        (endless(_PARAMETER, first=_LOGIN_DONE), Reason.CONNECT_FAILED),
        (saying(_LOGIN_DONE + _PARAMETER * 9), Reason.TIMEOUT),
    ],
    ids=["garbage", "unknown-authentication", "endless-garbage", "endless-parameters", "mute-at-the-end"],
)
async def test_what_breaks_the_protocol(
    ask_database: AskPostgres, monkeypatch: pytest.MonkeyPatch, how: Break, reason: Reason
) -> None:
    monkeypatch.setenv("PGSSLMODE", "disable")
    await _is_no_server(ask_database, how, reason)


async def _is_no_server(ask_database: AskPostgres, how: Break, reason: Reason) -> None:
    async with breaking(how) as server:
        started = time.monotonic()
        reply = await ask_database(server.port, connect_timeout=0.4)
        took = time.monotonic() - started

    assert isinstance(reply, NoReply)
    assert (reply.reason, bool(reply.detail)) == (reason, True), reply
    assert took < 0.4 + _LATE


async def test_a_deadline_that_comes_sooner_than_the_limits(
    primary: Postgres, ask_database: AskPostgres
) -> None:
    async with breaking(mute) as server:
        started = time.monotonic()
        mute_reply = await ask_database(server.port, deadline=0.3)
        slow_reply = await ask_database(primary.port, query="SELECT pg_sleep(30)", deadline=0.3)
        late_reply = await ask_database(primary.port, deadline=-1.0)
        took = time.monotonic() - started

    for reply in (mute_reply, slow_reply, late_reply):
        assert isinstance(reply, NoReply)
        assert reply.reason is Reason.TIMEOUT, reply
    assert took < 0.6 + _LATE
    wait_until(lambda: primary.sessions() == 0, "the server gave the query up", 5)


async def test_an_answer_that_comes_a_byte_at_a_time(primary: Postgres, ask_database: AskPostgres) -> None:
    async with breaking(between(primary.port, pause=0.1)) as proxy:
        started = time.monotonic()
        reply = await ask_database(proxy.port, connect_timeout=0.5)
        took = time.monotonic() - started

    assert isinstance(reply, NoReply)
    assert reply.reason is Reason.TIMEOUT
    assert "accepted the connection, but the login did not end: no answer within 0.5 s" in reply.detail
    assert took < 0.5 + _LATE


async def test_a_connection_that_breaks_anywhere(
    primary: Postgres, ask_database: AskPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLMODE", "disable")
    whole = Breaking()
    async with breaking(between(primary.port, count=whole)) as proxy:
        assert isinstance(await ask_database(proxy.port, write=True), PostgresReply)
    for cut in [*range(1, len(whole.seen), 29), len(whole.seen) - 1]:
        async with breaking(between(primary.port, cut=cut)) as proxy:
            reply = await ask_database(proxy.port, write=True)
        assert isinstance(reply, NoReply), f"cut after {cut} of {len(whole.seen)} bytes: {reply}"
        assert reply.reason is Reason.CONNECT_FAILED, f"cut after {cut} of {len(whole.seen)} bytes: {reply}"


@pytest.mark.parametrize("part", [0.1, 0.3, 0.8, 0.95])
async def test_a_connection_that_goes_mute_anywhere(
    primary: Postgres, ask_database: AskPostgres, part: float
) -> None:
    whole = Breaking()
    async with breaking(between(primary.port, count=whole)) as proxy:
        assert isinstance(await ask_database(proxy.port), PostgresReply)
    async with breaking(between(primary.port, stall=int(len(whole.seen) * part))) as proxy:
        reply = await ask_database(proxy.port, connect_timeout=0.3, statement_timeout=0.1)

    assert isinstance(reply, NoReply)
    assert reply.reason is Reason.TIMEOUT


async def test_an_endless_answer_is_cut_off(
    primary: Postgres, ask_database: AskPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row of a gigabyte, byte after byte: it ends by its size, long before its time."""
    monkeypatch.setenv("PGSSLMODE", "disable")
    whole = Breaking()
    async with breaking(between(primary.port, count=whole)) as proxy:
        assert isinstance(await ask_database(proxy.port, query="SELECT 'found'"), PostgresReply)
    row = whole.seen.index(b"D", whole.seen.index(b"T\0\0\0"))

    head = b"D" + (2**30).to_bytes(4, "big") + b"\0\x01" + (2**30 - 10).to_bytes(4, "big")
    flood = endless(b"x", first=head, after=between(primary.port, cut=row))
    async with breaking(flood) as proxy:
        reply = await ask_database(proxy.port, query="SELECT 'found'")

    assert isinstance(reply, NoReply)
    assert (reply.reason, reply.detail) == (
        Reason.QUERY_FAILED,
        "the answer is larger than 1 MiB; ask for one row",
    )


@pytest.mark.parametrize("query", ["SELECT pg_sleep(30)", "SELECT 1"])
async def test_a_cancelled_ask_ends_at_once(primary: Postgres, ask_database: AskPostgres, query: str) -> None:
    """In the middle of a query, and of a login that a mute server never ends."""
    async with breaking(mute) as server:
        port = primary.port if "sleep" in query else server.port
        task = asyncio.create_task(ask_database(port, query=query, statement_timeout=0.6))
        await asyncio.sleep(0.3)
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        took = time.monotonic() - started

    assert took < 0.5
    wait_until(lambda: primary.sessions() == 0, "the server gave the query up", 5)


async def test_a_write_that_is_never_ended_leaves_nothing(
    primary: Postgres, ask_database: AskPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLMODE", "disable")
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND pid <> pg_backend_pid()"
    async with breaking(between(primary.port, withhold=b"ROLLBACK")) as proxy:
        task = asyncio.create_task(ask_database(proxy.port, write=True, statement_timeout=0.4))
        await eventually(lambda: primary.sql(held), "the write is under way")
        in_the_middle = primary.sessions()
        reply = await task

    assert in_the_middle == 1
    assert isinstance(reply, NoReply)
    assert reply.reason is Reason.TIMEOUT
    wait_until(lambda: primary.sessions() == 0, "the session is closed", 5)
    assert primary.sql("SELECT count(*) FROM pg_class WHERE relname LIKE 'quorate%'") == 0
    assert primary.sql("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pg_temp%'") == 0


async def test_a_killed_monitor_leaves_nothing(primary: Postgres) -> None:
    program = textwrap.dedent(
        f"""
        import asyncio
        from quorate.model import PostgresAsk
        from quorate.transports.postgresql import ask_postgresql
        ask = PostgresAsk(
            host="127.0.0.1", port={primary.port}, user="app", password={PASSWORD!r}, database="postgres",
            query="SELECT pg_sleep(0.7)", connect_timeout=5, statement_timeout=5, write=True,
        )
        asyncio.run(ask_postgresql(ask, deadline=1e9))
        """
    )
    monitor = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    await eventually(lambda: primary.sessions() == 1, "the query runs")
    monitor.kill()
    await monitor.wait()

    wait_until(lambda: primary.sessions() == 0, "the session is closed", 5)
    assert primary.sql("SELECT count(*) FROM pg_class WHERE relname LIKE 'quorate%'") == 0


async def test_many_asks_leave_no_session(primary: Postgres, ask_database: AskPostgres) -> None:
    for number in range(100):
        reply = await ask_database(primary.port, password=PASSWORD if number % 2 else "wrong")
        assert isinstance(reply, PostgresReply if number % 2 else NoReply)
    wait_until(lambda: primary.sessions() == 0, "the server's sessions are closed", 5)


async def test_many_asks_at_once(primary: Postgres, ask_database: AskPostgres) -> None:
    replies = await asyncio.gather(*(ask_database(primary.port, query=f"SELECT {n}") for n in range(10)))

    assert [reply.value for reply in replies if isinstance(reply, PostgresReply)] == list(range(10))
