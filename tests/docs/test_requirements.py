"""The page that leads from each promise to its proof names tests that exist, for every promise."""

import ast
import re
from functools import cache

import pytest
from pages import ROOT

from quorate.simulation import scenarios

PAGE = (ROOT / "docs" / "reference" / "requirements.md").read_text()
ROWS = re.findall(r"^\| ([MC]\d+) \| (.+?) \| (.+?) \|$", PAGE, flags=re.MULTILINE)
NODES = sorted({node for _, _, proof in ROWS for node in re.findall(r"`([^`]+)`", proof)})
SCENARIOS = "scenarios/test_scenarios.py"


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def test_every_promise_has_a_row() -> None:
    assert [number for number, _, _ in ROWS] == [
        *(f"M{n}" for n in range(1, 42)),
        *(f"C{n}" for n in range(1, 11)),
    ]


def test_every_row_names_a_proof() -> None:
    assert [number for number, _, proof in ROWS if "::" not in proof] == []


@pytest.mark.parametrize("node", NODES)
def test_what_is_named_exists(node: str) -> None:
    file, _, name = node.partition("::")
    function, _, case = name.rstrip("]").partition("[")
    assert function in functions_of(file)
    if case:
        assert file == SCENARIOS, "only the cases of scenarios can be looked up"
        assert case in {scenario.name for scenario in scenarios(rows=True)}
