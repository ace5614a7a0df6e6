"""`quorate inventory` as a user runs it: what the hosts are made of, and which of them answer."""

import json
from pathlib import Path

import pytest
from conftest import Run


def test_the_table_of_a_healthy_cluster(quorate: Run, healthy: Path) -> None:
    ended = quorate("inventory", "-i", str(healthy))
    assert (ended.returncode, ended.stderr) == (0, "")
    first, empty, head, *rows, totals = ended.stdout.splitlines()
    assert (first, empty) == ("airflow-prod: 14 of 14 hosts answered", "")
    assert head.split() == ["host", "address", "cores", "memory", "state"]
    assert [row.split()[0] for row in rows][:3] == ["haproxy-1", "haproxy-2", "scheduler-2"]
    assert rows[0].split()[2:] == ["4", "8.0", "GiB", "✅", "answers"]
    assert totals.split() == ["14", "hosts", "68", "200.0", "GiB", "14", "answered"]
    assert "\x1b" not in ended.stdout


def test_a_host_that_does_not_answer_says_why_and_is_in_no_total(quorate: Run, broken: Path) -> None:
    ended = quorate("inventory", "-i", str(broken))
    assert (ended.returncode, ended.stderr) == (2, "")
    lines = {line.split()[0]: line for line in ended.stdout.splitlines() if line}
    assert "12 of 14 hosts answered" in lines["airflow-prod:"]
    assert lines["ftp"].split()[2:4] == ["?", "?"]
    assert "❌ host unreachable (" in lines["ftp"]
    assert "❌ host key changed (" in lines["postgresql-3"]
    assert "at least 58" in lines["14"]


def test_the_table_as_json(quorate: Run, broken: Path) -> None:
    found = json.loads(quorate("inventory", "-i", str(broken), "-o", "json").stdout)
    assert found["schema"] == "quorate.hosts/1"
    assert found["totals"] == {
        "hosts": 14,
        "answered": 12,
        "cores": 58,
        "memory_bytes": 164 * 2**30,
        "complete": False,
    }
    ftp = next(host for host in found["hosts"] if host["name"] == "ftp")
    assert (ftp["cores"], ftp["memory_bytes"], ftp["answered"]) == (None, None, False)
    assert (ftp["state"], ftp["reason"]) == ("critical", "host_unreachable")


def test_this_machine_is_asked_without_ssh(quorate: Run, tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text("hosts: {me: {local: true}}\n")
    ended = quorate("inventory")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "this machine" in ended.stdout
    assert "1 of 1 host answered" in ended.stdout


def test_units_and_checks_of_the_inventory_are_not_asked(quorate: Run, tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text(
        "hosts: {me: {local: true}}\n"
        "groups: {g: {hosts: [me], units: [no-such-unit]}}\n"
        "checks: {resources: {kind: rabbitmq, hosts: [me], user: u, password: {env: NOT_SET}}}\n"
    )
    assert quorate("inventory").returncode == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-o", "xml"), "there is no format 'xml' of this table; known are text, json"),
        (("--timeout", "5"), "--timeout: '5' is not a duration"),
        (("-i", "absent.yaml"), "absent.yaml: no such file"),
    ],
)
def test_wrong_usage_ends_with_3_and_one_line(quorate: Run, options: tuple[str, ...], said: str) -> None:
    ended = quorate("inventory", *options)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
