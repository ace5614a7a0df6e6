"""From a file or a text to an Inventory, or to every fault that is in it."""

from pathlib import Path
from typing import Any

from quorate.inventory.composing import read_document
from quorate.inventory.document import BROKEN
from quorate.inventory.faults import Fault, InventoryError, whole_file
from quorate.inventory.find import folder_of, read_text
from quorate.model import Inventory


def load_inventory(path: Path) -> Inventory:
    """Return the inventory that a file holds; raises InventoryError with every fault in it."""
    return parse_inventory(read_text(path), source=str(path))


def parse_inventory(text: str, *, source: str) -> Inventory:
    """Return the inventory that a text holds; raises InventoryError with every fault in it.

    `source` names the text in errors; relative paths in it start from the folder of that file.
    """
    # pydantic takes most of a second's fifth to import: only who reads an inventory pays for it.
    from quorate.inventory.build import build  # noqa: PLC0415  see above
    from quorate.inventory.rules import broken_rules, unmatched_selectors  # noqa: PLC0415  see above
    from quorate.inventory.shapes import read_shapes  # noqa: PLC0415  see above

    document = read_document(text)
    if document.value is BROKEN:
        raise InventoryError(source, document.faults)
    if document.empty or document.value is None:
        raise whole_file(source, "the inventory is empty", "declare at least one host under hosts")
    if not isinstance(document.value, dict):
        document.faults.append(
            document.fault((), "the inventory must be a mapping of keys and values", show=False)
        )
        raise InventoryError(source, document.faults)
    shapes = read_shapes(document)
    # Of a key that is not known nothing more is said: what it was taken for is only a guess.
    guessed = {(fault.line, fault.column) for fault in shapes.unknown}
    broken = [f for f in broken_rules(document, shapes.kinds) if (f.line, f.column) not in guessed]
    faults: list[Fault] = [*document.faults, *shapes.faults, *broken]
    if faults or shapes.file is None:
        raise InventoryError(source, faults)
    inventory = build(shapes.file, shapes.checks, folder_of(source))
    # What a selector can match is known only of a file that is right in all else.
    if faults := list(unmatched_selectors(inventory, document)):
        raise InventoryError(source, faults)
    return inventory


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the inventory file as it is written."""
    from quorate.inventory.schema import file_schema  # noqa: PLC0415  as in parse_inventory

    return file_schema()
