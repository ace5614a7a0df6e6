"""The language spoken with a host's shell: questions as one line of sh, answers framed on both streams.

No I/O here. A login command starts /bin/sh with a short preamble, the first batch of questions, and a loop
that reads further batches, a line each, from standard input:

    exec /bin/sh -c '<preamble>; q 1 systemctl show …; q 2 ip -j addr show; while read …; do eval …; done'

Whatever comes before the line `<token> begin <pid>` was printed by a login script and is no answer. Each
question ends with `<token> <number> <exit code> <uptime>` on standard output and `<token> <number>` on
standard error; what lies between is that command's own. The token is new at each login, so that no log
line or banner can forge a frame. Nothing is written to the host's disk.

The script holds no newline and no single quote of its own, so that it passes through sh, bash, zsh, csh
and fish alike as the login shell.
"""

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

KEPT_BYTES = 4 * 1024 * 1024
"""How much of one answer is kept; the rest is read and dropped, and the reply says that it was truncated."""
READ_BYTES = 64 * 1024 * 1024
"""How much is read of one answer; beyond it the conversation is given up."""
NOISE_BYTES = 4096
"""How much is kept of what a login prints before the answer, for the message when no answer comes."""

_HEAD = (
    "k={token}; LC_ALL=C; SYSTEMD_COLORS=0; SYSTEMD_PAGER=; export LC_ALL SYSTEMD_COLORS SYSTEMD_PAGER; "
    "PATH=$PATH:/usr/sbin:/sbin; export PATH; "
    'q() {{ i=$1; shift; "$@" </dev/null; c=$?; u=; {{ read -r u _ </proc/uptime; }} 2>/dev/null; '
    'printf "\\n%s %s %s %s\\n" $k $i $c $u; printf "\\n%s %s\\n" $k $i >&2; }}; '
    'printf "\\n%s begin %s\\n" $k $$; printf "\\n%s begin\\n" $k >&2; : ask; '
)
_TAIL = '; : more; while IFS= read -r b; do eval "$b"; done'
# A word as shlex.join writes it, or the sign between two commands; a quoted semicolon is a word.
_WORD = re.compile(r"\s*(?P<word>;|(?:'[^']*'|\"[^\"]*\"|[^\s;'\"\\])+)")
# Numbers are bounded in length: a host that lies must not make Python convert a million digits.
_OUT = re.compile(rb"begin \d{1,9}|\d{1,9} \d{1,3}(?: \d{1,12}(?:\.\d{1,9})?)?")
_ERR = re.compile(rb"begin|\d{1,9}")
_SCRIPT = re.compile(r"k=(?P<token>[0-9a-f]+); .*?; : ask; (?P<batch>.*)" + re.escape(_TAIL), re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A numbered command line as it stands on the wire."""

    number: int
    argv: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """The answer to one question, both streams; `uptime` in seconds, None where the host tells none."""

    number: int
    stdout: bytes
    stderr: bytes
    exit_code: int
    uptime: float | None
    truncated: bool


def batch_line(questions: Sequence[Question]) -> str:
    """Return one line of sh that asks all questions in order, without its newline."""
    return "; ".join(f"q {question.number} {command_line(question.argv)}" for question in questions)


# All hosts are asked much the same, sweep after sweep.
@lru_cache(maxsize=1024)
def command_line(argv: tuple[str, ...]) -> str:
    """Return a command as sh reads it; ValueError where a word holds a line break."""
    if any("\n" in word or "\0" in word for word in argv):
        raise ValueError(f"a command word holds a line break: {argv!r}")
    return shlex.join(argv)


def login_command(token: str, questions: Sequence[Question]) -> str:
    """Return the command to run at login: it asks the first batch at once and then waits for more."""
    script = _HEAD.format(token=token) + (batch_line(questions) or ":") + _TAIL
    return "exec /bin/sh -c " + shlex.quote(script)


def parse_login_command(command: str) -> tuple[str, list[Question]]:
    """Return token and questions of a login command; ValueError for any other text. For who answers."""
    words = shlex.split(command)
    match = (
        _SCRIPT.fullmatch(words[3]) if len(words) == 4 and words[:3] == ["exec", "/bin/sh", "-c"] else None
    )
    if match is None:
        raise ValueError("not a login command of this wire")
    return match["token"], parse_batch_line(match["batch"])


def parse_batch_line(line: str) -> list[Question]:
    """Return the questions of a batch line; ValueError where a part is none."""
    commands: list[list[str]] = [[]]
    place = 0
    while place < len(line.rstrip()):
        match = _WORD.match(line, place)
        if match is None:
            raise ValueError(f"not a question of this wire: {line[place : place + 80]!r}")
        place = match.end()
        if match["word"] == ";":
            commands.append([])
        else:
            commands[-1] += shlex.split(match["word"])
    return [_question(words) for words in commands if words and words != [":"]]


def _question(words: list[str]) -> Question:
    if len(words) < 3 or words[0] != "q" or not words[1].isdigit():
        raise ValueError(f"not a question of this wire: {shlex.join(words)!r}")
    return Question(number=int(words[1]), argv=tuple(words[2:]))


def begin(token: str, pid: int) -> tuple[bytes, bytes]:
    """Return what a host says before its first answer, on standard output and standard error."""
    return f"\n{token} begin {pid}\n".encode(), f"\n{token} begin\n".encode()


def end(token: str, frame: Frame) -> tuple[bytes, bytes]:
    """Return a whole answer as a host says it, on standard output and standard error."""
    uptime = "" if frame.uptime is None else f" {frame.uptime:.2f}"
    return (
        frame.stdout + f"\n{token} {frame.number} {frame.exit_code}{uptime}\n".encode(),
        frame.stderr + f"\n{token} {frame.number}\n".encode(),
    )


class Framer:
    """Takes the bytes of both streams as they come and gives the answers that are complete.

    `pid` is the host's shell once it has spoken, and its process group; `noise` is what came before that;
    `overflow` is set when one answer exceeded READ_BYTES, and no more is taken.
    """

    def __init__(self, token: str) -> None:
        self.pid: int | None = None
        self._stdout = _Stream(token, _OUT)
        self._stderr = _Stream(token, _ERR)
        self._awaited: set[int] = set()
        self._outs: dict[int, tuple[bytes, bool, int, float | None]] = {}
        self._errs: dict[int, bytes] = {}

    @property
    def overflow(self) -> bool:
        """Whether more came than is ever read of one answer."""
        return self._stdout.overflow or self._stderr.overflow

    @property
    def begun(self) -> bool:
        """Whether the host's shell runs our script."""
        return self.pid is not None

    def noise(self) -> bytes:
        """Return the first bytes that the login printed before our shell spoke, standard error last."""
        return self._stdout.pending()[:NOISE_BYTES] + self._stderr.pending()[:NOISE_BYTES]

    def expect(self, numbers: Iterable[int]) -> None:
        """Say which answers are awaited from now on; any other is dropped, and the byte limits start anew."""
        self._awaited = set(numbers)
        self._outs.clear()
        self._errs.clear()
        self._stdout.taken = self._stderr.taken = 0

    def feed_stdout(self, data: bytes) -> list[Frame]:
        """Take bytes of standard output; return the answers that they complete."""
        for content, fields, truncated in self._stdout.feed(data):
            if fields[0] == b"begin":
                self.pid = int(fields[1]) if self.pid is None else self.pid
            elif (number := int(fields[0])) in self._awaited:
                uptime = float(fields[2]) if len(fields) > 2 else None
                self._outs[number] = (content, truncated, int(fields[1]), uptime)
        return self._complete()

    def feed_stderr(self, data: bytes) -> list[Frame]:
        """Take bytes of standard error; return the answers that they complete."""
        for content, fields, _ in self._stderr.feed(data):
            if fields[0] != b"begin" and (number := int(fields[0])) in self._awaited:
                self._errs[number] = content
        return self._complete()

    def _complete(self) -> list[Frame]:
        frames: list[Frame] = []
        if not self._outs or not self._errs:
            return frames
        for number in [n for n in self._outs if n in self._errs]:
            stdout, truncated, exit_code, uptime = self._outs.pop(number)
            self._awaited.discard(number)
            frames.append(
                Frame(
                    number=number,
                    stdout=stdout,
                    stderr=self._errs.pop(number),
                    exit_code=exit_code,
                    uptime=uptime,
                    truncated=truncated,
                )
            )
        return frames


class _Stream:
    """Cuts one stream at the token's lines."""

    def __init__(self, token: str, line: re.Pattern[bytes]) -> None:
        self._mark = f"\n{token} ".encode()
        self._line = line
        self._buffer = bytearray()
        self._scan = 0
        self._head: bytes | None = None
        self.taken = 0

    @property
    def overflow(self) -> bool:
        return self.taken > READ_BYTES

    def pending(self) -> bytes:
        return bytes(self._head if self._head is not None else self._buffer)

    def feed(self, data: bytes) -> Iterable[tuple[bytes, list[bytes], bool]]:
        if self.overflow:
            return []
        self.taken += len(data)
        self._buffer += data
        found = []
        while self._buffer and (cut := self._next()) is not None:
            found.append(cut)
        if len(self._buffer) > KEPT_BYTES:
            self._shed()
        return found

    def _next(self) -> tuple[bytes, list[bytes], bool] | None:
        while (start := self._buffer.find(self._mark, self._scan)) >= 0:
            stop = self._buffer.find(b"\n", start + len(self._mark))
            if stop < 0:
                self._scan = start
                return None
            fields = bytes(self._buffer[start + len(self._mark) : stop])
            if not self._line.fullmatch(fields):
                self._scan = start + 1
                continue
            content = bytes(self._buffer[:start]) if self._head is None else self._head
            truncated = self._head is not None or len(content) > KEPT_BYTES
            content = content[:KEPT_BYTES]
            del self._buffer[: stop + 1]
            self._scan, self._head = 0, None
            self.taken = len(self._buffer)
            return content, fields.split(), truncated
        self._scan = max(0, len(self._buffer) - len(self._mark) + 1)
        return None

    def _shed(self) -> None:
        # The tail stays, because a token's line may be half in it.
        if self._head is None:
            self._head = bytes(self._buffer[:KEPT_BYTES])
        excess = len(self._buffer) - 4096
        del self._buffer[:excess]
        self._scan = max(0, self._scan - excess)
