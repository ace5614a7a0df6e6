"""What becomes of the entries of kinds patroni and etcd."""

from quorate.inventory import parse_inventory
from quorate.model import Check, Secret, Tls

HOSTS = "hosts: {postgresql-1: 192.0.2.204, postgresql-2: 192.0.2.166, me: {local: true}}"
MIB = 2**20


def check(text: str) -> Check:
    (found,) = parse_inventory(f"{HOSTS}\n{text}", source="/etc/quorate/cluster.yaml").checks.values()
    return found


def test_the_defaults_of_patroni_fit_the_example_cluster() -> None:
    found = check("checks:\n  p: {kind: patroni, hosts: [postgresql-1, me]}")
    assert (found.hosts, found.members, found.asks_hosts) == (("postgresql-1", "me"),) * 2 + (False,)
    assert dict(found.settings) == {
        "members": (
            {"name": "postgresql-1", "address": "192.0.2.204", "port": 8008},
            {"name": "me", "address": "localhost", "port": 8008},
        ),
        "tls": None,
        "user": None,
        "timeout": 5.0,
        "lag": {"warning": 16 * MIB, "critical": 128 * MIB},
        "levels": {"not_streaming": "warning", "timeline": "warning", "pending_restart": "warning"},
    }


def test_everything_of_patroni_can_be_set() -> None:
    settings = check(
        """
checks:
  p:
    kind: patroni
    hosts: [{name: postgresql-1, address: "2001:db8::1", port: 8009}]
    tls: {ca_file: ca.pem}
    user: u
    password: {file: rest}
    timeout: 500ms
    lag: {warning: 0B, critical: 1GiB}
    levels: {timeline: critical}
"""
    ).settings
    assert settings["members"] == ({"name": "postgresql-1", "address": "2001:db8::1", "port": 8009},)
    assert settings["tls"] == Tls(ca_file="/etc/quorate/ca.pem")
    assert (settings["user"], settings["password"]) == ("u", Secret(file="/etc/quorate/rest"))
    assert settings["lag"] == {"warning": 0, "critical": 1024 * MIB}
    assert settings["levels"] == {
        "not_streaming": "warning",
        "timeline": "critical",
        "pending_restart": "warning",
    }


def test_the_defaults_of_etcd_fit_the_example_cluster() -> None:
    found = check("checks:\n  e: {kind: etcd, hosts: [postgresql-1, postgresql-2]}")
    assert found.members == ("postgresql-1", "postgresql-2")
    assert dict(found.settings) == {
        "members": (
            {"name": "postgresql-1", "address": "192.0.2.204", "port": 2379},
            {"name": "postgresql-2", "address": "192.0.2.166", "port": 2379},
        ),
        "tls": None,
        "user": None,
        "timeout": 5.0,
        "quorum": None,
    }


def test_a_login_of_etcd() -> None:
    found = check(
        "checks:\n  e: {kind: etcd, hosts: [postgresql-1], user: r, password: {env: P}, quorum: 1, tls: {}}"
    )
    assert (found.settings["user"], found.settings["password"]) == ("r", Secret(env="P"))
    assert (found.settings["quorum"], found.settings["tls"]) == (1, Tls())
