"""What every parser says of an answer that it can't read: the first lines of it, fit for a person's eyes."""

import re

from quorate.model import NoReply, Reason, Reply, Unobserved

LIMIT = 300
"""How many characters of an answer are quoted."""

CACHED_BYTES = 32 * 1024
"""Answers up to this size are kept with what was read out of them; longer ones are no host's usual answer."""

_READ = 4096
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]?"
    r"|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)"
    r"|\x1b[ -/]*[0-~]?"
)
# What a shell, sudo or `timeout` makes of a command that is not there, or that may not be run.
CANNOT_RUN = frozenset({126, 127})


def first_lines(data: bytes) -> str:
    """Return the first lines of an answer as one line, without escapes and control characters.

    At most about 300 characters, with `…` where more was said; lines are joined by ` / `.
    """
    text = _ESCAPES.sub("", data[:_READ].decode("utf-8", "replace"))
    lines = (line.strip() for line in text.splitlines())
    quoted = " / ".join(line for line in lines if line)
    quoted = "".join(c for c in quoted if c.isprintable())
    cut = len(quoted) > LIMIT or len(data) > _READ
    return quoted[:LIMIT] + ("…" if cut else "")


def said(reply: Reply) -> str:
    """Return what a command said: the first lines of its output, or of its errors if there is none."""
    words = first_lines(reply.stdout) or first_lines(reply.stderr) or "nothing was printed"
    return f"{words} (exit code {reply.exit_code})"


def passed_on(reply: NoReply) -> Unobserved:
    """Return the fact that can't be had because the question has no answer: the transport's own reason."""
    return Unobserved(reason=reply.reason, detail=reply.detail)


def tool_missing(tool: str, reply: Reply) -> Unobserved:
    """Return the fact that can't be had because the host can't run the command."""
    words = first_lines(reply.stderr) or first_lines(reply.stdout) or "the host does not say why"
    detail = f"{tool} cannot be run on this host (exit code {reply.exit_code}): {words}"
    return Unobserved(reason=Reason.TOOL_MISSING, detail=detail)
