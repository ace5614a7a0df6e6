"""Kind `haproxy`: the statistics table of every load balancer, and which servers it calls up.

    # pxname,svname,qcur,…,scur,…,status,…,type,…
    write,postgresql-1,0,…,8,…,UP,…,2,…        → HaproxyServer(name="postgresql-1", status="UP", up=True)
    write,BACKEND,0,…,8,…,UP,…,1,…             → HaproxyBackend(…, sessions=8, queue=0)

Columns are found by their names. Source: HAProxy's management guide, 9.1 "CSV format".
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from quorate.model import Check, HttpAnswer, HttpAsk, HttpReply, HttpRequest, NoReply, Reason
from quorate.model.haproxy import HaproxyBackend, HaproxyFacts, HaproxyServer
from quorate.probes.json_body import ReadingError, first_words, reading
from quorate.probes.probe import Probe

_NEEDED = ("pxname", "svname", "status")
_FRONTEND, _BACKEND = "FRONTEND", "BACKEND"
_SERVER_TYPE = "2"
_STATUS = re.compile(r"(UP|DOWN|NOLB|MAINT|DRAIN)( [0-9]+/[0-9]+| \([^()]*\))?|no check", re.ASCII)
"""Source: HAProxy's src/stats.c, srv_hlt_st: `UP 1/3` is on its way down, `DOWN 1/2` on its way up."""
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_OTHERS = 20
"""How many of the backends that nobody declared are named."""

_Row = Mapping[str, str]


def questions(check: Check, secrets: Mapping[str, str]) -> Mapping[str, HttpAsk]:
    """Return the question to each load balancer, by the name of its host."""
    settings = check.settings
    return {
        member["name"]: HttpAsk(
            host=member["address"],
            port=member["port"],
            requests=(HttpRequest(path=f"{settings['path']};csv"),),
            timeout=settings["timeout"],
            tls=settings["tls"],
            user=settings["user"],
            password=secrets.get("password"),
        )
        for member in settings["members"]
    }


def read(check: Check, _member: str, reply: HttpReply) -> HaproxyFacts | NoReply:
    """Return what a load balancer sees of the check's backends, or why that can't be told."""
    answer = reply.answers[0]
    if isinstance(answer, NoReply):
        return answer
    what = f"the statistics at {check.settings['path']};csv"
    if answer.status in (401, 403):
        detail = f"{what}: the login was refused (status {answer.status})"
        return NoReply(reason=Reason.AUTH_FAILED, detail=detail, duration=reply.duration, answered=True)
    found = reading(what, lambda: _facts(check, answer, reply.duration))
    return replace(found, duration=reply.duration) if isinstance(found, NoReply) else found


def _facts(check: Check, answer: HttpAnswer, duration: float) -> HaproxyFacts:
    if answer.status != 200:
        raise ReadingError(f"the answer has the status {answer.status}: {first_words(answer.body)}")
    rows = list(_rows(answer.body))
    found = dict.fromkeys(row["pxname"] for row in rows if _is_backend(row))
    wanted = [name for name in check.settings["backends"] if name in found]
    others = tuple(name for name in found if name not in wanted)
    backends = {name: _backend([row for row in rows if row["pxname"] == name]) for name in wanted}
    return HaproxyFacts(backends=backends, others=others[:_OTHERS], duration=duration)


def _rows(body: bytes) -> Iterator[_Row]:
    text = body.decode("utf-8", "replace").lstrip("\ufeff\r\n")
    if not text.startswith("# "):
        begins = f"it begins with {first_words(body)}" if body.strip() else "it is empty"
        raise ReadingError(f"not HAProxy's table: {begins}")
    try:
        table = [row for row in csv.reader(io.StringIO(text[2:], newline=""), strict=True) if row]
    except csv.Error as error:
        raise ReadingError(f"not a table: {error}") from None
    header, *rows = table
    missing = [name for name in _NEEDED if header.count(name) != 1]
    if missing:
        raise ReadingError(f"the table has not one column {missing[0]}: it begins with {first_words(body)}")
    if not rows:
        raise ReadingError("the table has no rows")
    for number, row in enumerate(rows, start=2):
        # A row that is cut off, or shifted by a comma, has its status in no column that can be relied on.
        if len(row) != len(header):
            raise ReadingError(f"row {number} of the table has {len(row)} columns and not {len(header)}")
        yield dict(zip(header, row, strict=True))


def _is_backend(row: _Row) -> bool:
    return row["svname"] == _BACKEND or _is_server(row)


def _is_server(row: _Row) -> bool:
    # A row may also be a frontend's listening socket; tables without the column `type` have no such rows.
    return row["svname"] not in (_FRONTEND, _BACKEND) and row.get("type", _SERVER_TYPE) == _SERVER_TYPE


def _backend(rows: Sequence[_Row]) -> HaproxyBackend:
    servers = tuple(_server(row) for row in rows if _is_server(row))
    names = [server.name for server in servers]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ReadingError(f"the server {first_words(twice)} stands twice in one backend")
    whole = next((row for row in rows if row["svname"] == _BACKEND), None)
    if whole is None:  # it stands behind the servers: without it, some of these may be missing
        raise ReadingError(f"the table ends amid the backend {first_words(rows[0]['pxname'])}")
    return HaproxyBackend(servers=servers, sessions=_number(whole, "scur"), queue=_number(whole, "qcur"))


def _server(row: _Row) -> HaproxyServer:
    name, status = row["svname"], row["status"]
    if not name or len(name) > 200:
        raise ReadingError(f"a server of {first_words(row['pxname'])} has no name of sensible length")
    if not _STATUS.fullmatch(status):
        raise ReadingError(f"the server {first_words(name)} has an unknown status: {first_words(status)}")
    return HaproxyServer(
        name=name,
        status=status[:80],
        up=status.startswith("UP") or status == "no check",
        checked=status != "no check",
    )


def _number(row: _Row, column: str) -> int | None:
    value = row.get(column, "")
    if value and not _NUMBER.fullmatch(value):
        raise ReadingError(
            f"{column} of {first_words(row.get('pxname', ''))} is not a number: {first_words(value)}"
        )
    return int(value) if value else None


PROBE = Probe(questions=questions, read=read)
