"""Taking a lab away by its name alone: processes, namespaces, mounts, control groups, files.

Whoever is killed is a member of a control group that the lab made and named; no recorded number of a
process is trusted.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

from lab import cgroups, limits, network, state
from lab.command import LabError
from lab.process import Process
from lab.state import PREFIX, LabRecord


def remove(record: LabRecord) -> None:
    """Take away everything that a lab has; what could not be taken away is one error at the end."""
    problems: list[str] = []

    def attempt(step: Callable[[], None]) -> None:
        try:
            step()
        except (LabError, OSError) as error:
            problems.append(str(error))

    attempt(lambda: cgroups.kill(record.name))
    for name in network.namespaces(f"{record.name}-"):
        attempt(lambda name=name: network.delete_namespace(name))  # type: ignore[misc]  # a lambda's default
    attempt(lambda: unmount_below(record.folder))
    attempt(lambda: cgroups.remove(record.name))
    if record.made_netns_folder:
        unmount_namespace_folder()
    others = [other for other in state.records() if other.id != record.id]
    attempt(lambda: limits.give_back_instances(record, others))
    attempt(lambda: state.forget(record))
    if problems:
        raise LabError(f"lab {record.id} could not be removed: {'; '.join(problems)}")


def unmount_below(folder: Path) -> None:
    """Unmount what is mounted below a folder, deepest first; lazily where it is still in use.

    A machine's overlay is mounted in a namespace that ends with the machine: there is something to do only
    where that was made visible here by hand.
    """
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    points = [Path(line.split()[1]) for line in mounts]
    for point in sorted((p for p in points if p.is_relative_to(folder)), reverse=True):
        if subprocess.run(["umount", str(point)], capture_output=True, check=False).returncode != 0:
            subprocess.run(["umount", "--lazy", str(point)], capture_output=True, check=False)


def unmount_namespace_folder() -> None:
    """Undo that /run/netns became a mount; the kernel refuses while anyone has a namespace in it."""
    if network.folder_is_mounted():
        subprocess.run(["umount", str(network.FOLDER)], capture_output=True, check=False)


def abandoned() -> list[LabRecord]:
    """Return the labs that nobody will take down, those without a record included."""
    known = state.records()
    names = {record.name for record in known}
    found = {group for group in cgroups.named(PREFIX) if group not in names}
    for namespace in network.namespaces(PREFIX):
        lab = "-".join(namespace.split("-")[:3])
        if lab not in names:
            found.add(lab)
    nobody = Process(pid=0, started=0)
    lost = [LabRecord(id=name.removeprefix(PREFIX), owner=nobody, boot="") for name in sorted(found)]
    return [record for record in known if record.abandoned] + lost


def remove_abandoned() -> list[str]:
    """Take away every lab that nobody will take down, under `state.exclusive`, and return their ids."""
    gone = []
    for record in abandoned():
        remove(record)
        gone.append(record.id)
    return gone
