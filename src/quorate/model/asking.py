"""What passes between the plan and a transport: a question, and what came back or why nothing did."""

from dataclasses import dataclass, field

from quorate.model.state import Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """One question to a host: a command as an argument vector, run without a shell's interpretation.

    `sudo` marks commands that run under `sudo -n` where the host's settings allow it.
    `limit` in seconds bounds the command after login; None is the host's `command_timeout`.
    """

    argv: tuple[str, ...]
    sudo: bool = False
    limit: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What a command printed and how it ended; the exit code is the command's own, never the transport's.

    `uptime` is the host's own clock in seconds since its boot at the end of the command, where it has one.
    `truncated` tells that the answer was longer than a transport keeps. `asked` and `came` are when its batch
    was sent and when it came, in seconds of the event loop's clock, None where the transport does not tell.
    """

    stdout: bytes
    stderr: bytes
    exit_code: int
    uptime: float | None = None
    truncated: bool = False
    duration: float = 0.0
    asked: float | None = field(default=None, compare=False)
    came: float | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class NoReply:
    """Why a question has no answer: a transport reason, and what a person should read about it.

    `answered` is of services: whether anything at all came back from the address (a refusal is an answer).
    """

    reason: Reason
    detail: str
    duration: float = 0.0
    answered: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Contact:
    """What came of reaching one host.

    `failure` is None where the host was logged in to. `answered` tells whether anything at all came back
    from its address (a refusal is an answer). `remote` is False for this machine itself.
    """

    host: str
    failure: NoReply | None = None
    answered: bool = True
    remote: bool = True
    duration: float = 0.0
