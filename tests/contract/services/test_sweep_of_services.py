"""Sweeps of real servers, whole and broken: the verdicts, the results, the logs, and nothing that is left."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from services.breaking import Break, between, breaking, closed, endless, mute, saying
from services.postgres import Postgres
from services.processes import eventually, free_ports, wait_until
from services.rabbit import PASSWORD, Rabbit
from services.sweeping import NODES, SECRETS, WORDS, Cluster, Done, ended, make_tools
from services.test_services_secrets import echo_login, echo_password


@pytest.fixture
def cluster(tmp_path: Path, primary: Postgres, node: Rabbit, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Three members of a cluster that are all one node, and a database."""
    make_tools(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return Cluster(tmp_path, primary.port, dict.fromkeys(NODES, node.port))


def nothing_is_left(primary: Postgres, node: Rabbit, queues: int = 1) -> None:
    wait_until(lambda: primary.sessions() == 0, "the sessions have ended", 10)
    wait_until(lambda: node.connections() == 0, "the connections are closed", 10)
    wait_until(lambda: node.queues() == queues, "the queues are deleted", 10)


async def test_all_well(cluster: Cluster, primary: Postgres, node: Rabbit) -> None:
    done = await cluster.run("check", "-o", "json")

    assert (done.code, done.stderr) == (0, "")
    ids = [v["id"] for v in done.report["verdicts"]]
    assert ids[-5:] == ["db", "mq", *(f"mq/{name}" for name in NODES)]
    assert {v["state"] for v in done.report["verdicts"]} == {"ok"}
    db, mq = done.verdict("db"), done.verdict("mq")
    assert db["observed"] == {"status": "healthy", "value": 3, "dags": 3, "in_recovery": False}
    assert db["summary"] == f"db answers at 127.0.0.1:{primary.port} (3 dags)"
    assert mq["observed"] == {
        "status": "healthy",
        "healthy_nodes": 3,
        "total": 3,
        "nodes": [{"node": name, "status": "healthy"} for name in NODES],
    }
    assert [v["evidence"] for v in done.report["verdicts"]] == [[]] * len(ids)
    nothing_is_left(primary, node)


async def test_deeper_checks_leave_nothing(cluster: Cluster, primary: Postgres, node: Rabbit) -> None:
    tables = "SELECT count(*) FROM pg_class WHERE relkind = 'r'"
    before = primary.sql(tables)
    cluster.db = {"depth": "write"}
    cluster.mq = {"depth": "round_trip"}
    done = await cluster.check("db", "mq")

    assert done.code == 0, done.stdout
    assert done.verdict("db")["observed"]["wrote"] is True
    assert "takes writes" in done.verdict("db")["summary"]
    nothing_is_left(primary, node)
    assert primary.sql(tables) == before


async def test_parameters_travel_apart_from_the_query(cluster: Cluster, primary: Postgres) -> None:
    cluster.db = {
        "query": "SELECT count(*) FROM dag WHERE dag_id = %s",
        "parameters": ["old's; DROP TABLE dag; --"],
    }
    done = await cluster.check("db")

    assert done.verdict("db")["observed"] == {"status": "healthy", "value": 1, "in_recovery": False}
    assert primary.sql("SELECT count(*) FROM dag") == 3


async def test_members_that_are_missing(cluster: Cluster, node: Rabbit) -> None:
    gone_1, gone_2 = free_ports(2)
    cluster.members = {"rabbit-1": node.port, "rabbit-2": gone_1, "rabbit-3": node.port}
    one = await cluster.check("mq")
    assert one.code == 1
    assert one.said("mq", "mq/rabbit-1", "mq/rabbit-2") == [
        "warning redundancy_lost",
        "ok ok",
        "warning connect_failed",
    ]
    assert "missing rabbit-2" in one.verdict("mq")["summary"]

    cluster.members["rabbit-3"] = gone_2
    two = await cluster.check("mq")
    assert (two.code, two.said("mq")) == (2, ["critical quorum_lost"])
    assert two.verdict("mq")["summary"] == "RabbitMQ QUORUM LOST: Only 1/3 nodes healthy"
    assert two.verdict("mq")["failure_type"] == "CRITICAL_MQ_FAILURE"
    assert [n["status"] for n in two.verdict("mq")["observed"]["nodes"]] == ["healthy", "failed", "failed"]
    assert "Connection refused" in two.verdict("mq")["observed"]["nodes"][1]["error"]

    member = await cluster.check("mq/rabbit-3")
    assert [v["id"] for v in member.report["verdicts"]] == ["mq/rabbit-3"]
    assert member.said("mq/rabbit-3") == ["warning connect_failed"]


async def test_a_failed_check_shows_its_error_then_every_log(cluster: Cluster) -> None:
    cluster.database = free_ports(1)[0]
    text = (await cluster.run("check", "--only", "db")).stdout
    assert f"🚨 CRITICAL: db could NOT connect to 127.0.0.1:{cluster.database}" in text
    places = [text.index(words) for words in ("Connection refused", "SERVICE LOGS: rabbitmq-server", WORDS)]
    assert places == sorted(places)
    for name in NODES:
        assert f"📋 SERVICE LOGS: rabbitmq-server on {name}" in text
    report = await cluster.check()
    logs = report.verdict("db")["evidence"]
    assert [(log["host"], log["unit"], log["error"]) for log in logs] == [
        (name, "rabbitmq-server", None) for name in NODES
    ]


async def test_a_standby_behind_an_address_for_writing(cluster: Cluster, standby: Postgres) -> None:
    cluster.database = standby.port
    for depth in ("read", "write"):
        cluster.db = {"depth": depth}
        done = await cluster.check("db")
        assert (done.code, done.said("db")) == (2, ["critical read_only"])


@pytest.mark.parametrize(
    ("settings", "expected", "words"),
    [
        ({"query": "SELECT * FROM nothing"}, "critical query_failed", 'relation "nothing" does not exist'),
        (
            {"query": "SELECT pg_sleep(30)", "statement_timeout": "300ms"},
            "critical timeout",
            "canceling statement due to statement timeout",
        ),
        ({"user": "ghost"}, "unknown auth_failed", "pg_hba.conf"),
        ({"database": "nowhere"}, "critical connect_failed", 'database "nowhere" does not exist'),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
async def test_the_database_s_own_words(
    cluster: Cluster, settings: dict[str, object], expected: str, words: str
) -> None:
    cluster.db = settings
    done = await cluster.check("db")
    assert done.said("db") == [expected]
    assert words in done.verdict("db")["detail"]


async def test_a_login_that_is_refused_is_not_a_cluster_that_is_down(
    cluster: Cluster, primary: Postgres, node: Rabbit
) -> None:
    cluster.environment = {"DB_PASSWORD": "not-" + SECRETS[0], "MQ_PASSWORD": "not-" + SECRETS[1]}
    done = await cluster.check()
    assert done.code == 3
    assert done.said("db", "mq", "mq/rabbit-1") == [
        "unknown auth_failed",
        "unknown auth_failed",
        "warning auth_failed",
    ]
    assert "not-" + SECRETS[0] not in done.stdout
    nothing_is_left(primary, node)


BROKEN: dict[str, tuple[Break, Break, str, str]] = {
    "mute": (mute, mute, "critical timeout", "warning timeout"),
    "closes": (closed, closed, "critical connect_failed", "warning connect_failed"),
    "speaks something else": (
        saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        saying(b"SSH-2.0-OpenSSH_9.2\r\n"),
        "critical connect_failed",
        "warning connect_failed",
    ),
    "never stops talking": (
        endless(b"S" * 100),
        endless(b"\x01\0\0\0\x01\0\0"),
        "critical connect_failed",
        "warning connect_failed",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_servers_that_break(cluster: Cluster, primary: Postgres, node: Rabbit, name: str) -> None:
    database, broker, said_of_db, said_of_member = BROKEN[name]
    cluster.db = {"connect_timeout": "700ms"}
    cluster.mq = {"timeout": "700ms"}
    async with breaking(database) as db, breaking(broker) as mq:
        cluster.database = db.port
        cluster.members["rabbit-2"] = mq.port
        started = time.monotonic()
        done = await cluster.check()
        took = time.monotonic() - started
    assert done.said("db", "mq", "mq/rabbit-1", "mq/rabbit-2") == [
        said_of_db,
        "warning redundancy_lost",
        "ok ok",
        said_of_member,
    ]
    assert {v["state"] for v in done.report["verdicts"] if v["kind"] in ("host", "unit")} == {"ok"}
    assert took < 10
    nothing_is_left(primary, node)


@pytest.mark.parametrize("cut", [1, 300])
async def test_answers_that_end_in_their_middle(
    cluster: Cluster, primary: Postgres, node: Rabbit, cut: int
) -> None:
    async with (
        breaking(between(primary.port, cut=cut)) as db,
        breaking(between(node.port, cut=cut)) as mq,
    ):
        cluster.database = db.port
        cluster.members["rabbit-2"] = mq.port
        done = await cluster.check()
    assert done.said("db", "mq/rabbit-2") == ["critical connect_failed", "warning connect_failed"]
    nothing_is_left(primary, node)


async def test_what_has_not_answered_when_the_time_is_over_is_unknown(cluster: Cluster) -> None:
    async with breaking(mute) as server:
        cluster.database = server.port
        cluster.members["rabbit-3"] = server.port
        done = await cluster.check(seconds=1.0)
    assert done.code == 3
    assert done.said("db", "mq", "mq/rabbit-1", "mq/rabbit-3") == [
        "unknown sweep_timeout",
        "warning redundancy_lost",
        "ok ok",
        "unknown sweep_timeout",
    ]


async def test_a_secret_that_is_missing_connects_to_nothing(cluster: Cluster) -> None:
    cluster.environment = {}
    async with breaking(mute) as server:
        cluster.database = server.port
        cluster.members = dict.fromkeys(NODES, server.port)
        done = await cluster.check()
        assert server.connections == 0
    assert done.code == 3
    assert done.said("db", "mq", "mq/rabbit-1") == [
        "unknown secret_unavailable",
        "unknown secret_unavailable",
        "warning secret_unavailable",
    ]
    assert done.verdict("mq/rabbit-1")["caused_by"] == "mq"
    assert "the environment variable DB_PASSWORD is not set" in done.verdict("db")["detail"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)])
async def test_a_sweep_that_is_ended_in_between_leaves_nothing(
    cluster: Cluster, primary: Postgres, node: Rabbit, number: signal.Signals, code: int
) -> None:
    cluster.db = {"depth": "write", "query": "SELECT pg_sleep(30)", "statement_timeout": "40s"}
    cluster.mq = {"depth": "round_trip", "timeout": "30s"}
    # From the frame of basic.publish on, nothing that we send reaches the node.
    async with breaking(between(node.port, withhold=b"\0\x3c\0\x28")) as proxy:
        cluster.members = {"rabbit-1": proxy.port}
        process = await cluster.start("check", "-o", "json", "--no-evidence")
        await eventually(lambda: node.queues() == 2, "the queue is declared")
        await eventually(lambda: primary.sessions() == 1, "the query runs")
        process.send_signal(number)
        done = await ended(process)
    assert done.code == code
    if number is signal.SIGTERM:
        assert done.said("db", "mq", "mq/rabbit-1") == ["unknown interrupted"] * 3
    primary.sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'quorate'")
    nothing_is_left(primary, node)


async def test_passwords_stand_in_no_output(cluster: Cluster) -> None:
    async with breaking(echo_password) as db, breaking(echo_login) as mq:
        cluster.database = db.port
        cluster.members["rabbit-2"] = mq.port
        files = {name: cluster.folder / name for name in ("json", "nagios", "junit", "prometheus")}
        outputs = [part for name, file in files.items() for part in ("-o", f"{name}={file}")]
        runs: list[Done] = [
            await cluster.run("check", "-o", "text", *outputs),
            await cluster.run("plan"),
            await cluster.run("validate"),
        ]
    assert runs[0].stdout.count("***") >= 2
    assert "told: *** ***" in files["json"].read_text()
    told = "".join(run.stdout + run.stderr for run in runs)
    told += "".join(file.read_text() for file in files.values())
    assert not [secret for secret in SECRETS if secret in told]
    assert "as app with a password from the environment variable DB_PASSWORD" in runs[1].stdout
    assert "Traceback" not in told


async def test_a_password_in_a_value_of_the_database_is_masked(cluster: Cluster) -> None:
    cluster.db = {"query": f"SELECT 'it is {PASSWORD}'"}  # the broker's, which the database's way can't know
    done = await cluster.check("db")
    assert done.verdict("db")["observed"]["value"] == "it is ***"
    assert PASSWORD not in done.stdout


async def test_many_sweeps_at_once_disturb_nobody(cluster: Cluster, primary: Postgres, node: Rabbit) -> None:
    done = await asyncio.gather(*(cluster.check("db", "mq") for _ in range(3)))
    assert [each.code for each in done] == [0, 0, 0]
    nothing_is_left(primary, node)
