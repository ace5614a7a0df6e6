"""What becomes of the entries of kind haproxy, and of the management section of kind rabbitmq."""

from typing import Any

from quorate.inventory import parse_inventory
from quorate.model import Check, LogsFrom, Secret, Tls

HOSTS = "hosts: {rabbit-1: 192.0.2.205, haproxy-1: 192.0.2.202, haproxy-2: 192.0.2.146, me: {local: true}}"


def check(text: str) -> Check:
    (found,) = parse_inventory(f"{HOSTS}\n{text}", source="/etc/quorate/cluster.yaml").checks.values()
    return found


def haproxy(rest: str) -> dict[str, Any]:
    return dict(check(f"checks:\n  lb: {{kind: haproxy, {rest}}}").settings)


def rabbitmq(rest: str) -> dict[str, Any]:
    text = f"checks:\n  mq: {{kind: rabbitmq, hosts: [rabbit-1], user: u, password: {{env: P}}{rest}}}"
    return dict(check(text).settings)


def test_the_defaults_fit_the_example_cluster() -> None:
    found = check("checks:\n  lb: {kind: haproxy, hosts: [haproxy-1, haproxy-2], backends: {write: {}}}")
    assert (found.hosts, found.members) == (("haproxy-1", "haproxy-2"),) * 2
    assert not found.asks_hosts
    assert dict(found.settings) == {
        "members": (
            {"name": "haproxy-1", "address": "192.0.2.202", "port": 7000},
            {"name": "haproxy-2", "address": "192.0.2.146", "port": 7000},
        ),
        "path": "/",
        "tls": None,
        "user": None,
        "timeout": 5.0,
        "backends": {"write": {"min_up": 1, "max_up": None, "served_by": None}},
    }


def test_everything_of_a_balancer_can_be_set() -> None:
    found = check(
        """
groups: {db: {hosts: [rabbit-1], units: [patroni]}}
checks:
  lb:
    kind: haproxy
    hosts: [{name: haproxy-1, address: "2001:db8::1", port: 8404}, me]
    port: 7001
    path: /haproxy?stats
    tls: {ca_file: ca.pem}
    user: u
    password: {file: stats}
    timeout: 500ms
    backends: {write: {min_up: 0, max_up: 2, served_by: {group: db, unit: patroni}}}
"""
    )
    settings = found.settings
    assert settings["members"] == (
        {"name": "haproxy-1", "address": "2001:db8::1", "port": 8404},
        {"name": "me", "address": "localhost", "port": 7001},
    )
    assert settings["tls"] == Tls(ca_file="/etc/quorate/ca.pem")
    assert (settings["user"], settings["password"]) == ("u", Secret(file="/etc/quorate/stats"))
    assert (settings["path"], settings["timeout"]) == ("/haproxy?stats", 0.5)
    unit = LogsFrom(group="db", unit="patroni.service")
    assert settings["backends"] == {"write": {"min_up": 0, "max_up": 2, "served_by": unit}}


def test_the_name_of_a_backend_is_haproxys_own() -> None:
    backends = haproxy("hosts: [haproxy-1], backends: {'web:8081 (old)': {}}")["backends"]
    assert list(backends) == ["web:8081 (old)"]


def test_without_a_management_section_there_is_nothing_of_it() -> None:
    assert rabbitmq("").keys() == {"members", "vhost", "user", "password", "timeout", "quorum", "depth"}
    assert "node" not in rabbitmq("")["members"][0]


def test_a_management_section_takes_what_is_the_checks() -> None:
    settings = rabbitmq(", timeout: 2s, management: {}")
    assert settings["management"] == {"port": 15672, "user": "u", "timeout": 2.0}
    assert settings["management_tls"] is None
    assert "management_password" not in settings


def test_a_management_section_of_its_own() -> None:
    settings = rabbitmq(
        ", management: {port: 15671, user: m, password: {file: mq}, timeout: 3s, tls: {key_file: k.pem}}"
    )
    assert settings["management"] == {"port": 15671, "user": "m", "timeout": 3.0}
    assert settings["management_tls"] == Tls(key_file="/etc/quorate/k.pem")
    assert settings["management_password"] == Secret(file="/etc/quorate/mq")


def test_a_member_may_say_what_its_node_is_called() -> None:
    found = check(
        "checks:\n  mq: {kind: rabbitmq, user: u, password: {env: P},"
        " hosts: [{name: rabbit-1, node: hare@mq-1.example.org}, haproxy-1]}"
    )
    assert [member.get("node") for member in found.settings["members"]] == ["hare@mq-1.example.org", None]
