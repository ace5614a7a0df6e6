"""What is written down of every lab before it makes anything, so that whoever comes next can take it away."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lab.process import Process, boot_id

ROOT = Path("/var/lib/quorate-lab")
"""Folders of living labs, one each; gone with the last of them. Not below /run: overlays need a disk."""
PREFIX = "quorate-lab-"


@dataclass(frozen=True, kw_only=True)
class HostRecord:
    """A host of a lab: where its machine's files are, and the process that holds the machine."""

    address: str
    rootfs: str
    vips: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    disks: tuple[str, ...] = ()
    launcher: Process | None = None


@dataclass(kw_only=True)
class LabRecord:
    """One lab: whose it is, and the hosts it has or is about to have.

    `kept` labs outlive the process that made them. `made_netns_folder` tells that /run/netns became a mount
    only through a lab, and is to be unmounted with it. `inotify` is this machine's limit of inotify instances
    before a lab raised it, None where none did.
    """

    id: str
    owner: Process
    boot: str
    kept: bool = False
    made_netns_folder: bool = False
    inotify: int | None = None
    hosts: dict[str, HostRecord] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Everything that the lab has on disk."""
        return ROOT / self.id

    @property
    def name(self) -> str:
        """The name of its control group, and what the names of its namespaces begin with."""
        return f"{PREFIX}{self.id}"

    @property
    def abandoned(self) -> bool:
        """Whether nobody will take the lab down: its owner has ended, or the machine was started anew."""
        return self.boot != boot_id() or not (self.kept or self.owner.alive)

    def save(self) -> None:
        """Write the record in one step, so that a reader sees the old or the new one."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        scratch = self.folder / ".state.json"
        scratch.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        scratch.replace(self.folder / "state.json")


def new_record(hosts: dict[str, HostRecord], *, made_netns_folder: bool, inotify: int | None) -> LabRecord:
    """Return the record of a lab that this process is about to make."""
    owner = Process.of(os.getpid())
    assert owner is not None, "this process runs"
    return LabRecord(
        id=os.urandom(3).hex(),
        owner=owner,
        boot=boot_id(),
        hosts=hosts,
        made_netns_folder=made_netns_folder,
        inotify=inotify,
    )


def records() -> list[LabRecord]:
    """Return the records of all labs on this machine; one that can't be read belongs to no living lab."""
    found = []
    for folder in sorted(ROOT.glob("*")):
        try:
            found.append(load(folder / "state.json"))
        except (OSError, ValueError, KeyError, TypeError):
            # Written in one step, so it is absent only between mkdir and the first write of a process,
            # and damaged only after a crash of the whole machine.
            found.append(LabRecord(id=folder.name, owner=Process(pid=0, started=0), boot=""))
    return found


def load(path: Path) -> LabRecord:
    """Read a record back."""
    data = json.loads(path.read_text(encoding="utf-8"))
    hosts = {}
    for name, host in data.pop("hosts").items():
        launcher = host.pop("launcher")
        vips, devices, disks = (tuple(host.pop(key, ())) for key in ("vips", "devices", "disks"))
        process = Process(**launcher) if launcher else None
        hosts[name] = HostRecord(**host, vips=vips, devices=devices, disks=disks, launcher=process)
    return LabRecord(**{**data, "owner": Process(**data["owner"]), "hosts": hosts})


@contextmanager
def exclusive() -> Iterator[None]:
    """Let one process at a time make records or take abandoned labs away."""
    ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
    descriptor = os.open(ROOT, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
        yield
    finally:
        os.close(descriptor)
        with suppress(OSError):  # not empty: other labs are there
            ROOT.rmdir()


def forget(record: LabRecord) -> None:
    """Remove everything that a lab has on disk; the record goes last."""
    for entry in record.folder.glob("*"):
        if entry.name != "state.json":
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    shutil.rmtree(record.folder, ignore_errors=True)
