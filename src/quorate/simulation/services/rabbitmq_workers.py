"""The Celery workers that are connected to a simulated RabbitMQ node: what they say to a broadcast.

    {"method": "active_queues", "reply_to": {…}, "ticket": …} ──►
                                        ◄── {"celery@celery-1": [{"name": "default", …}]}

Source: celery.worker.control and kombu.pidbox of Celery 5.6; an answer as it was recorded of one.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from quorate.simulation.services.state import SimulatedWorker

BROADCASTS = "celery.pidbox"
"""The fanout exchange that every worker listens to, and that is there as soon as one was connected."""

REPLIES = "reply.celery.pidbox"
"""The direct exchange that Celery's own clients want their answers through."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerAnswer:
    """What a worker sends, through which exchange and by which key, and after how many seconds."""

    exchange: str
    routing_key: str
    headers: Mapping[str, Any]
    body: bytes
    after: float


def answers(workers: tuple[SimulatedWorker, ...], broadcast: bytes) -> Iterator[WorkerAnswer]:
    """Yield what each worker answers to a broadcast; a message that makes no sense to it, it only logs."""
    try:
        told = json.loads(broadcast)
        to, ticket = told["reply_to"], told["ticket"]
        exchange, key, wanted = str(to["exchange"]), str(to["routing_key"]), told.get("destination")
    except (ValueError, KeyError, TypeError, AttributeError):
        return
    for worker in workers:
        if worker.after is None or (wanted and worker.name not in wanted):
            continue
        yield WorkerAnswer(
            exchange=exchange,
            routing_key=key,
            headers={"ticket": ticket, "clock": 5},
            body=json.dumps({worker.name: _said(worker, told.get("method"))}).encode(),
            after=worker.after,
        )


def _said(worker: SimulatedWorker, method: object) -> Any:
    if worker.broken:
        return {"error": "AttributeError(\"'NoneType' object has no attribute 'task_consumer'\")"}
    match method:
        case "active_queues":
            return [_queue(name) for name in worker.queues]
        case "ping":
            return {"ok": "pong"}
        case _:
            return {"error": f"KeyError({method!r})"}


def _queue(name: str) -> dict[str, Any]:
    plain = {"arguments": None, "durable": True, "auto_delete": False}
    exchange = {"name": name, "type": "direct", **plain, "passive": False, "delivery_mode": None}
    unset = (
        *("queue_arguments", "binding_arguments", "consumer_arguments", "alias", "no_declare", "expires"),
        *("message_ttl", "max_length", "max_length_bytes", "max_priority"),
    )
    return {
        "name": name,
        "exchange": {**exchange, "no_declare": False},
        "routing_key": name,
        **dict.fromkeys(unset),
        "durable": True,
        "exclusive": False,
        "auto_delete": False,
        "no_ack": False,
        "bindings": [],
    }
