"""What the commands about the inventory say of checks: where they go and with what, never a secret."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from conftest import environment

INVENTORY = """\
name: prod
hosts: {rabbit-1: 192.0.2.205, rabbit-2: "2001:db8::147"}
groups:
  rabbitmq: {hosts: [rabbit-1, rabbit-2], units: [rabbitmq-server]}
checks:
  db:
    kind: postgresql
    host: 192.0.2.210
    port: 5000
    database: airflow_db
    user: airflow_user
    password: {file: secret}
    query: |
      SELECT count(*)
      FROM dag WHERE dag_id = $1
    parameters: [ha_health]
    depth: write
    logs_from: {group: rabbitmq, unit: rabbitmq-server}
  mq:
    kind: rabbitmq
    hosts: [{name: rabbit-1, port: 5673}, rabbit-2]
    vhost: airflow_host
    user: airflow_user
    password: {env: MQ_PASSWORD}
    depth: round_trip
"""
Quorate = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("hunter2")
    path = tmp_path / "cluster.yaml"
    path.write_text(INVENTORY)
    return path


def test_plan_tells_where_each_check_goes(quorate: Quorate, inventory: Path) -> None:
    done = quorate("plan")
    assert (done.returncode, done.stderr) == (0, "")
    assert "hunter2" not in done.stdout
    place = inventory.parent / "secret"
    assert done.stdout.partition("\ndb: ")[2].splitlines() == [
        f"postgresql, as airflow_user with a password from the file {place}",
        "  192.0.2.210:5000, database airflow_db",
        "  SELECT count(*) FROM dag WHERE dag_id = $1",
        "  parameters: ha_health",
        "  a temporary table is made as well, and rolled back",
        "  if it fails: the journal of rabbitmq-server on rabbit-1, rabbit-2",
        "",
        "mq: rabbitmq, as airflow_user with a password from the environment variable MQ_PASSWORD",
        "  rabbit-1 at 192.0.2.205:5673, virtual host airflow_host; a message is sent and taken back",
        "  rabbit-2 at [2001:db8::147]:5672, virtual host airflow_host; a message is sent and taken back",
    ]


def test_validate_notes_what_is_hardly_meant(quorate: Quorate, inventory: Path) -> None:
    inventory.write_text(
        """
hosts:
  a: 192.0.2.1
  b: {address: 192.0.2.1, ssh: {port: 2222}}
  c: 192.0.2.1
  d: {address: 192.0.2.1, ssh: {jump: a}}
  me: {local: true, address: 192.0.2.1}
groups: {web: {hosts: [a, c, me], units: [nginx]}}
maintenance:
  - {select: web/a, until: 2020-01-01T04:00:00Z, reason: disks}
  - {select: web/c, until: 2999-01-01T04:00:00Z}
"""
    )
    ended = quorate("validate")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[1:] == [
        "note: a and c have the same address 192.0.2.1: one machine would answer for them all",
        "note: maintenance of web/a (disks) ended at 2020-01-01 04:00:00 UTC: take it out of the inventory",
    ]


def test_validate_names_only_what_this_version_can_t_ask(
    quorate: Quorate, inventory: Path, tmp_path: Path
) -> None:
    assert quorate("validate").stdout.endswith("prod has 2 hosts, 1 group, 2 checks\n")
    info = tmp_path / "site" / "of_tomorrow-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: of-tomorrow\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[quorate.checks]\ntomorrow = of_tomorrow:EXTENSION\n")
    inventory.write_text(f"{INVENTORY}  later: {{kind: tomorrow}}\n")
    env = environment(PYTHONPATH=str(tmp_path / "site"))
    ended = quorate("validate", env=env)
    assert ended.stdout.endswith("2 hosts, 1 group, 3 checks; this version cannot ask later\n")
    assert "\nlater: tomorrow; this version cannot ask it" in quorate("plan", env=env).stdout


def test_a_check_without_its_secret_is_not_verified(quorate: Quorate, inventory: Path) -> None:
    done = quorate("check", "--only", "mq", "--no-evidence")
    assert (done.returncode, done.stderr) == (3, "")
    assert "❓ UNKNOWN: RabbitMQ's quorum is NOT VERIFIED (secret unavailable)" in done.stdout
    assert "the environment variable MQ_PASSWORD is not set, or empty" in done.stdout
    assert "1 root cause, 2 consequences" in done.stdout


def test_a_member_that_there_is_not(quorate: Quorate, inventory: Path) -> None:
    done = quorate("check", "--only", "mq/rabbit-9")
    assert done.returncode == 3
    assert "did you mean 'mq/rabbit-2'?" in done.stderr or "did you mean 'mq/rabbit-1'?" in done.stderr
