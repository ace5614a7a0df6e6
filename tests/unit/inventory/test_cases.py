"""Every file in tests/cases/inventory has faults; its last lines say which, as `#! LINE:COLUMN: …`."""

from pathlib import Path

import pytest

from quorate.inventory import InventoryError, parse_inventory

CASES = Path(__file__).parents[2] / "cases" / "inventory"
MARK = "#! "
SECRET = "hunter2"


def split(case: Path) -> tuple[str, list[str]]:
    text, _, golden = case.read_text(encoding="utf-8").partition(MARK)
    return text, [line.removeprefix(MARK) for line in golden.splitlines()]


def test_there_are_cases() -> None:
    assert len(list(CASES.glob("*.yaml"))) > 30


@pytest.mark.parametrize("case", sorted(CASES.glob("*.yaml")), ids=lambda case: case.stem)
def test_faults(case: Path) -> None:
    text, golden = split(case)
    with pytest.raises(InventoryError) as caught:
        parse_inventory(text, source="F")
    assert [line.removeprefix("F:").strip() for line in str(caught.value).splitlines()] == golden
    assert len(caught.value.faults) == len(golden)


@pytest.mark.parametrize("case", sorted(CASES.glob("*.yaml")), ids=lambda case: case.stem)
def test_no_secret_is_shown(case: Path) -> None:
    text, _ = split(case)
    with pytest.raises(InventoryError) as caught:
        parse_inventory(text, source="F")
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value.faults)
