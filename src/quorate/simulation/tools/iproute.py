"""What `ip -j addr show` of iproute2 answers. Source: ip-address(8)."""

import json
import random
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

from quorate.simulation.machine import Answer, Sight
from quorate.simulation.state import Interface, SimulatedAddress

_FOREVER = 4294967295
_SHOW = (["addr", "show"], ["address", "show"], ["a", "show"], ["addr"], ["address"], ["a"], ["a", "s"])


def ip(argv: Sequence[str], sight: Sight) -> Answer:
    """Return ip's answer to its arguments; addresses in JSON are all that it is ever asked for."""
    options = [word for word in argv if word.startswith("-")]
    words = [word for word in argv if not word.startswith("-")]
    if unknown := [word for word in options if word not in ("-j", "-json", "-4", "-6")]:
        return Answer(stderr=f'Option "{unknown[0]}" is unknown, try "ip -help".\n'.encode(), exit_code=255)
    if words not in _SHOW or not {"-j", "-json"} & set(options):
        return Answer(stderr=b"ip: the simulation answers `ip -j addr show` alone\n", exit_code=255)
    family = "inet" if "-4" in options else "inet6" if "-6" in options else None
    key = ("ip", *argv)
    if key not in sight.memory:
        links = [_link(number, link, sight) for number, link in enumerate(_interfaces(sight), start=1)]
        for link in links if family else ():
            link["addr_info"] = [a for a in link["addr_info"] if a["family"] == family]
        text = json.dumps(links, separators=(",", ":")) + "\n"
        sight.memory[key] = Answer(stdout=text.encode())
    return sight.memory[key]


def _interfaces(sight: Sight) -> list[Interface]:
    own = [interface for interface in sight.host.interfaces if interface.name == "lo"]
    further = [interface for interface in sight.host.interfaces if interface.name != "lo"]
    loopback = (SimulatedAddress(local="127.0.0.1", prefix=8), *(a for i in own for a in i.addresses))
    return [
        Interface(name="lo", addresses=(*loopback, SimulatedAddress(local="::1", prefix=128))),
        *further,
    ]


def _link(number: int, interface: Interface, sight: Sight) -> dict[str, Any]:
    addresses = [_address(address, interface) for address in _in_order(interface.addresses)]
    if interface.name == "lo":
        return {
            "ifindex": number,
            "ifname": "lo",
            "flags": ["LOOPBACK", "UP", "LOWER_UP"],
            "mtu": 65536,
            "qdisc": "noqueue",
            "operstate": "UNKNOWN",
            "group": "default",
            "txqlen": 1000,
            "link_type": "loopback",
            "address": "00:00:00:00:00:00",
            "broadcast": "00:00:00:00:00:00",
            "addr_info": addresses,
        }
    hardware = _hardware_address(f"{sight.host.name}/{interface.name}")
    if interface.up and interface.name == "eth0":
        addresses.append(_address(SimulatedAddress(local=_link_local(hardware), prefix=64), interface))
    return {
        "ifindex": number,
        "ifname": interface.name,
        "flags": ["BROADCAST", "MULTICAST", *(["UP", "LOWER_UP"] if interface.up else [])],
        "mtu": 1500,
        "qdisc": "noqueue" if interface.up else "noop",
        "operstate": "UP" if interface.up else "DOWN",
        "group": "default",
        "txqlen": 1000,
        "link_type": "ether",
        "address": hardware,
        "broadcast": "ff:ff:ff:ff:ff:ff",
        "addr_info": addresses,
    }


def _in_order(addresses: Sequence[SimulatedAddress]) -> list[SimulatedAddress]:
    # The kernel lists IPv4 before IPv6.
    return sorted(addresses, key=lambda address: ":" in address.local)


def _address(address: SimulatedAddress, interface: Interface) -> dict[str, Any]:
    parsed = ip_address(address.local)
    scope = "host" if parsed.is_loopback else "link" if parsed.is_link_local else "global"
    found: dict[str, Any] = {
        "family": "inet" if parsed.version == 4 else "inet6",
        "local": address.local,
        "prefixlen": address.prefix,
        "scope": scope,
    }
    own = next((a for a in interface.addresses if ":" not in a.local), None)
    if parsed.version == 4 and own is not None and address is not own and address.prefix == own.prefix:
        found["secondary"] = True
    found |= dict.fromkeys(address.flags, True)
    if parsed.version == 4:
        found["label"] = interface.name
    preferred = 0 if "deprecated" in address.flags else _FOREVER
    return found | {"valid_life_time": _FOREVER, "preferred_life_time": preferred}


def _hardware_address(of: str) -> str:
    numbers = random.Random(of)  # noqa: S311  no secret: an address that stays the same
    return ":".join(f"{byte:02x}" for byte in [0x52, 0x54, 0, *(numbers.randint(0, 255) for _ in range(3))])


def _link_local(hardware: str) -> str:
    # Source: RFC 4291, appendix A.
    first, second, third, *rest = (int(byte, 16) for byte in hardware.split(":"))
    words = [first ^ 2, second, third, 0xFF, 0xFE, *rest]
    joined = ":".join(f"{words[at] << 8 | words[at + 1]:x}" for at in range(0, 8, 2))
    return str(ip_address(f"fe80::{joined}"))
