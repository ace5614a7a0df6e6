"""The database and the broker of the simulated cluster: how they stand, where they are, and what they say."""

import asyncio
import shutil
import stat
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from talking import made

from quorate.engine.services import ask_of
from quorate.inventory import parse_inventory
from quorate.model import AmqpAsk, AmqpReply, NoReply, PostgresAsk, PostgresReply, Reason
from quorate.simulation import Simulation, load_scenario, scenarios
from quorate.simulation.services.standing import services_of
from quorate.simulation.services.state import MANNERS, Manner
from quorate.simulation.services.words import VOCABULARIES
from quorate.transports.amqp import ask_amqp
from quorate.transports.postgresql import ask_postgresql

PSQL = shutil.which("psql")
DATABASE = ("192.0.2.210", 5000)
NODE = ("192.0.2.205", 5672)


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    async with Simulation() as running:
        yield running


def password(simulation: Simulation, check: str) -> str:
    return (simulation.folder / "passwords" / check).read_text().strip()


async def ask_database(simulation: Simulation, limit: float = 5.0) -> PostgresReply | NoReply:
    host, port = simulation.services[DATABASE]
    ask = PostgresAsk(
        host=host,
        port=port,
        database="airflow_db",
        user="airflow_user",
        password=password(simulation, "postgresql_vip"),
        query="SELECT COUNT(*) FROM dag",
        connect_timeout=limit,
        statement_timeout=limit,
    )
    return await ask_postgresql(ask, deadline=asyncio.get_running_loop().time() + 10)


async def ask_node(simulation: Simulation, place: tuple[str, int] = NODE) -> AmqpReply | NoReply:
    host, port = simulation.services[place]
    ask = AmqpAsk(
        host=host,
        port=port,
        vhost="airflow_host",
        user="airflow_user",
        password=password(simulation, "rabbitmq_cluster"),
        timeout=5.0,
        round_trip=True,
    )
    return await ask_amqp(ask, deadline=asyncio.get_running_loop().time() + 10)


# ---------------------------------------------------------------- what is declared


@pytest.mark.parametrize(
    "scenario",
    ["nominal", "fourteen-tasks", "rabbit-memory-alarm", "rabbit-quorum-set", "page-certificate-expires"],
)
async def test_the_inventory_and_its_file_declare_the_same_checks(scenario: str) -> None:
    async with Simulation(scenario, connect_timeout=2.5) as simulation:
        declared, services = simulation.inventory, simulation.services
        written = parse_inventory(simulation.inventory_text(), source="cluster.yaml")
    assert written.task_logs == declared.task_logs
    assert written.groups == declared.groups
    assert list(written.checks) == list(declared.checks)
    places = {"host", "port", "members", "brokers", "management", "url", "host_header"}
    elsewhere = places | {"tls", "components"}  # a file with its full path, hosts with their addresses
    for name, check in declared.checks.items():
        other = written.checks[name]
        asks, others = ask_of(check), ask_of(other)
        assert {server: services[ask.host, ask.port] for server, ask in asks.items()} == {
            server: (ask.host, ask.port) for server, ask in others.items()
        }
        assert {key: value for key, value in other.settings.items() if key not in elsewhere} == {
            key: value for key, value in check.settings.items() if key not in elsewhere
        }
        assert replace(other, settings={}, hosts=()) == replace(check, settings={}, hosts=())


async def test_a_place_of_the_cluster_has_one_of_its_own_here(simulation: Simulation) -> None:
    addresses = {host: place[0] for host, place in simulation.dial.items()}
    assert addresses["rabbit-1"] == "127.0.2.205"
    assert len(set(addresses.values())) == len(addresses)
    numbers: dict[int, set[int]] = {}
    for (address, number), (there, port) in simulation.services.items():
        assert there == f"127.{address.partition('.')[2]}"
        numbers.setdefault(number, set()).add(port)
    assert sorted(numbers) == [2049, 2379, 5000, 5672, 7000, 8008, 8081, 15672]
    assert all(len(ports) == 1 for ports in numbers.values())
    assert len({port for ports in numbers.values() for port in ports}) == len(numbers)


async def test_clusters_keep_out_of_each_other_s_way() -> None:
    async with AsyncExitStack() as stack:
        running = [await stack.enter_async_context(Simulation()) for _ in range(3)]
        places = [place for each in running for place in (*each.services.values(), *each.dial.values())]
        assert len(set(places)) == len(places)


