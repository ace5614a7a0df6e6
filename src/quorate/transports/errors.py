"""Why a host could not be asked: the one exception of this room; it becomes a value before it leaves."""

import errno
import os
import re
import unicodedata

from quorate.model import NoReply, Reason

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?", re.DOTALL)

# Failures of the machine that asks. They say nothing of the host, so they never become `host_unreachable`.
_OUR_OWN = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN, errno.EACCES, errno.EPERM}
_ANSWERS = {errno.ECONNREFUSED, errno.ECONNRESET}


class HostError(Exception):
    """A host could not be asked.

    `answered` tells whether anything came back from its address, `at_once` that a second try may help.
    """

    def __init__(self, reason: Reason, detail: str, *, answered: bool = True, at_once: bool = False) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.answered = answered
        self.at_once = at_once

    def no_reply(self, duration: float = 0.0) -> NoReply:
        """Return the failure as the value that stands in place of an answer."""
        return NoReply(reason=self.reason, detail=self.detail, duration=duration)


def tcp_error(error: OSError, where: str) -> HostError:
    """Return what a failed TCP connect means; a refusal is an answer, silence and missing routes are none."""
    said = os.strerror(error.errno) if error.errno else str(error)
    if error.errno in _OUR_OWN:
        hint = "; raise the limit of open files (ulimit -n)" if error.errno == errno.EMFILE else ""
        detail = f"this machine could not open a connection to {where}: {said}{hint}"
        return HostError(Reason.INTERNAL_ERROR, detail, answered=False)
    answered = error.errno in _ANSWERS
    detail = f"no TCP connection to {where}: {said}"
    return HostError(Reason.HOST_UNREACHABLE, detail, answered=answered, at_once=answered)


def cleaned(text: str | bytes, limit: int = 600) -> str:
    """Return what a host said as one harmless line: no escapes, no control characters, bounded in length."""
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    lines = (_printable(line) for line in _ESCAPES.sub("", text).splitlines())
    line = " / ".join(line for line in lines if line)
    return line if len(line) <= limit else line[:limit].rstrip() + " …"


def _printable(line: str) -> str:
    return "".join(c for c in line if c == " " or unicodedata.category(c)[0] not in "CZ").strip()


def seconds(duration: float) -> str:
    """Return a duration as people write it."""
    return f"{duration:g} s"
