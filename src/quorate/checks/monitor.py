"""Tells a fault of the monitor itself from faults of the hosts, by how all of them failed together."""

from collections.abc import Mapping
from dataclasses import dataclass

from quorate.checks.finding import NOT_TRIED, words
from quorate.model import Contact, Reason, State, Verdict

_SHARED = frozenset(
    {Reason.NAME_UNRESOLVED, Reason.SSH_UNRESPONSIVE, Reason.SSH_AUTH_FAILED, Reason.HOST_KEY_UNKNOWN}
)
"""Failures that, met on every host alike, speak of the monitor rather than of the hosts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MonitorFault:
    """Why the monitor could not see the cluster."""

    reason: Reason
    detail: str


def monitor_fault(
    contacts: Mapping[str, Contact], *, whole: bool, silent: bool = True
) -> MonitorFault | None:
    """Return what is wrong with the monitor, by a sweep's contacts; `whole` if of the whole inventory.

    `silent` tells that no service outside this machine answered either, on whatever protocol.
    """
    remote = [contact for contact in contacts.values() if contact.remote]
    failures = [contact.failure for contact in remote if contact.failure is not None]
    if len(remote) < 2 or len(failures) < len(remote):
        return None
    reasons = {failure.reason for failure in failures}
    if len(reasons) == 1 and reasons <= _SHARED:
        reason = failures[0].reason
        detail = f"all {len(remote)} hosts alike: {words(reason)}; the first: {failures[0].detail}"
        return MonitorFault(reason=reason, detail=detail)
    heard = not silent or any(contact.answered for contact in remote)
    if whole and not heard and not reasons & NOT_TRIED:
        detail = f"none of {len(remote)} hosts answered in any way: this machine is isolated, or all are down"
        return MonitorFault(reason=Reason.MONITOR_ISOLATED, detail=detail)
    return None


def monitor_verdict(fault: MonitorFault) -> Verdict:
    """Return the one verdict that explains why nothing could be seen."""
    isolated = fault.reason is Reason.MONITOR_ISOLATED
    why = "isolated, or all are down" if isolated else f"the same for every host: {words(fault.reason)}"
    return Verdict(
        id="monitor",
        kind="monitor",
        state=State.UNKNOWN,
        reason=fault.reason,
        summary=f"the monitor cannot see the cluster ({why})",
        detail=fault.detail,
    )
