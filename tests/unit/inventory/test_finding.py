"""Which file is read, and what is said of one that can't be."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from quorate.inventory import InventoryError, find, find_inventory, load_inventory


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(find, "SYSTEM", tmp_path / "etc" / "cluster.yaml")
    return tmp_path


def test_the_order_in_which_files_are_found(here: Path) -> None:
    named, variable, system = here / "named.yaml", here / "variable.yaml", here / "etc" / "cluster.yaml"
    system.parent.mkdir()
    for file in (named, variable, system, here / "cluster.yaml"):
        file.touch()
    environ = {"QUORATE_INVENTORY": str(variable)}
    assert find_inventory(named, environ) == named
    assert find_inventory(None, environ) == variable
    assert find_inventory(None, {"QUORATE_INVENTORY": ""}) == Path("cluster.yaml")
    (here / "cluster.yaml").unlink()
    assert find_inventory(None, {}) == system


def test_none_is_found(here: Path) -> None:
    with pytest.raises(
        InventoryError, match=r"no inventory: neither \./cluster\.yaml nor .*QUORATE_INVENTORY"
    ):
        find_inventory(None, {})


def test_a_named_file_is_not_replaced_by_another(here: Path) -> None:
    (here / "cluster.yaml").touch()
    with pytest.raises(InventoryError, match=r"^x\.yaml: no such file; it was named with -i$"):
        find_inventory(Path("x.yaml"), {})
    with pytest.raises(InventoryError, match=r"^y\.yaml: no such file; .* variable QUORATE_INVENTORY$"):
        find_inventory(None, {"QUORATE_INVENTORY": "y.yaml"})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xfeh\x00", "F:1:1: not UTF-8: byte 0xff; save the file as UTF-8"),
        ("hosts:\n  é: ".encode() + b"\xe9", "F:2:6: not UTF-8: byte 0xe9; save the file as UTF-8"),
        (b"", "F: the inventory is empty; declare at least one host under hosts"),
        (b"#" * (4 * 1024 * 1024 + 1), "F: is larger than 4 MiB; is it an inventory?"),
    ],
)
def test_files_of_other_content(here: Path, data: bytes, message: str) -> None:
    (here / "F").write_bytes(data)
    with pytest.raises(InventoryError) as caught:
        load_inventory(Path("F"))
    assert str(caught.value) == message


def test_things_that_are_no_file(here: Path) -> None:
    (here / "file").touch()
    for path, message in {
        ".": "is a directory",
        "absent": "no such file",
        "file/x": "can't be read: Not a directory",
        "a\0b": "is not a file name",
        "x" * 300: "can't be read: File name too long",
    }.items():
        with pytest.raises(InventoryError, match=message):
            load_inventory(find_inventory(Path(path), {}) if path != "absent" else Path(path))


@pytest.fixture
def plain_user() -> Iterator[None]:
    """Root may read everything, so a test that is run by root becomes nobody for as long as it lasts."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    yield
    os.seteuid(was)


def test_a_file_that_may_not_be_read(plain_user: None) -> None:
    with pytest.raises(InventoryError, match="may not be read by this user"):
        load_inventory(Path("/etc/shadow"))


def test_a_byte_order_mark_and_windows_line_ends_are_fine(here: Path) -> None:
    (here / "F").write_bytes("\ufeffname: x\r\nhosts:\r\n  a: 192.0.2.1\r\n".encode())
    assert load_inventory(Path("F")).name == "x"


def test_a_file_name_can_not_forge_output(here: Path) -> None:
    with pytest.raises(InventoryError) as caught:
        load_inventory(Path("a\n\x1b[2J\udcff"))
    assert str(caught.value) == r"a\n\x1b[2J\udcff: no such file"
