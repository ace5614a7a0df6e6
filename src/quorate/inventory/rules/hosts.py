"""Rules of hosts: how they are reached, and through whom."""

from collections.abc import Iterator
from typing import Any

from quorate.inventory.document import Document, Path
from quorate.inventory.entries import DIRECT
from quorate.inventory.faults import Fault, meant
from quorate.inventory.jumps import effective_jumps, loops
from quorate.inventory.tree import mapping, word


def host_rules(tree: dict[str, Any], document: Document) -> Iterator[Fault]:
    """Yield faults of hosts that have no address and are not this machine."""
    for name, host in mapping(tree, "hosts").items():
        if isinstance(host, dict) and "address" not in host and host.get("local", False) is False:
            what = f"host {name} has no address"
            yield document.fault(
                ("hosts", name),
                what,
                "write address: …, or local: true if it is this machine",
                at_key=True,
                show=False,
            )


def jump_rules(tree: dict[str, Any], document: Document) -> Iterator[Fault]:
    """Yield faults of jumps through hosts that are unknown, are this machine, or lead back."""
    hosts = tree.get("hosts")
    if not isinstance(hosts, dict):
        return
    places: dict[Path, str] = {}
    default = word(tree.get("ssh"), "jump")
    if default is not None:
        places["ssh", "jump"] = default
    own = {name: word(mapping(host, "ssh"), "jump") for name, host in hosts.items()}
    places.update({("hosts", name, "ssh", "jump"): jump for name, jump in own.items() if jump is not None})
    for place, jump in places.items():
        if jump == DIRECT:
            continue
        if jump not in hosts:
            hint = meant(jump, hosts, f"declare it under hosts, or write {DIRECT}")
            yield document.fault(place, "the jump host is not declared", hint)
        elif mapping(hosts, jump).get("local") is True:
            yield document.fault(place, "a host that is this machine can't be a jump host", "leave out jump")
        elif jump == place[1]:
            yield document.fault(
                place, "a host can't be its own jump host", f"name another, or write {DIRECT}"
            )
    for loop in loops(effective_jumps(default, own)):
        if len(loop) > 1:
            way = " → ".join((*loop, loop[0]))
            place = ("hosts", loop[0], "ssh", "jump")
            yield document.fault(
                place, f"jumps lead back to where they began ({way})", "take one of them out"
            )
