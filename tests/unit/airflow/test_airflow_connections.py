"""Credentials from Airflow's connections: what the inventory says holds, and no secret is ever shown."""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quorate.airflow.connections import (
    Connections,
    SshLogin,
    connect_inventory,
    connect_inventory_async,
    connection_secrets,
    resolver,
    with_connections,
)
from quorate.engine import SecretUnavailableError, known_secrets
from quorate.inventory import parse_inventory
from quorate.model import Inventory, Secret, SshSettings

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nTUlJRXBBSUJBQUtDQVFFQQ==\n-----END OPENSSH PRIVATE KEY-----\n"
SECRETS = {"password": "hunter2-of-ssh", "private_key": KEY, "private_key_passphrase": "phrase-of-key"}
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJvbm5lbm5lbm5lbm5lbm5lbm5lbm5lbm5lbm5lbm5l"
BARE_RSA = "AAAAB3NzaC1yc2EAAAADAQABAAAAgQCx"
FILE = """
name: test
ssh: {airflow_connection: ssh_prod}
hosts:
  a: 192.0.2.1
  b: {address: 192.0.2.2, ssh: {user: own, port: 2200, identity_file: /own/key}}
  c: {address: 192.0.2.3, ssh: {airflow_connection: other, passphrase: {env: OWN_PHRASE}}}
groups: {g: {hosts: [a, b, c], units: [x]}}
checks:
  db:
    {kind: postgresql, host: 192.0.2.9, database: d, user: u, password: {airflow_connection: db}}
"""


def inventory(text: str = FILE) -> Inventory:
    return parse_inventory(text, source="/etc/quorate/cluster.yaml")


def connections(**secrets: str) -> Connections:
    login = SshLogin(user="rocky", port=2222, key_file="/theirs/key", host_key=HOST_KEY)
    return Connections(
        logins={"ssh_prod": login, "other": login, "db": SshLogin()},
        secrets={"ssh_prod": secrets, "other": secrets, "db": {"password": "hunter2-of-db"}},
    )


def part(name: str, id_: str = "ssh_prod") -> Secret:
    return Secret(airflow_connection=id_, part=name)


def ssh(name: str, **secrets: str) -> SshSettings:
    return with_connections(inventory(), connections(**secrets)).hosts[name].ssh


def test_the_connections_that_an_inventory_needs() -> None:
    assert connection_secrets(inventory()) == ("ssh_prod", "other", "db")
    plain = inventory("hosts: {a: 192.0.2.1}\n")
    assert connection_secrets(plain) == ()


def test_an_inventory_without_connections_needs_no_airflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "airflow", None)
    plain = inventory("hosts: {a: 192.0.2.1}\n")
    assert connect_inventory(plain)[0] == plain
    assert asyncio.run(connect_inventory_async(plain))[0] == plain


def test_what_a_connection_carries_is_filled_in() -> None:
    assert ssh("a", **SECRETS) == SshSettings(
        user="rocky",
        port=2222,
        private_key=part("private_key"),
        passphrase=part("private_key_passphrase"),
        password=part("password"),
        host_key=HOST_KEY,
        known_hosts=inventory().hosts["a"].ssh.known_hosts,
    )


def test_a_key_file_is_taken_where_there_is_no_key_as_text() -> None:
    filled = ssh("a", private_key_passphrase="x")
    assert (filled.identity_file, filled.private_key) == ("/theirs/key", None)
    assert filled.passphrase == part("private_key_passphrase")
    assert filled.password is None


def test_what_the_inventory_says_holds() -> None:
    own = ssh("b", **SECRETS)
    assert (own.user, own.port, own.identity_file) == ("own", 2200, "/own/key")
    assert (own.private_key, own.passphrase) == (None, None)
    assert ssh("c", **SECRETS).passphrase == Secret(env="OWN_PHRASE")
    assert ssh("c", **SECRETS).private_key == part("private_key", "other")


def test_a_host_whose_connection_is_missing_keeps_its_reference() -> None:
    some = replace(connections(**SECRETS), logins={"other": SshLogin(user="u")})
    filled = with_connections(inventory(), replace(some, problems={"ssh_prod": "it is not defined"}))
    assert filled.hosts["a"].ssh.airflow_connection == "ssh_prod"
    assert filled.hosts["c"].ssh.airflow_connection is None
    with pytest.raises(SecretUnavailableError, match="it is not defined"):
        resolver(replace(some, problems={"ssh_prod": "it is not defined"}))(part("login"))


