"""Tells which services are reached over a network, since only those say whether the monitor is isolated."""

import ipaddress
from collections.abc import Mapping

from quorate.checks.finding import NOT_TRIED
from quorate.checks.roles import Looks
from quorate.model import Addresses, CheckObservation, Inventory, NoReply, Reason

# A check without its secret was not asked at all, so it neither proves silence nor hides it.
_CUT_OFF = NOT_TRIED - {Reason.SECRET_UNAVAILABLE}


def own_addresses(inventory: Inventory, looks: Looks) -> frozenset[str]:
    """Return the addresses that this machine holds, as far as hosts that are this machine tell of them."""
    own: set[str] = set()
    for host, seen in looks.items():
        if seen[-1].contact.remote:
            continue
        own |= {address for address in (inventory.hosts[host].address,) if address is not None}
        if isinstance(held := seen[-1].addresses, Addresses):
            own |= held.held
    return frozenset(own)


def is_outside(address: str, own: frozenset[str]) -> bool:
    """Tell whether an address is another machine's, as far as it shows; a name of this machine does not."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        name = address.lower().rstrip(".")
        local = name.partition(".")[0] in ("localhost", "ip6-localhost") or name.endswith(".localhost")
        return not local and address not in own
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    found = mapped or found
    return not (found.is_loopback or found.is_unspecified) and str(found) not in own


def silence(checks: Mapping[str, CheckObservation], own: frozenset[str]) -> bool:
    """Tell whether it is proven that no service outside this machine answered, where any was asked.

    A question that did not have its chance to be answered proves nothing.
    """
    answers = [
        answer
        for seen in checks.values()
        for server, answer in seen.answers.items()
        if server in seen.addresses and is_outside(seen.addresses[server], own)
    ]
    return all(
        isinstance(answer, NoReply) and not answer.answered and answer.reason not in _CUT_OFF
        for answer in answers
    )


def is_name(address: str) -> bool:
    """Tell whether an address has to be looked up first."""
    try:
        ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return True
    return False


def place(address: str, port: int) -> str:
    """Return an address with its port, as people write it."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
