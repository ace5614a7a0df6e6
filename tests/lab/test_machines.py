"""The lab's machines are real and apart, can be broken and healed, and leave nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import HostSpec, Lab, LabError, cgroups, limits, state
from lab.network import Network, mac
from lab.process import Process
from lab.sleepers import CLUSTER

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]  # the first run builds the root file system

ROOT = Path(__file__).resolve().parents[2]
SUDO_JOURNAL = "rocky ALL=(root) NOPASSWD: /usr/bin/journalctl\n"
UNREACHABLE = ("timed out", "No route to host")
"""What a connect to a dead address says: which of both depends on how long its neighbours remember it."""
OWNER = """
import signal, time
from lab import Lab
from lab.sleepers import CLUSTER
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
lab = Lab([CLUSTER["nfs-1"], CLUSTER["nfs-2"]])
with lab:
    print(lab.record.id, flush=True)
    time.sleep(600)
"""


def eventually(holds: Callable[[], bool], bound: float = 5.0) -> bool:
    """Ask until it holds, at most `bound` seconds."""
    deadline = time.monotonic() + bound
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def connect(lab: Lab, host: str, timeout: float = 1.0) -> str:
    """Connect to a host's sshd from the monitor, and say what came of it."""
    with lab.network.entered():
        try:
            with socket.create_connection((lab[host].address, 22), timeout=timeout) as connection:
                return connection.recv(7).decode()
        except TimeoutError:
            return "timed out"
        except OSError as error:
            return os.strerror(error.errno or 0)


