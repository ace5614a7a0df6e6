"""Runs a command line on a simulated host: finds the program, minds sudo and what is wrong with the host."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import replace

from quorate.simulation.machine import Answer, Sight
from quorate.simulation.state import Sudo, Trouble
from quorate.simulation.tools.iproute import ip
from quorate.simulation.tools.journalctl import journalctl
from quorate.simulation.tools.measuring import date, sh
from quorate.simulation.tools.options import UnknownOption, parse_options
from quorate.simulation.tools.systemctl import systemctl

Program = Callable[[Sequence[str], Sight], Answer]

ENDLESS = frozenset({Trouble.HANGS, Trouble.LOSES_CONNECTION, Trouble.DRIBBLES, Trouble.FLOODS})
"""Troubles that no answer comes of: who runs the command sees to them."""

_GARBAGE = base64.b64decode("AAECf0VMRgIBAf/+c2VnZmF1bHQgYXQgMAo=") * 4


def run(argv: Sequence[str], sight: Sight) -> Answer | Trouble:
    """Return what a command answers, or the trouble that keeps it from ending."""
    if not argv:
        return Answer()
    name = argv[0].rsplit("/", 1)[-1]
    trouble = sight.host.trouble.get(name)
    if trouble in ENDLESS:
        return trouble
    if trouble is Trouble.MISSING or (name not in _PROGRAMS and name not in _WRAPPERS):
        return Answer(stderr=f"/bin/sh: 1: {argv[0]}: not found\n".encode(), exit_code=127)
    if trouble is Trouble.NOT_EXECUTABLE:
        return Answer(stderr=f"/bin/sh: 1: {argv[0]}: Permission denied\n".encode(), exit_code=126)
    if trouble is Trouble.GARBAGE:
        return Answer(stdout=_GARBAGE)
    if trouble is Trouble.SAYS_NOTHING:
        return Answer()
    if name in _WRAPPERS:
        return _WRAPPERS[name](argv[1:], sight)
    return _PROGRAMS[name](argv[1:], sight)


def is_look(argv: Sequence[str]) -> bool:
    """Tell whether a command looks at the host's state, so that asking it again is another look.

    Asking for what triggers a unit is a further question of the same look.
    """
    words = [word.rsplit("/", 1)[-1] for word in argv]
    if "systemctl" in words and {"show", "is-active"} & set(words):
        return not words[-1].endswith((".socket", ".timer", ".path"))
    return words[:1] == ["ip"]


def _env(argv: Sequence[str], sight: Sight) -> Answer | Trouble:
    rest = list(argv)
    while rest and "=" in rest[0]:
        rest.pop(0)
    return run(rest, sight)


def _sudo(argv: Sequence[str], sight: Sight) -> Answer | Trouble:
    command = list(argv)
    options: list[str] = []
    while command and command[0].startswith("-") and command[0] != "--":
        options.append(command.pop(0))
    if command[:1] == ["--"]:
        command.pop(0)
    try:
        given = parse_options(options, values=(), flags=("-n", "--non-interactive"))
    except UnknownOption as error:
        return Answer(stderr=f"sudo: {error}\nusage: sudo -h | -K | -k | -V\n".encode(), exit_code=1)
    if not command:
        return Answer(stderr=b"usage: sudo -h | -K | -k | -V\n", exit_code=1)
    refusal = _refusal(command, sight, interactive=not given.given)
    if refusal:
        return Answer(stderr=f"{refusal}\n".encode(), exit_code=1)
    answer = run(command, replace(sight, root=True))
    if isinstance(answer, Answer) and answer.exit_code == 127:
        return Answer(stderr=f"sudo: {command[0]}: command not found\n".encode(), exit_code=1)
    return answer


def _refusal(command: Sequence[str], sight: Sight, *, interactive: bool) -> str:
    # In the words of sudo 1.9.13, as recorded.
    match sight.host.sudo:
        case Sudo.OK:
            return ""
        case Sudo.FORBIDDEN:
            line = " ".join([f"/usr/bin/{command[0].rsplit('/', 1)[-1]}", *command[1:]])
            user, host = sight.user, sight.host.name
            return f"Sorry, user {user} is not allowed to execute '{line}' as root on {host}."
        case Sudo.NOT_IN_SUDOERS:
            return f"{sight.user} is not in the sudoers file."
        case Sudo.PASSWORD if interactive:
            return (
                "sudo: a terminal is required to read the password; either use the -S option to read from "
                "standard input or configure an askpass helper\nsudo: a password is required"
            )
        case _:
            return "sudo: a password is required"


def _cat(argv: Sequence[str], sight: Sight) -> Answer:
    if list(argv) == ["/proc/uptime"]:
        return Answer(stdout=f"{sight.uptime:.2f} {sight.uptime * 1.9:.2f}\n".encode())
    missing = "".join(f"cat: {name}: No such file or directory\n" for name in argv)
    return Answer(stderr=missing.encode(), exit_code=1)


_PROGRAMS: dict[str, Program] = {
    "systemctl": systemctl,
    "ip": ip,
    "journalctl": journalctl,
    "cat": _cat,
    "date": date,
    "echo": lambda argv, _sight: Answer(stdout=f"{' '.join(argv)}\n".encode()),
    "hostname": lambda _argv, sight: Answer(stdout=f"{sight.host.name}\n".encode()),
    "true": lambda _argv, _sight: Answer(),
}
_WRAPPERS: dict[str, Callable[[Sequence[str], Sight], Answer | Trouble]] = {
    "env": _env,
    "sudo": _sudo,
    "sh": sh,
}
