"""How a command says what is wrong."""

import os
import sys

EXIT_USAGE = 3


class CommandError(Exception):
    """What a command cannot do; each line says what, where and what to do."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def complain(*lines: str) -> int:
    """Print lines to standard error under our name, and return the exit code for them."""
    if sys.stderr is None:
        return EXIT_USAGE
    text = "".join(f"quorate: {line}\n" for line in lines).encode("utf-8", "backslashreplace")
    try:
        sys.stderr.buffer.write(text)
        sys.stderr.flush()
    except OSError:
        # Nobody can be told; the exit code must say it all the same.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    return EXIT_USAGE