def ssh(lab: Lab, host: str, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as the plain user over SSH."""
    return subprocess.run(
        lab.ssh_argv(host, *command), capture_output=True, text=True, check=False, timeout=30
    )


def test_three_machines_are_up_and_apart(real_hosts: Lab) -> None:
    machines = list(real_hosts.machines.values())
    assert [machine.system_state() for machine in machines] == ["running"] * 3
    assert len({machine.read("cat", "/etc/machine-id") for machine in machines}) == 3
    assert len({machine.read("cat", "/etc/ssh/ssh_host_ed25519_key.pub") for machine in machines}) == 3
    assert [machine.read("hostname").strip() for machine in machines] == ["nfs-1", "nfs-2", "haproxy-1"]


def test_only_the_monitor_reaches_the_hosts(real_hosts: Lab) -> None:
    assert connect(real_hosts, "nfs-1") == "SSH-2.0"
    outside = json.loads(subprocess.check_output(["ip", "-j", "addr", "show"]))
    cards = {interface.get("address") for interface in outside}
    assert not cards & {mac(machine.address) for machine in real_hosts.machines.values()}


def test_plain_user_logs_in_from_the_monitor_with_verified_keys(real_hosts: Lab) -> None:
    done = ssh(real_hosts, "nfs-1", "id -un; hostname")
    assert (done.returncode, done.stdout) == (0, "rocky\nnfs-1\n"), done.stderr


def test_units_are_those_of_the_cluster_and_active_only_ones_run_once(real_hosts: Lab) -> None:
    answers = [
        ssh(real_hosts, host, "systemctl is-active lsyncd keepalived").stdout for host in ("nfs-1", "nfs-2")
    ]
    assert answers == ["active\nactive\n", "inactive\nactive\n"]


def test_journal_holds_what_a_unit_said(real_hosts: Lab) -> None:
    machine = real_hosts["nfs-2"]
    machine.write_unit("talks", "[Service]\nType=oneshot\nExecStart=/bin/echo the disk is full\n")
    machine.read("systemctl", "start", "talks")
    machine.read("journalctl", "--sync")
    lines = machine.read("journalctl", "-o", "json", "-u", "talks")
    assert "the disk is full" in [json.loads(line)["MESSAGE"] for line in lines.splitlines()]


def test_sudo_is_quick_and_only_as_configured(real_hosts: Lab) -> None:
    assert "password is required" in ssh(real_hosts, "nfs-1", "sudo -n journalctl -n 1").stderr
    real_hosts.install_sudoers("nfs-1", SUDO_JOURNAL)
    began = time.monotonic()
    allowed = ssh(real_hosts, "nfs-1", "sudo -n journalctl -n 1")
    assert time.monotonic() - began < 5  # without the host's own name in /etc/hosts, sudo waits for DNS
    forbidden = ssh(real_hosts, "nfs-1", "sudo -n id")
    real_hosts.remove_sudoers("nfs-1")
    withdrawn = ssh(real_hosts, "nfs-1", "sudo -n journalctl -n 1")
    assert [allowed.returncode, forbidden.returncode, withdrawn.returncode] == [0, 1, 1]


def test_faulty_sudo_rules_are_refused(real_hosts: Lab) -> None:
    with pytest.raises(LabError, match="these sudo rules have a fault"):
        real_hosts.install_sudoers("nfs-1", "rocky ALL=(root NOPASSWD\n")


def test_a_failed_unit_is_failed_for_systemctl(real_hosts: Lab) -> None:
    machine = real_hosts["nfs-2"]
    machine.write_unit("fails", "[Service]\nExecStart=/bin/sh -c 'exit 3'\n")
    machine.read("systemctl", "start", "fails")
    assert eventually(lambda: machine.run(["systemctl", "is-failed", "fails"]).stdout == b"failed\n")
    assert machine.system_state() == "degraded"
    machine.read("systemctl", "reset-failed", "fails")
    assert machine.system_state() == "running"


def held(lab: Lab, host: str) -> set[str]:
    """Return the addresses that a host says it has."""
    interfaces = json.loads(lab[host].read("ip", "-j", "addr", "show", "dev", "eth0"))
    return {address["local"] for address in interfaces[0]["addr_info"]}


@pytest.mark.parametrize(("address", "length"), [("192.0.2.221", 24), ("2001:db8::221", 64)])
def test_a_virtual_address_moves(real_hosts: Lab, address: str, length: int) -> None:
    network = real_hosts.network

    def greets() -> bool:
        with network.entered(), socket.create_connection((address, 22), timeout=2) as connection:
            return connection.recv(4) == b"SSH-"

    network.add_address("nfs-1", f"{address}/{length}")
    assert address in held(real_hosts, "nfs-1")
    assert greets()
    network.remove_address("nfs-1", f"{address}/{length}")
    network.add_address("nfs-2", f"{address}/{length}")
    assert (address in held(real_hosts, "nfs-1"), address in held(real_hosts, "nfs-2")) == (False, True)
    assert greets()
    network.remove_address("nfs-2", f"{address}/{length}")


@pytest.fixture
def healed(real_hosts: Lab) -> Iterator[Network]:
    """The network, whole again after the test."""
    yield real_hosts.network
    real_hosts.network.heal("nfs-2")


def test_a_cut_host_is_silent_and_others_are_not(real_hosts: Lab, healed: Network) -> None:
    healed.cut("nfs-2")
    assert (connect(real_hosts, "nfs-2"), connect(real_hosts, "nfs-1")) == ("timed out", "SSH-2.0")
    healed.heal("nfs-2")
    assert connect(real_hosts, "nfs-2") == "SSH-2.0"


@pytest.mark.parametrize("direction", ["in", "out"])
def test_packets_dropped_one_way(real_hosts: Lab, healed: Network, direction: str) -> None:
    healed.drop("nfs-2", "in" if direction == "in" else "out", "meta l4proto tcp")
    assert connect(real_hosts, "nfs-2") == "timed out"


def test_only_what_matches_is_dropped(real_hosts: Lab, healed: Network) -> None:
    healed.drop("nfs-2", "in", "ip protocol vrrp")
    assert connect(real_hosts, "nfs-2") == "SSH-2.0"


def test_a_pulled_cable_has_no_carrier(real_hosts: Lab, healed: Network) -> None:
    healed.unplug("nfs-2")
    interface = json.loads(real_hosts["nfs-2"].read("ip", "-j", "addr", "show", "dev", "eth0"))[0]
    assert "NO-CARRIER" in interface["flags"]
    assert connect(real_hosts, "nfs-2") in UNREACHABLE


def test_a_frozen_machine_accepts_tcp_and_says_nothing(real_hosts: Lab) -> None:
    machine = real_hosts["nfs-2"]
    machine.freeze()
    try:
        assert machine.state == "frozen"
        assert connect(real_hosts, "nfs-2") == "timed out"
        with real_hosts.network.entered():
            socket.create_connection((machine.address, 22), timeout=1).close()
    finally:
        machine.thaw()
    assert (machine.state, connect(real_hosts, "nfs-2")) == ("running", "SSH-2.0")


@pytest.mark.parametrize("how", ["kill", "power_off"])
def test_a_machine_that_is_off_is_off_the_network_and_starts_again(real_hosts: Lab, how: str) -> None:
    machine = real_hosts["haproxy-1"]
    identity = machine.read("cat", "/etc/machine-id")
    machine.read("touch", "/root/kept")
    leader = machine.leader
    assert leader is not None
    getattr(machine, how)()
    assert (machine.state, leader.alive) == ("off", False)
    assert not list(cgroups.members(machine.group))
    assert connect(real_hosts, "haproxy-1") in UNREACHABLE
    with pytest.raises(LabError, match="haproxy-1 is off"):
        machine.run(["true"])
    machine.start()
    machine.wait_until_up()
    assert machine.read("cat", "/etc/machine-id", "/root/kept") == identity


def test_the_inventory_names_the_hosts_and_the_way_in(real_hosts: Lab) -> None:
    text = real_hosts.inventory({"nfs": {"hosts": ["nfs-1", "nfs-2"], "units": ["lsyncd"]}})
    assert '"nfs-1": "192.0.2.165"' in text
    assert real_hosts.identity_file.is_file()
    lines = real_hosts.known_hosts.read_text(encoding="ascii").splitlines()
    assert {line.split()[0] for line in lines} == {"192.0.2.165", "192.0.2.203", "192.0.2.202"}


def test_a_machine_that_can_not_boot_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    before = traces()
    broken = HostSpec(name="broken", address="192.0.2.9", files={"/lib/systemd/systemd": "not a program\n"})
    with pytest.raises(LabError, match="machine broken ended while it booted"):
        Lab([broken]).up()
    assert eventually(lambda: traces() == before), differences(before)


def traces() -> dict[str, set[str]]:
    """Everything that a lab could leave behind on this machine, at this moment."""
    mine = [
        f"{process.pid} {line}"
        for group in cgroups.named(state.PREFIX)
        for process in cgroups.members(group)
        if (line := command_line(process))
    ]
    spawned = [
        f"{pid} {line}"
        for pid in (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
        if (process := Process.of(pid)) and "quorate-lab" in (line := command_line(process))
    ]
    return {
        "namespaces": set(subprocess.check_output(["ip", "netns"], text=True).splitlines()),
        "mounts": set(Path("/proc/mounts").read_text(encoding="utf-8").splitlines()),
        "processes": {*mine, *spawned},
        "cgroups": set(cgroups.named(state.PREFIX)),
        "folders": {str(path) for path in state.ROOT.glob("*")},
        "limits": {limits.INSTANCES.read_text(encoding="ascii")},
    }


def command_line(process: Process) -> str:
    """Return the command line of a process, empty where it has ended."""
    try:
        return Path(f"/proc/{process.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def differences(before: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return what has come or gone since."""
    now = traces()
    return {kind: before[kind] ^ now[kind] for kind in before if before[kind] != now[kind]}


@pytest.fixture
def owner() -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A process of its own that holds a lab of two machines, and the lab's id."""
    process = subprocess.Popen([sys.executable, "-c", OWNER], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lab = process.stdout.readline().strip()
    assert lab, "the lab did not come up"
    yield process, lab
    process.kill()
    process.wait()
    process.stdout.close()


def command(name: str) -> str:
    """Run one of the lab's commands and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "lab", name], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout + done.stderr


@pytest.fixture
def before() -> dict[str, set[str]]:
    """What was there before the test; asked for before `owner`, it is taken before the owner's lab is up."""
    return traces()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_owner_that_is_told_to_end_takes_its_lab_along(
    before: dict[str, set[str]], owner: tuple["subprocess.Popen[str]", str], number: signal.Signals
) -> None:
    process, _ = owner
    process.send_signal(number)
    process.wait(20)
    assert eventually(lambda: traces() == before), differences(before)


def test_clean_removes_what_a_killed_owner_left(
    before: dict[str, set[str]], owner: tuple["subprocess.Popen[str]", str]
) -> None:
    process, lab = owner
    assert "nothing was left behind" in command("clean")  # a living owner's lab is not touched
    assert any(f"quorate-lab-{lab}" in line for line in differences(before)["processes"])
    process.kill()
    process.wait()
    assert any(lab in line for line in differences(before)["folders"])
    assert f"lab {lab} is abandoned" in command("status")
    assert f"removed lab {lab}" in command("clean")
    assert eventually(lambda: traces() == before), differences(before)


def test_the_next_lab_removes_what_a_killed_owner_left(
    before: dict[str, set[str]], owner: tuple["subprocess.Popen[str]", str]
) -> None:
    process, lab = owner
    process.kill()
    process.wait()
    with Lab([CLUSTER["ftp"]]):
        assert lab not in {record.id for record in state.records()}
    assert eventually(lambda: traces() == before), differences(before)


def test_a_killed_nspawn_takes_its_machine_along(
    before: dict[str, set[str]], owner: tuple["subprocess.Popen[str]", str]
) -> None:
    process, lab = owner
    group = f"quorate-lab-{lab}/nfs-1"
    spawners = [each for each in cgroups.members(group) if command_line(each).startswith("systemd-nspawn")]
    assert len(spawners) == 1
    spawners[0].send(signal.SIGKILL)
    assert eventually(lambda: not list(cgroups.members(group)))
    process.terminate()
    process.wait(20)
    assert eventually(lambda: traces() == before), differences(before)


def test_a_later_process_with_the_same_number_is_never_signalled() -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        real = Process.of(sleeper.pid)
        assert real is not None
        assert not Process(pid=real.pid, started=real.started - 1).send(signal.SIGKILL)
        assert sleeper.poll() is None
        assert real.send(signal.SIGKILL)
        assert sleeper.wait(5) == -signal.SIGKILL
