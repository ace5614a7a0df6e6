"""What the ways to services share."""

import subprocess
import sys

import pytest

from quorate.transports.services import masked


@pytest.mark.parametrize(
    ("text", "secret", "line"),
    [
        ("no for hunter22", "hunter22", "no for ***"),
        ("x" * 595 + "hunter22", "hunter22", "x" * 595 + "***"),
        ("hun\x1b[31mter22\nagain hunter22", "hunter22", "*** / again ***"),
        ("nothing to hide", "", "nothing to hide"),
        (b"\xffhunter22", "hunter22", "\N{REPLACEMENT CHARACTER}***"),
    ],
)
def test_a_secret_is_masked_in_one_line(text: str | bytes, secret: str, line: str) -> None:
    assert masked(text, secret) == line


def test_a_secret_that_stands_at_the_cut_is_masked_before() -> None:
    line = masked("x" * 599 + "hunter22", "hunter22")

    assert len(line) <= 602
    assert "h" not in line


def test_the_libraries_are_not_loaded_until_they_are_needed() -> None:
    program = "import sys, quorate.transports.amqp, quorate.transports.postgresql; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert not {"psycopg", "pamqp"} & set(loaded.stdout.split())
