"""`quorate check` as a user runs it, against a simulated cluster in another process."""

import fcntl
import json
import os
import pty
import re
import resource
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from conftest import QUORATE, Run, environment
from prometheus_client.parser import text_string_to_metric_families


def test_a_healthy_cluster_ends_with_0(quorate: Run, healthy: Path) -> None:
    ended = quorate("check", "-i", str(healthy))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.match(r"✅ airflow-prod: OK - 3 expected, \d+ ok\n", ended.stdout)
    assert "\x1b" not in ended.stdout


def test_a_broken_cluster_ends_with_2_and_shows_why(quorate: Run, broken: Path) -> None:
    ended = quorate("check", "-i", str(broken))
    assert (ended.returncode, ended.stderr) == (2, "")
    assert "lsyncd on PASSIVE node nfs-2 is ACTIVE (SPLIT BRAIN)" in ended.stdout
    assert "SERVICE LOGS: rabbitmq-server on rabbit-2" in ended.stdout
    assert "BOOT FAILED" in ended.stdout


def test_the_json_report_is_the_contract(quorate: Run, broken: Path) -> None:
    report = json.loads(quorate("check", "-i", str(broken), "-o", "json").stdout)
    assert report["schema"] == "quorate.report/1"
    assert report["state"] == "critical"
    assert report["active_nodes"] == {"nfs": "nfs-1"}
    assert sum(report["counts"].values()) == len(report["verdicts"])
    failed = next(v for v in report["verdicts"] if v["id"] == "rabbitmq/rabbit-2/rabbitmq-server")
    assert failed["failure_type"] == "CRITICAL_RABBITMQ_FAILURE"
    assert failed["evidence"][0]["lines"]
    kept = ["id", "group", "host", "kind", "state", "reason", "failure_type", "summary", "since", "notes"]
    kept += ["observed", "expected", "caused_by", "duration_s", "evidence"]
    assert all(list(v)[: len(kept)] == kept for v in report["verdicts"])


def test_no_evidence_collects_none(quorate: Run, broken: Path) -> None:
    report = json.loads(quorate("check", "-i", str(broken), "-o", "json", "--no-evidence").stdout)
    assert report["state"] == "critical"
    assert not any(v["evidence"] for v in report["verdicts"])


def test_only_reports_what_was_chosen_and_its_cause(quorate: Run, broken: Path) -> None:
    def ids(*selectors: str) -> list[str]:
        options = [word for selector in selectors for word in ("--only", selector)]
        report = json.loads(quorate("check", "-i", str(broken), "-o", "json", *options).stdout)
        return [v["id"] for v in report["verdicts"]]

    assert ids("ftp") == ["host/ftp", "ftp/ftp/vsftpd"]
    assert ids("nfs/nfs-2/lsyncd") == ["nfs/nfs-2/lsyncd"]
    assert ids("host/rabbit-1", "nfs/vip") == ["host/rabbit-1", "nfs/vip"]


def test_maintenance_keeps_the_states_and_takes_the_alarm(quorate: Run, broken: Path, tmp_path: Path) -> None:
    everything = [
        "host",
        "nfs",
        "haproxy",
        "rabbitmq",
        "postgresql",
        "celery",
        "ftp",
        "scheduler",
        "webserver",
    ]
    whole = json.loads(quorate("check", "-i", str(broken), "-o", "json").stdout)
    checks = {v["id"].partition("/")[0] for v in whole["verdicts"]} - {*everything}
    options = [word for name in [*everything, *checks] for word in ("--maintenance", f"{name}=2h")]
    ended = quorate("check", "-i", str(broken), "-o", "json", *options)
    assert (ended.returncode, ended.stderr) == (0, "")
    report = json.loads(ended.stdout)
    assert (report["state"], report["root_causes"]) == ("ok", [])
    assert report["counts"]["critical"] == whole["counts"]["critical"] > 0
    assert all("maintenance" in v["notes"] for v in report["verdicts"])
    assert {entry["select"] for entry in report["maintenance"]} == {*everything, *checks}

    inventory = tmp_path / "cluster.yaml"
    over = "maintenance: [{select: nfs, until: 2025-12-31T00:00:00Z, reason: new disks}]\n"
    inventory.write_text(broken.read_text() + over)
    ended = quorate("check", "-i", str(inventory), "--maintenance", "ftp=2h", "--maintenance", "host/ftp=1d")
    assert ended.returncode == 2
    assert "❌ ftp: CRITICAL - host unreachable [maintenance]" in ended.stdout
    assert "maintenance of nfs (new disks) ended at 2025-12-31 00:00:00 UTC" in ended.stdout
    assert re.search(r"^🔧 maintenance of ftp until \d{4}-", ended.stdout, flags=re.MULTILINE)


def test_several_formats_at_once(quorate: Run, broken: Path, tmp_path: Path) -> None:
    files = {name: tmp_path / f"report.{name}" for name in ("json", "junit", "prometheus", "text")}
    options = [word for name, file in files.items() for word in ("-o", f"{name}={file}")]
    ended = quorate("check", "-i", str(broken), *options)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", "")
    assert json.loads(files["json"].read_text())["state"] == "critical"
    assert ET.fromstring(files["junit"].read_text()).tag == "testsuites"
    assert any(
        f.name == "quorate_state" for f in text_string_to_metric_families(files["prometheus"].read_text())
    )
    assert files["text"].read_text().startswith("🚨 airflow-prod: CRITICAL")
    assert not list(tmp_path.glob(".*.tmp"))
    nagios = quorate("check", "-i", str(broken), "-o", "nagios", "-o", f"json={files['json']}")
    assert nagios.stdout.startswith("QUORATE CRITICAL - airflow-prod:")


