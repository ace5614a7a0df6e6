"""OpenSSH's sshd on loopback, as Debian sets it up, standing for many hosts at an address each."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.question import Access

HERE = Path(__file__).parent
ADDRESSES_A_SERVER = 16  # sshd listens on no more. Source: MAX_LISTEN_SOCKS in OpenSSH's sshd.c
MAX_STARTUPS = 1000
SKELETON = Path("/etc/skel/.bashrc")
"""What a new account has; this account's own could do anything at a login, and hide all differences."""
CONFIGURATION = """\
{listen}
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/client_key.pub
StrictModes no
KbdInteractiveAuthentication no
UsePAM {pam}
X11Forwarding yes
PrintMotd no
AcceptEnv LANG LC_*
MaxStartups {startups}
SetEnv PATH={folder}/bin:/usr/bin:/bin HOME={folder}/home
"""


@contextlib.contextmanager
def servers(addresses: Sequence[str], folder: Path) -> Iterator[Access]:
    """Answer at these addresses while the context lasts; nothing outside this machine gets in.

    What is answered at each of them stands in the folder's `answers`, in a folder of the address.
    """
    sshd = shutil.which("sshd", path="/usr/sbin:/sbin:/usr/bin")
    if sshd is None:
        raise SystemExit("benchmarks: OpenSSH's server is not installed; apt-get install openssh-server")
    make_programs(folder)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd gives up its privileges
    for name in ("host_key", "client_key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", folder / name], check=True
        )
    port = free_port(addresses[0])
    write_known_hosts(addresses, folder, port)
    running: list[subprocess.Popen[bytes]] = []
    try:
        for first in range(0, len(addresses), ADDRESSES_A_SERVER):
            some = addresses[first : first + ADDRESSES_A_SERVER]
            running.append(start(sshd, folder, first, some, port))
        for first in range(0, len(addresses), ADDRESSES_A_SERVER):
            wait_for(addresses[first], port, folder / f"sshd-{first}.log")
        yield Access(
            user=getpass.getuser(),
            port=port,
            identity_file=folder / "client_key",
            known_hosts=folder / "known_hosts",
        )
    finally:
        for server in running:
            server.terminate()
        for server in running:
            server.wait()


def make_programs(folder: Path) -> None:
    """Put the stand-ins for systemctl, ip and journalctl where sessions find them first, and a home."""
    programs = folder / "bin"
    programs.mkdir()
    home = folder / "home"
    home.mkdir()
    if SKELETON.exists():
        shutil.copy(SKELETON, home)
    program = programs / "systemctl"
    compiler = shutil.which("cc")
    done = None
    for static in (["-static"], []):
        if compiler and (done is None or done.returncode != 0):
            command: list[str | Path] = [
                compiler,
                "-O2",
                *static,
                f'-DANSWERS="{folder}/answers"',
                "-o",
                program,
            ]
            done = subprocess.run([*command, HERE / "answer.c"], capture_output=True, check=False)
    if done is None or done.returncode != 0:
        print("No C compiler: the hosts' programs are shell scripts, which hides some of the differences.")
        program.write_text((HERE / "answer.sh").read_text().replace("@ANSWERS@", f"{folder}/answers"))
        program.chmod(0o755)
    for other in ("ip", "journalctl"):
        (programs / other).symlink_to(program)


def write_known_hosts(addresses: Sequence[str], folder: Path, port: int) -> None:
    """Write the key of every host, as an operator who knows his hosts has them."""
    key = " ".join((folder / "host_key.pub").read_text().split()[:2])
    lines = [f"[{address}]:{port} {key}\n" for address in addresses]
    (folder / "known_hosts").write_text("".join(lines))


def start(
    sshd: str, folder: Path, number: int, addresses: Sequence[str], port: int
) -> subprocess.Popen[bytes]:
    """Start one sshd for some addresses."""
    configuration = folder / f"sshd-{number}.conf"
    configuration.write_text(
        CONFIGURATION.format(
            folder=folder,
            listen="\n".join(f"ListenAddress {address}:{port}" for address in addresses),
            pam="yes" if os.geteuid() == 0 else "no",
            startups=MAX_STARTUPS,
        )
    )
    command: list[str | Path] = [sshd, "-D", "-f", configuration, "-E", folder / f"sshd-{number}.log"]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL)


def wait_for(address: str, port: int, log: Path) -> None:
    """Wait until a server listens; SystemExit with its own words where it does not."""
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
            return
        time.sleep(0.05)
    raise SystemExit(f"benchmarks: sshd did not start on {address}:{port}: {log.read_text().strip()}")


def free_port(address: str) -> int:
    """Return a port that is free on an address."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
