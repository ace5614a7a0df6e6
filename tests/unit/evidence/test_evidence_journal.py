"""A unit's journal becomes evidence: in order, cleaned, masked, capped, and honest about what is missing."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.evidence import evidence_from_journal, make_mask, volatile_note
from quorate.model import Evidence
from quorate.probes.journal import Journal, JournalEntry

START = datetime(2026, 11, 22, 15, 4, 7, 123456, tzinfo=UTC)
PREFIX = "2026-11-22T15:04:07.123456Z lsyncd[123]:"


def entry(message: str, source: str = "lsyncd[123]", seconds: int = 0) -> JournalEntry:
    return JournalEntry(time=START + timedelta(seconds=seconds), source=source, message=message)


def evidence(*messages: str, error: str | None = None, skipped: int = 0, **options: object) -> Evidence:
    journal = Journal(entries=tuple(map(entry, messages)), error=error, skipped=skipped)
    mask = make_mask(["hunter2"])
    return evidence_from_journal(journal, host="nfs-1", unit="lsyncd.service", mask=mask, **options)  # type: ignore[arg-type]  # options by name


def size(found: Evidence) -> int:
    return sum(len(line.encode()) + 1 for line in found.lines)


def test_lines_have_time_source_and_message() -> None:
    found = evidence("Retrying startup in 60 seconds", "done")
    assert found == Evidence(
        source="journal",
        host="nfs-1",
        unit="lsyncd",
        lines=(f"{PREFIX} Retrying startup in 60 seconds", f"{PREFIX} done"),
    )


def test_order_is_kept() -> None:
    journal = Journal(entries=(entry("a", seconds=2), entry("b", seconds=1), entry("b", seconds=1)))
    found = evidence_from_journal(journal, host="h", unit="x.timer", mask=make_mask([]))
    assert [line[-1] for line in found.lines] == ["a", "b", "b"]
    assert found.unit == "x.timer"


def test_a_message_of_several_lines_never_starts_a_line_with_a_bracket() -> None:
    found = evidence("Traceback:\n[2026-01-01] x\n\n  File\n\n")
    assert found.lines == (f"{PREFIX} Traceback:", f"{PREFIX} [2026-01-01] x", PREFIX, f"{PREFIX}   File")


def test_the_last_lines_are_counted_as_lines_not_as_messages() -> None:
    found = evidence("one", "two\nthree\nfour", "five", lines=3)
    assert [line.removeprefix(f"{PREFIX} ") for line in found.lines] == ["three", "four", "five"]
    assert not found.truncated
    assert len(evidence("one", "two", lines=3).lines) == 2


def test_what_is_not_wanted_is_neither_left_out_nor_cut() -> None:
    assert not evidence("x" * 5000, "short", lines=1).truncated
    for messages in (["\n".join(["z" * 80] * 500)], ["z" * 80] * 500, ["z" * 80 + "\n" + "z" * 80] * 250):
        found = evidence(*messages, lines=200, limit_bytes=10_000)
        first, *rest = found.lines
        assert first == f"… {200 - len(rest)} earlier lines are left out (limit 10000 bytes)"
        assert found.truncated


def test_an_empty_message_leaves_time_and_source() -> None:
    assert evidence("").lines == (PREFIX,)


def test_a_hostile_source_can_not_forge_a_line() -> None:
    journal = Journal(entries=(entry("x", source="[evil]\n[0]\x1b[31m hunter2" + "y" * 500),))
    found = evidence_from_journal(journal, host="h", unit="x", mask=make_mask(["hunter2"]))
    (line,) = found.lines
    assert line.startswith("2026-11-22T15:04:07.123456Z [evil] [0] ***y")
    assert len(line) < 150


def test_no_lines_and_no_error_means_there_are_none() -> None:
    assert evidence() == Evidence(source="journal", host="nfs-1", unit="lsyncd")


def test_error_and_note_are_cleaned_and_masked() -> None:
    found = evidence("x", error="sudo\x1b[31m said\n hunter2", note="token=abc \u202e")
    assert found.error == "sudo said ***"
    assert found.note == "token=***"
    assert found.lines == (f"{PREFIX} x",)


def test_skipped_lines_are_said() -> None:
    assert evidence(skipped=1).note == "1 line of the answer could not be read"
    assert evidence(skipped=3, note="n").note == "n; 3 lines of the answer could not be read"


@pytest.mark.parametrize(
    "message",
    [
        "hun\x1b[0mter2",
        "password=\x1b[1mabc\x1b[0m",
        "postgresql://u:hunter2@h/",
        "x" * 4090 + "hunter2",
        "a\tpassword: abc",
    ],
)
def test_nothing_saves_a_secret(message: str) -> None:
    text = "\n".join(evidence(message, line_limit=4096 + len(PREFIX)).lines)
    assert "hunter2" not in text
    assert "hunte" not in text
    assert "abc" not in text


def test_a_secret_is_masked_before_its_message_is_split_or_cut() -> None:
    journal = Journal(
        entries=(entry("-----BEGIN PRIVATE KEY-----\nMIIEvQ\nIBADAN\n-----END PRIVATE KEY-----"),)
    )
    found = evidence_from_journal(journal, host="h", unit="x", mask=make_mask([]))
    assert found.lines == (f"{PREFIX} -----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY-----",)


def test_a_long_line_is_cut_and_says_how_much() -> None:
    found = evidence("x" * 5000)
    (line,) = found.lines
    match = re.fullmatch(r"(.*x) … \((\d+) more characters left out\)", line)
    assert match
    assert len(match[1]) == 4096
    assert 4096 + int(match[2]) == len(PREFIX) + 1 + 5000
    assert found.truncated


def test_too_many_lines_keep_the_newest_and_say_how_many_are_gone() -> None:
    messages = [f"line {number} " + "y" * 80 for number in range(1000)]
    found = evidence(*messages, limit_bytes=10_000)
    first, *rest = found.lines
    assert found.truncated
    assert size(found) <= 10_000
    assert rest == [f"{PREFIX} {message}" for message in messages[-len(rest) :]]
    assert first == f"… {1000 - len(rest)} earlier lines are left out (limit 10000 bytes)"
    assert size(found) + len(PREFIX) + len(messages[0]) + 2 > 10_000


def test_one_message_of_very_many_lines_is_capped_as_well() -> None:
    found = evidence("old", "\n".join(["z"] * 1_000_000), limit_bytes=5_000)
    first, *rest = found.lines
    assert size(found) <= 5_000
    assert set(rest) == {f"{PREFIX} z"}
    assert first.startswith(f"… {1_000_001 - len(rest)} earlier lines ")


@settings(max_examples=150, deadline=None)
@given(
    messages=st.lists(st.text(max_size=300), max_size=40),
    source=st.text(max_size=100),
    limit=st.integers(300, 5000),
    line_limit=st.integers(60, 400),
    lines=st.integers(1, 60),
)
def test_evidence_is_always_fit_to_show(
    messages: list[str], source: str, limit: int, line_limit: int, lines: int
) -> None:
    journal = Journal(entries=tuple(entry(message, source) for message in messages))
    found = evidence_from_journal(
        journal,
        host="h",
        unit="x",
        mask=make_mask(["a1"]),
        lines=lines,
        limit_bytes=limit,
        line_limit=line_limit,
    )
    assert size(found) <= limit
    assert len(found.lines) <= lines
    assert bool(found.lines) == bool(messages)
    for line in found.lines:
        assert not line.startswith("[")
        assert "\n" not in line
        assert "\x1b" not in line
        assert "a1" not in line.partition(": ")[2]
        line.encode()


def test_where_a_volatile_journal_begins_is_said() -> None:
    assert volatile_note(False, START) is None
    said = "the journal of this host is volatile, it begins at 2026-11-22T15:04:07.123456Z"
    assert volatile_note(True, START) == f"{said}: what was logged before is lost"
    assert "volatile" in (volatile_note(True, None) or "")