async def test_passwords_lie_in_files_that_nobody_else_can_read(simulation: Simulation) -> None:
    folder = simulation.folder / "passwords"
    names = {path.name for path in folder.iterdir()}
    assert names >= {"airflow_health", "postgresql_vip", "rabbitmq_cluster"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert password(simulation, "postgresql_vip") != password(simulation, "rabbitmq_cluster")
    assert password(simulation, "postgresql_vip") not in simulation.inventory_text()


async def test_an_inventory_can_be_a_part_of_the_cluster() -> None:
    async with Simulation("fourteen-tasks") as simulation:
        declared = simulation.inventory
        assert list(declared.hosts) == ["nfs-1", "nfs-2", "rabbit-1", "rabbit-2", "rabbit-3"]
        assert list(simulation.dial) == list(declared.hosts)
        units = sum(len(group.hosts) * len(group.units) for group in declared.groups.values())
        vips = sum(group.virtual_ip is not None for group in declared.groups.values())
        assert units + vips + len(declared.checks) == 14
        # The database's own machines are not declared, and are there all the same.
        assert isinstance(await ask_database(simulation), PostgresReply)


async def test_clones_have_no_checks() -> None:
    async with Simulation(hosts=20) as simulation:
        assert (simulation.inventory.checks, simulation.services) == ({}, {})
        assert parse_inventory(simulation.inventory_text(), source="x").checks == {}


# ---------------------------------------------------------------- how they stand

FAILED = "{state: failed, age: 2m, ran: 2h}"


@pytest.mark.parametrize(
    ("changes", "manner"),
    [
        ("{}", Manner.NORMAL),
        ("{haproxy-1: {holds: []}}", Manner.SILENT),
        ("{haproxy-1: {holds: [{local: 192.0.2.210, flags: [tentative]}]}}", Manner.SILENT),
        ("{haproxy-1: {ssh: silent}}", Manner.SILENT),
        ("{haproxy-1: {ssh: mute}}", Manner.MUTE),
        ("{haproxy-1: {ssh: auth_refused}}", Manner.NORMAL),
        (f"{{haproxy-1: {{units: {{haproxy: {FAILED}}}}}}}", Manner.REFUSED),
        (f"{{haproxy-2: {{units: {{haproxy: {FAILED}}}}}}}", Manner.NORMAL),
        ("{haproxy-1: {ssh: silent}, haproxy-2: {holds: [192.0.2.210]}}", Manner.NORMAL),
        (f"{{postgresql-1: {{units: {{patroni: {FAILED}}}}}}}", Manner.NORMAL),
        (
            f"{{postgresql-1: {{units: {{patroni: {FAILED}}}}}, postgresql-2: {{ssh: silent}}}}",
            Manner.NORMAL,
        ),
        (f"{{'*': {{units: {{patroni: {FAILED}}}}}}}", Manner.NO_BACKEND),
        ("{'*': {units: {patroni: {state: starting, age: 2s}}}}", Manner.NO_BACKEND),
        (f"{{postgresql-3: {{units: {{etcd: {FAILED}}}}}}}", Manner.NORMAL),
        ("{postgresql-2: {ssh: refused}, postgresql-3: {ssh: refused}}", Manner.NO_BACKEND),
    ],
)
def test_the_database_stands_and_falls_with_its_machines(changes: str, manner: Manner) -> None:
    found = services_of(made(changes).cluster(), lambda check: check)
    assert found["postgresql_vip", "postgresql_vip"].manner is manner
    assert {found["rabbitmq_cluster", f"rabbit-{n}"].manner for n in (1, 2, 3)} == {Manner.NORMAL}


@pytest.mark.parametrize(
    ("change", "manner"),
    [
        ("units: {rabbitmq-server: {state: failed}}", Manner.REFUSED),
        ("units: {rabbitmq-server: {state: starting, age: 2s}}", Manner.REFUSED),
        ("units: {rabbitmq-server: {state: reloading, age: 2s}}", Manner.NORMAL),
        ("units: {rabbitmq-server: null}", Manner.REFUSED),
        ("ssh: refused", Manner.REFUSED),
        ("ssh: silent", Manner.SILENT),
        ("ssh: mute", Manner.MUTE),
        ("ssh: other_key", Manner.NORMAL),
    ],
)
def test_a_node_stands_and_falls_with_its_machine(change: str, manner: Manner) -> None:
    found = services_of(made(f"{{rabbit-2: {{{change}}}}}").cluster(), lambda check: check)
    assert [found["rabbitmq_cluster", f"rabbit-{n}"].manner for n in (1, 2, 3)] == [
        Manner.NORMAL,
        manner,
        Manner.NORMAL,
    ]


def test_a_scenario_has_the_last_word() -> None:
    told = "{postgresql_vip: normal, rabbitmq_cluster: {'*': alarm, rabbit-2: nacks}}"
    found = services_of(made("{'*': {ssh: silent}}", services=told).cluster(), lambda check: check)
    assert found["postgresql_vip", "postgresql_vip"].manner is Manner.NORMAL
    assert [found["rabbitmq_cluster", f"rabbit-{n}"].manner for n in (1, 2, 3)] == [
        Manner.ALARM,
        Manner.NACKS,
        Manner.ALARM,
    ]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("{nosuch: mute}", "'mute' is nothing that"),
        ("{postgresql_vip: alarm}", "'alarm' is nothing that"),
        ("{rabbitmq_cluster: standby}", "'standby' is nothing that"),
        ("{rabbitmq_cluster: {ftp: mute}}", "'mute' is nothing that ftp of rabbitmq_cluster can be"),
        ("{rabbitmq_cluster: sleepy}", "'sleepy' is nothing that"),
    ],
)
def test_a_manner_that_means_nothing_is_refused(told: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        made("{}", services=told)


def test_a_part_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no group or check nosuch"):
        made("{}", inventory="{only: [nfs, nosuch]}")


def test_every_manner_and_every_word_is_shown_by_a_scenario() -> None:
    shown: dict[str, set[Manner]] = {kind: set() for kind in MANNERS}
    said: dict[str, set[str]] = {kind: set() for kind in VOCABULARIES}
    for scenario in scenarios(rows=True):
        cluster = scenario.cluster()
        for (check, server), service in services_of(cluster, lambda check: check).items():
            if not server.endswith("/management"):
                shown[cluster.checks[check]["kind"]].add(service.manner)
        for kind, by_member in cluster.services.items():
            said[kind] |= {key for told in by_member.values() for key in told.keys}
    assert shown["postgresql"] == MANNERS["postgresql"]
    # No proxy stands before a node.
    assert shown["rabbitmq"] == MANNERS["rabbitmq"] - {Manner.NO_BACKEND}
    assert shown["tcp"] == MANNERS["tcp"]
    of_the_web = (shown[kind] for kind in ("patroni", "etcd", "haproxy", "airflow", "http"))
    assert set().union(*of_the_web) == MANNERS["airflow"] - {Manner.NO_BACKEND}
    for kind, vocabulary in VOCABULARIES.items():
        assert set(vocabulary.keys) - said[kind] == set(), kind


# ---------------------------------------------------------------- while it is up


async def test_a_switch_reaches_the_services_and_keeps_their_ports(simulation: Simulation) -> None:
    before, secret = simulation.services, password(simulation, "postgresql_vip")
    first = await ask_database(simulation)
    assert isinstance(first, PostgresReply)
    assert (first.value, first.in_recovery) == (42, False)
    assert isinstance(await ask_node(simulation), AmqpReply)
    await simulation.switch("database-query-failed")
    broken = await ask_database(simulation)
    assert isinstance(broken, NoReply)
    assert (broken.reason, broken.detail) == (Reason.QUERY_FAILED, 'ERROR: relation "dag" does not exist')
    await simulation.switch("rabbit-node-lost")
    lost = await ask_node(simulation)
    assert isinstance(lost, NoReply)
    assert lost.reason is Reason.CONNECT_FAILED
    assert isinstance(await ask_node(simulation, ("192.0.2.147", 5672)), AmqpReply)
    await simulation.switch("nominal")
    assert isinstance(await ask_database(simulation), PostgresReply)
    assert isinstance(await ask_node(simulation), AmqpReply)
    assert (simulation.services, password(simulation, "postgresql_vip")) == (before, secret)


async def test_a_switch_hangs_up_on_who_waits_for_a_mute_service(simulation: Simulation) -> None:
    await simulation.switch("database-mute")
    asking = asyncio.create_task(ask_database(simulation))
    await asyncio.sleep(0.1)
    await simulation.switch("nominal")
    reply = await asyncio.wait_for(asking, 3)
    assert isinstance(reply, NoReply)
    assert reply.reason is Reason.CONNECT_FAILED


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("scenario", ["nominal", "database-mute", "monitor-isolated", "rabbit-memory-alarm"])
async def test_nothing_is_left_of_it(scenario: str) -> None:
    async def once() -> int:
        async with Simulation(scenario) as simulation:
            waiting = asyncio.create_task(ask_database(simulation, limit=0.2))
            await ask_node(simulation) if scenario == "nominal" else await asyncio.sleep(0.1)
            await asyncio.wait([waiting])
        await asyncio.sleep(0.05)
        return open_files()

    assert load_scenario(scenario)
    first = await once()
    assert await once() == first
    assert asyncio.all_tasks() == {asyncio.current_task()}


# ---------------------------------------------------------------- real clients


@pytest.mark.skipif(PSQL is None, reason="needs psql, of Debian's package postgresql-client")
async def test_psql_talks_to_the_database(simulation: Simulation) -> None:
    host, port = simulation.services[DATABASE]
    where = f"host={host} port={port} dbname=airflow_db user=airflow_user"
    asking = await asyncio.create_subprocess_exec(
        *("psql", where, "-At", "-c", "BEGIN; SELECT COUNT(*) FROM dag; ROLLBACK", "-c", "SELECT version()"),
        *("-c", "SELECT 1 FROM nosuch"),
        env={"PGPASSWORD": password(simulation, "postgresql_vip"), "PATH": "/usr/bin:/bin", "HOME": "/"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(asking.communicate(), 20)
    assert out.decode().splitlines()[:3] == ["BEGIN", "42", "ROLLBACK"]
    assert out.decode().splitlines()[3].startswith("PostgreSQL 15.")
    assert err == b'ERROR:  relation "nosuch" does not exist\n'


async def test_psycopg_talks_to_the_database(simulation: Simulation) -> None:
    host, port = simulation.services[DATABASE]
    secret = password(simulation, "postgresql_vip")

    def talk() -> None:
        with psycopg.connect(
            host=host, port=port, dbname="airflow_db", user="airflow_user", password=secret
        ) as connection:
            assert connection.info.server_version == 150018
            for options in ({}, {"binary": True}, {"prepare": True}, {"binary": True, "prepare": True}):
                found = connection.execute("SELECT COUNT(*) FROM dag", **options).fetchall()
                assert found == [(42,)]
            assert connection.execute("SELECT true", binary=True).fetchone() == (True,)
            assert connection.execute("SELECT %s", ["ä"]).fetchone() == ("ä",)
            with pytest.raises(psycopg.errors.UndefinedTable):
                connection.execute("SELECT * FROM nosuch")
            with pytest.raises(psycopg.errors.InFailedSqlTransaction):
                connection.execute("SELECT 1")
            connection.rollback()
            with pytest.raises(psycopg.errors.FeatureNotSupported):
                connection.execute("SELECT dag_id FROM dag")

    await asyncio.to_thread(talk)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0\0\0\x08\x04\xd2\x16\x2e",  # a cancel request
        b"\xff" * 64,
        b"\0\0\0\x09\0\3\0\0\0",  # nobody's name
        b"\0\0\0\x13\0\3\0\0user\0rocky\0\0" + b"p\xff\xff\xff\xff",
        b"\0\0\0\x13\0\3\0\0user\0rocky\0\0" + b"p\0\0\0\x08nix\0",
        b"\0\0\0\x13\0\3\0\0user\0rocky\0\0" + b"p\0\0\0\x1aSCRAM-SHA-256\0\0\0\0\x04n,,x",
        b"\0\0\0\x13\0\3\0\0user\0rocky\0\0" + b"Q\0\0\0\x04",
    ],
)
async def test_the_database_hangs_up_on_what_is_no_client(simulation: Simulation, sent: bytes) -> None:
    reader, writer = await asyncio.open_connection(*simulation.services[DATABASE])
    writer.write(sent)
    told = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    assert told == b"" or told[:1] in (b"R", b"E")
    assert isinstance(await ask_database(simulation), PostgresReply)
