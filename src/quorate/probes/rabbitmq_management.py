"""The management API of a RabbitMQ node: its own list of the cluster's nodes, its name, its health checks.

    GET /api/nodes → [{"name": "rabbit@rabbit-1", "running": true, "partitions": [], "mem_alarm": false}]
    GET /api/overview → {"node": "rabbit@rabbit-1", …}
    GET /api/health/checks/alarms → {"status": "failed", "alarms": [{"node": …, "resource": "memory"}]}
    GET /api/health/checks/node-is-quorum-critical → {"status": "failed", "queues": [{"name": …}, …]}

All are asked over one connection, what matters most first: an answer that is slow costs those behind it only.
Source: RabbitMQ's HTTP API reference (/api/index.html of the management plug-in).
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from quorate.model import Check, HttpAnswer, HttpAsk, HttpReply, HttpRequest, NoReply, Reason
from quorate.model.rabbitmq import ManagementFacts, RabbitAlarm, RabbitNode
from quorate.probes.json_body import (
    ReadingError,
    first_words,
    flag,
    items,
    json_list,
    json_object,
    maybe,
    objects,
    reading,
    text,
)

T = TypeVar("T")

_NODES = "/api/nodes"
_OVERVIEW = "/api/overview"
_ALARMS = "/api/health/checks/alarms"
_QUEUES = "/api/health/checks/node-is-quorum-critical"
_COLUMNS = {
    _NODES: "?columns=name,running,partitions,mem_alarm,disk_free_alarm,being_drained",
    _OVERVIEW: "?columns=node",
}
"""Without them, a node's entry is its statistics, some 7 KiB."""

REQUESTS = tuple(
    HttpRequest(path=path + _COLUMNS.get(path, "")) for path in (_NODES, _OVERVIEW, _ALARMS, _QUEUES)
)
_KINDS_OF_ALARM = {"mem_alarm": "memory", "disk_free_alarm": "disk"}
_LONGEST = 300
"""No node's or queue's name is longer (255 bytes)."""


def management_ask(check: Check, member: Mapping[str, Any], secrets: Mapping[str, str]) -> HttpAsk:
    """Return the question to the management API of a member, of a check that has a management section."""
    settings = check.settings
    management = settings["management"]
    return HttpAsk(
        host=member["address"],
        port=management["port"],
        requests=REQUESTS,
        timeout=management["timeout"],
        tls=settings["management_tls"],
        user=management["user"],
        password=secrets.get("management_password", secrets["password"]),
    )


def read_management(reply: HttpReply) -> ManagementFacts | NoReply:
    """Return what a node says; NoReply where neither its list nor a health check could be had."""
    nodes, overview, alarms, queues = (*reply.answers, *(_MISSING,) * len(REQUESTS))[: len(REQUESTS)]
    own = _read(overview, _OVERVIEW, _name)
    facts = ManagementFacts(
        nodes=_read(nodes, _NODES, _nodes),
        node=None if isinstance(own, NoReply) else own,
        alarms=_read_check(alarms, _ALARMS, _alarms),
        queues=_read_check(queues, _QUEUES, _queues),
        duration=reply.duration,
    )
    known = isinstance(facts.alarms, tuple) or isinstance(facts.queues, tuple)
    return facts.nodes if isinstance(facts.nodes, NoReply) and not known else facts


_MISSING = NoReply(reason=Reason.UNPARSABLE, detail="the answer is missing", answered=True)


def _read(
    answer: HttpAnswer | NoReply, path: str, parse: Callable[[HttpAnswer, str], T | NoReply]
) -> T | NoReply:
    what = f"GET {path}"
    if isinstance(answer, NoReply):
        return answer
    if answer.status in (401, 403):
        detail = f"{what}: the user is refused (status {answer.status}): {first_words(answer.body)}"
        return NoReply(reason=Reason.AUTH_FAILED, detail=detail, answered=True)
    if answer.status not in (200, 503):
        detail = f"{what}: the answer has the status {answer.status}: {first_words(answer.body)}"
        return NoReply(reason=Reason.UNEXPECTED_STATUS, detail=detail, answered=True)
    return parse(answer, what)


def _read_check(
    answer: HttpAnswer | NoReply, path: str, parse: Callable[[Mapping[str, Any]], T]
) -> T | NoReply | None:
    if isinstance(answer, HttpAnswer) and answer.status == 404:
        return None
    return _read(answer, path, lambda found, what: _health(found, what, parse))


def _health(answer: HttpAnswer, what: str, parse: Callable[[Mapping[str, Any]], T]) -> T | NoReply:
    body = json_object(answer, what)
    return body if isinstance(body, NoReply) else reading(what, lambda: parse(body))


def _name(answer: HttpAnswer, what: str) -> str | NoReply | None:
    body = json_object(answer, what)
    return body if isinstance(body, NoReply) else reading(what, lambda: maybe(_bounded, body, "node"))


def _nodes(answer: HttpAnswer, what: str) -> tuple[RabbitNode, ...] | NoReply:
    body = json_list(answer, what)
    return body if isinstance(body, NoReply) else reading(what, lambda: _listed({"nodes": body}))


def _listed(body: Mapping[str, Any]) -> tuple[RabbitNode, ...]:
    nodes = tuple(_node(entry) for entry in objects(body, "nodes"))
    if not nodes:
        raise ReadingError("no node is listed, not even the one that answers")
    if len({node.name for node in nodes}) != len(nodes):
        raise ReadingError("a node is listed twice")
    return nodes


def _node(entry: Mapping[str, Any]) -> RabbitNode:
    told = {kind: maybe(flag, entry, key) for key, kind in _KINDS_OF_ALARM.items()}
    known = any(alarm is not None for alarm in told.values())
    parted = maybe(items, entry, "partitions") or ()
    return RabbitNode(
        name=_bounded(entry, "name"),
        running=flag(entry, "running"),
        partitions=tuple(_bounded({"partitions": name}, "partitions") for name in parted),
        alarms=tuple(kind for kind, alarm in told.items() if alarm) if known else None,
        drained=maybe(flag, entry, "being_drained"),
    )


def _failed(body: Mapping[str, Any]) -> bool:
    status = text(body, "status")
    if status not in ("ok", "failed"):
        raise ReadingError(f"'status' is neither ok nor failed: {first_words(status)}")
    return status == "failed"


def _alarms(body: Mapping[str, Any]) -> tuple[RabbitAlarm, ...]:
    if not _failed(body):
        return ()
    found = objects(body, "alarms")
    if not found:
        raise ReadingError("failed, and no alarm is named")
    return tuple(
        RabbitAlarm(node=_bounded(alarm, "node"), resource=_bounded(alarm, "resource")) for alarm in found
    )


def _queues(body: Mapping[str, Any]) -> tuple[str, ...]:
    if not _failed(body):
        return ()
    found = objects(body, "queues")
    if not found:
        raise ReadingError("failed, and no queue is named")
    # What is no queue, such as the coordinator of streams, has a name for people alone.
    return tuple(maybe(_bounded, queue, "name") or _bounded(queue, "readable_name") for queue in found)


def _bounded(found: Mapping[str, Any], key: str) -> str:
    value = text(found, key)
    if not value or len(value) > _LONGEST:
        raise ReadingError(f"{key!r} is empty or too long: {first_words(value)}")
    return value
