"""The reference pages say what the renderers print and what the model knows."""

import re
from pathlib import Path

import pytest

from quorate.model import Reason, State
from quorate.outputs import FORMATS

ROOT = Path(__file__).parents[3]
CASES = ROOT / "tests" / "cases" / "outputs"
REASONS = (ROOT / "docs" / "reference" / "reasons.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "reference" / "output-formats.md").read_text(encoding="utf-8")
ROWS = {
    cells[0].strip(" `"): cells[1:]
    for line in REASONS.splitlines()
    if line.startswith("| `") and (cells := line.strip("|").split("|"))
}


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained(reason: Reason) -> None:
    assert reason.value in ROWS, f"docs/reference/reasons.md has no row for {reason.value}"
    states, meaning, first_step = ROWS[reason.value]
    assert any(state.word.upper() in states for state in State)
    assert len(meaning.split()) > 3
    assert first_step.strip()


def test_no_reason_is_explained_that_does_not_exist() -> None:
    assert set(ROWS) <= {reason.value for reason in Reason}


def test_every_format_has_its_section() -> None:
    assert re.findall(r"^## (\w+)$", PAGE, flags=re.MULTILINE) == list(FORMATS)


def test_examples_are_what_is_printed() -> None:
    examples = re.findall(r"<!-- recorded: (\S+) -->\n```text\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(examples) == 3
    for file, text in examples:
        assert (CASES / file).read_text(encoding="utf-8").startswith(text)


@pytest.mark.parametrize("file", ["passive_unreachable.prom"])
def test_every_metric_is_in_the_page(file: str) -> None:
    metrics = set(
        re.findall(r"^# TYPE (\S+)", (CASES / file).read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    assert metrics == set(re.findall(r"^\| `(quorate_\w+)`", PAGE, flags=re.MULTILINE))
