"""The situations, by what they are about."""

from sweeps.table.crashing import CRASHING
from sweeps.table.failed import FAILURES, QUESTIONS
from sweeps.table.failover import FAILOVER
from sweeps.table.group import GROUP
from sweeps.table.holders import NO_HOLDER, TWO_HOLDERS
from sweeps.table.monitor import MONITOR
from sweeps.table.passive import PASSIVE_NODE
from sweeps.table.resting import AT_REST, STOPPING
from sweeps.table.running import RUNNING
from sweeps.table.starting import STARTING
from sweeps.table.transport import TRANSPORT

SITUATIONS = (
    *RUNNING,
    *STARTING,
    *CRASHING,
    *STOPPING,
    *AT_REST,
    *FAILURES,
    *QUESTIONS,
    *PASSIVE_NODE,
    *FAILOVER,
    *NO_HOLDER,
    *TWO_HOLDERS,
    *GROUP,
    *TRANSPORT,
    *MONITOR,
)

__all__ = ["SITUATIONS"]