def test_secrets_elsewhere_are_left_to_who_knows_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("A_SECRET", "of-the-environment")
    (tmp_path / "secret").write_text("of-a-file\n")
    resolve = resolver(connections())
    assert resolve(Secret(env="A_SECRET")) == "of-the-environment"
    assert resolve(Secret(file=str(tmp_path / "secret"))) == "of-a-file"
    with pytest.raises(SecretUnavailableError):
        resolve(Secret(env="NOT_SET"))


def test_every_secret_that_is_filled_in_is_known_to_the_mask() -> None:
    known = known_secrets(
        with_connections(inventory(), connections(**SECRETS)), resolver(connections(**SECRETS))
    )
    assert {*SECRETS.values(), "hunter2-of-db"} <= {*known}


def test_no_secret_shows_in_what_is_printed() -> None:
    had = connections(**SECRETS)
    filled = with_connections(inventory(), had)
    written = f"{had!r} {had} {filled!r} {filled} {resolver(had)!r}"
    for secret in ("hunter2", "TUlJRXBBSUJB", "phrase-of-key"):
        assert secret not in written
    assert "rocky" in written


# Through Airflow's own SDK.


def connection(**fields: object) -> str:
    extra = fields.pop("extra", None)
    if isinstance(extra, dict):
        extra = json.dumps(extra)
    return json.dumps({"conn_type": "ssh", **fields, **({"extra": extra} if extra is not None else {})})


@pytest.fixture(scope="module")
def came(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the SDK of a real Airflow gave for connections that are kept in its environment."""
    pytest.importorskip("airflow.sdk", reason="Airflow is not installed")
    home = tmp_path_factory.mktemp("airflow")
    extra = {key: SECRETS[key] for key in ("private_key", "private_key_passphrase")}
    kept = {
        "SSH_PROD": connection(
            login="rocky",
            port=2222,
            host="192.0.2.77",
            password=SECRETS["password"],
            extra={**extra, "host_key": BARE_RSA, "no_host_key_check": "true", "conn_timeout": 99},
        ),
        "DB": connection(conn_type="postgres", password="hunter2-of-db"),
        "NO_PASSWORD": connection(login="x"),
        "NOT_JSON": connection(password="hunter2-of-not", extra="{hunter2-in-extra"),
        "A_LIST": connection(extra='["hunter2-in-list"]'),
        "OTHER": connection(login="z"),
    }
    folder = Path(__file__).parent
    env = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "own-logs"),
        "PYTHONPATH": str(folder.parents[2] / "src"),
        **{f"AIRFLOW_CONN_{id_}": text for id_, text in kept.items()},
    }
    task = {"id": "1", "dag_id": "d", "task_id": "t", "run_id": "r"}
    ended = subprocess.run(
        [sys.executable, folder / "asking_airflow.py"],
        input=json.dumps([FILE, task]),
        capture_output=True,
        text=True,
        env=env,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    found["written"] += ended.stderr
    return found


def test_the_parts_of_a_connection_are_had_in_a_task_and_in_the_triggerer(came: dict[str, Any]) -> None:
    for kind in ("sync", "async"):
        for name, text in SECRETS.items():
            assert came["secrets"][kind][f"ssh_prod/{name}"] == text
        assert came["secrets"][kind]["db/password"] == "hunter2-of-db"
    assert came["password"] == "hunter2-of-db"
    assert came["same"]


def test_what_is_missing_is_said_by_its_connection_with_what_to_do(came: dict[str, Any]) -> None:
    for said in came["secrets"].values():
        assert said["no_password/password"].startswith(
            "! the Airflow connection 'no_password' has no password; set"
        )
        assert said["db/private_key"].startswith("! the Airflow connection 'db' has no private key")
        assert said["missing/password"].startswith(
            "! the Airflow connection 'missing' is not defined; add it"
        )
        assert "is no JSON object" in said["not_json/password"]
        assert "is no JSON object" in said["a_list/password"]
        assert "was not read" in said["unread/password"]
    assert came["problems"]["sync"] == came["problems"]["async"]


def test_host_and_limits_of_a_connection_are_not_taken(came: dict[str, Any]) -> None:
    assert f"host_key='ssh-rsa {BARE_RSA}'" in came["ssh"]
    assert "user='rocky'" in came["ssh"]
    assert "connect_timeout=5.0" in came["ssh"]
    assert "192.0.2.77" not in came["ssh"]


def test_airflow_and_we_write_no_secret_down(came: dict[str, Any]) -> None:
    said = came["written"] + json.dumps(came["problems"])
    for secret in ("hunter2", "TUlJRXBBSUJB", "phrase-of-key"):
        assert secret not in said


def test_a_tasks_log_is_looked_for_where_airflow_writes_it(came: dict[str, Any]) -> None:
    assert "own-logs/dag_id=d/run_id=r/task_id=t/attempt=1.log" in came["log"]
