"""Whole outputs against files in tests/cases/outputs.

After a wanted change run `QUORATE_UPDATE_GOLDEN=1 pytest tests/unit/outputs`, read the difference, commit it.
"""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from reports import REPORTS

from quorate.model import Report
from quorate.outputs import FORMATS
from quorate.outputs.text import render_text

CASES = Path(__file__).parents[2] / "cases" / "outputs"

Render = Callable[[Report], str]

GOLDEN: dict[str, tuple[str, Render]] = {
    **{f"{name}.txt": (name, FORMATS["text"]) for name in REPORTS},
    **{f"{name}.nagios": (name, FORMATS["nagios"]) for name in REPORTS},
    **{
        f"{name}.80.txt": (name, partial(render_text, width=80))
        for name in ("nominal", "passive_unreachable")
    },
    "duplicate_vip.ansi": ("duplicate_vip", partial(render_text, colour=True)),
    "unit_failed.json": ("unit_failed", FORMATS["json"]),
    "hostile.json": ("hostile", FORMATS["json"]),
    "passive_unreachable.xml": ("passive_unreachable", FORMATS["junit"]),
    "warnings_only.xml": ("warnings_only", FORMATS["junit"]),
    "in_maintenance.xml": ("in_maintenance", FORMATS["junit"]),
    "in_maintenance.prom": ("in_maintenance", FORMATS["prometheus"]),
    "hostile.xml": ("hostile", FORMATS["junit"]),
    "passive_unreachable.prom": ("passive_unreachable", FORMATS["prometheus"]),
    "hostile.prom": ("hostile", FORMATS["prometheus"]),
}


@pytest.mark.parametrize("file", GOLDEN)
def test_output_is_as_recorded(file: str) -> None:
    name, render = GOLDEN[file]
    output = render(REPORTS[name]())
    path = CASES / file
    if os.environ.get("QUORATE_UPDATE_GOLDEN") == "1":
        assert not os.environ.get("CI"), "golden files are read by a person before they change: not in CI"
        path.write_bytes(output.encode())
    assert output.encode() == path.read_bytes(), f"{file} differs; see the first lines of this test file"


def test_no_recorded_file_is_left_without_its_case() -> None:
    assert {path.name for path in CASES.iterdir()} == set(GOLDEN)
