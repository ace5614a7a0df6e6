"""What a faultless file becomes."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from quorate.inventory import load_inventory, parse_inventory
from quorate.model import (
    ActivePassive,
    Check,
    EvidenceSettings,
    Group,
    Host,
    Inventory,
    JudgingSettings,
    LogsFrom,
    Maintenance,
    Secret,
    SshSettings,
    Sync,
)

EXAMPLE = Path(__file__).parents[3] / "examples" / "cluster.yaml"
MISSION = {
    "haproxy-1": 202, "haproxy-2": 146, "scheduler-2": 132, "nfs-1": 165, "nfs-2": 203, "rabbit-1": 205,
    "rabbit-2": 147, "rabbit-3": 206, "postgresql-1": 204, "postgresql-2": 166, "postgresql-3": 137,
    "celery-1": 199, "celery-2": 200, "ftp": 164,
}  # fmt: skip


def parse(text: str) -> Inventory:
    return parse_inventory(text, source="/srv/quorate/cluster.yaml")


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")


def test_the_least_inventory() -> None:
    assert parse("hosts: {a: 192.0.2.1}") == Inventory(
        name="cluster",
        hosts={
            "a": Host(name="a", address="192.0.2.1", ssh=SshSettings(known_hosts="/home/me/.ssh/known_hosts"))
        },
    )


def test_empty_sections_are_as_if_not_there() -> None:
    text = "hosts: {a: 192.0.2.1}\nssh:\nevidence:\njudging:\ngroups:\nchecks:\nairflow:\nmaintenance:\n"
    assert parse(text) == parse("hosts: {a: 192.0.2.1}")


def test_the_example_is_the_cluster_of_the_mission() -> None:
    inventory = load_inventory(EXAMPLE)
    assert {name: host.address for name, host in inventory.hosts.items()} == {
        name: f"192.0.2.{number}" for name, number in MISSION.items()
    }
    assert list(inventory.groups) == [
        "nfs", "haproxy", "scheduler", "webserver", "rabbitmq", "postgresql", "celery", "ftp",
    ]  # fmt: skip
    assert inventory.groups["nfs"] == Group(
        name="nfs",
        hosts=("nfs-1", "nfs-2"),
        units=("nfs-server.service", "lsyncd.service", "airflow-dag-processor.service", "keepalived.service"),
        active_passive=ActivePassive(
            vip="192.0.2.220",
            units=("nfs-server.service", "lsyncd.service", "airflow-dag-processor.service"),
            failover_grace=60.0,
        ),
    )
    assert inventory.groups["haproxy"].vip == "192.0.2.210"
    assert inventory.task_logs == (
        LogsFrom(group="scheduler", unit="airflow-scheduler.service"),
        LogsFrom(group="celery", unit="airflow-worker.service"),
    )


def test_the_checks_of_the_example() -> None:
    checks = load_inventory(EXAMPLE).checks
    assert checks["postgresql_vip"] == Check(
        name="postgresql_vip",
        kind="postgresql",
        settings={
            "host": "192.0.2.210",
            "port": 5000,
            "database": "airflow_db",
            "user": "airflow_user",
            "password": Secret(env="AIRFLOW_DB_PASSWORD"),
            "query": "SELECT COUNT(*) FROM dag",
            "parameters": (),
            "connect_timeout": 5.0,
            "statement_timeout": 5.0,
            "depth": "read",
        },
        logs_from=LogsFrom(group="postgresql", unit="patroni.service"),
    )
    assert checks["rabbitmq_cluster"] == Check(
        name="rabbitmq_cluster",
        kind="rabbitmq",
        hosts=("rabbit-1", "rabbit-2", "rabbit-3"),
        members=("rabbit-1", "rabbit-2", "rabbit-3"),
        settings={
            "members": tuple(
                {"name": name, "address": f"192.0.2.{MISSION[name]}", "port": 5672}
                for name in ("rabbit-1", "rabbit-2", "rabbit-3")
            ),
            "vhost": "airflow_host",
            "user": "airflow_user",
            "password": Secret(env="RABBITMQ_PASSWORD"),
            "timeout": 5.0,
            "quorum": None,
            "depth": "connect",
            "management": {"port": 15672, "user": "airflow_user", "timeout": 5.0},
            "management_tls": None,
        },
        logs_from=LogsFrom(group="rabbitmq", unit="rabbitmq-server.service"),
    )


def test_a_host_overrides_ssh_key_by_key() -> None:
    hosts = parse(
        """
