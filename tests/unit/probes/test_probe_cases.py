"""Recorded and made-up answers as data: what was printed, and the facts that must come of it."""

import json
import math
from base64 import b64decode
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from quorate.model import Addresses, Reason, Reply, UnitFacts, Unobserved
from quorate.probes.addresses import parse_addresses
from quorate.probes.journal import (
    Journal,
    parse_journal,
    parse_journal_access,
    parse_journal_begins,
    parse_restarts,
    with_access,
)
from quorate.probes.sudo import sudo_refusal
from quorate.probes.systemd import parse_system_state, parse_units

CASES = Path(__file__).parents[2] / "cases"
EXPECTED: dict[str, dict[str, Any]] = json.loads((CASES / "probes" / "recorded.json").read_text())


def recorded(name: str) -> tuple[Reply, list[str]]:
    return reply_of(json.loads((CASES / "recorded" / name).read_text()))


def reply_of(case: dict[str, Any]) -> tuple[Reply, list[str]]:
    stdout = b64decode(case["stdout_base64"]) if "stdout_base64" in case else case["stdout"].encode()
    if "stdout_repeated" in case:
        before, piece, times, after = case["stdout_repeated"]
        stdout = (before + piece * times + after).encode()
    reply = Reply(
        stdout=stdout,
        stderr=case["stderr"].encode(),
        exit_code=case["exit_code"],
        uptime=case.get("uptime"),
        truncated=case.get("truncated", False),
    )
    argv = case.get("argv", [])
    asked = argv[argv.index("--") + 1 :] if "--" in argv else []
    return reply, case.get("units", asked)


def made_up(kind: str) -> list[Any]:
    return [pytest.param(path, id=path.stem) for path in sorted((CASES / "probes" / kind).glob("*.json"))]


def load(path: Path) -> tuple[Reply, list[str], Any]:
    case = json.loads(path.read_text())
    return *reply_of(case), case["facts"]


def assert_unobserved(found: object, expected: dict[str, str]) -> None:
    assert isinstance(found, Unobserved), found
    assert found.reason == expected["reason"]
    assert expected.get("detail", "") in found.detail
    assert found.detail
    assert found.detail.isprintable()


def assert_unit(found: UnitFacts | Unobserved, expected: dict[str, Any]) -> None:
    if "reason" in expected:
        assert_unobserved(found, expected)
        return
    for key, value in expected.items():
        fact = getattr(found, key)
        fact = list(fact) if isinstance(fact, tuple) else "infinity" if fact == math.inf else fact
        assert fact == value, key


def assert_journal(journal: Journal, expected: dict[str, Any]) -> None:
    entries = [[e.time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), e.source, e.message] for e in journal.entries]
    assert entries == expected["entries"]
    assert journal.skipped == expected["skipped"]
    if expected["error"] is None:
        assert journal.error is None
    else:
        assert expected["error"] in (journal.error or "")


@pytest.mark.parametrize("name", EXPECTED["units"])
def test_recorded_units(name: str) -> None:
    reply, units = recorded(name)
    found = parse_units(reply, units)
    assert list(found) == units
    for unit, facts in EXPECTED["units"][name].items():
        assert_unit(found[unit], facts)


@pytest.mark.parametrize("name", EXPECTED["addresses"])
def test_recorded_addresses(name: str) -> None:
    reply, _ = recorded(name)
    found = parse_addresses(reply)
    expected = EXPECTED["addresses"][name]
    if "reason" in expected:
        assert_unobserved(found, expected)
        return
    assert isinstance(found, Addresses)
    assert set(expected["held"]) <= found.held
    assert not found.held & set(expected.get("not_held", []))


