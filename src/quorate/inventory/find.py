"""Which file is the inventory, and its text."""

import os
from collections.abc import Mapping
from pathlib import Path

from quorate.inventory.faults import Fault, InventoryError, whole_file

VARIABLE = "QUORATE_INVENTORY"
HERE = Path("cluster.yaml")
SYSTEM = Path("/etc/quorate/cluster.yaml")
LARGEST = 4 * 1024 * 1024


def find_inventory(option: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the inventory file: `-i FILE`, else $QUORATE_INVENTORY, else ./cluster.yaml, else the system's.

    Raises InventoryError where the file that was named does not exist, or none was named and none is found.
    """
    if option is not None:
        if not _exists(option):
            raise whole_file(str(option), "no such file", "it was named with -i")
        return option
    named = environ.get(VARIABLE, "")
    if named:
        if not _exists(Path(named)):
            raise whole_file(named, "no such file", f"it was named by the environment variable {VARIABLE}")
        return Path(named)
    for candidate in (HERE, SYSTEM):
        if _exists(candidate):
            return candidate
    raise whole_file(
        "",
        f"no inventory: neither ./{HERE} nor {SYSTEM} exists",
        f"name the file with -i FILE or in the environment variable {VARIABLE}",
    )


def read_text(path: Path) -> str:
    """Return the file's text, which must be UTF-8 of at most 4 MiB; raises InventoryError otherwise."""
    source = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise whole_file(source, "no such file") from None
    except IsADirectoryError:
        raise whole_file(source, "is a directory", "name the inventory file in it") from None
    except PermissionError:
        raise whole_file(source, "may not be read by this user", "check the permissions") from None
    except OSError as error:
        raise whole_file(source, f"can't be read: {error.strerror or error}") from None
    except ValueError:  # a NUL in the name
        raise whole_file(source, "is not a file name") from None
    if len(data) > LARGEST:
        raise whole_file(source, "is larger than 4 MiB", "is it an inventory?")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InventoryError(source, [_not_utf8(data, error.start)]) from None


def _exists(path: Path) -> bool:
    # A file that can't be looked at counts as there: reading it then says why it can't be read.
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    except ValueError:  # a NUL in the name
        return True
    return True


def _not_utf8(data: bytes, offset: int) -> Fault:
    before = data[:offset].decode("utf-8")
    return Fault(
        line=before.count("\n") + 1,
        column=len(before) - (before.rfind("\n") + 1) + 1,
        path="",
        message=f"not UTF-8: byte 0x{data[offset]:02x}",
        hint="save the file as UTF-8",
    )


def folder_of(source: str) -> str:
    """Return the absolute folder that relative paths in the file start from."""
    return os.path.dirname(os.path.abspath(source))  # noqa: PTH100, PTH120  a source need not exist
