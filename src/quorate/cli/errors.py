"""How a command says what is wrong."""

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
    for line in lines:
        text = f"quorate: {line}\n".encode("utf-8", "backslashreplace")
        sys.stderr.buffer.write(text)
    sys.stderr.flush()
    return EXIT_USAGE
