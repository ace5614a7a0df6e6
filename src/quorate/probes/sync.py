"""How old a marker is that travels with the data: the older of its two times, by its host's own clock.

    1767225590 1767225600    (stat: content changed, copy made)
    1767225630               (date)                                →    SyncMarker(age=40.0)

The time of the content may be one that the copying brought along from another machine, whose clock may be
ahead; the time of the copy is the host's own. Source: stat(1), date(1) of coreutils and busybox.
"""

import re

from quorate.model import Ask, NoReply, Reason, Reply, SyncMarker, Unobserved
from quorate.probes.answers import CANNOT_RUN, passed_on, said, tool_missing

LIMIT = 3.0
"""How long the question may take, in seconds: the marker may lie on a mount that hangs."""

SCRIPT = 'stat -L -c "%Y %Z" "$1" && date +%s'
"""The question; $1 is the marker's path."""

_TIMES = re.compile(rb"(-?\d{1,15}) (-?\d{1,15})\n(\d{1,15})\s*")
_MISSING = re.compile(rb"No such file or directory|Not a directory")


def ask_sync(path: str) -> Ask:
    """Return the question for a marker's times and the host's clock; it needs no sudo."""
    return Ask(argv=("sh", "-c", SCRIPT, "sh", path), limit=LIMIT)


def parse_sync(reply: Reply | NoReply, path: str) -> SyncMarker | Unobserved:
    """Return how old the marker at a path is, or that it is missing."""
    if isinstance(reply, NoReply):
        return passed_on(reply)
    if reply.exit_code in CANNOT_RUN:
        return tool_missing("stat", reply)
    if reply.exit_code != 0:
        if _MISSING.search(reply.stderr):
            return SyncMarker(age=None)
        return Unobserved(reason=Reason.NO_ANSWER, detail=f"{path} can't be looked at: {said(reply)}")
    found = _TIMES.fullmatch(reply.stdout)
    if found is None:
        return Unobserved(reason=Reason.UNPARSABLE, detail=f"the age of {path} can't be told: {said(reply)}")
    changed, copied, now = (int(number) for number in found.groups())
    # What seems to lie ahead was written just now, by a clock that has been set back since.
    return SyncMarker(age=max(0.0, float(now - min(changed, copied))))
