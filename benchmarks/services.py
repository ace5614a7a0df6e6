"""A real PostgreSQL and a real RabbitMQ on free ports: those that the contract tests start."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.example import Service

# The tests' servers are a package of their own folder, which pytest would put here.
sys.path.append(str(Path(__file__).parents[1] / "tests" / "contract"))

from services import postgres, rabbit  # type: ignore[import-not-found]  # found there when it runs


@contextlib.contextmanager
def running() -> Iterator[tuple[Service, Service]]:
    """Yield the database and the broker; SystemExit with the server's own words where one won't start."""
    with contextlib.ExitStack() as stack:
        try:
            database = stack.enter_context(postgres.primary())
            broker = stack.enter_context(rabbit.node())
        except AssertionError as error:
            raise SystemExit(f"benchmarks: {error}") from None
        yield (
            Service(port=database.port, name="postgres", user="app", password=postgres.PASSWORD),
            Service(port=broker.port, name=rabbit.VHOST, user="app", password=rabbit.PASSWORD),
        )
