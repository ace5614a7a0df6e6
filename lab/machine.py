"""One machine: systemd as PID 1 in namespaces of its own, on an overlay over a shared root file system."""

import contextlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from lab import cgroups
from lab.command import LabError
from lab.network import Network
from lab.process import Process
from lab.spec import unit_file

HALT = signal.SIGRTMIN + 3
POWER_OFF = signal.SIGRTMIN + 4
"""What systemd as PID 1 takes these signals for; source: systemd(1), SIGNALS."""
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}
LAUNCH = """
set -e
lower=$1 place=$2 name=$3 namespace=$4 options=$5; shift 5
for group in "$@"; do echo $$ > "$group/cgroup.procs"; done
exec unshare --mount --pid --fork --kill-child --mount-proc --propagation slave -- sh -ec '
  mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" overlay "$2/root"
  mkdir -p /run/systemd && mount -t tmpfs tmpfs /run/systemd
  exec systemd-nspawn --quiet --boot --register=no --keep-unit --machine="$3" --directory="$2/root" \
    --network-namespace-path="$4" --capability=CAP_NET_ADMIN,CAP_NET_RAW --kill-signal=SIGRTMIN+3 \
    --console=pipe --link-journal=no --resolv-conf=off --timezone=off $5' \
  sh "$lower" "$place" "$name" "$namespace" "$options"
"""
"""Starts a machine. It joins its control group before anything else, so that it can be found from then on.

The overlay and what systemd-nspawn leaves below /run/systemd are in a mount namespace that ends with the
machine. systemd-nspawn is PID 1 of a process namespace: when it ends, however that happens, the kernel ends
the machine's own PID 1 and all that is below it. Source: pid_namespaces(7).
"""
STARTED = ("running", "degraded")
"""What systemd says when it has started everything, whatever came of it."""
BOOTING = ("starting", *STARTED)
"""What it says from the time on that it answers."""
FILE_HANDLES = "open_by_handle_at"
"""What an NFS server in user space needs, and systemd-nspawn forbids."""
JOIN = 'for group in $1; do echo $$ > "$group/cgroup.procs"; done; shift; exec "$@"'


