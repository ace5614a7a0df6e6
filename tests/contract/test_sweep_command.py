"""The command `quorate check` on real hosts: verdicts, exit codes, and an end when it is told to end."""

import json
import signal
import subprocess
from pathlib import Path

import pytest
from sweeps.lane import Lane
from sweeps.monitor import command, command_line, told
from sweeps.situation import NOMINAL, Situation
from sweeps.steps import freeze, sh, shows, unplug
from sweeps.table.vsftpd import FAILED, UNIT

pytest_plugins = ("sweeps.fixtures",)
pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]  # the first run builds the root file system


def test_the_command_tells_the_same_of_a_good_day(lane: Lane, inventory: Path) -> None:
    done = command(lane, "check", "-i", str(inventory), "-o", "json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert told(report) == NOMINAL.expected()
    assert (report["state"], report["active_nodes"]) == ("expected", {"nfs": "nfs-1"})


def test_the_command_tells_what_broke_and_shows_its_log(healed: Lane, inventory: Path) -> None:
    for step in (
        sh("nfs-1", "systemctl kill --signal=KILL lsyncd"),
        shows("nfs-1", "lsyncd", "SubState=failed"),
    ):
        step(healed)
    done = command(healed, "check", "-i", str(inventory))
    assert (done.returncode, done.stderr) == (2, "")
    assert "CRITICAL: lsyncd on ACTIVE node nfs-1 is FAILED" in done.stdout
    assert "code=killed, status=9/KILL" in done.stdout


def test_the_command_asks_only_for_what_is_selected(healed: Lane, inventory: Path) -> None:
    for step in FAILED:
        step(healed)
    done = command(healed, "check", "-i", str(inventory), "--only", "nfs/nfs-2", "-o", "json")
    assert done.returncode == 0
    assert list(told(json.loads(done.stdout))) == [
        i for i in NOMINAL.expected() if i.startswith("nfs/nfs-2/")
    ]


def test_the_command_knows_that_it_is_cut_off_itself(healed: Lane, inventory: Path) -> None:
    unplug("monitor")(healed)
    inventory.write_text(
        healed.inventory_text(Situation(name="isolated", ssh={"connect_timeout": "1s"})), encoding="utf-8"
    )
    done = command(healed, "check", "-i", str(inventory), "-o", "json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["root_causes"] == ["monitor"]


def test_the_time_of_a_sweep_ends_and_what_was_found_is_told(healed: Lane, inventory: Path) -> None:
    freeze("ftp")(healed)
    done = command(healed, "check", "-i", str(inventory), "-o", "json", "--timeout", "8s")
    assert done.returncode == 3
    found = told(json.loads(done.stdout))
    assert (found["host/ftp"].reason, found[UNIT].reason) == ("sweep_timeout", "sweep_timeout")
    others = {i: v for i, v in found.items() if i not in ("host/ftp", UNIT)}
    assert others == {i: v for i, v in NOMINAL.expected().items() if i in others}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_sweep_that_is_interrupted_tells_what_it_found(
    healed: Lane, inventory: Path, number: signal.Signals
) -> None:
    freeze("ftp")(healed)
    argv = command_line(healed, "check", "-i", str(inventory), "-o", "json")
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        # Once the other hosts have been asked; if it is early on a busy machine, more is unknown.
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(8)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (128 + number, "")
    found = told(json.loads(out))
    assert (found["host/ftp"].reason, found[UNIT].reason) == ("interrupted", "interrupted")
    assert found["host/nfs-1"].state == "ok"
