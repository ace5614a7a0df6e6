"""Kind `patroni`: what every node says of itself, and of the cluster as its configuration store has it.

A node's own status code is not judged: one that is not what was asked for says so with 503 and a good body.
Source: Patroni's documentation, "Patroni REST API".
"""

from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

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
_REFUSED = (401, 403)


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
    own, view = reply.answers
    if isinstance(own, NoReply):
        return own
    if own.status in _REFUSED:
        detail = f"GET {NODE}: the login was refused (status {own.status})"
        return NoReply(reason=Reason.AUTH_FAILED, detail=detail, duration=own.duration, answered=True)
    body = json_object(own, f"GET {NODE}")
    if isinstance(body, NoReply):
        return body
    return reading(f"GET {NODE}", lambda: _facts(body, _view(view), _store_age(own, body), reply.duration))


def _facts(
    body: Mapping[str, Any], view: PatroniView | NoReply, store_age: float | None, duration: float
) -> PatroniFacts:
    log = maybe(section, body, "xlog") or {}
    own = section(body, "patroni")
    streaming = maybe(text, body, "replication_state")
    return PatroniFacts(
        role=text(body, "role")[:_NAME],
        state=text(body, "state")[:_NAME],
        timeline=maybe(whole_number, body, "timeline"),
        version=text(own, "version")[:_NAME],
        scope=(maybe(text, own, "scope") or "")[:_NAME],
        name=_name(own, "name"),
        location=maybe(whole_number, log, "location"),
        received=maybe(whole_number, log, "received_location"),
        replayed=maybe(whole_number, log, "replayed_location"),
        replicas=tuple(_replicas(body)),
        streaming=None if streaming is None else streaming == "streaming",
        pending_restart=maybe(flag, body, "pending_restart") or False,
        paused=maybe(flag, body, "pause") or False,
        failsafe=maybe(flag, body, "failsafe_mode_is_active") or False,
        view=view,
        store_age=store_age,
        duration=duration,
    )


def _name(found: Mapping[str, Any], key: str) -> str | None:
    name = maybe(text, found, key)
    return name[:_NAME] if name else None


def _replicas(body: Mapping[str, Any]) -> Iterator[str]:
    for row in maybe(objects, body, "replication") or ():
        if maybe(text, row, "state") == "streaming":
            names = (_name(row, "application_name"), _name(row, "client_addr"))
            yield from (name for name in names if name is not None)


def _store_age(answer: HttpAnswer, body: Mapping[str, Any]) -> float | None:
    """Return how long ago a node read its store; both times are its own, so that no clock matters."""
    seen = maybe(whole_number, body, "dcs_last_seen")
    try:
        now = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, now - seen) if seen else None


def _view(answer: HttpAnswer | NoReply) -> PatroniView | NoReply:
    """Return the store's view; an error of the store, or an answer that says nothing, is a failure of it."""
    if isinstance(answer, NoReply):
        return answer
    if answer.status != 200 or not answer.body.strip():
        said = first_words(answer.body) if answer.body.strip() else "nothing"
        detail = f"GET {CLUSTER}: status {answer.status}, and it says {said}"
        return NoReply(reason=Reason.DCS_FAILED, detail=detail, duration=answer.duration, answered=True)
    body = json_object(answer, f"GET {CLUSTER}")
    if isinstance(body, NoReply):
        return body
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
        addresses=tuple(dict.fromkeys(_addresses(found))),
        timeline=maybe(whole_number, found, "timeline"),
        lag=lag,
        lag_known=known,
        source=_name(maybe(section, found, "tags") or {}, "replicatefrom"),
    )


def _addresses(found: Mapping[str, Any]) -> Iterator[str]:
    host = _name(found, "host")
    if host is not None:
        yield host
    try:
        api = urlsplit(maybe(text, found, "api_url") or "").hostname
    except ValueError:
        raise ReadingError("'api_url' is not a URL") from None
    if api:
        yield api[:_NAME]


def _lag(found: Mapping[str, Any]) -> tuple[int | None, bool]:
    """Return a lag in bytes, and whether it is known: what is left out is none, `unknown` is not 0."""
    most, known = None, True
    for key in ("lag", "receive_lag", "replay_lag"):
        value = found.get(key)
        if value is None:
            continue
        if value == "unknown":
            known = False
        elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            most = max(most or 0, value)
        else:
            raise ReadingError(f"{key!r} is neither bytes nor unknown: {first_words(str(value), 40)}")
    return most, known


PROBE = Probe(questions=questions, read=read)
