"""Whatever a host prints, a parser gives facts that were said, or why there are none; it never raises."""

import json
import timeit
from base64 import b64decode
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from quorate.model import Addresses, Reply, UnitFacts, Unobserved
from quorate.probes.addresses import parse_addresses
from quorate.probes.journal import Journal, parse_journal, parse_journal_begins, parse_restarts
from quorate.probes.sudo import sudo_refusal
from quorate.probes.systemd import parse_system_state, parse_units

RECORDED = Path(__file__).parents[2] / "cases" / "recorded"


def stdout(name: str) -> bytes:
    case: dict[str, Any] = json.loads((RECORDED / name).read_text())
    return b64decode(case["stdout_base64"]) if "stdout_base64" in case else case["stdout"].encode()


SEVERAL = stdout("systemctl-several.json")
UNITS = ["rec-running.service", "rec-no-such-unit.service", "rec-failed-exit.service", "rec-inactive.service"]
ADDRESSES = stdout("ip-vip-similar.json")
JOURNAL = stdout("journal-escapes.json")
RESTARTS = stdout("journal-restarts.json")
HEADER = stdout("journal-header.json")
ACTIVE = "LoadState=loaded\nActiveState=active\nSubState=running\n"
ALL = [SEVERAL, ADDRESSES, JOURNAL, RESTARTS, HEADER]


def reply(out: bytes, err: bytes = b"", exit_code: int = 0, uptime: float | None = 1700.0) -> Reply:
    return Reply(stdout=out, stderr=err, exit_code=exit_code, uptime=uptime)


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A good answer with some bytes replaced, left out, put in or doubled."""
    data = bytearray(draw(st.sampled_from(ALL)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 40)))
        piece = draw(st.one_of(st.binary(max_size=8), st.just(bytes(data[at:end]) * 2), st.sampled_from(ALL)))
        data[at:end] = piece[:4000]
    return bytes(data)


answers = st.one_of(st.binary(max_size=300), mutations(), st.sampled_from(ALL))
errors = st.one_of(
    st.binary(max_size=100),
    st.sampled_from([b"Failed to connect to bus: x\n", b"sudo: a password is required\n", b"Hint: \xff\n"]),
)


@settings(max_examples=300, deadline=None)
@given(
    out=answers,
    err=errors,
    exit_code=st.sampled_from([0, 1, 3, 4, 124, 126, 127, 255]),
    uptime=st.none() | st.floats(0, 1e9),
)
def test_no_parser_ever_raises(out: bytes, err: bytes, exit_code: int, uptime: float | None) -> None:
    answer = reply(out, err, exit_code, uptime)
    for found in parse_units(answer, UNITS).values():
        assert isinstance(found, UnitFacts | Unobserved)
        if isinstance(found, Unobserved):
            assert found.detail
            assert found.detail.isprintable()
            assert len(found.detail) < 800
        else:
            assert all(
                age is None or age >= 0 for age in (found.state_age, found.active_age, found.starting_age)
            )
    addresses = parse_addresses(answer)
    assert isinstance(addresses, Addresses | Unobserved)
    assert isinstance(parse_journal(answer), Journal)
    assert isinstance(parse_restarts(answer), int | Unobserved)
    assert isinstance(parse_journal_begins(answer), tuple | Unobserved)
    parse_system_state(answer)
    refusal = sudo_refusal(answer)
    assert refusal is None or refusal.isprintable()


@settings(max_examples=200, deadline=None)
@given(cut=st.integers(0, len(SEVERAL)))
@example(cut=0)
@example(cut=len(SEVERAL))
def test_a_cut_answer_says_nothing_that_the_whole_one_does_not(cut: int) -> None:
    whole = parse_units(reply(SEVERAL), UNITS)
    for unit, found in parse_units(reply(SEVERAL[:cut]), UNITS).items():
        expected = whole[unit]
        assert isinstance(expected, UnitFacts)
        if isinstance(found, Unobserved):
            continue
        for field in fields(UnitFacts):
            fact = getattr(found, field.name)
            assert fact in (None, ()) or fact == getattr(expected, field.name), field.name


@settings(max_examples=100, deadline=None)
@given(cut=st.integers(0, len(ADDRESSES) - 3))
def test_a_cut_list_of_addresses_is_none(cut: int) -> None:
    assert isinstance(parse_addresses(reply(ADDRESSES[:cut])), Unobserved)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        found += [p for key, inner in value.items() for p in paths(inner, (*path, key))]
    if isinstance(value, list):
        found += [p for index, inner in enumerate(value) for p in paths(inner, (*path, index))]
    return found


odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just([[1]]),
)


@settings(max_examples=300, deadline=None)
@given(path=st.sampled_from(paths(json.loads(ADDRESSES))), value=odd)
def test_a_value_of_another_type_never_adds_an_address(path: tuple[Any, ...], value: Any) -> None:
    whole = parse_addresses(reply(ADDRESSES))
    assert isinstance(whole, Addresses)
    links = json.loads(ADDRESSES)
    inner = links
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    found = parse_addresses(reply(json.dumps(links).encode()))
    if isinstance(found, Addresses):
        # An empty object stands for what was left out; a flag or a family may have changed what counts.
        assert found.held <= whole.held | {"127.0.0.1", "::1"}


def test_parsing_costs_little_for_an_answer_that_was_seen_before() -> None:
    names = [f"unit-{number}.service" for number in range(4)]
    answer = reply("\n".join(f"Id={name}\n{ACTIVE}NRestarts=0\n" for name in names).encode())
    addresses = reply(ADDRESSES)
    parse_units(answer, names)
    parse_addresses(addresses)
    runs = 200
    once = min(
        timeit.repeat(lambda: (parse_units(answer, names), parse_addresses(addresses)), number=runs, repeat=5)
    )
    # About 15 µs on an idle machine; the limit leaves room for a busy one.
    assert once / runs < 0.0005


def test_a_long_answer_is_read_in_linear_time() -> None:
    answer = reply("".join(f"Id=unit-{number}.service\n{ACTIVE}\n" for number in range(5000)).encode())
    found = parse_units(answer, ["unit-4999.service"])["unit-4999.service"]
    assert isinstance(found, UnitFacts)
    for noise in (b"\n", b"x", b"=", b"Id=", b"{", b"[", b"\x1b", b'"', b"\\"):
        answer = reply(noise * 1_000_000, noise * 1_000_000, 1)
        assert isinstance(parse_units(answer, ["a.service"])["a.service"], Unobserved)
        assert isinstance(parse_addresses(answer), Unobserved)
        assert parse_journal(answer).error
        assert isinstance(parse_restarts(answer), Unobserved)


@pytest.mark.parametrize("name", sorted(path.name for path in RECORDED.glob("*.json")))
def test_every_recorded_answer_can_be_read(name: str) -> None:
    case = json.loads((RECORDED / name).read_text())
    answer = reply(stdout(name), case.get("stderr", "").encode(), case["exit_code"], case.get("uptime"))
    parse_units(answer, UNITS)
    parse_addresses(answer)
    parse_journal(answer)
