"""Kind `patroni`: what every node says of itself, and of the cluster as its configuration store has it.

The status of an answer is not judged: a node that is not what was asked for says so with 503 and a good
body. Source: Patroni's documentation, "Patroni REST API".
"""

from collections.abc import Iterator, Mapping
from typing import Any

from quorate.model import Check, HttpAnswer, HttpAsk, HttpReply, HttpRequest, NoReply, Reason
from quorate.model.patroni import PatroniFacts, PatroniMember, PatroniView
from quorate.probes.json_body import (
    ReadingError,
    first_words,
    flag,
    json_object,
    maybe,
    objects,
    reading,
    section,
    text,
    unparsable,
    whole_number,
)
from quorate.probes.probe import Probe

NODE, CLUSTER = "/patroni", "/cluster"
_NAME = 100


def questions(check: Check, secrets: Mapping[str, str]) -> Mapping[str, HttpAsk]:
    """Return the questions to each node, by the name of its host."""
    settings = check.settings
    return {
        member["name"]: HttpAsk(
            host=member["address"],
            port=member["port"],
            requests=(HttpRequest(path=NODE), HttpRequest(path=CLUSTER)),
            timeout=settings["timeout"],
            tls=settings["tls"],
            user=settings["user"],
            password=secrets.get("password"),
        )
        for member in settings["members"]
    }


def read(_check: Check, _member: str, reply: HttpReply) -> PatroniFacts | NoReply:
    """Return what a node says; its own answer is needed, its view of the others may fail."""
    own, view = (*reply.answers, reply.answers[-1])[:2]
    body = _body(own, NODE)
    if isinstance(body, NoReply):
        return body
    return reading(f"GET {NODE}", lambda: _facts(body, _view(view), reply.duration))


def _body(answer: HttpAnswer | NoReply, path: str) -> Mapping[str, Any] | NoReply:
    if isinstance(answer, NoReply):
        return answer
    if answer.status in (401, 403):
        detail = f"GET {path}: the login was refused (status {answer.status})"
        return NoReply(reason=Reason.AUTH_FAILED, detail=detail, duration=answer.duration, answered=True)
    return json_object(answer, f"GET {path}")


def _facts(body: Mapping[str, Any], view: PatroniView | NoReply, duration: float) -> PatroniFacts:
    log = maybe(section, body, "xlog") or {}
    own = section(body, "patroni")
    streaming = maybe(text, body, "replication_state")
    return PatroniFacts(
        role=text(body, "role")[:_NAME],
        state=text(body, "state")[:_NAME],
        timeline=maybe(whole_number, body, "timeline"),
        version=text(own, "version")[:_NAME],
        scope=(maybe(text, own, "scope") or "")[:_NAME],
        name=maybe(text, own, "name"),
        location=maybe(whole_number, log, "location"),
        received=maybe(whole_number, log, "received_location"),
        replayed=maybe(whole_number, log, "replayed_location"),
        replicas=frozenset(_replicas(body)),
        streaming=None if streaming is None else streaming == "streaming",
        pending_restart=maybe(flag, body, "pending_restart") or False,
        paused=maybe(flag, body, "pause") or False,
        failsafe=maybe(flag, body, "failsafe_mode_is_active") or False,
        view=view,
        duration=duration,
    )


def _replicas(body: Mapping[str, Any]) -> Iterator[str]:
    for row in objects(body, "replication") if body.get("replication") is not None else ():
        if maybe(text, row, "state") == "streaming":
            yield from (
                name for key in ("application_name", "client_addr") if (name := maybe(text, row, key))
            )


def _view(answer: HttpAnswer | NoReply) -> PatroniView | NoReply:
    """Return the store's view; what is no view (an error of the store, nothing at all) has failed."""
    body = _body(answer, CLUSTER)
    if isinstance(body, NoReply):
        return body
    if isinstance(answer, HttpAnswer) and answer.status != 200:
        said = first_words(answer.body)
        detail = f"GET {CLUSTER}: status {answer.status}: {said}"
        return NoReply(reason=Reason.DCS_FAILED, detail=detail, duration=answer.duration, answered=True)
    view = reading(
        f"GET {CLUSTER}",
        lambda: PatroniView(
            members=tuple(_member(each) for each in objects(body, "members")),
            paused=maybe(flag, body, "pause") or False,
        ),
    )
    if isinstance(view, PatroniView) and not view.members:
        return unparsable(f"GET {CLUSTER}: it lists no member")
    return view


def _member(found: Mapping[str, Any]) -> PatroniMember:
    lag, known = _lag(found)
    return PatroniMember(
        name=text(found, "name")[:_NAME],
        role=text(found, "role")[:_NAME],
        state=text(found, "state")[:_NAME],
        address=maybe(text, found, "host"),
        timeline=maybe(whole_number, found, "timeline"),
        lag=lag,
        lag_known=known,
    )


def _lag(found: Mapping[str, Any]) -> tuple[int | None, bool]:
    """Return a lag in bytes, and whether it is known: what is left out is none, `unknown` is not 0."""
    most, known = None, True
    for key in ("lag", "receive_lag", "replay_lag"):
        value = found.get(key)
        if value is None:
            continue
        if value == "unknown":
            known = False
        elif isinstance(value, int) and not isinstance(value, bool):
            most = max(most or 0, value)
        else:
            raise ReadingError(f"{key!r} is neither bytes nor unknown: {first_words(str(value), 40)}")
    return most, known


PROBE = Probe(questions=questions, read=read)
