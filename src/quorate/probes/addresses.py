"""Which addresses a host holds: the kernel's own list as JSON from iproute2, and the parser of it."""

import ipaddress
import json
from functools import lru_cache
from typing import Any, NoReturn

from quorate.model import Addresses, Ask, NoReply, Reason, Reply, Unobserved
from quorate.probes.answers import CACHED_BYTES, CANNOT_RUN, first_lines, passed_on, said, tool_missing

_FAMILIES = {"inet": 4, "inet6": 6}


class _ListError(Exception):
    """The list is not what iproute2 prints; the message says where."""


_NOT_UP = ("DOWN", "LOWERLAYERDOWN", "NOTPRESENT")


def ask_addresses() -> Ask:
    """Return the question for the addresses of a host; it needs no sudo. Source: ip-address(8)."""
    return Ask(argv=("ip", "-j", "addr", "show"))


def parse_addresses(reply: Reply | NoReply) -> Addresses | Unobserved:
    """Return the addresses that count as held: on interfaces that are up and no loopback, usable ones only.

    An address that is tentative (an optimistic one is, until it is verified) or has failed duplicate
    address detection is not held. A list that is incomplete, or odd in any field that matters, is
    unparsable as a whole: half a list would make a VIP vanish.
    """
    if isinstance(reply, NoReply):
        return passed_on(reply)
    if reply.exit_code in CANNOT_RUN:
        return tool_missing("ip", reply)
    try:
        read = _held if len(reply.stdout) <= CACHED_BYTES else _held.__wrapped__
        held = read(reply.stdout)
    except _ListError as error:
        detail = f"the list of addresses is not JSON of iproute2 4.14 or later ({error}): {said(reply)}"
        return Unobserved(reason=Reason.UNPARSABLE, detail=detail)
    # The kernel's list changed while it was read: `Dump was interrupted and may be inconsistent.`
    if reply.exit_code != 0 or reply.truncated or b"Dump was interrupted" in reply.stderr:
        words = first_lines(reply.stderr) or "the answer breaks off"
        detail = f"the list of addresses may be incomplete (exit code {reply.exit_code}): {words}"
        return Unobserved(reason=Reason.UNPARSABLE, detail=detail)
    return held


@lru_cache(maxsize=4096)
def _held(stdout: bytes) -> Addresses:
    try:
        links = json.loads(stdout.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _ListError("no JSON") from error
    if not isinstance(links, list):
        raise _ListError("not a list")
    # Some versions print an empty object for what they leave out.
    named = [link for link in links if link != {}]
    if not named:
        raise _ListError("no interface in it, not even lo")
    return Addresses(held=frozenset(address for link in named for address in _of_link(link)))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _of_link(link: Any) -> list[str]:
    name = _field(link, "ifname", str)
    flags = _field(link, "flags", list)
    if not all(isinstance(flag, str) for flag in flags):
        raise _ListError("a flag of an interface is no text")
    # Every address is read, whether it counts or not, so that an odd list is never half believed.
    usable = [address for entry in _field(link, "addr_info", list) if (address := _of_entry(entry))]
    # Of an interface that was taken up but has no carrier, ip itself says `state DOWN`; those that have no
    # carrier to lose (dummy, tun) are UNKNOWN.
    up = "UP" in flags and link.get("operstate") not in _NOT_UP
    counts = up and "LOOPBACK" not in flags and name != "lo"
    return usable if counts else []


def _of_entry(entry: Any) -> str | None:
    if entry == {}:
        return None
    version = _FAMILIES.get(_field(entry, "family", str))
    if version is None:
        return None
    local = _field(entry, "local", str)
    try:
        address = ipaddress.ip_address(local)
    except ValueError as error:
        raise _ListError("an address is none") from error
    if address.version != version or "%" in local:
        raise _ListError("an address is not of its family")
    unusable = [entry[flag] for flag in ("tentative", "dadfailed") if flag in entry]
    if not all(isinstance(flag, bool) for flag in unusable):
        raise _ListError("a flag of an address is neither true nor false")
    return None if any(unusable) else str(address)


def _field(value: Any, key: str, kind: type) -> Any:
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, kind):
        raise _ListError(f"`{key}` is missing or of the wrong kind")
    return found
