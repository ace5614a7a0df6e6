"""What this machine must have before it can hold others; what is missing is installed."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from lab.command import LabError, run

PROGRAMS = {
    "ip": "iproute2",
    "mmdebstrap": "mmdebstrap",
    "nft": "nftables",
    "nsenter": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "systemd-nspawn": "systemd-container",
    "unshare": "util-linux",
}
"""Program → the Debian package that has it."""


def require_root() -> None:
    """Raise a LabError unless this process may make namespaces, mounts and machines."""
    if os.geteuid() != 0:
        raise LabError("the lab boots machines and needs root: run it as root, or with sudo")


def require_devices(devices: Iterable[str]) -> None:
    """Raise a LabError for the first device file that this machine lacks."""
    for device in devices:
        if not Path(device).exists():
            module = Path(device).name
            raise LabError(f"this machine has no {device}: load its kernel module (modprobe {module})")


def missing_packages() -> list[str]:
    """Return the Debian packages whose programs this machine lacks."""
    return sorted({package for program, package in PROGRAMS.items() if shutil.which(program) is None})


def ensure_programs() -> None:
    """Install the missing packages with apt-get, from where this machine gets its packages."""
    packages = missing_packages()
    if not packages:
        return
    if shutil.which("apt-get") is None:
        raise LabError(
            f"the lab needs the Debian packages {', '.join(packages)}, and there is no apt-get here"
        )
    print(f"lab: installing {', '.join(packages)}", flush=True)
    os.environ.setdefault("DEBIAN_FRONTEND", "noninteractive")
    if not any(Path("/var/lib/apt/lists").glob("*_Packages*")):
        run(["apt-get", "update", "--quiet"], timeout=300)
    run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages], timeout=600)
