"""Names what explains a failed check: a verdict that is itself CRITICAL or UNKNOWN, on the path in use.

| verdict | reason | explained by | where |
|---|---|---|---|
| member of a cluster | no answer at all | `host/<host>`, unreachable | it is asked at that host's address |
| member of a cluster | no way to it | the `logs_from` unit on its host | the unit is CRITICAL |
| cluster | too few members | the first member's cause | every member that fails has one |
| database | no answer at all | `<group>/vip` | it is asked at that virtual IP |
| database | no answer at all | `host/<host>`, unreachable | it is asked at that host's address |

A refused port is an answer, and so are words of the service itself such as 'too many clients': whoever
answers has been reached, so neither its host nor its virtual IP explains the failure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from quorate.model import Check, CheckObservation, Inventory, NoReply, Reason, State, Verdict, unit_id

_NO_WAY = frozenset({Reason.CONNECT_FAILED, Reason.TIMEOUT})
_TOO_FEW = frozenset({Reason.REDUNDANCY_LOST, Reason.QUORUM_LOST})


def with_causes(
    found: Sequence[Verdict],
    check: Check,
    observation: CheckObservation,
    inventory: Inventory,
    known: Mapping[str, Verdict],
) -> list[Verdict]:
    """Return a check's verdicts with their causes; `known` are those of hosts, VIPs and units by id."""
    whole, *members = found
    members = [_explained(m, check, observation, inventory, known) for m in members]
    if not members:
        whole = _explained(whole, check, observation, inventory, known)
    elif whole.reason in _TOO_FEW:
        causes = [member.caused_by for member in members if member.state is not State.OK]
        whole = replace(whole, caused_by=causes[0] if all(causes) else None)
    return [whole, *members]


def _explained(
    verdict: Verdict,
    check: Check,
    observation: CheckObservation,
    inventory: Inventory,
    known: Mapping[str, Verdict],
) -> Verdict:
    if verdict.caused_by is not None or verdict.reason not in _NO_WAY:
        return verdict
    for cause, reasons in _ways(verdict.host, check, observation, inventory):
        found = known.get(cause)
        if found is not None and _explains(found, reasons):
            return replace(verdict, caused_by=cause)
    return verdict


_Way = tuple[str, frozenset[Reason] | None]
"""A verdict on the path, and the reasons for which it explains a failure; None for whatever is CRITICAL."""

_UNREACHABLE = frozenset({Reason.HOST_UNREACHABLE})
_VIP = frozenset({Reason.NO_ACTIVE_NODE, Reason.DUPLICATE_VIP, Reason.ACTIVE_NODE_UNKNOWN})


def _ways(
    member: str | None, check: Check, observation: CheckObservation, inventory: Inventory
) -> Iterator[_Way]:
    server = member or check.name
    answer, address = observation.answers[server], observation.addresses[server]
    silent = isinstance(answer, NoReply) and not answer.answered
    if member is None:
        yield from _of_server(address, inventory) if silent else ()
        return
    if silent and inventory.hosts[member].address == address:
        yield f"host/{member}", _UNREACHABLE
    if check.logs_from is not None:
        yield f"{check.logs_from.group}/{member}/{unit_id(check.logs_from.unit)}", None


def _of_server(address: str, inventory: Inventory) -> Iterator[_Way]:
    for group in inventory.groups.values():
        if group.virtual_ip == address:
            yield f"{group.name}/vip", _VIP
    for host in inventory.hosts.values():
        if host.address == address:
            yield f"host/{host.name}", _UNREACHABLE


def _explains(cause: Verdict, reasons: frozenset[Reason] | None) -> bool:
    if reasons is None:
        return cause.state is State.CRITICAL
    return cause.state in (State.CRITICAL, State.UNKNOWN) and cause.reason in reasons
