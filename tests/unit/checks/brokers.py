"""Short ways to say what the nodes of a RabbitMQ cluster say of each other, and what was made of it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seen import said, verdicts
from servers import NODES, REFUSED, Answer, broker, cluster, healthy

from quorate.checks.kinds import JUDGES
from quorate.model import Check, CheckObservation, HttpAnswer, HttpReply, Verdict
from quorate.model.rabbitmq import ManagementFacts, RabbitNode
from quorate.probes.rabbitmq import read

CASES = Path(__file__).parents[2] / "cases" / "probes" / "rabbitmq"
API = {"port": 15672, "user": "airflow_user", "timeout": 5.0}
ONE, TWO, THREE = (f"rabbit@{name}" for name in NODES)
ALL = (ONE, TWO, THREE)


def managed(*names: str, **settings: object) -> Check:
    """Return a check of a cluster with a management section; `nodes` are further keys of members, by name."""
    check = broker(*names, management=API, management_tls=None, **settings)
    nodes: Any = settings.get("nodes", {})
    members = tuple({**m, **nodes.get(m["name"], {})} for m in check.settings["members"])
    return broker(*names, management=API, management_tls=None, **(settings | {"members": members}))


def sees(own: str, *running: str, of: tuple[str, ...] = ALL, **more: Any) -> ManagementFacts:
    """Return what a node says that sees some nodes run; `more` may have `but`, nodes by name."""
    but = more.pop("but", {})
    nodes = tuple(but.get(n) or RabbitNode(name=n, running=n in running, alarms=()) for n in of)
    return ManagementFacts(**({"nodes": nodes, "node": own, "alarms": (), "queues": ()} | more))


def whole(*names: str, **more: Any) -> list[ManagementFacts]:
    """Return what some nodes say that see all of them run."""
    return [sees(f"rabbit@{name}", *ALL, **more) for name in names or NODES]


def observed(logins: Sequence[Answer], lists: Sequence[Any], check: Check | None = None) -> CheckObservation:
    """Return what the members answered to logins, and what their management APIs said."""
    check = check or managed()
    members = check.settings["members"]
    answers: dict[str, Any] = dict(zip(check.members, logins, strict=True))
    answers |= {f"{name}/management": found for name, found in zip(check.members, lists, strict=True)}
    addresses = {m["name"]: m["address"] for m in members}
    addresses |= {f"{m['name']}/management": m["address"] for m in members}
    return CheckObservation(answers=answers, addresses=addresses)


def judged(logins: Sequence[Answer], lists: Sequence[Any], check: Check | None = None) -> dict[str, Verdict]:
    """Return the verdicts of the check and its members by id."""
    check = check or managed()
    found = verdicts(cluster(check), healthy(), checks={"mq": observed(logins, lists, check)})
    return {i: v for i, v in found.items() if i.partition("/")[0] == "mq"}


def words(logins: Sequence[Answer], lists: Sequence[Any], check: Check | None = None) -> list[str]:
    """Return the verdicts in words, the check's first."""
    return [said(v) for v in judged(logins, lists, check).values()]


def unsettled(logins: Sequence[Answer], lists: Sequence[Any], check: Check | None = None) -> bool:
    """Tell whether the check would be asked again."""
    check = check or managed()
    return JUDGES["rabbitmq"].unsettled(check, observed(logins, lists, check))


def recorded(situation: str) -> list[Any]:
    """Return what real nodes said; those that refused are None in the recording."""
    said_by = json.loads((CASES / f"{situation}.json").read_text())
    return [_read(said_by[name]) for name in NODES]


def _read(answers: list[dict[str, Any]] | None) -> Any:
    if answers is None:
        return REFUSED
    pages = [HttpAnswer(status=a["status"], body=json.dumps(a["body"]).encode()) for a in answers]
    return read(managed(), "x/management", HttpReply(answers=tuple(pages), duration=0.02))
