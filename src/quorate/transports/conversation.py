"""Questions to one shell and its answers, with a limit for each; whatever carries the bytes.

begun ──answers──▶ all answered                       the shell waits for the next batch
              ├──▶ LIMIT      one question ran past its own limit   ┐
              ├──▶ DEADLINE   the host's time is up                 │ the shell is ended by its owner
              ├──▶ OVERFLOW   one answer is too large               ┘
              └──▶ LOST       the shell or the way to it is gone
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from quorate.model import Ask, Reply
from quorate.transports.wire import Frame, Framer, Question, batch_line, login_command

LOGIN_BYTES = 64 * 1024
"""How long a login command may be: the kernel takes 128 KiB for one argument, execve(2)."""


class Stop(Enum):
    """Why a batch of questions ended before its last answer."""

    LIMIT = auto()
    DEADLINE = auto()
    OVERFLOW = auto()
    LOST = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """What came of one batch: the answers to its first questions, and why the others have none."""

    replies: tuple[Reply, ...]
    stop: Stop | None = None
    detail: str = ""


class Link(Protocol):
    """A host that can be asked: over SSH, or this machine itself. Its methods are never called at once."""

    remote: bool

    @property
    def kept(self) -> bool:
        """Whether a shell from an earlier batch is there, as far as is known."""

    async def ask(self, asks: Sequence[Ask], until: float) -> Round:
        """Ask a batch, in a shell that is there or in a new one; HostError where none begins."""

    async def end_shell(self, *, gently: bool, until: float) -> None:
        """End a shell in the middle of a question, with all that it runs."""

    async def aclose(self) -> None:
        """Close everything; the next batch begins anew."""


class Conversation:
    """One shell: numbers the questions, cuts its bytes into answers, and waits for them."""

    def __init__(self) -> None:
        self.token = secrets.token_hex(12)
        self._framer = Framer(self.token)
        self._frames: deque[tuple[Frame, float]] = deque()
        self._asked = 0
        self._sent: float | None = None
        self._limits_differ = False
        self._awaited: deque[int] = deque()
        self._news: asyncio.Future[None] | None = None
        self.ended: str | None = None

    @property
    def pid(self) -> int | None:
        """The shell's process id on its host, None before it has begun."""
        return self._framer.pid

    @property
    def noise(self) -> bytes:
        """The first bytes of what came before the shell began."""
        return self._framer.noise()

    # What the carrier of the bytes calls.

    def feed(self, data: bytes, *, stderr: bool = False) -> None:
        """Take bytes of one stream as they come."""
        begun = self._framer.begun
        frames = self._framer.feed_stderr(data) if stderr else self._framer.feed_stdout(data)
        if frames:
            now = asyncio.get_running_loop().time()
            self._frames.extend((frame, now) for frame in frames)
        # Who waits is woken for the whole batch: each time costs as much as reading an answer does.
        # Not so where their limits differ: the next one's begins with each.
        whole = bool(frames) and (self._limits_differ or len(self._frames) >= len(self._awaited))
        if whole or begun != self._framer.begun or self._framer.overflow:
            self._notify()

    def end(self, how: str) -> None:
        """Say that no more bytes will come, and why."""
        if self.ended is None:
            self.ended = how
        self._notify()

    def _notify(self) -> None:
        if self._news and not self._news.done():
            self._news.set_result(None)

    # What the asking side calls.

    def login_command(self, commands: Sequence[tuple[str, ...]]) -> tuple[str, str]:
        """Return the command that begins the shell and asks, and the line for what does not fit in it."""
        questions = self._questions(commands)
        for fitting in (len(questions), *([len(questions) // 2, 1, 0] if questions else [])):
            command = login_command(self.token, questions[:fitting])
            if len(command.encode()) <= LOGIN_BYTES or not fitting:
                break
        return command, self._line(questions[fitting:])

    def batch_line(self, commands: Sequence[tuple[str, ...]]) -> str:
        """Return the line that asks a batch of a shell that waits."""
        return self._line(self._questions(commands))

    def _questions(self, commands: Iterable[tuple[str, ...]]) -> list[Question]:
        questions = []
        self._sent = asyncio.get_running_loop().time()
        for argv in commands:
            self._asked += 1
            questions.append(Question(number=self._asked, argv=argv))
        self._awaited = deque(q.number for q in questions)
        self._framer.expect(self._awaited)
        return questions

    @staticmethod
    def _line(questions: list[Question]) -> str:
        return batch_line(questions) + "\n" if questions else ""

    async def begun(self, until: float) -> bool:
        """Wait for the shell to begin; False where it has not by then, or has ended (`ended` says so)."""
        while self.pid is None and self.ended is None:
            if not await self._wait(until):
                break
        return self.pid is not None

    async def over(self, until: float) -> bool:
        """Wait for the shell to end; False where it has not by then."""
        while self.ended is None:
            if not await self._wait(until):
                break
        return self.ended is not None

    async def answers(self, limits: Sequence[float], until: float) -> Round:
        """Wait for the answers to the batch; a question's limit counts from the end of the one before."""
        loop = asyncio.get_running_loop()
        self._limits_differ = len(set(limits)) > 1
        replies: list[Reply] = []
        started = loop.time()
        while self._awaited:
            while self._frames:
                frame, came = self._frames.popleft()
                if self._awaited and frame.number == self._awaited[0]:
                    self._awaited.popleft()
                    # With the login it may have come before anybody waited.
                    replies.append(_reply(frame, max(0.0, came - started), self._sent, came))
                    started = max(started, came)
            if not self._awaited:
                break
            if self._framer.overflow:
                return Round(replies=tuple(replies), stop=Stop.OVERFLOW)
            if self.ended is not None:
                return Round(replies=tuple(replies), stop=Stop.LOST, detail=self.ended)
            end = started + limits[len(replies)]
            if not await self._wait(min(end, until)) and not self._frames:
                return Round(replies=tuple(replies), stop=Stop.DEADLINE if until <= end else Stop.LIMIT)
        return Round(replies=tuple(replies))

    async def _wait(self, until: float) -> bool:
        """Wait for news; False where there was none by then."""
        loop = asyncio.get_running_loop()
        if loop.time() >= until:
            return False
        self._news = news = loop.create_future()
        came = True

        def time_is_up() -> None:
            nonlocal came
            if not news.done():
                came = False
                news.set_result(None)

        timer = loop.call_at(until, time_is_up)
        try:
            await news
        finally:
            timer.cancel()
            self._news = None
        return came


def _reply(frame: Frame, duration: float, asked: float | None, came: float) -> Reply:
    return Reply(
        stdout=frame.stdout,
        stderr=frame.stderr,
        exit_code=frame.exit_code,
        uptime=frame.uptime,
        truncated=frame.truncated,
        duration=duration,
        asked=asked,
        came=came,
    )
