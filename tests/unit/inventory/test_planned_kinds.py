"""A kind of the file format that this version cannot ask yet costs its own check, not the whole sweep."""

import pytest

from quorate.inventory import parse_inventory
from quorate.inventory.kinds import PLANNED


@pytest.mark.parametrize("kind", PLANNED)
def test_a_planned_kind_is_kept_with_its_keys_unread(kind: str) -> None:
    text = f"hosts: {{a: 192.0.2.1}}\nchecks:\n  c: {{kind: {kind}, hosts: [a], anything: 5s}}\n"
    (check,) = parse_inventory(text, source="cluster.yaml").checks.values()
    assert (check.name, check.kind, dict(check.settings)) == ("c", kind, {})
