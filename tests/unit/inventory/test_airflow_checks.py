"""What becomes of the entries of kind airflow: which way is asked, and what is declared of the components."""

from typing import Any

import pytest

from quorate.inventory import InventoryError, parse_inventory
from quorate.model import Check, Secret, Tls

HOSTS = "hosts: {haproxy-1: 192.0.2.202, scheduler-2: 192.0.2.132, nfs-1: 192.0.2.165, me: {local: true}}"
API = "url: 'http://192.0.2.210:8081'"
DATABASE = "host: 192.0.2.210, database: airflow_db, user: u, password: {env: P}"


def check(keys: str) -> Check:
    text = f"{HOSTS}\nchecks:\n  af: {{kind: airflow, {keys}}}\n"
    (found,) = parse_inventory(text, source="/etc/quorate/cluster.yaml").checks.values()
    return found


def numbers(keys: str) -> dict[str, Any]:
    return {name: of["number"] for name, of in check(keys).settings["components"].items()}


def test_the_defaults_fit_the_example_cluster() -> None:
    found = check(API)
    assert found.members == ("scheduler", "triggerer", "dag_processor")
    assert (found.hosts, found.asks_hosts) == ((), False)
    nowhere: dict[str, tuple[str, ...]] = {}
    assert dict(found.settings) == {
        "way": "api",
        "url": "http://192.0.2.210:8081",
        "host": "192.0.2.210",
        "port": 8081,
        "path": "",
        "host_header": "192.0.2.210:8081",
        "tls": None,
        "user": None,
        "components": {
            "scheduler": {"number": 2, "hosts": nowhere},
            "triggerer": {"number": 1, "hosts": nowhere},
            "dag_processor": {"number": 1, "hosts": nowhere},
        },
        "max_age": 30.0,
        "timeout": 5.0,
    }


def test_everything_of_the_api_can_be_set() -> None:
    found = check(
        "url: 'https://haproxy-1/airflow/', user: u, password: {file: api}, tls: {ca_file: ca.pem},"
        " max_age: 1m, timeout: 2s"
    )
    settings = found.settings
    assert (settings["url"], settings["path"]) == ("https://haproxy-1/airflow", "/airflow")
    assert (settings["host"], settings["port"], settings["host_header"]) == ("192.0.2.202", 443, "haproxy-1")
    assert settings["tls"] == Tls(ca_file="/etc/quorate/ca.pem", name="haproxy-1")
    assert (settings["user"], settings["password"]) == ("u", Secret(file="/etc/quorate/api"))
    assert (settings["max_age"], settings["timeout"]) == (60.0, 2.0)
    assert found.hosts == ("haproxy-1",)


@pytest.mark.parametrize(
    ("host", "address", "concerned"),
    [
        ("192.0.2.210", "192.0.2.210", ()),
        ("nfs-1", "192.0.2.165", ("nfs-1",)),
        ("192.0.2.165", "192.0.2.165", ("nfs-1",)),
        ("me", "localhost", ("me",)),
    ],
)
def test_a_database(host: str, address: str, concerned: tuple[str, ...]) -> None:
    found = check(f"host: {host}, port: 5000, database: airflow_db, user: u, password: {{env: P}}")
    settings = dict(found.settings)
    assert found.hosts == concerned
    assert settings.pop("components").keys() == {"scheduler", "triggerer", "dag_processor"}
    assert settings == {
        "way": "database",
        "host": address,
        "port": 5000,
        "database": "airflow_db",
        "user": "u",
        "password": Secret(env="P"),
        "max_age": 30.0,
        "timeout": 5.0,
    }
    assert check(DATABASE).settings["port"] == 5432


def test_numbers() -> None:
    assert numbers(f"{API}, schedulers: 3, triggerers: 0, dag_processors: 2") == {
        "scheduler": 3,
        "dag_processor": 2,
    }
    assert check(f"{API}, triggerers: 0").members == ("scheduler", "dag_processor")
    assert check(f"{API}, schedulers: 0, triggerers: 0, dag_processors: 0").members == ()


def test_hosts_in_place_of_numbers() -> None:
    found = check(f"{DATABASE}, schedulers: [haproxy-1, scheduler-2], dag_processors: [me]")
    assert found.settings["components"]["scheduler"] == {
        "number": 2,
        "hosts": {"haproxy-1": ("haproxy-1", "192.0.2.202"), "scheduler-2": ("scheduler-2", "192.0.2.132")},
    }
    assert found.settings["components"]["dag_processor"] == {"number": 1, "hosts": {"me": ("me",)}}
    assert found.hosts == ("haproxy-1", "scheduler-2", "me")


def test_no_secret_of_a_url_is_shown() -> None:
    for url in ("http://u:hunter2@a/", "http://a/?token=hunter2"):
        with pytest.raises(InventoryError) as caught:
            check(f"url: '{url}'")
        assert "hunter2" not in str(caught.value)
