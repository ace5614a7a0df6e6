"""The wire: any cut of the bytes gives the same answers, and no byte of a host's can raise."""

import itertools
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.transports.wire import (
    KEPT_BYTES,
    Frame,
    Framer,
    Question,
    batch_line,
    begin,
    end,
    login_command,
    parse_batch_line,
    parse_login_command,
)

TOKEN = "c0ffee00c0ffee00c0ffee00"
WORDS = st.text(st.characters(exclude_characters="\n\0", exclude_categories=["Cs"]), max_size=12)
ARGVS = st.lists(WORDS, min_size=1, max_size=5).map(tuple)
CONTENT = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from([b"\n", TOKEN.encode(), f"\n{TOKEN} ".encode(), b"begin 1\n", b"1 0\n", b"9 9 9\n"]),
    ),
    max_size=6,
).map(b"".join)


def is_harmless(content: bytes) -> bool:
    """Without the token, which is drawn anew for each login, nothing in an answer can be a frame."""
    return TOKEN.encode() not in content


FRAMES = st.lists(
    st.tuples(
        CONTENT.filter(is_harmless),
        CONTENT.filter(is_harmless),
        st.integers(0, 255),
        st.none() | st.integers(0, 10**9).map(lambda n: n / 100),
    ),
    max_size=5,
).map(
    lambda parts: [
        Frame(number=n, stdout=out, stderr=err, exit_code=code, uptime=up, truncated=False)
        for n, (out, err, code, up) in enumerate(parts, 1)
    ]
)


def spoken(noise: bytes, frames: list[Frame]) -> tuple[bytes, bytes]:
    """Return both streams of a host that answers."""
    out, err = (noise + part for part in begin(TOKEN, 4711))
    for frame in frames:
        more_out, more_err = end(TOKEN, frame)
        out, err = out + more_out, err + more_err
    return out, err


def cut(data: bytes, at: list[int]) -> list[bytes]:
    places = sorted({min(a, len(data)) for a in at} | {0, len(data)})
    return [data[a:b] for a, b in itertools.pairwise(places)]


@given(
    CONTENT.filter(is_harmless),
    FRAMES,
    st.lists(st.integers(0, 400)),
    st.lists(st.integers(0, 400)),
    st.booleans(),
)
def test_any_cut_of_the_streams_gives_the_same_answers(noise, frames, out_cuts, err_cuts, err_first):
    out, err = spoken(noise, frames)
    framer = Framer(TOKEN)
    framer.expect(f.number for f in frames)
    found = []
    feeds = [(framer.feed_stdout, part) for part in cut(out, out_cuts)]
    others = [(framer.feed_stderr, part) for part in cut(err, err_cuts)]
    for feed, part in others + feeds if err_first else feeds + others:
        found += feed(part)
    assert found == frames
    assert framer.pid == 4711
    assert not framer.overflow


@given(st.lists(st.tuples(st.booleans(), CONTENT), max_size=20))
def test_hostile_bytes_never_raise(parts):
    framer = Framer(TOKEN)
    framer.expect([1, 2])
    for is_stderr, data in parts:
        for frame in framer.feed_stderr(data) if is_stderr else framer.feed_stdout(data):
            assert frame.number in (1, 2)
    assert len(framer.noise()) <= 2 * 4096


def test_noise_is_kept_until_the_shell_begins():
    framer = Framer(TOKEN)
    framer.feed_stdout(b"This account is currently not available.\n")
    framer.feed_stderr(b"bye\n")
    assert not framer.begun
    assert framer.noise() == b"This account is currently not available.\nbye\n"


def test_an_answer_that_nobody_awaits_is_dropped():
    framer = Framer(TOKEN)
    out, err = spoken(
        b"", [Frame(number=7, stdout=b"x", stderr=b"", exit_code=0, uptime=None, truncated=False)]
    )
    assert framer.feed_stdout(out) == []
    assert framer.feed_stderr(err) == []


