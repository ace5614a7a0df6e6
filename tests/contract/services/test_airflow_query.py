"""What Airflow's metadata database answers to the query for heartbeats, asked as the user of the how-to."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from quorate.inventory import parse_inventory
from quorate.model import Check, NoReply, PostgresAsk, PostgresReply, Reason
from quorate.model.airflow import AirflowJob, JobsFacts
from quorate.probes.airflow import PROBE
from services.conftest import AskPostgres
from services.postgres import ADMIN, PASSWORD, Postgres

PAGE = (Path(__file__).parents[3] / "docs/how-to/watch-airflow.md").read_text(encoding="utf-8")
(GRANTS,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)

# The table as Airflow 3.3 makes it, with its indexes.
TABLE = """
CREATE TABLE job (
    id serial PRIMARY KEY, dag_id varchar(250), state varchar(20), job_type varchar(30),
    start_date timestamptz, end_date timestamptz, latest_heartbeat timestamptz,
    executor_class varchar(500), hostname varchar(500), unixname varchar(1000)
);
CREATE INDEX job_type_heart ON job (job_type, latest_heartbeat);
CREATE INDEX idx_job_state_heartbeat ON job (state, latest_heartbeat);
"""


@pytest.fixture(scope="module")
def airflow(primary: Postgres) -> Iterator[psycopg.Connection[Any]]:
    """A database with Airflow's table and the how-to's user, as an administrator is connected to it."""
    primary.sql("CREATE DATABASE airflow_db")
    hba = primary.folder / "data/pg_hba.conf"
    before = hba.read_text()
    hba.write_text(f"{before}host airflow_db quorate 127.0.0.1/32 scram-sha-256\n")
    primary.sql("SELECT pg_reload_conf()")
    try:
        with psycopg.connect(
            host=str(primary.folder), port=primary.port, user=ADMIN, dbname="airflow_db", autocommit=True
        ) as connection:
            connection.execute(TABLE)
            connection.execute(GRANTS.replace("choose one", PASSWORD).encode())
            yield connection
    finally:
        hba.write_text(before)
        primary.sql("DROP DATABASE airflow_db WITH (FORCE)", "DROP ROLE quorate")


@pytest.fixture(autouse=True)
def empty(airflow: psycopg.Connection[Any]) -> None:
    airflow.execute("TRUNCATE job")


def ran(airflow: psycopg.Connection[Any], kind: str, host: str | None, ago: Any, state: str | None) -> None:
    airflow.execute(
        "INSERT INTO job (job_type, hostname, latest_heartbeat, state)"
        " VALUES (%s, %s, now() - make_interval(secs => %s), %s)",
        (kind, host, ago, state),
    )


def check(max_age: str = "30s") -> Check:
    text = f"""
hosts: {{a: 192.0.2.1}}
checks:
  af:
    kind: airflow
    host: 127.0.0.1
    database: airflow_db
    user: quorate
    password: {{env: P}}
    max_age: {max_age}
