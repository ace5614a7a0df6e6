"""A command on a simulated host, over an SSH channel.

It speaks the wire of `quorate.transports.wire` where it is asked in it, and runs any other single command
as a shell would.
"""

import asyncio
import re
import shlex
from collections.abc import Iterator
from functools import lru_cache

import asyncssh

from quorate.simulation.machine import Answer, Conversation
from quorate.simulation.state import Ssh, Trouble
from quorate.simulation.tools.shell import is_look, run
from quorate.transports.wire import Frame, Question, begin, end, parse_batch_line, parse_login_command

_TOKEN = re.compile(r"k=([0-9a-f]+);")
_FLOOD = b"a line that says nothing and is repeated a million times, as a runaway program does....\n" * 690
_FLOOD_BYTES = 100 * 1024 * 1024

Registry = dict[int, "Session"]
"""The sessions of one host, by the process id of their shell."""


class Session(asyncssh.SSHServerSession[bytes]):
    """One command on a simulated host."""

    def __init__(
        self, connection: asyncssh.SSHServerConnection, conversation: Conversation, sessions: Registry
    ) -> None:
        self._connection, self._conversation, self._sessions = connection, conversation, sessions
        self._channel: asyncssh.SSHServerChannel[bytes] | None = None
        self._command = ""
        self._token: str | None = None
        self._pid = 0
        self._input = b""
        self._stuck = False
        self._writing: asyncio.Task[None] | None = None
        self._drained = asyncio.Event()
        self._drained.set()

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """Keep the channel to write to."""
        self._channel = chan

    def exec_requested(self, command: str) -> bool:
        """Take the command; it runs once the client is ready."""
        self._command = command
        return True

    def session_started(self) -> None:
        """Run the command."""
        machine = self._conversation.machine
        self._pid, machine.next_pid = machine.next_pid, machine.next_pid + 7
        self._sessions[self._pid] = self
        if machine.host.ssh is Ssh.NO_SHELL:
            self._write(b"This account is currently not available.\n", b"")
            self._exit(1)
            return
        try:
            self._token, questions = _read(self._command)
        except ValueError:
            self._run_plainly()
            return
        out, err = begin(self._token, self._pid)
        self._write(self._conversation.host.noise.encode() + out, err)
        self._ask(questions)

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:  # noqa: ARG002  asyncssh passes it
        """Take further batches of questions, a line each."""
        if self._token is None or self._stuck:
            return
        *lines, self._input = (self._input + data).split(b"\n")
        for line in lines:
            try:
                questions = parse_batch_line(line.decode())
            except ValueError:
                self._write(b"", b"/bin/sh: 1: eval: the simulation runs questions alone\n")
                continue
            self._ask(questions)

    def eof_received(self) -> bool:
        """End as a shell does whose input ends; a hung command does not notice."""
        if not self._stuck:
            self._exit(0)
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncssh passes it
        """Let go of the process id, and of what is still being written."""
        self._sessions.pop(self._pid, None)
        self._channel = None
        if self._writing is not None:
            self._writing.cancel()

    def pause_writing(self) -> None:
        """Wait with further output."""
        self._drained.clear()

    def resume_writing(self) -> None:
        """Go on with output."""
        self._drained.set()

    def kill(self) -> None:
        """End as a process group does on SIGKILL."""
        if self._writing is not None:
            self._writing.cancel()
        self._sessions.pop(self._pid, None)
        if self._channel is not None:
            self._channel.exit_with_signal("KILL")

    def _ask(self, questions: list[Question]) -> None:
        if any(is_look(question.argv) for question in questions):
            self._conversation.look()
        out: list[bytes] = []
        err: list[bytes] = []
        for question in questions:
            answer = run(question.argv, self._conversation.sight())
            if isinstance(answer, Trouble):
                self._write(b"".join(out), b"".join(err))
                self._suffer(answer)
                return
            frame = Frame(
                number=question.number,
                stdout=answer.stdout,
                stderr=answer.stderr,
                exit_code=answer.exit_code,
                uptime=self._conversation.machine.uptime(),
                truncated=False,
            )
            for stream, data in zip((out, err), end(self._token or "", frame), strict=True):
                stream.append(data)
        self._write(b"".join(out), b"".join(err))

    def _run_plainly(self) -> None:
        try:
            argv = shlex.split(self._command)
        except ValueError:
            argv = []
        if argv[:1] == ["kill"]:
            self._finish(self._kill_group(argv[-1]))
            return
        if is_look(argv):
            self._conversation.look()
        answer = run(argv, self._conversation.sight())
        if isinstance(answer, Trouble):
            self._suffer(answer)
        else:
            self._finish(answer)

    def _kill_group(self, group: str) -> Answer:
        pid = int(group[1:]) if group[:1] == "-" and group[1:].isdigit() else 0
        if pid not in self._sessions:
            words = f"bash: line 1: kill: ({group}) - No such process\n"
            return Answer(stderr=words.encode(), exit_code=1)
        self._sessions[pid].kill()
        return Answer()

    def _finish(self, answer: Answer) -> None:
        self._write(answer.stdout, answer.stderr)
        self._exit(answer.exit_code)

    def _suffer(self, trouble: Trouble) -> None:
        self._stuck = True
        if trouble is Trouble.LOSES_CONNECTION:
            self._write(b"Type=simple\nTimeoutStartUSec=1min", b"")
            self._connection.abort()
        elif trouble in (Trouble.FLOODS, Trouble.DRIBBLES):
            self._writing = asyncio.get_running_loop().create_task(self._pour(trouble))

    async def _pour(self, trouble: Trouble) -> None:
        for chunk in _flood() if trouble is Trouble.FLOODS else _drops():
            await self._drained.wait()
            self._write(chunk, b"")
            await asyncio.sleep(0 if trouble is Trouble.FLOODS else 1)

    def _write(self, out: bytes, err: bytes) -> None:
        if self._channel is None:
            return
        if out:
            self._channel.write(out)
        if err:
            self._channel.write_stderr(err)

    def _exit(self, code: int) -> None:
        if self._channel is not None:
            self._channel.exit(code)


def _read(command: str) -> tuple[str, list[Question]]:
    # Logins to many hosts differ in their token alone, and reading shell words is slow.
    found = _TOKEN.search(command)
    if found is None:
        raise ValueError("not a login command")
    return found[1], list(_questions(command.replace(found[0], "k=0;", 1)))


@lru_cache(maxsize=256)
def _questions(command: str) -> tuple[Question, ...]:
    return tuple(parse_login_command(command)[1])


def _flood() -> Iterator[bytes]:
    for _ in range(_FLOOD_BYTES // len(_FLOOD)):
        yield _FLOOD


def _drops() -> Iterator[bytes]:
    while True:
        yield b"."
