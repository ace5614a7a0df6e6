"""Finding and loading the inventory; the commands that are about the file itself."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from quorate.checks.maintenance import declared
from quorate.cli.errors import CommandError
from quorate.cli.printing import print_out
from quorate.inventory import InventoryError, find_inventory, json_schema, load_inventory
from quorate.inventory.faults import listed
from quorate.model import Inventory
from quorate.outputs.words import maintenance_words
from quorate.probes.kinds import PROBES


def load(option: Path | None) -> tuple[Path, Inventory]:
    """Return the inventory that the option or the usual places give, with its path."""
    try:
        path = find_inventory(option, os.environ)
        return path, load_inventory(path)
    except InventoryError as error:
        raise CommandError(*str(error).splitlines()) from None


def run_validate(option: Path | None) -> int:
    """Print what a valid inventory holds; a faulty one is an error that names every fault."""
    path, inventory = load(option)
    counts = [(inventory.hosts, "host"), (inventory.groups, "group"), (inventory.checks, "check")]
    held = ", ".join(f"{len(things)} {word}{'' if len(things) == 1 else 's'}" for things, word in counts)
    unasked = [c.name for c in inventory.checks.values() if c.kind not in PROBES]
    but = f"; this version cannot ask {', '.join(unasked)}" if unasked else ""
    lines = [f"{path}: valid; {inventory.name} has {held}{but}", *_doubtful(inventory)]
    return print_out("\n".join(lines) + "\n")


def _doubtful(inventory: Inventory) -> Iterator[str]:
    """Yield what is no fault of the file, and hardly meant."""
    at: dict[tuple[str, int | None, str | None], list[str]] = {}
    for host in inventory.hosts.values():
        if host.address is not None and not host.local:
            at.setdefault((host.address, host.ssh.port, host.ssh.jump), []).append(host.name)
    for (address, _, _), names in at.items():
        if len(names) > 1:
            both = listed(names, "and")
            yield f"note: {both} have the same address {address}: one machine would answer for them all"
    for entry in declared(inventory.maintenance, datetime.now(UTC)):
        if entry.expired:
            yield f"note: {maintenance_words(entry)}"


def run_schema() -> int:
    """Print the JSON Schema of the inventory."""
    return print_out(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
