"""The one limit of this machine that a lab needs higher: how many inotify instances root may have.

Every systemd has half a dozen, and they all count as this machine's root: about twenty machines reach the
usual limit, and the next one hangs in its boot. The last lab to go gives the old limit back.
"""

from collections.abc import Iterable
from pathlib import Path

from lab.state import LabRecord

INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
NEEDED = 1024


def raise_instances(others: Iterable[LabRecord]) -> int | None:
    """Raise the limit where it is too low; return what it was before any lab, None where it was enough."""
    before = next((record.inotify for record in others if record.inotify is not None), None)
    now = int(INSTANCES.read_text(encoding="ascii"))
    if now >= NEEDED:
        return before
    INSTANCES.write_text(str(NEEDED), encoding="ascii")
    return now


def give_back_instances(record: LabRecord, others: Iterable[LabRecord]) -> None:
    """Give the limit back, unless another lab lives by it."""
    if record.inotify is not None and all(other.inotify is None for other in others):
        INSTANCES.write_text(str(record.inotify), encoding="ascii")