ssh: {user: rocky, port: 2222, identity_file: ~/key, known_hosts: keys/known, command_timeout: 500ms,
      sudo: false, passphrase: {file: pass.txt}}
hosts:
  a: 192.0.2.1
  b: {address: 192.0.2.2, ssh: {port: 22, config_file: /etc/ssh/ssh_config, sudo: true, passphrase: {env: P}}}
"""
    ).hosts
    default = SshSettings(
        user="rocky",
        port=2222,
        identity_file="/home/me/key",
        known_hosts="/srv/quorate/keys/known",
        command_timeout=0.5,
        sudo=False,
        passphrase=Secret(file="/srv/quorate/pass.txt"),
    )
    assert hosts["a"].ssh == default
    assert hosts["b"].ssh == SshSettings(
        user="rocky",
        port=22,
        identity_file="/home/me/key",
        known_hosts="/srv/quorate/keys/known",
        config_file="/etc/ssh/ssh_config",
        command_timeout=0.5,
        sudo=True,
        passphrase=Secret(env="P"),
    )


def test_relative_paths_start_from_the_folder_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_text("ssh: {identity_file: ../key}\nhosts: {a: 192.0.2.1}\n", encoding="utf-8")
    assert load_inventory(file).hosts["a"].ssh.identity_file == os.path.normpath(tmp_path / ".." / "key")


def test_jump_hosts() -> None:
    hosts = parse(
        """
ssh: {jump: bastion}
hosts:
  bastion: {address: 192.0.2.1, ssh: {jump: outer}}
  outer: 192.0.2.2
  inner: 192.0.2.3
  direct: {address: 192.0.2.4, ssh: {jump: none}}
  me: {local: true}
  me-too: {local: true, address: 192.0.2.5}
"""
    ).hosts
    assert {name: host.ssh.jump for name, host in hosts.items()} == {
        "bastion": "outer",
        "outer": None,
        "inner": "bastion",
        "direct": None,
        "me": None,
        "me-too": "bastion",
    }


def test_hosts_are_named_as_written_and_addresses_are_canonical() -> None:
    hosts = parse(
        "hosts: {007: 2001:0DB8::0:1, 1.0: db.example.org, yes: 192.0.2.1, z: {address: 'fe80::1%eth0'}}"
    ).hosts
    assert {name: host.address for name, host in hosts.items()} == {
        "007": "2001:db8::1",
        "1.0": "db.example.org",
        "yes": "192.0.2.1",
        "z": "fe80::1%eth0",
    }


def test_units_go_by_their_full_name() -> None:
    units = parse(
        "hosts: {a: 192.0.2.1}\n"
        "groups: {g: {hosts: [a], units: [lsyncd, x.service, b.timer, w@1, a.b, getty@tty1.service]}}"
    ).groups["g"]
    assert units.units == (
        "lsyncd.service",
        "x.service",
        "b.timer",
        "w@1.service",
        "a.b.service",
        "getty@tty1.service",
    )


def test_all_settings() -> None:
    inventory = parse(
        """
name: test
evidence: {log_lines: 10000, since: 1d}
judging:
  {samples: 1, interval: 250ms, restart_limit: 5, restart_window: 1h, start_timeout: 2m, stop_timeout: 90s}
hosts: {a: 192.0.2.1, b: 192.0.2.2}
groups:
  g:
    {hosts: [a, b], units: [x], tolerates: 1,
     active_passive:
       {vip: 2001:DB8::9, units: [x.service], failover_grace: 0s, sync: {path: /srv/m, max_age: 5m}}}
