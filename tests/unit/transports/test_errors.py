"""What a host says is shown as one harmless line; what a failed connect means is told by its number."""

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.model import Reason
from quorate.transports.errors import cleaned, tcp_error
from quorate.transports.shell import kill_command


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"", ""),
        (b"This account is\r\ncurrently not available.\n", "This account is / currently not available."),
        (b"\x1b[31mred\x1b[0m \x07bell", "red bell"),
        (b"\x1b]0;title\x07text", "text"),
        ("right\u202eleft\u200b", "rightleft"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        ("Größe: 5 µs", "Größe: 5 µs"),
    ],
)
def test_cleaned(text, line):
    assert cleaned(text) == line


@given(st.binary() | st.text())
def test_what_is_cleaned_is_harmless_and_bounded(text):
    line = cleaned(text, 50)
    assert line.isprintable()
    assert len(line) <= 52


@pytest.mark.parametrize(
    ("number", "reason", "answered"),
    [
        (errno.ECONNREFUSED, Reason.HOST_UNREACHABLE, True),
        (errno.ECONNRESET, Reason.HOST_UNREACHABLE, True),
        (errno.EHOSTUNREACH, Reason.HOST_UNREACHABLE, False),
        (errno.ENETUNREACH, Reason.HOST_UNREACHABLE, False),
        (errno.ETIMEDOUT, Reason.HOST_UNREACHABLE, False),
        (errno.EMFILE, Reason.INTERNAL_ERROR, False),
        (errno.ENOBUFS, Reason.INTERNAL_ERROR, False),
        (errno.EPERM, Reason.INTERNAL_ERROR, False),
    ],
)
def test_what_a_failed_connect_means(number, reason, answered):
    failure = tcp_error(OSError(number, ""), "192.0.2.165:22")
    assert (failure.reason, failure.answered) == (reason, answered)
    assert "192.0.2.165:22" in failure.detail
    assert failure.at_once is answered


@pytest.mark.parametrize("gently", [True, False])
def test_the_kill_command_passes_every_login_shell(gently):
    command = kill_command(4711, gently=gently)
    assert command.count("'") == 2
    assert "\n" not in command
    assert "!" not in command
