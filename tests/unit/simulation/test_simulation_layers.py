"""How the simulated services stand upon each other, and that they answer as the recorded real ones do."""

import json
from pathlib import Path
from typing import Any

import pytest
from talking import made

from quorate.simulation import load_scenario
from quorate.simulation.services.airflow import AirflowSite
from quorate.simulation.services.etcd import EtcdSite
from quorate.simulation.services.haproxy import BalancerSite
from quorate.simulation.services.layers import Layers
from quorate.simulation.services.management import ManagementSite
from quorate.simulation.services.patroni import PatroniSite
from quorate.simulation.services.site import Request, Response, Site, basic
from quorate.simulation.services.standing import services_of
from quorate.simulation.services.state import Manner, SimulatedPort, SimulatedSite

CASES = Path(__file__).parents[2] / "cases" / "probes"
FAILED = "{state: failed, age: 2m, ran: 2h}"
WRITE, WEB = ("192.0.2.210", 5000), ("192.0.2.210", 8081)


def layers(changes: str = "{}", services: str = "{}") -> Layers:
    return Layers(cluster=made(changes, services=services).cluster())


def stands(check: str, member: str, changes: str = "{}", services: str = "{}") -> Site | Manner:
    cluster = made(changes, services=services).cluster()
    found = services_of(cluster, lambda name: f"secret of {name}")[check, member]
    if isinstance(found, SimulatedSite) and found.manner is Manner.NORMAL:
        return found.site
    assert isinstance(found, SimulatedSite | SimulatedPort)
    return found.manner


# ---------------------------------------------------------------- what follows from what


@pytest.mark.parametrize(
    ("changes", "services", "quorum", "leader", "database"),
    [
        ("{}", "{}", True, "postgresql-1", Manner.NORMAL),
        (f"{{postgresql-1: {{units: {{etcd: {FAILED}}}}}}}", "{}", True, "postgresql-1", Manner.NORMAL),
        (f"{{postgresql-1: {{units: {{patroni: {FAILED}}}}}}}", "{}", True, "postgresql-2", Manner.NORMAL),
        ("{postgresql-1: {ssh: silent}}", "{}", True, "postgresql-2", Manner.NORMAL),
        ("{postgresql-1: {ssh: mute}, postgresql-2: {ssh: refused}}", "{}", False, None, Manner.NO_BACKEND),
        ("{}", "{etcd_cluster: no_leader}", False, None, Manner.NO_BACKEND),
        ("{}", "{etcd_cluster: {postgresql-1: mute}}", True, "postgresql-1", Manner.NORMAL),
        ("{}", "{patroni_cluster: replica}", True, None, Manner.NO_BACKEND),
        ("{}", "{patroni_cluster: {postgresql-3: leader}}", True, "postgresql-3", Manner.NORMAL),
        ("{}", "{patroni_cluster: {postgresql-1: mute}}", True, "postgresql-2", Manner.NORMAL),
        (
            "{}",
            "{patroni_cluster: {postgresql-1: {state: crashed}}}",
            True,
            "postgresql-1",
            Manner.NO_BACKEND,
        ),
        ("{}", "{balancers: {'*': {write: [postgresql-2]}}}", True, "postgresql-1", Manner.STANDBY),
        ("{}", "{balancers: {'*': {write: {postgresql-1: MAINT}}}}", True, "postgresql-1", Manner.NO_BACKEND),
        ("{}", "{balancers: {haproxy-2: {write: []}}}", True, "postgresql-1", Manner.NORMAL),
    ],
)
def test_the_database_stands_upon_etcd_patroni_and_the_balancers(
    changes: str, services: str, quorum: bool, leader: str | None, database: Manner
) -> None:
    found = layers(changes, services)
    assert (found.has_quorum, found.leader, found.database(*WRITE)) == (quorum, leader, database)
    assert found.airflow_database(WRITE[0]) is (database in (Manner.NORMAL, Manner.STANDBY))


def test_who_takes_over_is_on_a_timeline_of_its_own() -> None:
    found = layers("{postgresql-1: {ssh: silent}}")
    assert {node.name: (node.role, node.timeline) for node in found.nodes.values()} == {
        "postgresql-2": ("leader", 13),
        "postgresql-3": ("replica", 13),
    }


