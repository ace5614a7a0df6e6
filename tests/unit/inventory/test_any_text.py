"""No text whatever ends in anything but an Inventory or an InventoryError with faults in place and order."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from quorate.inventory import InventoryError, parse_inventory
from quorate.model import Inventory

EXAMPLE = (Path(__file__).parents[3] / "examples" / "cluster.yaml").read_text(encoding="utf-8")
SMALL = """\
name: x
ssh: {jump: b, port: 22, passphrase: {env: P}}
judging: {samples: 3, interval: 1s}
hosts: {a: 192.0.2.1, b: {address: 192.0.2.2}, c: {local: true}}
groups:
  g: {hosts: [a, b], units: [x, y], tolerates: 1, active_passive: {vip: 192.0.2.9, units: [x]}}
  h: {hosts: [a, b], units: [z], active_passive: {vip: 192.0.2.8, units: [z], sync: {path: /m, max_age: 5m}}}
checks:
  p: {kind: postgresql, host: a, database: d, user: u, password: {file: f}, logs_from: {group: g, unit: x}}
  r: {kind: rabbitmq, hosts: [a, {name: b, port: 1}], user: u, password: {env: P}, quorum: 2}
airflow: {task_logs: [{group: g, unit: y}]}
maintenance: [{select: g/a, until: 2026-01-01T04:00:00Z, reason: r}]
"""
FRAGMENTS = (
    "null", "~", "5", "-1", "1.5", "true", '""', "[]", "{}", "[[]]", "{a: {}}", "*x", "&x", "!t", "'", '"',
    "\t", "\n", "- ", ": ", "? ", "|", ">", "#", "@", "%", "---\n", "...\n", "<<: ", '"\\ud800"', '"\\0"',
    '"\\U99999999"', "kind", "hosts", "units", "vip", "ssh", "jump", "password", "a", "none", "9" * 5000,
    "\x00", "\x85", "\u2028", "\ud800", "\ufeff", "é",
)  # fmt: skip
quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
any_text = st.text(alphabet=st.characters(exclude_categories=[]))


def load(text: str) -> None:
    outcome: Inventory | InventoryError
    try:
        outcome = parse_inventory(text, source="F")
    except InventoryError as error:
        outcome = error
    if isinstance(outcome, Inventory):
        return
    assert outcome.faults
    places = [(fault.line, fault.column) for fault in outcome.faults]
    assert places == sorted(places)
    assert all(line <= text.count("\n") + text.count("\r") + 1 for line, _ in places)
    lines = str(outcome).split("\n")
    assert len(lines) == len(outcome.faults)
    assert all(line.isprintable() for line in lines)
    assert not any("is not what belongs here" in line for line in lines), "a problem without a sentence"


@quick
@given(any_text)
@example("%YAML 1.")
@example("!<")
@example('"\\x')
@example("? " * 200)
@example("- " * 40)
@example("a: &a [*a]")
@example("hosts: {? : }")
def test_any_text(text: str) -> None:
    load(text)


@quick
@given(st.lists(st.sampled_from(FRAGMENTS) | st.text(alphabet="ab:-[]{}*&!? \n", max_size=6), max_size=25))
def test_any_sequence_of_yaml(pieces: list[str]) -> None:
    load("".join(pieces))


@quick
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(SMALL)), st.integers(0, 12), st.sampled_from(FRAGMENTS) | st.text(max_size=4)
        ),
        min_size=1,
        max_size=4,
    )
)
def test_mutations_of_a_small_inventory(changes: list[tuple[int, int, str]]) -> None:
    text = SMALL
    for start, length, piece in changes:
        text = text[:start] + piece + text[start + length :]
    load(text)


@pytest.mark.parametrize("seed", range(40))
def test_mutations_of_the_example(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  not a secret: the same mutations every time
    lines = EXAMPLE.splitlines(keepends=True)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(lines))
        change = chance.randrange(4)
        if change == 0:
            del lines[at]
        elif change == 1:
            lines.insert(at, chance.choice(lines))
        elif change == 2:
            lines[at] = lines[at].replace(chance.choice("abehinost"), chance.choice(FRAGMENTS), 1)
        else:
            lines[at] = "  " + lines[at]
    load("".join(lines))


def test_the_unchanged_texts_are_fine() -> None:
    for text in (EXAMPLE, SMALL):
        assert isinstance(parse_inventory(text, source="F"), Inventory)
