"""Clocks: how far a host's is off, give or take what its answer leaves open."""

from datetime import UTC, datetime, timedelta

import pytest

from quorate.model import Check, HostReply, NoReply, Reason, Reply
from quorate.model.resources import ClockFacts
from quorate.probes.clock import PROBE

CHECK = Check(name="c", kind="clock", asks_hosts=True)
ASKED = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
NOON = int(ASKED.timestamp())


def read(
    stdout: str, *, took: float = 0.2, code: int = 0, stderr: str = "", known: bool = True
) -> ClockFacts | NoReply:
    reply = Reply(stdout=stdout.encode(), stderr=stderr.encode(), exit_code=code, duration=0.01)
    moments = (ASKED, ASKED + timedelta(seconds=took)) if known else None
    found = PROBE.read(CHECK, "a", HostReply(answers=(reply,), moments=(moments,)))
    assert isinstance(found, ClockFacts | NoReply)
    return found


def test_the_question_is_one_program_and_needs_no_sudo() -> None:
    (ask,) = PROBE.commands(CHECK, "a")
    assert (ask.argv, ask.sudo) == (("date", "+%s.%N"), False)


@pytest.mark.parametrize(
    ("stdout", "took", "offset", "uncertainty"),
    [
        (f"{NOON}.100000000\n", 0.2, 0.0, 0.1),
        (f"{NOON}.600000000\n", 0.2, 0.5, 0.1),
        (f"{NOON - 90}.100000000\n", 0.2, -90.0, 0.1),
        (f"{NOON}.1\n", 0.2, 0.05, 0.15),
        # Whole seconds alone: the rest of the second is not told.
        (f"{NOON}.%N\n", 0.2, 0.4, 0.6),
        (f"{NOON}.N\n", 0.2, 0.4, 0.6),
        (f"{NOON}.\n", 0.2, 0.4, 0.6),
        (f"{NOON}\n", 0.2, 0.4, 0.6),
        (f"{NOON + 5}.000000000\n", 10.0, 0.0, 5.0),
    ],
)
def test_the_offset_lies_within_its_uncertainty(
    stdout: str, took: float, offset: float, uncertainty: float
) -> None:
    found = read(stdout, took=took)
    assert isinstance(found, ClockFacts)
    assert found.offset == pytest.approx(offset, abs=1e-6)
    assert found.uncertainty == pytest.approx(uncertainty, abs=1e-6)


@pytest.mark.parametrize(
    "stdout", ["", "noon\n", "-5.0\n", f"{NOON}.12345678901\n", f"{'9' * 13}.0\n", f"{NOON}.5 {NOON}.6\n"]
)
def test_what_is_no_time_is_unparsable(stdout: str) -> None:
    found = read(stdout)
    assert isinstance(found, NoReply)
    assert found.reason is Reason.UNPARSABLE


def test_without_the_moments_nothing_is_told() -> None:
    found = read(f"{NOON}.1\n", known=False)
    assert isinstance(found, NoReply)
    assert found.reason is Reason.UNPARSABLE
    assert "when the answer came" in found.detail


def test_a_date_that_fails_or_is_missing() -> None:
    failed = read(f"{NOON}.1\n", code=1, stderr="date: invalid")
    missing = read("", code=127, stderr="sh: date: not found")
    assert isinstance(failed, NoReply)
    assert isinstance(missing, NoReply)
    assert (failed.reason, missing.reason) == (Reason.UNPARSABLE, Reason.TOOL_MISSING)


def test_no_answer_keeps_its_reason() -> None:
    late = NoReply(reason=Reason.COMMAND_TIMEOUT, detail="late")
    assert PROBE.read(CHECK, "a", HostReply(answers=(late,), moments=(None,))) is late