@pytest.mark.parametrize(
    ("changes", "services", "manner"),
    [
        ("{}", "{}", Manner.NORMAL),
        ("{haproxy-1: {holds: []}}", "{}", Manner.SILENT),
        ("{haproxy-1: {ssh: refused}}", "{}", Manner.REFUSED),
        (f"{{haproxy-1: {{units: {{haproxy: {FAILED}}}}}}}", "{}", Manner.REFUSED),
        (f"{{haproxy-1: {{units: {{airflow-webserver: {FAILED}}}}}}}", "{}", Manner.NORMAL),
        (f"{{'*': {{units: {{airflow-webserver: {FAILED}}}}}}}", "{}", Manner.UNAVAILABLE),
        ("{}", "{balancers: {'*': {web: null}}}", Manner.UNAVAILABLE),
    ],
)
def test_airflow_stands_behind_the_balancer(changes: str, services: str, manner: Manner) -> None:
    assert layers(changes, services).web(*WEB) is manner


def test_heartbeats_are_as_old_as_what_ended_them() -> None:
    found = layers(
        f"{{scheduler-2: {{units: {{airflow-scheduler: {FAILED}}}}}, nfs-1: {{ssh: silent}}}}"
    ).beats()
    assert found == {"scheduler": {"haproxy-1": 2.0, "scheduler-2": 120.0}, "dag_processor": {"nfs-1": 240.0}}


def test_a_scenario_has_the_last_word_on_heartbeats() -> None:
    told = "{airflow_health: {schedulers: {haproxy-1: 5m, scheduler-2: null, old: 3s}}}"
    site = stands("airflow_health", "airflow_health", services=told)
    assert isinstance(site, AirflowSite)
    assert site.beats["scheduler"] == {"haproxy-1": 300.0, "old": 3.0}


@pytest.mark.parametrize(
    ("changes", "services", "seen"),
    [
        ("{}", "{}", ["123", "123", "123"]),
        (f"{{rabbit-2: {{units: {{rabbitmq-server: {FAILED}}}}}}}", "{}", ["13", Manner.REFUSED, "13"]),
        ("{rabbit-2: {ssh: mute}}", "{}", ["13", Manner.MUTE, "13"]),
        ("{}", "{rabbitmq_cluster: {rabbit-3: partitioned}}", ["12", "12", "3"]),
        ("{}", "{rabbitmq_cluster: {rabbit-3: apart}}", ["12", "12", "3"]),
        ("{}", "{rabbitmq_cluster: {rabbit-1: {management: mute}}}", [Manner.MUTE, "123", "123"]),
        ("{}", "{rabbitmq_cluster: {rabbit-1: refused}}", [Manner.REFUSED, "23", "23"]),
        ("{}", "{rabbitmq_cluster: {rabbit-1: drained}}", [Manner.REFUSED, "123", "123"]),
        ("{}", "{rabbitmq_cluster: {rabbit-1: nacks}}", ["123", "123", "123"]),
    ],
)
def test_brokers_see_who_is_there(changes: str, services: str, seen: list[str | Manner]) -> None:
    found: list[str | Manner] = []
    for host in ("rabbit-1", "rabbit-2", "rabbit-3"):
        site = stands("rabbitmq_cluster", f"{host}/management", changes, services)
        if isinstance(site, ManagementSite):
            found.append("".join(name[-1] for name, running in site.nodes.items() if running))
        else:
            assert isinstance(site, Manner)
            found.append(site)
    assert found == seen


@pytest.mark.parametrize(
    ("changes", "manner"),
    [
        ("{}", Manner.NORMAL),
        ("{nfs-1: {holds: []}}", Manner.SILENT),
        ("{nfs-1: {holds: []}, nfs-2: {holds: [192.0.2.220]}}", Manner.REFUSED),
        ("{nfs-2: {holds: [192.0.2.220]}}", Manner.NORMAL),
        (f"{{nfs-1: {{units: {{nfs-server: {FAILED}}}}}}}", Manner.REFUSED),
        ("{nfs-1: {ssh: mute}}", Manner.MUTE),
    ],
)
def test_the_port_of_nfs_stands_with_its_server_on_who_holds_the_address(
    changes: str, manner: Manner
) -> None:
    cluster = made(changes).cluster()
    assert services_of(cluster, lambda name: name)["nfs_port", "nfs_port"].manner is manner