class Machine:
    """A machine of a lab; `folder` holds its overlay, `group` is its control group."""

    def __init__(
        self,
        name: str,
        address: str,
        *,
        folder: Path,
        rootfs: Path,
        group: str,
        network: Network,
        devices: Sequence[str] = (),
        disks: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.address = address
        self.folder = folder
        self.rootfs = rootfs
        self.group = group
        self.network = network
        self.devices = tuple(devices)
        self.disks = tuple(disks)
        self.launcher: Process | None = None
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def upper(self) -> Path:
        """The overlay's own layer: what is written here before a boot is part of the machine."""
        return self.folder / "upper"

    def disk(self, path: str) -> Path:
        """Return where a folder of `disks` is out here."""
        outside = self.folder / "disks" / path.lstrip("/")
        outside.mkdir(mode=0o755, parents=True, exist_ok=True)
        return outside

    @property
    def leader(self) -> Process | None:
        """The machine's PID 1 as this machine sees it, or None where it is off.

        It is the process that is number 1 in its own namespace, two namespaces below this one.
        """
        depth = len(numbers_of(os.getpid())) + 2
        for process in cgroups.members(f"{self.group}/payload"):
            numbers = numbers_of(process.pid)
            if len(numbers) == depth and numbers[-1] == "1":
                return process
        return None

    @property
    def state(self) -> str:
        """One of `off`, `frozen`, `running`; whether its systemd is content is what `system_state` says."""
        if self.leader is None:
            return "off"
        return "frozen" if cgroups.is_frozen(f"{self.group}/payload") else "running"

    def start(self) -> Process:
        """Plug it in and boot it, without waiting; its overlay is kept from one boot to the next."""
        if self.leader is not None:
            raise LabError(f"machine {self.name} runs already")
        for name, mode in {"upper": 0o755, "work": 0o755, "root": 0o755}.items():
            (self.folder / name).mkdir(mode=mode, parents=True, exist_ok=True)
        groups = [str(folder) for folder in cgroups.create(self.group)]
        cgroups.create(f"{self.group}/exec")
        self.network.detach(self.name)
        self.network.attach(self.name)
        namespace = str(self.network.path(self.name))
        options = [f"--bind={device}" for device in self.devices]
        for path in self.disks:
            options += [f"--bind={self.disk(path)}:{path}", f"--system-call-filter={FILE_HANDLES}"]
        arguments = [str(self.rootfs), str(self.folder), self.name, namespace, " ".join(options), *groups]
        with (self.folder / "console.log").open("ab") as console:
            self.child = subprocess.Popen(
                ["sh", "-c", LAUNCH, "sh", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        self.launcher = Process.of(self.child.pid)
        if self.launcher is None:
            raise LabError(f"machine {self.name} did not start: {self.console_tail()}")
        return self.launcher

    def wait_until_up(self, bound: float = 30.0, *, accepted: tuple[str, ...] = STARTED) -> None:
        """Wait until systemd is in an accepted state and sshd answers, at most `bound` seconds."""
        deadline = time.monotonic() + bound
        state, sshd = "", False
        while not (state in accepted and sshd):
            if self.launcher and not self.launcher.alive:
                raise LabError(f"machine {self.name} ended while it booted: {self.console_tail()}")
            left = deadline - time.monotonic()
            if left <= 0:
                raise LabError(
                    f"machine {self.name} is not up after {bound:g} s: systemd says {state or 'nothing'}, "
                    f"sshd {'answers' if sshd else 'is silent'}; see {self.folder / 'console.log'}"
                )
            time.sleep(0.1)
            if state not in accepted:
                # Asked anew every few seconds: `--wait` can miss the end of the boot, and wait for ever.
                state = self.system_state(wait="starting" not in accepted, timeout=min(left, 5.0))
            if state in accepted:
                sshd = self.greeting(timeout=min(left, 1.0)).startswith(b"SSH-2.0")

    def system_state(self, *, wait: bool = False, timeout: float = 10.0) -> str:
        """Return what `systemctl is-system-running` says, empty where there is no answer."""
        if self.leader is None:
            return ""
        try:
            done = self.run(
                ["systemctl", "is-system-running", *(["--wait"] if wait else [])], timeout=timeout
            )
        except LabError:  # no answer in time, or the machine went away: there is no state
            return ""
        return done.stdout.decode(errors="replace").strip()

    def greeting(self, timeout: float = 1.0) -> bytes:
        """Return the first bytes that sshd says to the monitor, empty where it says nothing."""
        with self.network.entered():
            try:
                with socket.create_connection((self.address, 22), timeout=timeout) as connection:
                    return connection.recv(64)
            except OSError:
                return b""

    def run(
        self,
        argv: Sequence[str],
        *,
        input: bytes | None = None,  # noqa: A002  named as subprocess does
        timeout: float = 60.0,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command as root inside, without a shell, and return its exit code and what it printed.

        It runs in the machine's namespaces, but not in a unit; `freeze` does not touch it.
        """
        try:
            return subprocess.run(
                self.argv(argv), input=input, capture_output=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise LabError(f"{shlex.join(argv)} did not end on {self.name} within {timeout:g} s") from error

    def argv(self, argv: Sequence[str]) -> list[str]:
        """Return the argument vector that runs a command inside from out here."""
        leader = self.leader
        if leader is None:
            raise LabError(f"machine {self.name} is off")
        groups = " ".join(str(folder) for folder in cgroups.create(f"{self.group}/exec"))
        clean = ["env", "-i", *(f"{name}={value}" for name, value in ENVIRONMENT.items())]
        return ["sh", "-c", JOIN, "sh", groups, "nsenter", f"--target={leader.pid}", "--all", *clean, *argv]

    def read(self, *argv: str) -> str:
        """Run a command as root inside and return its output; anything but exit code 0 is a LabError."""
        done = self.run(argv)
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()
            raise LabError(
                f"{shlex.join(argv)} on {self.name} ended with exit code {done.returncode}: {said}"
            )
        return done.stdout.decode(errors="replace")

    def write_file(self, path: str, text: str, *, mode: int = 0o644) -> None:
        """Write a file inside the running machine, its folders included."""
        script = 'mkdir -p "$(dirname "$1")" && cat > "$1" && chmod "$2" "$1"'
        done = self.run(["sh", "-c", script, "sh", path, f"{mode:o}"], input=text.encode())
        if done.returncode != 0:
            raise LabError(
                f"could not write {path} on {self.name}: {done.stderr.decode(errors='replace').strip()}"
            )

    def write_unit(self, name: str, text: str) -> None:
        """Write a unit file and make systemd read it; starting it is up to the caller."""
        self.write_file(f"/etc/systemd/system/{unit_file(name)}", text)
        self.read("systemctl", "daemon-reload")

    def power_off(self, bound: float = 10.0) -> None:
        """Shut it down in order, by force after `bound` seconds, and unplug it, as without power."""
        if leader := self.leader:
            self.thaw()
            leader.send(POWER_OFF)
            wait_for_end(leader, bound)
        self.kill()

    def halt(self) -> None:
        """Ask the machine to shut down, without waiting."""
        if leader := self.leader:
            self.thaw()
            leader.send(HALT)

    def kill(self) -> None:
        """End it at once, as a power cut does, and unplug it; its overlay stays for the next start."""
        cgroups.kill(self.group)
        if self.child:
            self.child.wait()
        cgroups.remove(self.group)
        self.network.detach(self.name)
        self.launcher = self.child = None

    def freeze(self) -> None:
        """Stop every process of the machine where it is; its kernel still accepts TCP connections."""
        cgroups.freeze(f"{self.group}/payload", frozen=True)

    def thaw(self) -> None:
        """Let a frozen machine go on."""
        with contextlib.suppress(FileNotFoundError):  # it is off
            cgroups.freeze(f"{self.group}/payload", frozen=False)

    def reset(self) -> None:
        """Forget everything that a machine that is off has written."""
        shutil.rmtree(self.folder)

    def console_tail(self) -> str:
        """Return the last words on the machine's console, for an error."""
        text = (self.folder / "console.log").read_text(encoding="utf-8", errors="replace")
        return "; ".join(text.strip().splitlines()[-3:]) or "its console is empty"


def wait_for_end(process: Process, bound: float) -> bool:
    """Wait until a process has ended, at most `bound` seconds; False where it has not."""
    deadline = time.monotonic() + bound
    while process.alive:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def numbers_of(pid: int) -> list[str]:
    """Return a process's numbers in its process namespaces, outermost first; none where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])
