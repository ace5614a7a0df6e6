"""What sudo says when it refuses. Source: sudo(8), the sources of its sudoers plugin and of sudo-rs."""

import re

from quorate.model import Reply
from quorate.probes.answers import CANNOT_RUN, first_lines

# sudo goes on after these; alone they say nothing of a refusal.
_WARNING = re.compile(
    rb"unable to resolve host|setrlimit\(|unable to send audit message|unable to mkdir|unable to stat "
    rb"|timestamp owner|unable to get time of day|unable to open log file|unable to execute /\S+sendmail"
)
_REFUSAL = re.compile(
    rb"^sudo(?:-rs)?: (?:a password is required|a terminal is required|no tty present"
    rb"|(?:sorry, )?you must have a tty|interactive authentication is required|sorry, you are not allowed"
    rb"|sorry, user |no valid sudoers|parse error in |effective uid is not 0|.*must be owned by uid 0"
    rb'|The "no new privileges"|PAM |account validation failure|.*is your account locked|I.m sorry ).*'
    rb"|^Sorry, user .* (?:is not allowed to|may not) .*"
    rb"|^\S+ is not in the sudoers file.*|^\S+ is not allowed to run sudo.*|^\S+ may not run sudo.*"
)
_NO_COMMAND = re.compile(rb"^sudo(?:-rs)?: \S+: command not found", re.MULTILINE)
# The shell's words, or those of `timeout` and `env`, where sudo itself is missing or may not be run.
_NO_SUDO = re.compile(rb"\bsudo\b.*(?:not found|No such file|ermission denied)|not found: sudo\b")
_READ = 16 * 1024
_LINE = 512


def sudo_refusal(reply: Reply) -> str | None:
    """Return what sudo said when it refused to run a command, or that there is no sudo; None where it ran it.

    A warning of sudo beside a command that ran is no refusal, nor is a command that sudo did not find.
    """
    if reply.exit_code == 0 or reply.stdout.strip():
        return None
    lines = [line[:_LINE] for line in reply.stderr[:_READ].splitlines()]
    telling = _NO_SUDO.search if reply.exit_code in CANNOT_RUN else _REFUSAL.match
    for line in lines:
        if telling(line):
            return first_lines(line)
    return _unknown_refusal([line for line in lines if line.strip() and not _WARNING.search(line)])


def command_not_found(reply: Reply) -> bool:
    """Tell whether the host lacks the command itself, run with sudo or without."""
    if reply.exit_code == 0 or reply.stdout.strip():
        return False
    return reply.exit_code in CANNOT_RUN or _NO_COMMAND.search(reply.stderr[:_READ]) is not None


def _unknown_refusal(lines: list[bytes]) -> str | None:
    """Return sudo's words where nobody but sudo spoke: the command that it should have run never started."""
    if lines and all(re.match(rb"sudo(?:-rs)?: ", line) for line in lines):
        return None if any(_NO_COMMAND.match(line) for line in lines) else first_lines(lines[0])
    return None
