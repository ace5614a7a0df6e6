"""`ip`, `journalctl`, `sudo` and the shell in the simulation against what real ones printed."""

import json
from typing import Any

import pytest
from talking import RECORDED, answered, made


def recording(name: str) -> dict[str, Any]:
    found = json.loads((RECORDED / f"{name}.json").read_text())
    assert isinstance(found, dict)
    return found


# ---------------------------------------------------------------- ip

HELD = {
    "ip-base": "holds: []",
    "ip-vip-v4": "holds: ['192.0.2.220']",
    "ip-vip-v6": "holds: [{local: '2001:db8::220', flags: [nodad]}]",
    "ip-vip-v6-tentative": "holds: [{local: '2001:db8::220', flags: [tentative]}]",
    "ip-vip-v6-deprecated": "holds: [{local: '2001:db8::220', prefix: 128, flags: [nodad, deprecated]}]",
    "ip-vip-similar": "holds: ['192.0.2.220', '192.0.2.122']",
    "ip-vip-on-lo": "holds: [], interfaces: {lo: {addresses: [{local: 192.0.2.220, prefix: 32}]}}",
}
# The recorded interface is one end of a pair between two network namespaces, which real hosts don't have.
OF_THE_PAIR = ("link_index", "link_netnsid")


@pytest.mark.parametrize("name", HELD)
def test_ip_prints_the_same_json(name: str) -> None:
    told = recording(name)
    answer = answered(made(f"{{nfs-1: {{{HELD[name]}}}}}"), "nfs-1", *told["argv"])
    simulated, real = json.loads(answer.stdout), json.loads(told["stdout"])
    for link in real:
        for key in OF_THE_PAIR:
            link.pop(key, None)
    # Two machines differ in their hardware addresses, and in the addresses that are made of them.
    simulated[1]["address"] = real[1]["address"]
    simulated[1]["addr_info"][-1]["local"] = real[1]["addr_info"][-1]["local"]
    assert (
        json.dumps(simulated, separators=(",", ":")) + "\n" == json.dumps(real, separators=(",", ":")) + "\n"
    )
    assert answer.stdout.endswith(b"]\n")
    assert (answer.stderr, answer.exit_code) == (b"", 0)


def test_an_interface_that_is_down_keeps_its_addresses() -> None:
    answer = answered("vip-on-down-interface", "nfs-1", "ip", "-j", "addr", "show")
    link = json.loads(answer.stdout)[-1]
    real = json.loads(recording("ip-vip-on-down-interface")["stdout"])[-1]
    assert (link["operstate"], link["qdisc"]) == (real["operstate"], real["qdisc"])
    assert "UP" not in link["flags"]
    assert [a["local"] for a in link["addr_info"]] == ["192.0.2.220"]


def test_ip_refuses_what_it_does_not_know() -> None:
    told = recording("ip-unknown-option")
    answer = answered("nominal", "ftp", *told["argv"])
    assert (answer.stderr.decode(), answer.exit_code) == (told["stderr"], told["exit_code"])


# ---------------------------------------------------------------- journalctl

JOURNAL = ("journalctl", "--no-pager", "-o", "json")


def lines(stdout: bytes | str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stdout.splitlines()]


def test_an_entry_has_the_fields_that_are_asked_for_and_those_that_always_are() -> None:
    told = recording("journal-normal")
    answer = answered("active-unit-failed", "nfs-1", "sudo", "-n", *told["argv"][2:-1], "lsyncd.service")
    real = {frozenset(line) for line in lines(told["stdout"])}
    assert {frozenset(line) for line in lines(answer.stdout)} == real
    entry = lines(answer.stdout)[-1]
    assert entry["MESSAGE"] == "lsyncd.service: Failed with result 'exit-code'."
    assert (entry["_PID"], entry["_SYSTEMD_UNIT"], entry["PRIORITY"]) == ("1", "init.scope", "4")


def test_lines_stand_in_time_order_and_the_last_ones_are_shown() -> None:
    argv = ("sudo", "-n", *JOURNAL, "--output-fields=MESSAGE", "--unit=lsyncd.service")
    whole = lines(answered("active-unit-failed", "nfs-1", *argv).stdout)
    stamps = [int(line["__REALTIME_TIMESTAMP"]) for line in whole]
    assert stamps == sorted(stamps)
    for last in (("--lines=3",), ("-n", "3"), ("-n3",), ("--lines", "3")):
        shown = lines(answered("active-unit-failed", "nfs-1", *argv, *last).stdout)
        assert [line["MESSAGE"] for line in shown] == [line["MESSAGE"] for line in whole[-3:]]


