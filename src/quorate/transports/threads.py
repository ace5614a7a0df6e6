"""Blocking calls that the event loop must not wait for: look-ups of names, and keys that need decrypting."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_thread(function: Callable[[], T]) -> asyncio.Future[T]:
    """Run a function that never raises in a daemon thread of its own; the future may be left behind.

    Not an executor: its threads are few, so that some that hang would block the others, and Python waits
    for them at its end. A daemon thread that hangs in the C library's resolver holds up nobody.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def deliver(result: T) -> None:
        if not future.done():
            future.set_result(result)

    def run() -> None:
        result = function()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for this any more
            loop.call_soon_threadsafe(deliver, result)

    threading.Thread(target=run, name="quorate-blocking", daemon=True).start()
    return future
