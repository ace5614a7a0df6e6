"""Rules of maintenance: each entry concerns at least one verdict."""

from collections.abc import Iterator

from quorate.inventory.document import Document
from quorate.inventory.faults import Fault
from quorate.inventory.kinds import KINDS
from quorate.model import Inventory
from quorate.model.selectors import SelectorError, select, verdict_ids


def unmatched_selectors(inventory: Inventory, document: Document) -> Iterator[Fault]:
    """Yield faults of entries whose selector matches nothing that a sweep can say."""
    ids = verdict_ids(inventory) if inventory.maintenance else ()
    for index, entry in enumerate(inventory.maintenance):
        check = inventory.checks.get(entry.select.partition("/")[0])
        if check is not None and check.kind not in KINDS:
            continue  # the members of a check whose kind is not installed here are not known
        try:
            select(ids, [entry.select])
        except SelectorError as error:
            yield document.fault(("maintenance", index, "select"), str(error), show=False)