def test_a_second_beginning_changes_nothing():
    framer = Framer(TOKEN)
    framer.feed_stdout(begin(TOKEN, 4711)[0] + begin(TOKEN, 1)[0])
    assert framer.pid == 4711


@pytest.mark.parametrize("length", [KEPT_BYTES - 1, KEPT_BYTES, KEPT_BYTES + 1, 3 * KEPT_BYTES])
def test_long_answers_are_cut_where_they_are_too_long(length):
    framer = Framer(TOKEN)
    framer.expect([1])
    frame = Frame(number=1, stdout=b"x" * length, stderr=b"e", exit_code=0, uptime=1.5, truncated=False)
    out, err = spoken(b"", [frame])
    found = framer.feed_stderr(err)
    for part in cut(out, list(range(0, len(out), 65_521))):
        found += framer.feed_stdout(part)
    (answer,) = found
    assert answer.stdout == b"x" * min(length, KEPT_BYTES)
    assert answer.truncated is (length > KEPT_BYTES)
    assert (answer.exit_code, answer.uptime, answer.stderr) == (0, 1.5, b"e")


def test_too_much_of_one_answer_overflows_and_of_several_does_not(monkeypatch):
    monkeypatch.setattr("quorate.transports.wire.READ_BYTES", 1000)
    frames = [
        Frame(number=n, stdout=b"x" * 900, stderr=b"", exit_code=0, uptime=None, truncated=False)
        for n in (1, 2, 3)
    ]
    framer = Framer(TOKEN)
    framer.expect([1, 2, 3])
    out, err = spoken(b"", frames)
    found = framer.feed_stderr(err)
    for part in cut(out, list(range(0, len(out), 50))):
        found += framer.feed_stdout(part)
    assert found == frames
    assert not framer.overflow
    framer.feed_stdout(b"x" * 1001)
    assert framer.overflow
    assert framer.feed_stdout(end(TOKEN, frames[0])[0]) == []


@given(st.lists(ARGVS, max_size=5))
def test_questions_come_back_from_the_wire_as_they_went(argvs):
    questions = [Question(number=n, argv=argv) for n, argv in enumerate(argvs, 1)]
    assert parse_batch_line(batch_line(questions)) == questions
    assert parse_login_command(login_command(TOKEN, questions)) == (TOKEN, questions)


@given(st.text())
def test_any_other_text_is_no_login_command(text):
    with pytest.raises(ValueError):  # noqa: PT011  shlex and the wire word it differently
        parse_login_command(text)


@pytest.mark.parametrize("line", ["rm -rf /", "q", "q one echo", "q 1", "q 1 echo; reboot"])
def test_any_other_line_is_no_batch(line):
    with pytest.raises(ValueError, match="not a question"):
        parse_batch_line(line)


@pytest.mark.parametrize("word", ["a\nb", "a\0b"])
def test_words_that_can_not_pass_are_refused(word):
    with pytest.raises(ValueError, match="line break"):
        batch_line([Question(number=1, argv=("echo", word))])


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_speaks_what_the_framer_hears(shell):
    questions = [
        Question(number=1, argv=("printf", "%s", "no newline")),
        Question(number=2, argv=("sh", "-c", "echo err >&2; exit 3")),
    ]
    later = [Question(number=3, argv=("echo", "it's", "$HOME"))]
    done = subprocess.run(
        [shell, "-c", login_command(TOKEN, questions)],
        input=(batch_line(later) + "\n").encode(),
        capture_output=True,
        check=False,
    )
    framer = Framer(TOKEN)
    framer.expect([1, 2, 3])
    framer.feed_stdout(done.stdout)
    one, two, three = framer.feed_stderr(done.stderr)
    assert (one.stdout, one.stderr, one.exit_code) == (b"no newline", b"", 0)
    assert (two.stdout, two.stderr, two.exit_code) == (b"", b"err\n", 3)
    assert (three.stdout, three.exit_code) == (b"it's $HOME\n", 0)
    assert one.uptime <= three.uptime
