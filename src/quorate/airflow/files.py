"""The inventory file of a DAG: where it is, what it holds, and by what a change of it is noticed."""

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.inventory import find_inventory, parse_inventory
from quorate.inventory.find import read_text
from quorate.model import Inventory

_OWN_ROOM = __name__.rpartition(".")[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class InventoryFile:
    """An inventory as text, so that it can travel to a process that has no such file; never with a secret.

    Relative paths in it start from the folder of `source`.
    """

    source: str
    text: str

    @property
    def fingerprint(self) -> str:
        """A short hash of the text: two reports with the same one are of the same declared cluster."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    def parse(self) -> Inventory:
        """Return the inventory; InventoryError with every fault in it."""
        return parse_inventory(self.text, source=self.source)


def read_inventory_file(path: str) -> InventoryFile:
    """Return the file's text; InventoryError where it can't be read."""
    return InventoryFile(source=path, text=read_text(Path(path)))


def inventory_path(named: str | os.PathLike[str] | None, folder: str | os.PathLike[str]) -> str:
    """Return the full path of an inventory as a DAG names it.

    `~` is expanded; a relative path starts from `folder`, that of the DAG file. Without a name it is found
    as the command line finds it. InventoryError where none was named and none is found.
    """
    if named is None:
        return str(find_inventory(None, os.environ).absolute())
    path = Path(os.path.expanduser(named))  # noqa: PTH111  Path.expanduser raises where the user is unknown
    return str(path if path.is_absolute() else Path(folder).absolute() / path)


def dag_file_globals() -> dict[str, Any]:
    """Return the globals of the file that called into this room, which is the DAG file that is being read."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        module = frame.f_globals.get("__name__", "")
        if not f"{module}.".startswith(f"{_OWN_ROOM}."):
            break
    return frame.f_globals
