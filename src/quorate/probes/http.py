"""Kind `http`: one request, whose status, body and certificate are looked at."""

from collections.abc import Mapping
from typing import Any

from quorate.model import Check, HttpAnswer, HttpAsk, HttpReply, HttpRequest, NoReply
from quorate.model.http import HttpFacts
from quorate.probes.json_body import first_words
from quorate.probes.probe import Probe

_FIRST_CHARACTERS = 200


def questions(check: Check, secrets: Mapping[str, str]) -> Mapping[str, HttpAsk]:
    """Return the one question of a check, under the check's own name."""
    settings = check.settings
    ask = HttpAsk(
        host=settings["host"],
        port=settings["port"],
        requests=(HttpRequest(method=settings["method"], path=settings["path"]),),
        timeout=settings["timeout"],
        tls=settings["tls"],
        host_header=settings["host_header"],
        user=settings["user"],
        password=secrets.get("password"),
    )
    return {check.name: ask}


def read(check: Check, _member: str, reply: HttpReply) -> HttpFacts | NoReply:
    """Return what was answered, such as HttpFacts(status=200, contains=True, begins="'ok'")."""
    answer: HttpAnswer | NoReply = reply.answers[0]
    if isinstance(answer, NoReply):
        return answer
    wanted: Any = check.settings["contains"]
    location = answer.headers.get("location")
    return HttpFacts(
        status=answer.status,
        contains=None if wanted is None else wanted.encode() in answer.body,
        begins=first_words(answer.body, _FIRST_CHARACTERS) if answer.body.strip() else None,
        location=None if location is None else location[:_FIRST_CHARACTERS],
        certificate_ends=reply.certificate_ends,
        duration=reply.duration,
    )


PROBE = Probe(questions=questions, read=read)
