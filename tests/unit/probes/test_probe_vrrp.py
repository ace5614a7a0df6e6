"""The states of VRRP instances by keepalived's journal: recorded words as data, and answers that are none."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.model import NoReply, Reason, Reply, Unobserved
from quorate.probes.vrrp import LINES, ask_vrrp, parse_vrrp

CASES = Path(__file__).parents[2] / "cases" / "probes" / "vrrp"


def printed(*messages: object) -> bytes:
    """Return what journalctl prints as JSON for some messages."""
    entries = ({"__REALTIME_TIMESTAMP": "1795398282054068", "MESSAGE": message} for message in messages)
    return "".join(json.dumps(entry) + "\n" for entry in entries).encode()


def reply(stdout: bytes = b"", *, stderr: str = "", exit_code: int = 0, truncated: bool = False) -> Reply:
    return Reply(stdout=stdout, stderr=stderr.encode(), exit_code=exit_code, truncated=truncated)


def test_the_question_is_bounded_and_to_the_letter() -> None:
    ask = ask_vrrp()
    assert ask.argv == (
        "journalctl",
        "--no-pager",
        "--output=json",
        "--output-fields=MESSAGE",
        "--lines=300",
        "--unit=keepalived.service",
    )
    assert ask.sudo
    assert LINES == 300


@pytest.mark.parametrize("path", sorted(CASES.glob("*.json")), ids=lambda path: path.stem)
def test_the_last_state_of_each_instance(path: Path) -> None:
    case = json.loads(path.read_text())
    assert parse_vrrp(reply(printed(*case["messages"]))) == case["states"]


def test_messages_that_are_no_text_say_nothing() -> None:
    found = parse_vrrp(reply(printed(None, 7, {"a": 1}, [], list(b"(VI_1) Entering FAULT STATE"))))
    assert found == {"VI_1": "FAULT"}


FAILED = {
    "sudo refuses": (reply(stderr="sudo: a password is required\n", exit_code=1), "sudo refused journalctl"),
    "no journalctl": (reply(stderr="sh: journalctl: not found\n", exit_code=127), "cannot be run"),
    "it may not be seen": (
        reply(stderr="No journal files were opened due to insufficient permissions.\n", exit_code=1),
        "not visible",
    ),
    "its newest lines are missing": (
        reply(printed("(VI_1) Entering BACKUP STATE"), truncated=True),
        "too long",
    ),
    "garbage": (reply(b"\x00\x01\x02"), "no entry that can be read"),
}


@pytest.mark.parametrize(("answer", "detail"), FAILED.values(), ids=FAILED)
def test_a_journal_that_can_not_be_read_says_why_and_proves_nothing(answer: Reply, detail: str) -> None:
    found = parse_vrrp(answer)
    assert isinstance(found, Unobserved)
    assert detail in found.detail


def test_no_answer_passes_its_reason_on() -> None:
    nothing = NoReply(reason=Reason.COMMAND_TIMEOUT, detail="no answer within 10 s")
    assert parse_vrrp(nothing) == Unobserved(reason=Reason.COMMAND_TIMEOUT, detail="no answer within 10 s")


@given(st.binary(max_size=200), st.lists(st.text(max_size=40), max_size=5))
def test_any_answer_is_read_without_a_fault(noise: bytes, messages: list[str]) -> None:
    for stdout in (noise, noise + b"\n" + printed(*messages)):
        found = parse_vrrp(reply(stdout))
        assert isinstance(found, Unobserved) or set(found.values()) <= {"BACKUP", "MASTER", "FAULT"}