def test_a_host_that_is_off_is_off_for_all_its_services() -> None:
    found = services_of(made("{'*': {ssh: silent}}").cluster(), lambda name: name)
    assert {service.manner for service in found.values()} == {Manner.SILENT}


# ---------------------------------------------------------------- what they answer


def shape(value: Any) -> Any:
    """Return keys and kinds of values, of a list those of all its items together."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        merged: dict[str, Any] = {}
        for each in value:
            merged |= shape(each) if isinstance(each, dict) else {"": shape(each)}
        return [merged]
    return type(value).__name__


def recorded(path: str) -> Any:
    return json.loads((CASES / path).read_text().partition("\n\n")[2])


def answered(site: Site | Manner, method: str, path: str, **headers: str) -> Any:
    assert not isinstance(site, Manner)
    found = site.answer(Request(method=method, path=path, headers=headers))
    assert isinstance(found, Response)
    return json.loads(found.body)


@pytest.mark.parametrize(
    ("scenario", "situation"),
    [
        ("nominal", "nominal"),
        ("patroni-split-brain", "two-primaries"),
        ("patroni-paused", "patroni-paused"),
        ("etcd-majority-lost", "etcd-majority-lost"),
    ],
)
def test_patroni_and_etcd_answer_in_the_form_of_the_real_ones(scenario: str, situation: str) -> None:
    services = services_of(load_scenario(scenario).cluster(), lambda name: name)
    for number in (1, 2, 3):
        node = services["patroni_cluster", f"postgresql-{number}"]
        assert isinstance(node, SimulatedSite)
        assert isinstance(node.site, PatroniSite)
        for what in ("patroni", "cluster"):
            path = CASES / "patroni" / f"{situation}.{number}.{what}.http"
            if path.exists():
                real, ours = recorded(f"patroni/{path.name}"), answered(node.site, "GET", f"/{what}")
                if situation != "etcd-majority-lost" or what == "cluster":
                    assert shape(ours) == shape(real), path.name
                assert ours.get("role") == real.get("role")


@pytest.mark.parametrize(
    ("scenario", "member", "path"),
    [
        ("nominal", "postgresql-1", "nominal.1"),
        ("nominal", "postgresql-2", "nominal.2"),
        ("etcd-majority-lost", "postgresql-3", "etcd-majority-lost.1"),
    ],
)
def test_etcd_answers_in_the_form_of_the_real_one(scenario: str, member: str, path: str) -> None:
    service = services_of(load_scenario(scenario).cluster(), lambda name: name)["etcd_cluster", member]
    assert isinstance(service, SimulatedSite)
    assert isinstance(service.site, EtcdSite)
    for what, where in (
        ("status", "/v3/maintenance/status"),
        ("members", "/v3/cluster/member/list"),
        ("alarm", "/v3/maintenance/alarm"),
    ):
        if (CASES / "etcd" / f"{path}.{what}.http").exists():
            real, ours = recorded(f"etcd/{path}.{what}.http"), answered(service.site, "POST", where)
            assert shape(ours) == shape(real), what


def test_haproxy_answers_in_the_columns_of_the_real_one() -> None:
    site = stands("balancers", "haproxy-1")
    assert isinstance(site, BalancerSite)
    found = site.answer(Request(method="GET", path="/;csv"))
    assert found is not None
    real = (CASES / "haproxy" / "nominal.haproxy-1.http").read_text().partition("\n\n")[2].splitlines()
    ours = found.body.decode().splitlines()
    header = ours[0].removesuffix(",")
    assert real[0].startswith(header)
    assert {line.count(",") for line in ours} == {header.count(",") + 1}

    def states(lines: list[str]) -> set[tuple[str, ...]]:
        column = header.split(",").index("status")
        cells = (line.split(",") for line in lines[1:])
        return {(c[0], c[1], c[column]) for c in cells if c[0] != "statistics"}

    assert states(ours) == states(real)


@pytest.mark.parametrize(
    ("scenario", "situation"),
    [
        ("nominal", "nominal"),
        ("broker-partitioned", "partitioned"),
        ("rabbit-disk-alarm", "memory-alarm"),
        ("rabbit-drained", "node-drained"),
    ],
)
def test_rabbitmq_answers_in_the_form_of_the_real_one(scenario: str, situation: str) -> None:
    services = services_of(load_scenario(scenario).cluster(), lambda name: name)
    real = json.loads((CASES / "rabbitmq" / f"{situation}.json").read_text())
    asked = ("nodes", "overview", "health/checks/alarms", "health/checks/node-is-quorum-critical")
    node = services["rabbitmq_cluster", "rabbit-1/management"]
    assert isinstance(node, SimulatedSite)
    login = basic("airflow_user", "rabbitmq_cluster")
    for number, path in enumerate(asked):
        request = Request(method="GET", path=f"/api/{path}", headers={"authorization": login})
        found = node.site.answer(request)
        assert found is not None
        there = real["rabbit-1"][number]
        if situation == "node-drained" and number == 3:
            continue  # whether queues hang by one node is their own matter
        assert found.status == there["status"], path
        known = shape([there["body"]] if isinstance(there["body"], dict) else there["body"])
        ours = json.loads(found.body)
        assert set(shape([ours] if isinstance(ours, dict) else ours)[0]) <= set(known[0]), path


@pytest.mark.parametrize(
    ("services", "case"),
    [
        ("{}", "nominal"),
        ("{airflow_health: without_database}", "database-gone"),
        ("{airflow_health: {schedulers: {haproxy-1: 5m, scheduler-2: 5m}}}", "none-alive"),
    ],
)
def test_airflow_says_how_it_is_in_the_form_of_the_real_one(services: str, case: str) -> None:
    site = stands("airflow_health", "airflow_health", services=services)
    ours, real = answered(site, "GET", "/api/v2/monitor/health"), recorded(f"airflow/{case}.health.http")
    assert ours["metadatabase"] == real["metadatabase"]
    assert ours["scheduler"]["status"] == real["scheduler"]["status"]
    assert {key: set(each) for key, each in ours.items()} == {key: set(each) for key, each in real.items()}


def test_airflow_lists_jobs_in_the_form_of_the_real_one() -> None:
    site = stands("airflow_health", "airflow_health")
    token = json.loads(
        site.answer(  # type: ignore[union-attr]  # a manner would fail the test
            Request(
                method="POST",
                path="/auth/token",
                body=json.dumps({"username": "monitor", "password": "secret of airflow_health"}).encode(),
            )
        ).body
    )["access_token"]
    ours = answered(site, "GET", "/api/v2/jobs", authorization=f"Bearer {token}")
    assert shape(ours) == shape(recorded("airflow/nominal.jobs.http"))


# ---------------------------------------------------------------- what can be said of them


@pytest.mark.parametrize(
    ("services", "words"),
    [
        ("{patroni_cluster: sleepy}", r"'sleepy' is nothing that \* of patroni_cluster can be"),
        ("{patroni_cluster: {ftp: leader}}", "'leader' is nothing that ftp of patroni_cluster can be"),
        ("{patroni_cluster: {postgresql-1: {colour: red}}}", "colour is nothing that is known of"),
        ("{patroni_cluster: {postgresql-1: {role: king}}}", "role of .*: 'king' is none of leader, replica"),
        ("{patroni_cluster: {postgresql-1: {lag: much}}}", "lag of .*: 'much' is no size: write 64MiB"),
        ("{patroni_cluster: {postgresql-1: {timeline: '3'}}}", "timeline of .*: '3' is no whole number"),
        ("{patroni_cluster: {postgresql-1: {paused: 1}}}", "paused of .*: 1 is neither true nor false"),
        ("{patroni_cluster: {postgresql-1: {manner: alarm}}}", "manner of .*: 'alarm' is none of"),
        ("{etcd_cluster: {postgresql-1: {alarms: NOSPACE}}}", "alarms of .*: 'NOSPACE' is no list"),
        ("{airflow_health: {schedulers: [a]}}", "schedulers of .* is no mapping of hosts"),
        ("{airflow_health: {schedulers: {a: soon}}}", "'soon' is no duration"),
        ("{balancers: {haproxy-1: {write: 3}}}", "write of .*: 3 is no list"),
        ("{nfs_port: {colour: red}}", "colour is nothing that is known of"),
        ("{nfs_port: 3}", "3 is nothing that nfs_port of nfs_port can be"),
    ],
)
def test_what_means_nothing_is_refused(services: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        made("{}", services=services)
