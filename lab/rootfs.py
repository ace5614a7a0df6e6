"""Root file systems: built once with mmdebstrap into a cache, shared by all machines as their lower layer."""

import fcntl
import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import environment
from lab.command import LabError, run
from lab.spec import RootfsSpec

RECIPE = "2"
"""Part of the key: raised when the way of building changes."""

USER = "rocky"
PASSED_ON = ("Acquire::http", "Acquire::https", "Acquire::Check-", "Acquire::Retries", "Acquire::Queue-Mode")
"""The settings of this machine's apt that the build needs, too: proxies, certificates, limits."""

PRIVATE = ("unshare", "--mount", "--propagation=private", "--pid", "--mount-proc", "--fork", "--kill-child")
UNWANTED = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "console-getty.service",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
)
"""Units of a full machine that only cost time in one that lives for minutes."""


def default_cache() -> Path:
    """Return $QUORATE_LAB_CACHE, or `.lab` in the root of the repository."""
    chosen = os.environ.get("QUORATE_LAB_CACHE")
    return Path(chosen) if chosen else Path(__file__).resolve().parent.parent / ".lab"


def build(spec: RootfsSpec, cache: Path) -> Path:
    """Return the folder of a root file system, built now (about 20 s) unless it is in the cache.

    It is built beside its place and renamed when complete; a lock keeps two from building the same.
    """
    suite = spec.suite or release()
    requirements = spec.requirements.read_text(encoding="utf-8") if spec.requirements else None
    recipe = (RECIPE, suite, sorted(spec.packages), spec.disabled, UNWANTED, requirements)
    key = hashlib.sha256(repr(recipe).encode()).hexdigest()[:12]
    place = cache.resolve() / f"rootfs-{suite}-{key}"
    if place.is_dir():
        return place
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache / f".{place.name}.lock") as lock:
        if place.is_dir():
            return place
        began = time.monotonic()
        print(
            f"lab: building a root file system of {suite} with {len(spec.packages)} packages", file=sys.stderr
        )
        remove(cache.glob(f".{place.name}.building-*"))
        building = place.with_name(f".{place.name}.building-{os.getpid()}")
        try:
            bootstrap(suite, spec, building, lock)
            if spec.requirements:
                environment.install(spec.requirements, building, lock)
            building.rename(place)
        finally:
            remove(cache.glob(f"{building.name}*"))
        print(f"lab: built in {time.monotonic() - began:.0f} s: {place}", file=sys.stderr)
    return place


def remove(paths: Iterable[Path]) -> None:
    """Remove what a build left, the settings that it ran with included."""
    for path in paths:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold the lock of one build, and yield its descriptor.

    The build inherits it, so that it is given back when the last of both has ended, in whatever way.
    """
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("lab: waiting for another build of the same root file system", file=sys.stderr)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def release() -> str:
    """Return the code name of the Debian release that this machine runs."""
    lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    codename = values.get("VERSION_CODENAME", "").strip('"')
    if not codename:
        raise LabError("/etc/os-release names no VERSION_CODENAME: name the suite of the root file system")
    return codename


def sources(suite: str) -> list[Path]:
    """Return the files of this machine's apt sources that name a suite. Source: sources.list(5)."""
    names = re.compile(rf"^(deb|Suites:)\s(.*\s)?{re.escape(suite)}(\s|$)", re.MULTILINE)
    folder = Path("/etc/apt/sources.list.d")
    files = [Path("/etc/apt/sources.list"), *sorted(folder.glob("*.list")), *sorted(folder.glob("*.sources"))]
    found = [file for file in files if file.is_file() and names.search(file.read_text(encoding="utf-8"))]
    if not found:
        raise LabError(f"the apt sources of this machine have none for {suite}: add one to {folder}")
    return found


def settings() -> str:
    """Return those settings of this machine's apt that reaching its sources may need."""
    return "".join(f"{s}\n" for s in run(["apt-config", "dump"]).splitlines() if s.startswith(PASSED_ON))


def bootstrap(suite: str, spec: RootfsSpec, folder: Path, lock: int) -> None:
    """Run mmdebstrap, and make the result one that many machines can share.

    Its mounts and processes are in namespaces that end with it: what it leaves when it is killed is a folder.
    """
    masks = " ".join(f"/etc/systemd/system/{unit}" for unit in UNWANTED)
    hooks = (
        # No two machines may have these in common; each gets its own before it boots.
        'rm -f "$1"/etc/ssh/ssh_host_*_key* "$1"/etc/machine-id "$1"/etc/hostname',
        f'chroot "$1" sh -c \'for unit in {masks}; do ln -sf /dev/null "$unit"; done\'',
        *(f'chroot "$1" systemctl --quiet disable {unit}' for unit in spec.disabled),
        f'chroot "$1" useradd --create-home --shell /bin/bash {USER}',
        # Settings of the build, such as a proxy's password, have no place in the machines.
        'rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap',
    )
    apt_conf = folder.with_name(f"{folder.name}.apt.conf")
    apt_conf.touch(mode=0o600)
    apt_conf.write_text(settings(), encoding="utf-8")
    run(
        [
            *PRIVATE,
            "mmdebstrap",
            "--mode=root",
            "--variant=minbase",
            f"--include={','.join(spec.packages)}",
            f"--aptopt={apt_conf}",
            "--dpkgopt=path-exclude=/usr/share/man/*",
            "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*",
            *(f"--customize-hook={hook}" for hook in hooks),
            suite,
            str(folder),
            *(str(file) for file in sources(suite)),
        ],
        timeout=900,
        keep_open=(lock,),
    )
