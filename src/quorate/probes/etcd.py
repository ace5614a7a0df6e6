"""Kind `etcd`: what every member says of itself, of the others and of alarms, through its JSON gateway.

Whole numbers of 64 bits are text there, and what is 0, false or empty is left out: so it is declared by
protobuf's JSON mapping. Source: etcd's rpc.proto, "gRPC gateway" of its documentation.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from quorate.model import (
    Check,
    HttpAnswer,
    HttpAsk,
    HttpLogin,
    HttpReply,
    HttpRequest,
    NoReply,
    Reason,
)
from quorate.model.etcd import EtcdFacts, EtcdMember
from quorate.probes.json_body import (
    ReadingError,
    first_words,
    flag,
    items,
    json_object,
    maybe,
    objects,
    reading,
    section,
    text,
    unparsable,
)
from quorate.probes.probe import Probe

STATUS, MEMBERS, ALARMS = "/v3/maintenance/status", "/v3/cluster/member/list", "/v3/maintenance/alarm"
_LONGEST = 2**64
_NAME = 100
_ERROR = 200
# How a status tells of an alarm among its errors: the text of an AlarmMember of rpc.proto.
_ALARM = re.compile(r"\s*memberID:(?P<member>[0-9]{1,20})\s+alarm:(?P<alarm>[A-Z_]{1,100})\s*")


def questions(check: Check, secrets: Mapping[str, str]) -> Mapping[str, HttpAsk]:
    """Return the questions to each member, by the name of its host."""
    settings = check.settings
    login = _login(settings["user"], secrets["password"]) if "password" in secrets else None
    return {
        member["name"]: HttpAsk(
            host=member["address"],
            port=member["port"],
            requests=(_post(STATUS, {}), _post(MEMBERS, {}), _post(ALARMS, {"action": "GET"})),
            timeout=settings["timeout"],
            tls=settings["tls"],
            login=login,
            secrets=tuple(secrets.values()),
        )
        for member in settings["members"]
    }


def _post(path: str, body: Mapping[str, str]) -> HttpRequest:
    return HttpRequest(path=path, method="POST", body=json.dumps(body))


def _login(user: str, password: str) -> HttpLogin:
    request = _post("/v3/auth/authenticate", {"name": user, "password": password})
    return HttpLogin(request=request, token="token", scheme="")  # noqa: S106  the key of the answer


def read(_check: Check, _member: str, reply: HttpReply) -> EtcdFacts | NoReply:
    """Return what a member says; its status is needed, what it can't tell of the others stays open."""
    status, members, alarms = reply.answers
    body = _body(status, STATUS)
    if isinstance(body, NoReply):
        return body
    return reading(f"POST {STATUS}", lambda: _facts(body, _members(members), _alarms(alarms), reply.duration))


def _facts(
    body: Mapping[str, Any],
    members: tuple[EtcdMember, ...] | NoReply,
    alarms: tuple[tuple[int, str], ...] | NoReply,
    duration: float,
) -> EtcdFacts:
    said = [_said(each) for each in maybe(items, body, "errors") or ()]
    told = tuple(_told(said))
    if told:  # so it holds where the question for alarms fails, as it does without a leader
        alarms = tuple(dict.fromkeys((*(() if isinstance(alarms, NoReply) else alarms), *told)))
    return EtcdFacts(
        version=text(body, "version")[:_NAME],
        cluster=_number(section(body, "header"), "cluster_id"),
        member=_number(section(body, "header"), "member_id"),
        leader=_number(body, "leader"),
        learner=maybe(flag, body, "isLearner") or False,
        errors=tuple(each[:_ERROR] for each in said if not _ALARM.fullmatch(each)),
        db_size=_number(body, "dbSize"),
        members=members,
        alarms=alarms,
        duration=duration,
    )


def _said(error: object) -> str:
    if not isinstance(error, str):
        raise ReadingError("'errors' holds something else than text")
    return error


def _told(errors: list[str]) -> Iterator[tuple[int, str]]:
    for error in errors:
        if found := _ALARM.fullmatch(error):
            yield _number(found.groupdict(), "member"), found["alarm"]


def _body(answer: HttpAnswer | NoReply, path: str) -> Mapping[str, Any] | NoReply:
    if isinstance(answer, NoReply):
        return answer
    what = f"POST {path}"
    match answer.status:
        case 200:
            return json_object(answer, what)
        case 401 | 403:
            reason, said = Reason.AUTH_FAILED, "the login was refused"
        case 400 if b"user name is empty" in answer.body:
            reason, said = Reason.AUTH_FAILED, "etcd wants a login"
        case 404:
            said = "there is no such page: etcd has it since version 3.4"
            reason = Reason.UNPARSABLE
        case _:
            reason, said = Reason.UNHEALTHY, f"it says {first_words(answer.body)}"
    detail = f"{what}: {said} (status {answer.status})"
    return NoReply(reason=reason, detail=detail, duration=answer.duration, answered=True)


def _members(answer: HttpAnswer | NoReply) -> tuple[EtcdMember, ...] | NoReply:
    body = _body(answer, MEMBERS)
    if isinstance(body, NoReply):
        return body
    found = reading(
        f"POST {MEMBERS}",
        lambda: tuple(
            EtcdMember(
                id=_number(each, "ID"),
                name=(maybe(text, each, "name") or "")[:_NAME],
                learner=maybe(flag, each, "isLearner") or False,
            )
            for each in objects(body, "members")
        ),
    )
    return found or unparsable(f"POST {MEMBERS}: it lists no member")


def _alarms(answer: HttpAnswer | NoReply) -> tuple[tuple[int, str], ...] | NoReply:
    body = _body(answer, ALARMS)
    if isinstance(body, NoReply):
        return body
    return reading(
        f"POST {ALARMS}",
        lambda: tuple(
            (_number(each, "memberID"), text(each, "alarm")[:_NAME])
            for each in maybe(objects, body, "alarms") or ()
        ),
    )


def _number(found: Mapping[str, Any], key: str) -> int:
    """Return a whole number of 64 bits: text by the mapping, left out where it is 0."""
    value = found.get(key, "0")
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LONGEST:
        return value
    raise ReadingError(f"{key!r} is not a whole number of 64 bits: {first_words(str(value), 40)}")


PROBE = Probe(questions=questions, read=read)
