"""Runs what may hang in the file system, for no longer than it is worth."""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class OutOfTimeError(Exception):
    """The work was not done in time; its thread is left behind."""


def in_time(seconds: float, work: Callable[[], T]) -> T:
    """Return what the work brings, or raise what it raises; OutOfTimeError where it takes longer."""
    done: list[Callable[[], T]] = []

    def run() -> None:
        try:
            found = work()
        except Exception as error:  # noqa: BLE001  raised again where it is waited for
            failure = error

            def fail() -> T:
                raise failure

            done.append(fail)
        else:
            done.append(lambda: found)

    # A daemon: what hangs must not keep the task's process from ending.
    thread = threading.Thread(target=run, name="quorate-in-time", daemon=True)
    thread.start()
    thread.join(seconds)
    if not done:
        raise OutOfTimeError
    return done[0]()