def test_a_full_disk_leaves_no_half_written_file(quorate: Run, healthy: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text("the report of last night")

    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    ended = quorate("check", "-i", str(healthy), "-o", f"json={report}", preexec_fn=no_room)
    assert ended.returncode == 3
    assert f"cannot write {report}" in ended.stderr
    assert report.read_text() == "the report of last night"
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_a_device_that_is_full(quorate: Run, healthy: Path) -> None:
    ended = quorate("check", "-i", str(healthy), "-o", "json=/dev/full")
    assert ended.returncode == 3
    assert (
        ended.stderr
        == "quorate: -o: cannot write /dev/full: No space left on device; nothing of it was written\n"
    )


def test_a_closed_pipe_ends_silently_with_141(healthy: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [*QUORATE, "check", "-i", str(healthy)]
    ended = subprocess.run(
        command, stdout=writer, stderr=subprocess.PIPE, env=environment(), timeout=60, check=False
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_a_closed_standard_output_is_told(healthy: Path) -> None:
    command = f"{sys.executable} -m quorate check -i {healthy} >&-"
    ended = subprocess.run(
        ["sh", "-c", command], capture_output=True, env=environment(), timeout=60, check=False
    )
    assert ended.returncode == 3
    assert ended.stderr == b"quorate: cannot write to standard output: it is closed\n"


def handles(process: "subprocess.Popen[bytes]", number: int) -> bool:
    """Whether a process has begun to handle a signal; until then it would end it, or not be heard."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> number - 1 & 1)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_sweep_with_what_was_found(hung: Path, number: int, code: int) -> None:
    command = [*QUORATE, "check", "-i", str(hung), "-o", "json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as sweep:
        while not handles(sweep, signal.SIGTERM):
            time.sleep(0.05)  # nothing tells of it but /proc, which has to be asked again
        time.sleep(1.5)  # the healthy hosts have answered by then, the hung one not before its limit of 5 s
        sweep.send_signal(number)
        out, err = sweep.communicate(timeout=10)
    assert (sweep.returncode, err) == (code, b"")
    report = json.loads(out)
    assert report["interrupted"] is True
    reasons = {v["id"]: v["reason"] for v in report["verdicts"] if v["kind"] == "host"}
    assert reasons.pop("host/celery-2") == "interrupted"
    assert set(reasons.values()) == {"ok"}


def test_a_sweep_that_takes_too_long(quorate: Run, hung: Path) -> None:
    ended = quorate("check", "-i", str(hung), "-o", "json", "--timeout", "1500ms")
    assert (ended.returncode, ended.stderr) == (3, "")
    report = json.loads(ended.stdout)
    late = {v["id"] for v in report["verdicts"] if v["reason"] == "sweep_timeout"}
    of_hosts = {"clocks", "clocks/celery-2", "resources", "resources/celery-2"}
    # The workers are waited for longer than the sweep may take: the hung one does not answer.
    of_workers = {"celery_workers", "celery_workers/celery-1", "celery_workers/celery-2"}
    assert late == {"host/celery-2", "celery/celery-2/airflow-worker", *of_hosts, *of_workers}
    assert report["counts"]["ok"] > 30


def on_terminal(*arguments: str, columns: int = 80, **extra: str) -> str:
    """Return what `quorate` shows on a terminal of that width."""
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    env = environment(TERM="xterm-256color", **extra)
    with subprocess.Popen([*QUORATE, *arguments], stdin=side, stdout=side, stderr=side, env=env) as shown:
        os.close(side)
        chunks = []
        while True:
            try:
                chunk = os.read(main, 65536)
            except OSError:  # the terminal is gone when the last process on it has ended
                break
            if not chunk:
                break
            chunks.append(chunk)
        shown.wait(10)
    os.close(main)
    return b"".join(chunks).decode()


def test_a_terminal_shows_progress_and_colour(broken: Path) -> None:
    shown = on_terminal("check", "-i", str(broken))
    assert "/14 hosts" in shown
    assert "\x1b[2K" in shown
    assert "\x1b[3" in shown.rpartition("\x1b[2K")[2], "the report has colour"


def test_no_color_is_honoured(broken: Path) -> None:
    shown = on_terminal("check", "-i", str(broken), NO_COLOR="1")
    assert "\x1b" not in shown.rpartition("\x1b[2K")[2]


def test_a_probe_shows_questions_and_answers(quorate: Run, broken: Path) -> None:
    ended = quorate("probe", "nfs-1", "lsyncd", "-i", str(broken))
    assert ended.returncode == 0
    assert "$ systemctl show" in ended.stdout
    assert "ActiveState=active" in ended.stdout
    refused = quorate("probe", "ftp", "-i", str(broken))
    assert (refused.returncode, refused.stderr) == (2, "")
    assert refused.stdout.startswith("ftp: host_unreachable")
    unknown = quorate("probe", "nfs-3", "-i", str(broken))
    assert (unknown.returncode, unknown.stdout) == (3, "")
    assert "did you mean 'nfs-2'?" in unknown.stderr or "did you mean 'nfs-1'?" in unknown.stderr


def test_the_demo(quorate: Run) -> None:
    assert quorate("demo").returncode == 0
    listed = quorate("demo", "--list")
    assert listed.returncode == 0
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    assert {"nominal", "split-brain", "monitor-isolated", "mixed"} <= set(names)
    failed = quorate("demo", "--scenario", "active-unit-failed", "-o", "nagios")
    assert failed.returncode == 2
    assert failed.stdout.startswith("QUORATE CRITICAL")
