"""Rules of virtual IPs: each belongs to one group, and to no host."""

from collections.abc import Iterator
from typing import Any

from quorate.inventory.document import Document, Path
from quorate.inventory.faults import Fault
from quorate.inventory.fields import canonical_ip
from quorate.inventory.tree import mapping, word


def vip_rules(tree: dict[str, Any], document: Document) -> Iterator[Fault]:
    """Yield faults of virtual IPs that two groups have, or that are a host's own address."""
    addresses: dict[str, str] = {}
    for name, host in mapping(tree, "hosts").items():
        address = canonical_ip((host if isinstance(host, str) else word(host, "address")) or "")
        if address is not None:
            addresses.setdefault(address, name)
    owners: dict[str, str] = {}
    for group, place, vip in _vips(tree):
        owner = owners.setdefault(vip, group)
        if owner != group:
            what = f"the virtual IP of group {group} is that of group {owner} too"
            yield document.fault(place, what, "hosts of both belong to one group, or one of them is mistyped")
        if vip in addresses:
            what = f"the virtual IP of group {group} is the address of host {addresses[vip]}"
            yield document.fault(place, what, "a virtual IP moves between hosts; it is none's own")


def _vips(tree: dict[str, Any]) -> Iterator[tuple[str, Path, str]]:
    for name, group in mapping(tree, "groups").items():
        for keys in (("vip",), ("active_passive", "vip")):
            vip = canonical_ip(word(mapping(group, *keys[:-1]), "vip") or "")
            if vip is not None:
                yield name, ("groups", name, *keys), vip
