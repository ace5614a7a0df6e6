"""Programs run as argument vectors, and the one error that people of the lab see."""

import subprocess
from collections.abc import Sequence


class LabError(Exception):
    """One sentence that says what failed, where, and what to do."""


def run(
    argv: Sequence[str], *, stdin: str | None = None, timeout: float = 30.0, keep_open: tuple[int, ...] = ()
) -> str:
    """Run a program and return its standard output; another exit code than 0 is a LabError with its words.

    `keep_open` are descriptors that the program inherits.
    """
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            pass_fds=keep_open,
            check=False,
        )
    except FileNotFoundError as error:
        raise LabError(f"{argv[0]} is not installed on this machine") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(argv)} did not end within {timeout:g} s") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise LabError(
            f"{argv[0]} ended with exit code {done.returncode}: {'; '.join(said) or 'it said nothing'}"
        )
    return done.stdout
