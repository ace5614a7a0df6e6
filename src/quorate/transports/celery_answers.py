"""What Celery workers answer when they are asked for their queues, out of what strangers sent: no I/O.

    {"celery@celery-1": [{"name": "default", "exchange": {…}, "routing_key": "default", …}]}
    {"celery@celery-1": {"error": "…"}}

Of an answer only the names of the worker and its queues are kept. What can't be read is counted and passed
over. Source: active_queues in celery.worker.control, Node.dispatch in kombu.pidbox.
"""

import json
from collections.abc import Sequence
from typing import Any

from quorate.transports.errors import cleaned

CONTENT = "application/json"
"""What answers are sent in, as long as nobody configured another serializer."""

_NAME_CHARACTERS = 255  # the longest name that AMQP carries
_QUEUES = 1_000


class Answers:
    """The answers to one broadcast, as they come in."""

    def __init__(self) -> None:
        self._queues: dict[str, dict[str, None]] = {}
        self._without: dict[str, None] = {}
        self.unreadable = 0

    @property
    def workers(self) -> dict[str, tuple[str, ...]]:
        """The workers that named their queues; those of two workers of one name are put together."""
        return {worker: tuple(queues) for worker, queues in self._queues.items()}

    @property
    def without_queues(self) -> tuple[str, ...]:
        """The workers that answered something else than their queues."""
        return tuple(worker for worker in self._without if worker not in self._queues)

    def take(self, body: bytes | None, content: object = CONTENT) -> None:
        """Take an answer; None stands for one that was too long to be kept."""
        found = _parsed(body) if body is not None and content == CONTENT else None
        name, said = next(iter(found.items())) if isinstance(found, dict) and len(found) == 1 else ("", None)
        worker, queues = cleaned(name, _NAME_CHARACTERS), _names(said)
        if not worker:
            self.unreadable += 1
        elif queues is None:
            self._without[worker] = None
        else:
            self._queues.setdefault(worker, {}).update(dict.fromkeys(queues))

    def complete(self, workers: Sequence[str], queues: Sequence[str]) -> bool:
        """Tell whether all of the workers have answered, and each of the queues is consumed from."""
        consumed = {queue for of in self._queues.values() for queue in of}
        return consumed.issuperset(queues) and all(w in self._queues or w in self._without for w in workers)


def _parsed(body: bytes) -> Any:
    """Return the value of a JSON text, None where there is none; nesting can be too deep for the parser."""
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError):
        return None


def _names(said: object) -> list[str] | None:
    """Return the names of queues, None where any has none."""
    if not isinstance(said, list):
        return None
    names = [queue.get("name") if isinstance(queue, dict) else None for queue in said[:_QUEUES]]
    texts = [cleaned(name, _NAME_CHARACTERS) for name in names if isinstance(name, str)]
    return texts if len(texts) == len(names) else None
