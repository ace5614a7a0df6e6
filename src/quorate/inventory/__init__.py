"""Text to `quorate.model.Inventory`: every fault at once, with line and column and what was meant."""

from quorate.inventory.faults import Fault, InventoryError
from quorate.inventory.find import find_inventory
from quorate.inventory.load import json_schema, load_inventory, parse_inventory
from quorate.inventory.options import parse_duration, unit_name

__all__ = [
    "Fault",
    "InventoryError",
    "find_inventory",
    "json_schema",
    "load_inventory",
    "parse_duration",
    "parse_inventory",
    "unit_name",
]