maintenance:
  - {select: g/a, until: 2026-01-01 05:00:00+01:00, reason: new disks}
  - {select: host, until: "2026-01-02T00:00:00Z"}
airflow: {base_log_folder: /opt/airflow/logs, task_logs: [{group: g, unit: x}]}
"""
    )
    assert inventory.name == "test"
    assert inventory.evidence == EvidenceSettings(log_lines=10000, since=86400.0)
    assert inventory.judging == JudgingSettings(
        samples=1,
        interval=0.25,
        restart_limit=5,
        restart_window=3600.0,
        start_timeout=120.0,
        stop_timeout=90.0,
    )
    assert inventory.groups["g"].active_passive == ActivePassive(
        vip="2001:db8::9",
        units=("x.service",),
        failover_grace=0.0,
        sync=Sync(path="/srv/m", max_age=300.0),
    )
    assert inventory.maintenance == (
        Maintenance(select="g/a", until=datetime(2026, 1, 1, 4, tzinfo=UTC), reason="new disks"),
        Maintenance(select="host", until=datetime(2026, 1, 2, tzinfo=UTC)),
    )
    assert inventory.groups["g"].tolerates == 1
    assert inventory.base_log_folder == "/opt/airflow/logs"
    assert inventory.task_logs == (LogsFrom(group="g", unit="x.service"),)


def test_rabbitmq_members_may_listen_elsewhere() -> None:
    check = parse(
        """
hosts: {r1: 192.0.2.1, r2: 192.0.2.2, r3: {local: true}}
checks:
  r:
    kind: rabbitmq
    hosts: [{name: r1, port: 5673}, {name: r2, address: 2001:DB8::2}, r3]
    port: 5671
    user: u
    password: {airflow_connection: rabbit}
    quorum: 3
    depth: round_trip
"""
    ).checks["r"]
    assert check.settings["members"] == (
        {"name": "r1", "address": "192.0.2.1", "port": 5673},
        {"name": "r2", "address": "2001:db8::2", "port": 5671},
        {"name": "r3", "address": "localhost", "port": 5671},
    )
    assert check.settings["quorum"] == 3
    assert check.settings["password"] == Secret(airflow_connection="rabbit")
    assert check.hosts == ("r1", "r2", "r3")


@pytest.mark.parametrize(
    ("host", "address", "hosts"),
    [
        ("192.0.2.9", "192.0.2.9", ()),
        ("192.0.2.1", "192.0.2.1", ("db-1",)),
        ("db-1", "192.0.2.1", ("db-1",)),
        ("db.example.org", "db.example.org", ()),
    ],
)
def test_a_database_host_may_be_one_of_the_inventory(host: str, address: str, hosts: tuple[str, ...]) -> None:
    check = parse(
        f"""
hosts: {{db-1: 192.0.2.1}}
checks:
  p: {{kind: postgresql, host: {host}, database: d, user: u, password: {{file: ~/secret}},
      parameters: [1, x, null, 0x1F]}}
"""
    ).checks["p"]
    assert (check.settings["host"], check.hosts) == (address, hosts)
    assert check.settings["password"] == Secret(file="/home/me/secret")
    assert check.settings["parameters"] == (1, "x", None, 31)


def test_aliases_are_spread_out() -> None:
    groups = parse(
        "hosts: {a: 192.0.2.1, b: 192.0.2.2}\n"
        "groups: {g: &pair {hosts: &both [a, b], units: [x]}, h: *pair, i: {hosts: *both}}"
    ).groups
    assert groups["h"].units == ("x.service",)
    assert groups["i"].hosts == ("a", "b")


def test_the_inventory_is_frozen() -> None:
    inventory = load_inventory(EXAMPLE)
    settings = inventory.checks["postgresql_vip"].settings
    for mapping in (inventory.hosts, inventory.groups, inventory.checks, settings):
        with pytest.raises(TypeError):
            mapping["x"] = 1  # type: ignore[index]  # it must fail at run time too
