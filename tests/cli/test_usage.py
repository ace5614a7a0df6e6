"""What the command line says of wrong usage: one clear line a fault, exit code 3, never a traceback."""

import json
from pathlib import Path

import pytest
from conftest import Run, environment

SMALL = "hosts:\n  a: 192.0.2.1\ngroups:\n  g: {hosts: [a], units: [x]}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no command was given"),
        (["sweep"], "No such command 'sweep'"),
        (["check", "--frequency", "5"], "No such option"),
        (["check", "-o", "jsno"], "there is no format 'jsno'; did you mean 'json'?"),
        (["check", "-o", "json", "-o", "nagios"], "one format at most can go to standard output"),
        (["check", "-o", "json="], "a file's name is missing"),
        (["check", "-o", "json=x", "-o", "text=./x"], "two formats go to the same file"),
        (["check", "-o", "json=absent/x"], "there is no folder"),
        (["check", "-o", "json=."], "it is a folder"),
        (["check", "--timeout", "60"], "--timeout: '60' is not a duration"),
        (["check", "--timeout", "0s"], "--timeout: '0s' must not be zero"),
        (["check"], "cluster.yaml"),
        (["validate", "good.yaml"], "an inventory is named with -i FILE"),
        (["check", "-i", "absent.yaml"], "absent.yaml: no such file"),
        (["validate", "-i", "."], "is a directory"),
        (["demo", "--scenario", "splitbrain"], "did you mean 'split-brain'?"),
        (["probe"], "HOST"),
    ],
)
def test_wrong_usage_ends_with_3_and_one_line(quorate: Run, arguments: list[str], said: str) -> None:
    ended = quorate(*arguments)
    assert ended.returncode == 3
    assert ended.stdout == ""
    assert said in ended.stderr
    assert all(line.startswith("quorate: ") for line in ended.stderr.splitlines())
    assert len(ended.stderr.splitlines()) == 1


def test_all_faults_of_an_inventory_at_once(quorate: Run, tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text("hosts:\n  a: 192.0.2.1\n  vip: 192.0.2.2\ngruops: {}\n")
    for command in ("validate", "plan", "check", "sudoers"):
        ended = quorate(command)
        assert ended.returncode == 3
        assert "cluster.yaml:3:3:" in ended.stderr
        assert "did you mean 'groups'?" in ended.stderr
        assert ended.stdout == ""


def test_an_inventory_is_found_by_option_environment_and_folder(quorate: Run, tmp_path: Path) -> None:
    for name in ("option", "environment", "cluster"):
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\n{SMALL}")
    env = environment(QUORATE_INVENTORY="environment.yaml")
    assert (
        "valid; option has 1 host, 1 group, 0 checks"
        in quorate("validate", "-i", "option.yaml", env=env).stdout
    )
    assert "valid; environment has" in quorate("validate", env=env).stdout
    assert "valid; cluster has" in quorate("validate").stdout


def test_a_selector_that_matches_nothing(quorate: Run, tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text(SMALL)
    ended = quorate("check", "--only", "gg")
    assert ended.returncode == 3
    assert "--only: the selector 'gg' matches nothing in this inventory; did you mean 'g'?" in ended.stderr


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("g", "--maintenance: 'g' is no SELECTOR=DURATION; write nfs/nfs-1=2h"),
        ("=2h", "--maintenance: '=2h' is no SELECTOR=DURATION"),
        ("g=2", "--maintenance: '2' is not a duration"),
        ("g=", "--maintenance: '' is not a duration"),
        ("g=0s", "--maintenance: '0s' must not be zero"),
        ("h=2h", "--maintenance: the selector 'h' matches nothing in this inventory"),
    ],
)
def test_maintenance_that_means_nothing(quorate: Run, tmp_path: Path, option: str, said: str) -> None:
    (tmp_path / "cluster.yaml").write_text(SMALL)
    ended = quorate("check", "--maintenance", option)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_help_and_version(quorate: Run) -> None:
    assert quorate("--version").stdout.startswith("quorate 0.")
    commands = quorate("--help")
    assert commands.returncode == 0
    for command in ("check", "demo", "validate", "plan", "probe", "schema", "sudoers"):
        assert f"  {command} " in commands.stdout
        assert quorate(command, "--help").returncode == 0


def test_the_schema_is_json(quorate: Run) -> None:
    schema = json.loads(quorate("schema").stdout)
    assert schema["properties"]["hosts"]


def test_a_plan_connects_to_nothing_and_shows_no_secret(quorate: Run, tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "examples" / "cluster.yaml"
    env = environment(AIRFLOW_DB_PASSWORD="hunter2hunter2", RABBITMQ_PASSWORD="hunter3hunter3")
    ended = quorate("plan", "-i", str(example), env=env)
    assert ended.returncode == 0
    assert "nfs-1: ssh rocky@192.0.2.165" in ended.stdout
    assert "from the environment variable AIRFLOW_DB_PASSWORD" in ended.stdout
    assert "hunter" not in ended.stdout + ended.stderr


def test_what_is_kept_in_airflow_is_planned_and_valid(quorate: Run, tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text(f"ssh: {{airflow_connection: ssh_prod}}\n{SMALL}")
    assert quorate("validate").returncode == 0
    assert "as the Airflow connection ssh_prod says (inside Airflow only)" in quorate("plan").stdout
    ended = quorate("check", "-o", "json")
    assert ended.returncode == 3
    (host,) = [v for v in json.loads(ended.stdout)["verdicts"] if v["kind"] == "host"]
    assert (host["state"], host["reason"]) == ("unknown", "secret_unavailable")


def test_the_sudo_rule_has_the_searches_for_task_logs(quorate: Run, tmp_path: Path) -> None:
    logs = "airflow: {task_logs: [{group: g, unit: x}]}\n"
    (tmp_path / "cluster.yaml").write_text(f"evidence: {{since: 1h}}\n{SMALL}{logs}")
    assert "--lines\\=5000 --since\\=-3600s --unit\\=x.service" in quorate("sudoers").stdout
    (tmp_path / "cluster.yaml").write_text(SMALL)
    assert "5000" not in quorate("sudoers").stdout


def test_the_sudo_rule_spells_out_every_command(quorate: Run) -> None:
    example = Path(__file__).parents[2] / "examples" / "cluster.yaml"
    rule = quorate("sudoers", "-i", str(example)).stdout
    assert "--unit\\=lsyncd.service" in rule
    assert "rocky ALL=(root) NOPASSWD: QUORATE" in rule
    assert "*" not in rule
    assert "systemctl" not in rule
    vrrp = "journalctl --no-pager --output\\=json --output-fields\\=MESSAGE --lines\\=300"
    assert rule.count(vrrp) == 1
    assert f"{vrrp} --unit\\=keepalived.service" in rule


def test_the_sudo_rule_allows_keepalived_s_journal_only_where_a_pair_has_one(
    quorate: Run, tmp_path: Path
) -> None:
    (tmp_path / "cluster.yaml").write_text(
        "hosts: {a: 192.0.2.1, b: 192.0.2.2}\n"
        "groups:\n"
        "  pair: {hosts: [a, b], units: [x], active_passive: {vip: 192.0.2.9, units: [x]}}\n"
        "  both: {hosts: [a, b], units: [keepalived], vip: 192.0.2.10}\n"
    )
    assert "--lines\\=300" not in quorate("sudoers").stdout
