"""What `journalctl --header` prints of a host's journal file."""

import hashlib
from datetime import UTC, datetime

from quorate.simulation.machine import Sight

_RECORDED = """\
File path: {folder}/{machine}/system.journal
File ID: {file}
Machine ID: {machine}
Boot ID: {boot}
Sequential number ID: {file}
State: ONLINE
Compatible flags:
Incompatible flags: COMPRESSED-ZSTD KEYED-HASH COMPACT
Header size: 264
Arena size: 8388344
Data hash table size: 233016
Field hash table size: 333
Rotate suggested: no
Head sequential number: 1 (1)
Tail sequential number: {count} ({count:x})
Head realtime timestamp: {head}
Tail realtime timestamp: {tail}
Tail monotonic timestamp: {since_boot} ({monotonic:x})
Objects: 1980
Entry objects: {count}
Data objects: 1054
Data hash table fill: 0.5%
Field objects: 59
Field hash table fill: 17.7%
Tag objects: 0
Entry array objects: 553
Deepest field hash chain: 3
Deepest data hash chain: 1
Disk usage: 8.0M
"""


def header(sight: Sight) -> str:
    """Return the header: a volatile journal begins at the host's boot, a persistent one long before."""
    volatile = sight.host.volatile_journal
    begin = sight.wall(5.0 if volatile else -40 * 86400.0)
    lines = [line for unit in sight.host.units.values() for line in unit.journal]
    stamp = max(
        (sight.stamp(unit.name, line.age) for unit in sight.host.units.values() for line in unit.journal),
        default=5.0,
    )
    return _RECORDED.format(
        folder="/run/log/journal" if volatile else "/var/log/journal",
        machine=_id(f"{sight.host.name}/machine"),
        file=_id(f"{sight.host.name}/journal"),
        boot=_id(f"{sight.host.name}/boot"),
        count=100 + len(lines),
        head=_time(begin),
        tail=_time(sight.wall(stamp)),
        since_boot=_span(stamp),
        monotonic=round(stamp * 1e6),
    )


def _id(of: str) -> str:
    return hashlib.sha256(of.encode()).hexdigest()[:32]


def _time(wall: float) -> str:
    clock = datetime.fromtimestamp(wall, UTC).strftime("%a %Y-%m-%d %H:%M:%S UTC")
    return f"{clock} ({round(wall * 1e6):x})"


def _span(seconds: float) -> str:
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [
        f"{int(number)}{unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if number
    ]
    return " ".join([*parts, f"{rest:.3f}s"])