@pytest.mark.parametrize("name", EXPECTED["journal"])
def test_recorded_journal(name: str) -> None:
    reply, _ = recorded(name)
    journal = parse_journal(reply)
    expected = EXPECTED["journal"][name]
    messages = [entry.message for entry in journal.entries]
    assert bool(messages) == bool(expected.get("messages"))
    assert [message for message in messages if message in expected.get("messages", [])] == expected.get(
        "messages", []
    )
    assert set(expected.get("sources", [])) <= {entry.source for entry in journal.entries}
    assert max(map(len, messages), default=0) >= expected.get("longest", 0)
    assert journal.skipped == 0
    assert expected.get("error", "") in (journal.error or "")
    assert (journal.error is None) == ("error" not in expected)
    refusal = sudo_refusal(reply)
    assert expected.get("refused", "") in (refusal or "")
    assert (refusal is None) == ("refused" not in expected)


@pytest.mark.parametrize("name", EXPECTED["restarts"])
def test_recorded_restarts(name: str) -> None:
    assert parse_restarts(recorded(name)[0]) == EXPECTED["restarts"][name]


@pytest.mark.parametrize("name", EXPECTED["system_state"])
def test_recorded_system_state(name: str) -> None:
    assert parse_system_state(recorded(name)[0]) == EXPECTED["system_state"][name]


@pytest.mark.parametrize("name", EXPECTED["access"])
def test_recorded_journal_access(name: str) -> None:
    reply, _ = recorded(name)
    access = parse_journal_access(reply)
    expected = EXPECTED["access"][name]
    if expected is None:
        assert access is None
    else:
        assert_unobserved(access, {"reason": "no_answer", "detail": expected})


def test_an_empty_journal_is_believed_only_where_messages_can_be_seen() -> None:
    hidden = parse_journal_access(recorded("journal-no-permission-hint-no-lines.json")[0])
    empty = parse_journal(recorded("journal-no-permission-own-journal.json")[0])
    full = parse_journal(recorded("journal-normal.json")[0])
    assert hidden is not None
    assert with_access(empty, None) == Journal()
    assert with_access(empty, hidden) == Journal(error=hidden.detail)
    assert with_access(full, hidden) == full
    assert with_access(Journal(error="another"), hidden) == Journal(error="another")
    silent = Unobserved(reason=Reason.COMMAND_TIMEOUT)
    assert "command_timeout" in (with_access(empty, silent).error or "")


def test_recorded_journal_header() -> None:
    reply, _ = recorded("journal-header.json")
    begins = parse_journal_begins(reply)
    assert isinstance(begins, tuple)
    volatile, begin = begins
    assert volatile is False
    assert begin is not None
    told = next(line for line in reply.stdout.decode().splitlines() if line.startswith("Head realtime"))
    assert begin.strftime("%a %Y-%m-%d %H:%M:%S UTC") in told


@pytest.mark.parametrize("path", made_up("units"))
def test_units(path: Path) -> None:
    reply, units, expected = load(path)
    found = parse_units(reply, units)
    assert list(found) == units
    for unit, facts in expected.items():
        assert_unit(found[unit], facts)


@pytest.mark.parametrize("path", made_up("addresses"))
def test_addresses(path: Path) -> None:
    reply, _, expected = load(path)
    found = parse_addresses(reply)
    if isinstance(expected, dict):
        assert_unobserved(found, expected)
    else:
        assert found == Addresses(held=frozenset(expected))


@pytest.mark.parametrize("path", made_up("journal"))
def test_journal(path: Path) -> None:
    reply, _, expected = load(path)
    assert_journal(parse_journal(reply), expected)


@pytest.mark.parametrize("path", made_up("restarts"))
def test_restarts(path: Path) -> None:
    reply, _, expected = load(path)
    found = parse_restarts(reply)
    if isinstance(expected, dict):
        assert_unobserved(found, expected)
    else:
        assert found == expected


@pytest.mark.parametrize("path", made_up("journal_begins"))
def test_journal_begins(path: Path) -> None:
    reply, _, expected = load(path)
    found = parse_journal_begins(reply)
    if isinstance(expected, dict):
        assert_unobserved(found, expected)
    else:
        volatile, begins = expected
        assert found == (volatile, begins and datetime.fromisoformat(begins))


@pytest.mark.parametrize("path", made_up("sudo"))
def test_sudo(path: Path) -> None:
    reply, _, expected = load(path)
    assert sudo_refusal(reply) == expected
