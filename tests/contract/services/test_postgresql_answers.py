"""What a PostgreSQL server answers, primary and standby, with and without a write."""

from typing import Any

import pytest

from quorate.model import NoReply, PostgresReply, Reason
from services.conftest import AskPostgres
from services.postgres import ADMIN, Postgres


async def test_the_value_of_the_query_comes_back(database: int, ask_database: AskPostgres) -> None:
    reply = await ask_database(database)

    assert isinstance(reply, PostgresReply)
    assert (reply.value, reply.in_recovery, reply.wrote) == (3, False, False)
    assert 0 < reply.duration < 10


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("SELECT true", True),
        ("SELECT 42", 42),
        ("select count(*) from public.dag;", 3),
        ("SELECT 9007199254740993", 9007199254740993),
        ("SELECT 'two  words'", "two  words"),
        ("SELECT 1 FROM dag", 1),
        ("SELECT current_database()", "postgres"),
        ("SELECT NULL", None),
        ("SHOW server_encoding", "UTF8"),
        ("SHOW transaction_isolation", "read committed"),
        ("SHOW statement_timeout", "10s"),
        ("SELECT pg_sleep(0.01)", ""),
        ("", None),
    ],
)
async def test_values_that_every_server_has(
    database: int, ask_database: AskPostgres, query: str, value: Any
) -> None:
    reply = await ask_database(database, query=query)

    assert isinstance(reply, PostgresReply), reply
    assert reply.value == value
    assert type(reply.value) is type(value)


@pytest.mark.parametrize(("query", "value"), [("SELECT %s::int", 7), ("SELECT $1::text", "7")])
async def test_a_parameter_that_every_server_takes(
    database: int, ask_database: AskPostgres, query: str, value: Any
) -> None:
    reply = await ask_database(database, query=query, parameters=[7])

    assert isinstance(reply, PostgresReply), reply
    assert reply.value == value


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("SELECT 7::smallint", 7),
        ("SELECT 12345678901234567890123::numeric", 12345678901234567890123),
        ("SELECT 2.5::numeric", 2.5),
        ("SELECT -1.5e300::float8", -1.5e300),
        ("SELECT 'NaN'::float8", "NaN"),
        ("SELECT 'infinity'::numeric", "Infinity"),
        ("SELECT '10000-01-01'::date + 999999", "12737-11-27"),
        ("SELECT '{\"a\": [1]}'::jsonb", '{"a": [1]}'),
        ("SELECT E'two\\nlines, \\x1b[31mred'", "two / lines, red"),
        ("SELECT repeat('x', 100000)", "x" * 600 + " …"),
        ("SELECT 1 WHERE false", None),
        ("SELECT FROM dag", None),
        ("SELECT 1, 2 UNION ALL SELECT 3, 4", 1),
        ("SELECT 'ä' LIKE '%ä' -- 100 %s", True),
    ],
)
async def test_values_are_plain(primary: Postgres, ask_database: AskPostgres, query: str, value: Any) -> None:
    reply = await ask_database(primary.port, query=query)

    assert isinstance(reply, PostgresReply), reply
    assert reply.value == value
    assert type(reply.value) is type(value)


@pytest.mark.parametrize(
    ("query", "parameters", "value"),
    [
        ("SELECT COUNT(*) FROM dag WHERE is_paused = %s", [False], 2),
        ("SELECT COUNT(*) FROM dag WHERE is_paused = $1 OR dag_id = $2", [True, "etl"], 2),
        ("SELECT COUNT(*) FROM dag WHERE dag_id LIKE 'e%%' AND dag_id <> %s", ["x"], 1),
        ("SELECT COUNT(*) FROM dag WHERE dag_id LIKE 'e%' AND dag_id <> $1", ["x"], 1),
        ("SELECT COUNT(*) FROM dag WHERE dag_id = %s", ["old's; DROP TABLE dag; --"], 1),
        ("SELECT %s::int + %s::float8", [1, 0.5], 1.5),
        ("SELECT %s::text IS NULL", [None], True),
    ],
)
async def test_parameters_travel_apart_from_the_query(
    primary: Postgres, ask_database: AskPostgres, query: str, parameters: list[Any], value: Any
) -> None:
    reply = await ask_database(primary.port, query=query, parameters=parameters)

    assert isinstance(reply, PostgresReply), reply
    assert reply.value == value
    assert primary.sql("SELECT COUNT(*) FROM dag") == 3


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()", "quorate"),
        ("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", True),
    ],
)
async def test_what_the_server_sees_of_the_session(
    primary: Postgres, ask_database: AskPostgres, query: str, value: Any
) -> None:
    reply = await ask_database(primary.port, query=query)

    assert isinstance(reply, PostgresReply)
    assert reply.value == value


