"""What every part of one judgement looks at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from quorate.checks.finding import Finding
from quorate.checks.monitor import MonitorFault
from quorate.checks.outside import is_name, is_outside
from quorate.checks.roles import Looks, Roles
from quorate.model import HostObservation, Inventory, NoReply, Reason, ServiceReply, State


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """The declared cluster, all looks at it, and what they prove together; `roles` by group with a VIP.

    `own` are the addresses that this machine is known to hold.
    """

    inventory: Inventory
    looks: Looks
    now: datetime
    fault: MonitorFault | None
    roles: Mapping[str, Roles]
    own: frozenset[str] = frozenset()

    def latest(self, host: str) -> HostObservation:
        """Return the latest look at a host."""
        return self.looks[host][-1]

    @property
    def isolated(self) -> bool:
        """Whether nothing outside this machine answered, which explains everything that was not asked."""
        return self.fault is not None and self.fault.reason is Reason.MONITOR_ISOLATED

    def blind(self, address: str, answer: ServiceReply | NoReply) -> Finding | None:
        """Return why a service was not seen, where the fault is the monitor's: isolated, or without names."""
        if self.fault is None or not isinstance(answer, NoReply) or answer.answered:
            return None
        if answer.reason not in (Reason.CONNECT_FAILED, Reason.TIMEOUT) or not is_outside(address, self.own):
            return None
        nameless = self.fault.reason is Reason.NAME_UNRESOLVED and is_name(address)
        if not self.isolated and not nameless:
            return None
        return Finding(state=State.UNKNOWN, reason=self.fault.reason, detail=answer.detail)
