"""What every part of one judgement looks at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from quorate.checks.monitor import MonitorFault
from quorate.checks.roles import Looks, Roles
from quorate.model import HostObservation, Inventory, Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """The declared cluster, all looks at it, and what they prove together; `roles` by group with a VIP."""

    inventory: Inventory
    looks: Looks
    now: datetime
    fault: MonitorFault | None
    roles: Mapping[str, Roles]

    def latest(self, host: str) -> HostObservation:
        """Return the latest look at a host."""
        return self.looks[host][-1]

    @property
    def isolated(self) -> bool:
        """Whether nothing outside this machine answered, which explains everything that was not asked."""
        return self.fault is not None and self.fault.reason is Reason.MONITOR_ISOLATED
