"""Nothing in a cleaned text moves a cursor, hides words or turns them round."""

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quorate.evidence import clean_text

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
INVISIBLE = "\u00ad\u034f\u200b\u200c\u200d\u2060\u2064\u3164\ufeff\ufe0f\U000e0041\U000e0101"
# Format characters that are seen, such as Arabic number signs, stay.
VISIBLE_FORMATS = (
    {"\u0600", "\u0601", "\u0602", "\u0603", "\u0604", "\u0605", "\u06dd", "\u070f"}
    | {
        "\u0890",
        "\u0891",
        "\u08e2",
        "\U000110bd",
        "\U000110cd",
    }
    | {chr(code) for code in range(0x13430, 0x13440)}
)

hostile = st.text(
    st.one_of(
        st.sampled_from("\x1b[]()P^_X\\;0123m \x07\x9b\x9c\x9d\x90\n\r\t\x00ab"),
        st.sampled_from(BIDI + INVISIBLE + "\ud800\udfff\u2028\x85"),
        st.characters(),
    ),
    max_size=60,
)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain text, as it is: äöü ✅", "plain text, as it is: äöü ✅"),
        ("two\nlines", "two\nlines"),
        ("\x1b[31mred\x1b[0m \x1b[1;38;5;196malert\x1b[K", "red alert"),
        ("\x9b31mred\x9b0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9d0;title\x9ctext", "text"),
        ("\x1bP1$r0m\x1b\\text", "text"),
        ("\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\text", "text"),
        ("\x1bc\x1b7\x1b(B\x1b#8\x1b%Gtext\x1b8", "text"),
        # Never ended: nothing of the log is swallowed, nothing of the escape is left.
        ("\x1b]0;the rest of the log", "0;the rest of the log"),
        ("\x1bPabc\nnext line", "abc\nnext line"),
        ("text\x1b", "text"),
        ("text\x1b[", "text"),
        ("text\x1b[31", "text"),
        ("text\x1b(", "text"),
        ("\x1b\x1b[31mred", "red"),
        ("\x1b]\x1b]\x1b]0;t\x07text", "text"),
        ("a\x00b\x07c\x08d\x7fe\x80f\x9fg", "abcdefg"),
        ("tab\there", "tab    here"),
        ("dos\r\nmac\runix\nnel\x85ls\u2028ps\u2029vt\vff\fend", "dos\nmac\nunix\nnel\nls\nps\nvt\nff\nend"),
        ("user\u202etxt.exe", "usertxt.exe"),
        (f"a{BIDI}b{INVISIBLE}c", "abc"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("no\ufffe\uffffcharacter", "no\ufffd\ufffdcharacter"),
        ("hun\x1b[0mter\x002", "hunter2"),
    ],
)
def test_clean_text(text: str, clean: str) -> None:
    assert clean_text(text) == clean


@given(hostile)
@example("\x1b\x1b]\x1b]8;;\x07")
@example("\x9d\x9d0\x9c")
def test_nothing_deceptive_is_left(text: str) -> None:
    clean = clean_text(text)
    for character in clean:
        assert (
            character == "\n"
            or not unicodedata.category(character).startswith("C")
            or (unicodedata.category(character) in ("Cn", "Co") or character in VISIBLE_FORMATS)
        ), hex(ord(character))
    assert not set(clean) & set(BIDI + INVISIBLE)
    assert set(clean.splitlines()) == set(clean.split("\n")) - {""} | ({""} & set(clean.splitlines()))
    clean.encode()
    assert clean_text(clean) == clean


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_text_stays(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize(
    "piece",
    [
        "\x1b",
        "\x1b]",
        "\x1b]a",
        "\x1b[",
        "\x1b[3",
        "\x9b",
        "\x9d",
        "\x9da",
        "\x1bP\x9d",
        "\x1b ",
        "\x00",
        "\r",
        "\ud800",
    ],
)
def test_time_is_linear(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    start = time.process_time()
    clean_text(text)
    assert time.process_time() - start < 5