def test_restarts_are_found_by_message_id_within_the_window() -> None:
    argv = (
        "sudo", "-n", *JOURNAL, "--output-fields=MESSAGE", "--since=-900s", "_PID=1",
        "MESSAGE_ID=5eb03494b6584870a536b337290809b3", "UNIT=airflow-scheduler.service",
    )  # fmt: skip
    found = lines(answered("crash-loop", "scheduler-2", *argv).stdout)
    real = lines(recording("journal-restarts")["stdout"])
    assert len(found) == 23  # one each 40 s since 12 s ago
    assert (
        found[-1]["MESSAGE"] == "airflow-scheduler.service: Scheduled restart job, restart counter is at 41."
    )
    assert real[-1]["MESSAGE"].split(": ")[1].rstrip("0123456789.") == (
        found[-1]["MESSAGE"].split(": ")[1].rstrip("0123456789.")
    )
    assert (
        answered("nominal", "scheduler-2", *argv).stdout.decode()
        == recording("journal-restarts-none")["stdout"]
    )


def test_what_is_no_text_goes_as_bytes_and_what_is_long_as_null() -> None:
    red = list(b"\x1b[31mred alert\x1b[0m")
    said = f"[[9s, {red}], [8s, '{'x' * 5000}'], [7s, 'äöü ✅']]"
    scenario = made(f"{{ftp: {{units: {{vsftpd: {{age: 1h, journal: {said}}}}}}}}}")
    argv = ("sudo", "-n", *JOURNAL, "--output-fields=MESSAGE", "-u", "vsftpd")
    assert [line["MESSAGE"] for line in lines(answered(scenario, "ftp", *argv).stdout)[-3:]] == [
        red,
        None,
        "äöü ✅",
    ]
    assert lines(recording("journal-escapes")["stdout"])[1]["MESSAGE"] == red
    whole = lines(answered(scenario, "ftp", *argv, "--all").stdout)
    assert whole[-2]["MESSAGE"] == "x" * 5000
    plain = answered(scenario, "ftp", "sudo", "journalctl", "-u", "vsftpd").stdout.decode()
    assert f"[{len(red)}B blob data]" in plain


@pytest.mark.parametrize("name", ["journal-no-permission", "journal-none"])
def test_nothing_to_show_and_nothing_to_be_seen_are_told_apart(name: str) -> None:
    told = recording(name)
    argv = told["argv"] if name == "journal-no-permission" else ["sudo", "-n", *told["argv"][2:]]
    answer = answered("nominal", "ftp", *argv)
    assert (answer.stdout.decode(), answer.stderr.decode(), answer.exit_code) == (
        "",
        told["stderr"],
        told["exit_code"],
    )


def test_a_user_who_sees_only_own_messages_gets_a_hint() -> None:
    answer = answered("journal-hidden", "celery-1", "journalctl", "-u", "airflow-worker")
    assert answer.stdout == b"-- No entries --\n"
    assert answer.stderr.startswith(
        b"Hint: You are currently not seeing messages from other users and the system.\n"
    )
    assert answer.exit_code == 0


def test_the_header_has_the_lines_of_a_real_one() -> None:
    told = recording("journal-header")
    answer = answered("nominal", "ftp", "sudo", "-n", "journalctl", "--header", "--no-pager")
    keys = [line.split(":")[0] for line in answer.stdout.decode().splitlines()]
    assert keys == [line.split(":")[0] for line in told["stdout"].splitlines()]
    volatile = answered(made("{ftp: {volatile_journal: true}}"), "ftp", "sudo", "journalctl", "--header")
    assert volatile.stdout.startswith(b"File path: /run/log/journal/")


# ---------------------------------------------------------------- sudo and the shell

REFUSED = {
    "sudo-password-required": "password",
    "sudo-not-allowed-unauthenticated": "forbidden",
    "sudo-not-in-sudoers": "not_in_sudoers",
}


@pytest.mark.parametrize("name", REFUSED)
def test_sudo_refuses_in_its_own_words(name: str) -> None:
    told = recording(name)
    answer = answered(made(f"{{nfs-1: {{sudo: {REFUSED[name]}}}}}"), "nfs-1", *told["argv"])
    assert (answer.stdout.decode(), answer.stderr.decode(), answer.exit_code) == (
        "",
        told["stderr"],
        told["exit_code"],
    )


def test_sudo_names_a_command_that_is_missing() -> None:
    told = recording("sudo-missing-command")
    answer = answered("nominal", "nfs-1", *told["argv"])
    assert (answer.stderr.decode(), answer.exit_code) == (told["stderr"], told["exit_code"])


def test_what_is_not_there_or_may_not_be_run_is_said_by_the_shell() -> None:
    missing = answered("nominal", "ftp", "no-such-command")
    assert (missing.stderr, missing.exit_code) == (b"/bin/sh: 1: no-such-command: not found\n", 127)
    assert recording("command-missing")["stderr"] in missing.stderr.decode()
    forbidden = answered("tool-not-executable", "ftp", "systemctl", "show")
    assert (forbidden.stderr, forbidden.exit_code) == (b"/bin/sh: 1: systemctl: Permission denied\n", 126)