async def test_the_environment_says_what_the_ask_does_not(
    primary: Postgres, ask_database: AskPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS is the environment's to set; what would change whom is asked, and how, is not."""
    monkeypatch.setenv("PGSSLMODE", "disable")
    monkeypatch.setenv("PGTARGETSESSIONATTRS", "standby")
    monkeypatch.setenv("PGOPTIONS", "-c statement_timeout=1")
    monkeypatch.setenv("PGHOST", "192.0.2.1")
    query = "SELECT ssl::text || current_setting('statement_timeout') FROM pg_stat_ssl"
    query += " WHERE pid = pg_backend_pid()"

    reply = await ask_database(primary.port, query=query)

    assert isinstance(reply, PostgresReply), reply
    assert reply.value == "false10s"


async def test_a_standby_answers_and_says_that_it_is_one(replica: int, ask_database: AskPostgres) -> None:
    reply = await ask_database(replica)

    assert isinstance(reply, PostgresReply)
    assert (reply.value, reply.in_recovery) == (3, True)


async def test_a_standby_refuses_a_write(replica: int, ask_database: AskPostgres) -> None:
    reply = await ask_database(replica, query="SELECT 1", write=True)

    assert isinstance(reply, NoReply)
    assert reply.reason is Reason.READ_ONLY
    assert reply.detail == "ERROR: cannot execute CREATE TABLE AS in a read-only transaction"


async def test_a_write_goes_through_where_it_may(database: int, ask_database: AskPostgres) -> None:
    reply = await ask_database(database, write=True)

    assert isinstance(reply, PostgresReply), reply
    assert (reply.value, reply.in_recovery, reply.wrote) == (3, False, True)


async def test_a_default_that_a_standby_can_not_fulfil_does_not_matter(
    primary: Postgres, standby: Postgres, ask_database: AskPostgres
) -> None:
    for server in (primary, standby):
        reply = await ask_database(server.port, user="serial", query="SELECT 1")

        assert isinstance(reply, PostgresReply), reply


async def test_a_write_is_a_real_one_and_leaves_nothing(primary: Postgres, ask_database: AskPostgres) -> None:
    transactions = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    relations = "SELECT COUNT(*) FROM pg_class"
    before, were = primary.sql(transactions), primary.sql(relations)
    log_before = primary.sql("SELECT pg_current_wal_insert_lsn() - '0/0'")
    read = await ask_database(primary.port)
    after_read = primary.sql(transactions)
    reply = await ask_database(primary.port, write=True)

    assert isinstance(read, PostgresReply)
    assert after_read == before, "a read took a transaction's number"
    assert isinstance(reply, PostgresReply)
    assert (reply.value, reply.wrote) == (3, True)
    assert primary.sql(transactions) == before + 1
    assert primary.sql("SELECT pg_current_wal_insert_lsn() - '0/0'") > log_before
    assert primary.sql(relations) == were


async def test_a_session_that_may_only_read_is_told_apart_by_a_write(
    primary: Postgres, ask_database: AskPostgres
) -> None:
    read = await ask_database(primary.port, user="careful")
    written = await ask_database(primary.port, user="careful", write=True)

    assert isinstance(read, PostgresReply)
    assert not read.in_recovery
    assert isinstance(written, NoReply)
    assert written.reason is Reason.READ_ONLY


async def test_what_a_query_changes_is_rolled_back(primary: Postgres, ask_database: AskPostgres) -> None:
    query = "INSERT INTO dag VALUES ('made up', false) RETURNING dag_id"

    reply = await ask_database(primary.port, user=ADMIN, query=query)

    assert isinstance(reply, PostgresReply)
    assert reply.value == "made up"
    assert primary.sql("SELECT COUNT(*) FROM dag") == 3


async def test_a_name_is_resolved(database: int, ask_database: AskPostgres) -> None:
    reply = await ask_database(database, host="localhost")

    assert isinstance(reply, PostgresReply), reply