"""
    return parse_inventory(text, source="F").checks["af"]


async def asked(ask_database: AskPostgres, primary: Postgres, max_age: str = "30s") -> JobsFacts | NoReply:
    question = PROBE.questions(check(max_age), {"password": PASSWORD})["af"]
    assert isinstance(question, PostgresAsk)
    reply = await ask_database(
        primary.port,
        user=question.user,
        database=question.database,
        query=question.query,
        parameters=question.parameters,
    )
    if isinstance(reply, NoReply):
        return reply
    assert isinstance(reply.value, str)
    assert len(reply.value) < 600, "more is cut"
    found: JobsFacts | NoReply = PROBE.read(check(), "af", reply)
    return found


def seen(facts: JobsFacts | NoReply) -> list[tuple[str, str, str, int]]:
    assert isinstance(facts, JobsFacts), facts
    return [(job.component, job.hostname, job.state, round(job.age or 0)) for job in facts.jobs]


async def test_one_row_a_host_and_component_the_latest_first(
    airflow: psycopg.Connection[Any], primary: Postgres, ask_database: AskPostgres
) -> None:
    for ago in (2, 400, 4000):
        ran(airflow, "SchedulerJob", "haproxy-1", ago, "running" if ago == 2 else "failed")
    ran(airflow, "SchedulerJob", "scheduler-2", 90, "running")
    ran(airflow, "TriggererJob", "scheduler-2", 5, "running")
    ran(airflow, "DagProcessorJob", "nfs-1", 12, "success")
    ran(airflow, "LocalTaskJob", "celery-1", 1, "running")
    ran(airflow, "SchedulerJob", "gone", 90_000, "running")

    facts = await asked(ask_database, primary)

    assert seen(facts) == [
        ("scheduler", "haproxy-1", "running", 2),
        ("triggerer", "scheduler-2", "running", 5),
        ("dag_processor", "nfs-1", "success", 12),
        ("scheduler", "scheduler-2", "running", 90),
    ]
    assert isinstance(facts, JobsFacts)
    assert (facts.left_out, facts.standby) == (0, False)
    assert facts.duration > 0


async def test_of_two_on_one_host_the_one_that_is_alive(
    airflow: psycopg.Connection[Any], primary: Postgres, ask_database: AskPostgres
) -> None:
    ran(airflow, "SchedulerJob", "a", 8, "running")
    ran(airflow, "SchedulerJob", "a", 1, "success")
    ran(airflow, "SchedulerJob", "b", 50, "running")
    ran(airflow, "SchedulerJob", "b", 40, "failed")
    ran(airflow, "SchedulerJob", "c", 3, None)

    assert seen(await asked(ask_database, primary)) == [
        ("scheduler", "c", "", 3),
        ("scheduler", "a", "running", 8),
        ("scheduler", "b", "failed", 40),
    ]


async def test_what_is_odd_in_a_row(
    airflow: psycopg.Connection[Any], primary: Postgres, ask_database: AskPostgres
) -> None:
    ran(airflow, "SchedulerJob", None, 1, "running")
    ran(airflow, "SchedulerJob", 'a"b\\\n\x1b[31m', 2, "running")
    ran(airflow, "SchedulerJob", "ahead", -3600, "running")
    ran(airflow, "SchedulerJob", "never", None, "running")

    assert seen(await asked(ask_database, primary)) == [
        ("scheduler", "ahead", "running", -3600),
        ("scheduler", "", "running", 1),
        ("scheduler", 'a"b\\\n\x1b[31m', "running", 2),
    ]


async def test_rows_that_do_not_fit_are_counted(
    airflow: psycopg.Connection[Any], primary: Postgres, ask_database: AskPostgres
) -> None:
    for number in range(60):
        ran(airflow, "SchedulerJob", f"airflow-scheduler-7c9d8f6c4-{number:05}", number, "running")

    facts = await asked(ask_database, primary)

    assert isinstance(facts, JobsFacts)
    assert 9 <= len(facts.jobs) <= 15
    assert len(facts.jobs) + facts.left_out == 60
    assert [round(job.age or 0) for job in facts.jobs] == list(range(len(facts.jobs)))


async def test_a_name_that_fits_nowhere(
    airflow: psycopg.Connection[Any], primary: Postgres, ask_database: AskPostgres
) -> None:
    ran(airflow, "SchedulerJob", "x" * 500, 1, "running")
    ran(airflow, "TriggererJob", "x" * 500, 2, "running")

    facts = await asked(ask_database, primary)

    assert isinstance(facts, JobsFacts)
    assert [job.hostname for job in facts.jobs] == ["x" * 255]
    assert facts.left_out == 1


async def test_nothing_ran_yet(primary: Postgres, ask_database: AskPostgres) -> None:
    assert seen(await asked(ask_database, primary)) == []


async def test_a_long_age_looks_back_as_far(
    airflow: psycopg.Connection[Any], primary: Postgres, ask_database: AskPostgres
) -> None:
    ran(airflow, "SchedulerJob", "slow", 90_000, "running")

    assert seen(await asked(ask_database, primary, "2d")) == [("scheduler", "slow", "running", 90_000)]


async def test_the_user_may_do_nothing_else(
    airflow: psycopg.Connection[Any], primary: Postgres, ask_database: AskPostgres
) -> None:
    async def asks(query: str) -> Any:
        return await ask_database(primary.port, user="quorate", database="airflow_db", query=query)

    for query in ("SELECT unixname FROM job", "SELECT * FROM job", "DELETE FROM job", "CREATE TABLE t ()"):
        reply = await asks(query)
        assert isinstance(reply, NoReply), query
        assert reply.reason in (Reason.QUERY_FAILED, Reason.READ_ONLY)
    assert isinstance(await asks("SELECT count(hostname) FROM job"), PostgresReply)


async def test_without_the_grant(
    airflow: psycopg.Connection[Any], primary: Postgres, ask_database: AskPostgres
) -> None:
    (grant,) = (line for line in GRANTS.splitlines() if "job_type" in line)
    airflow.execute(grant.replace("GRANT", "REVOKE").replace(" TO ", " FROM ").encode())
    try:
        facts = await asked(ask_database, primary)
    finally:
        airflow.execute(grant.encode())

    assert isinstance(facts, NoReply)
    assert (facts.reason, facts.detail) == (
        Reason.QUERY_FAILED,
        "ERROR: permission denied for table job",
    )


def test_a_row_is_what_the_judgement_expects() -> None:
    reply = PostgresReply(value='{"total":1,"jobs":[["D", "nfs-1", 0.4]]}', in_recovery=True, duration=0.1)
    job = AirflowJob(component="dag_processor", hostname="nfs-1", state="running", age=0.4)
    assert PROBE.read(check(), "af", reply) == JobsFacts(jobs=(job,), standby=True, duration=0.1)
