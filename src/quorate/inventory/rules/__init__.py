"""What one place of the file says of another: names, references, addresses."""

from collections.abc import Iterator, Mapping

from quorate.inventory.document import Document
from quorate.inventory.faults import Fault
from quorate.inventory.kinds import KINDS
from quorate.inventory.rules.groups import group_rules
from quorate.inventory.rules.hosts import host_rules, jump_rules
from quorate.inventory.rules.maintenance import unmatched_selectors
from quorate.inventory.rules.references import name_rules, reference_rules
from quorate.inventory.rules.vips import vip_rules
from quorate.inventory.tree import mapping

__all__ = ["broken_rules", "unmatched_selectors"]


def broken_rules(document: Document, kinds: Mapping[str, str]) -> Iterator[Fault]:
    """Yield faults between the places of a file whose shapes were looked at; `kinds` is by check."""
    tree = document.value
    for rules in (name_rules, host_rules, jump_rules, group_rules, vip_rules, reference_rules):
        yield from rules(tree, document)
    for name in mapping(tree, "checks"):
        if name in kinds:
            yield from KINDS[kinds[name]].rules(tree, ("checks", name), document)
