"""The questions to the letter: sudo rules and simulated hosts rely on them."""

import math

import pytest

from quorate.model import NoReply, Reason, Reply, Unobserved
from quorate.probes import addresses, journal, systemd
from quorate.probes.answers import first_lines
from quorate.probes.timespan import parse_timespan


def test_units_are_asked_all_at_once_without_sudo() -> None:
    ask = systemd.ask_units(["nfs-server.service", "lsyncd.service"])
    assert ask.argv[:3] == ("systemctl", "show", "--no-pager")
    assert ask.argv[3].startswith("--property=Id,Names,LoadState,ActiveState,SubState,")
    assert ask.argv[4:] == ("--", "nfs-server.service", "lsyncd.service")
    assert not ask.sudo


def test_addresses_and_system_state_need_no_sudo() -> None:
    assert addresses.ask_addresses().argv == ("ip", "-j", "addr", "show")
    assert not addresses.ask_addresses().sudo
    assert systemd.ask_system_state().argv == ("systemctl", "is-system-running")
    assert not systemd.ask_system_state().sudo


def test_journal_questions_hold_nothing_variable_but_unit_and_number() -> None:
    assert journal.ask_journal("lsyncd.service", 100).argv == (
        "journalctl",
        "--no-pager",
        "--all",
        "--output=json",
        "--output-fields=MESSAGE,SYSLOG_IDENTIFIER,_COMM,_PID",
        "--lines=100",
        "--unit=lsyncd.service",
    )
    assert journal.ask_restarts("lsyncd.service", 900.0).argv == (
        "journalctl",
        "--no-pager",
        "--output=json",
        "--output-fields=MESSAGE_ID",
        "--lines=1000",
        "--since=-900s",
        "_PID=1",
        "MESSAGE_ID=5eb03494b6584870a536b337290809b3",
        "UNIT=lsyncd.service",
    )
    assert journal.ask_journal_header().argv == ("journalctl", "--header", "--no-pager")
    assert journal.ask_journal_access().argv == ("journalctl", "--no-pager", "--lines=0")
    asks = (
        journal.ask_journal("x", 1),
        journal.ask_restarts("x", 1),
        journal.ask_journal_header(),
        journal.ask_journal_access(),
    )
    assert all(ask.sudo for ask in asks)


def test_no_reply_passes_its_reason_and_detail_on() -> None:
    nothing = NoReply(reason=Reason.COMMAND_TIMEOUT, detail="systemctl took more than 10 s")
    passed = Unobserved(reason=Reason.COMMAND_TIMEOUT, detail="systemctl took more than 10 s")
    assert systemd.parse_units(nothing, ["a.service", "b.service"]) == {
        "a.service": passed,
        "b.service": passed,
    }
    assert addresses.parse_addresses(nothing) == passed
    assert journal.parse_restarts(nothing) == passed
    assert journal.parse_journal_begins(nothing) == passed
    assert journal.parse_journal_access(nothing) == passed
    assert systemd.parse_system_state(nothing) is None
    assert journal.parse_journal(nothing) == journal.Journal(error="systemctl took more than 10 s")
    silent = NoReply(reason=Reason.CONNECTION_LOST, detail="")
    assert "connection_lost" in (journal.parse_journal(silent).error or "")


@pytest.mark.parametrize(
    ("printed", "word"),
    [
        (b"running\n", "running"),
        (b"initializing\n", "initializing"),
        (b"offline\n", "offline"),
        (b"unknown\n", "unknown"),
        (b"", None),
        (b"runningly\n", None),
        (b"Welcome!\nrunning\n", None),
        (b"\xff" * 1000, None),
    ],
)
def test_system_state_is_a_known_word_or_none(printed: bytes, word: str | None) -> None:
    assert systemd.parse_system_state(Reply(stdout=printed, stderr=b"", exit_code=1)) == word


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1min 30s", 90.0),
        ("infinity", math.inf),
        ("500ms", 0.5),
        ("1h 2min 3s", 3723.0),
        ("2d", 172800.0),
        ("1w", 604800.0),
        ("1month", 2629800.0),
        ("1y", 31557600.0),
        ("250us", 0.00025),
        ("1.500000s", 1.5),
        ("2min 1.5s", 121.5),
        ("0", 0.0),
        ("90000000", 90.0),
        ("18446744073709551615", math.inf),
        ("", None),
        ("soon", None),
        ("1 min", None),
        ("-5s", None),
        ("5 parsecs", None),
        ("9" * 5000, None),
        ("\u0665s", None),
    ],
)
def test_timespan(text: str, seconds: float | None) -> None:
    assert parse_timespan(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"\n\n one \n\n two\n", "one / two"),
        (b"\x1b[31mred\x1b[0m\x07", "red"),
        (b"\x1b]0;title\x07text \x1b]0;never ended", "text 0;never ended"),
        ("a\u202eb\u200bc".encode(), "abc"),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_first_lines_are_fit_to_print(data: bytes, text: str) -> None:
    assert first_lines(data) == text


def test_first_lines_are_bounded_and_say_so() -> None:
    assert first_lines(b"x" * 300) == "x" * 300
    assert first_lines(b"x" * 301) == "x" * 300 + "…"
    assert len(first_lines(b"word\n" * 100_000)) == 301
