"""Who leads a Patroni cluster, by what its nodes recorded of themselves, and what follows them."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from seen import hosts, look, said, verdicts
from servers import REFUSED, SILENT, no

from quorate.checks.kinds import JUDGES
from quorate.model import Check, CheckObservation, Group, Inventory, NoReply, Reason, Verdict
from quorate.model.patroni import PatroniFacts, PatroniMember, PatroniView

NODES = ("pg-1", "pg-2", "pg-3")
ADDRESSES = {name: f"192.0.2.{number}" for number, name in enumerate(NODES, 1)}
MIB = 2**20
LOGIN = no(Reason.AUTH_FAILED)
SECRET = no(Reason.SECRET_UNAVAILABLE, answered=False)
LATE = no(Reason.SWEEP_TIMEOUT, answered=False)
STORE = NoReply(reason=Reason.DCS_FAILED, detail="status 503", answered=True)


def check(**settings: Any) -> Check:
    values = {
        "members": tuple({"name": n, "address": a, "port": 8008} for n, a in ADDRESSES.items()),
        "tls": None,
        "user": None,
        "timeout": 5.0,
        "lag": {"warning": 16 * MIB, "critical": 128 * MIB},
        "levels": {"not_streaming": "warning", "timeline": "warning", "pending_restart": "warning"},
    }
    return Check(
        name="p", kind="patroni", hosts=NODES, members=NODES, settings=MappingProxyType(values | settings)
    )


def view(leader: str | None = "pg-1", **more: Any) -> PatroniView:
    return PatroniView(
        members=tuple(
            PatroniMember(
                name=name,
                role="leader" if name == leader else "replica",
                state="running",
                address=ADDRESSES[name],
                timeline=3,
                lag=None if name == leader else 0,
            )
            for name in NODES
        ),
        **more,
    )


def leads(**more: Any) -> PatroniFacts:
    values = {
        "role": "master",
        "state": "running",
        "timeline": 3,
        "version": "3.0.2",
        "scope": "airflow",
        "location": 1000 * MIB,
        "replicas": frozenset(NODES),
        "view": view(),
    }
    return PatroniFacts(**(values | more))


def follows(**more: Any) -> PatroniFacts:
    values = {
        "role": "replica",
        "state": "running",
        "timeline": 3,
        "version": "3.0.2",
        "scope": "airflow",
        "received": 1000 * MIB,
        "replayed": 1000 * MIB,
        "view": view(),
    }
    return PatroniFacts(**(values | more))


Answer = PatroniFacts | NoReply


def observed(*given: Answer) -> CheckObservation:
    return CheckObservation(answers=dict(zip(NODES, given, strict=True)), addresses=ADDRESSES)


def judged(*given: Answer, of: Check | None = None) -> dict[str, Verdict]:
    of = of or check()
    inventory = Inventory(
        name="test",
        hosts=hosts(*NODES),
        groups={"pg": Group(name="pg", hosts=NODES)},
        checks={"p": of},
    )
    found = verdicts(inventory, [look(name, {}) for name in NODES], checks={"p": observed(*given)})
    return {i: v for i, v in found.items() if i.partition("/")[0] == "p"}


def words(*given: Answer, of: Check | None = None) -> list[str]:
    return [said(v) for v in judged(*given, of=of).values()]


OK3 = ["OK ok", "OK ok", "OK ok"]


def test_one_leads_and_the_others_follow() -> None:
    found = judged(leads(), follows(), follows(replayed=999 * MIB))
    assert [said(v) for v in found.values()] == ["OK ok", *OK3]
    assert found["p"].summary == "Patroni airflow has leader pg-1, 2 following, timeline 3, lag 1048576 B"
    assert found["p"].observed["leader"] == "pg-1"
    assert found["p/pg-3"].observed["lag_bytes"] == MIB
    assert found["p/pg-1"].summary == "pg-1 answers at 192.0.2.1:8008 (leader, timeline 3)"


WHOLE = {
    "two lead": ((leads(), leads(), follows()), "CRITICAL split_brain"),
    "a standby cluster's leader": ((leads(role="standby_leader"), follows(), follows()), "OK ok"),
    "primary by its new name": ((leads(role="primary"), follows(), follows()), "OK ok"),
    "none leads": ((follows(), follows(), follows()), "CRITICAL no_leader"),
    "none leads, whatever an old copy of the store says": (
        (follows(view=view("pg-1")), follows(view=view("pg-1")), follows()),
        "CRITICAL no_leader",
    ),
    "a leader that is only starting": (
        (leads(state="starting"), follows(), follows()),
        "CRITICAL no_leader",
    ),
    "none leads, the store is away": (
        (follows(view=STORE), follows(view=STORE), follows(view=STORE)),
        "CRITICAL no_leader [dcs_failed]",
    ),
    "the store knows no leader, one is silent": (
        (SILENT, follows(view=view(None)), follows(view=view(None))),
        "CRITICAL no_leader",
    ),
    "the leader is silent": ((SILENT, follows(), follows()), "UNKNOWN timeout"),
    "one is silent, the store is away": (
        (SILENT, follows(view=STORE), follows(view=STORE)),
        "UNKNOWN timeout [dcs_failed]",
    ),
    "a standby is silent": ((leads(), follows(), SILENT), "WARNING redundancy_lost"),
    "nobody answers": ((REFUSED, REFUSED, SILENT), "UNKNOWN connect_failed"),
    "nobody lets us in": ((LOGIN, LOGIN, LOGIN), "UNKNOWN auth_failed"),
    "no secret": ((SECRET, SECRET, SECRET), "UNKNOWN secret_unavailable"),
    "out of time": ((LATE, LATE, LATE), "UNKNOWN sweep_timeout"),
    "out of time but for the leader": ((leads(), LATE, LATE), "WARNING redundancy_lost"),
    "the store is away, one leads": (
        (leads(view=STORE), follows(view=STORE), follows(view=STORE)),
        "WARNING dcs_failed",
    ),
    "the store shows one of them its view": ((leads(view=STORE), follows(), follows()), "OK ok"),
    "failsafe": ((leads(failsafe=True), follows(), follows()), "WARNING failsafe"),
    "paused": ((leads(paused=True), follows(), follows()), "WARNING paused"),
    "paused by the store": ((leads(view=view(paused=True)), follows(), follows()), "WARNING paused"),
    "a standby lags": ((leads(), follows(replayed=980 * MIB), follows()), "WARNING lagging"),
    "a standby lags far": ((leads(), follows(replayed=800 * MIB), follows()), "CRITICAL lagging"),
    "a standby is on another timeline": (
        (leads(), follows(timeline=2), follows()),
        "WARNING timeline_differs",
    ),
    "a standby does not stream": (
        (leads(replicas=frozenset({"pg-2"})), follows(), follows()),
        "WARNING not_streaming",
    ),
    "a standby streams from a standby": (
        (leads(replicas=frozenset({"pg-2"})), follows(replicas=frozenset({"192.0.2.3"})), follows()),
        "OK ok",
    ),
    "a standby says that it streams": (
        (leads(replicas=frozenset()), follows(streaming=True), follows(streaming=True)),
        "OK ok",
    ),
    "a standby has crashed": ((leads(), follows(state="crashed"), follows()), "WARNING unhealthy"),
    "a restart is pending": (
        (leads(pending_restart=True), follows(), follows()),
        "WARNING pending_restart",
    ),
}


@pytest.mark.parametrize(("given", "expected"), WHOLE.values(), ids=WHOLE)
def test_the_whole(given: tuple[Answer, ...], expected: str) -> None:
    assert words(*given)[0] == expected


def test_a_lag_that_is_not_known_is_not_zero() -> None:
    hidden = replace(view().members[1], lag=None, lag_known=False)
    blurred = PatroniView(members=(view().members[0], hidden, view().members[2]))
    found = judged(leads(view=blurred, location=None), follows(), follows())
    assert said(found["p"]) == "WARNING lag_unknown"
    assert said(found["p/pg-2"]) == "WARNING lag_unknown"
    assert found["p/pg-2"].observed["lag_bytes"] is None


def test_members_say_what_is_wrong_with_them_and_a_critical_whole_explains_them() -> None:
    found = judged(leads(), follows(timeline=2, replayed=900 * MIB), SILENT)
    assert said(found["p/pg-2"]) == "WARNING timeline_differs [lagging]"
    assert said(found["p/pg-3"]) == "WARNING timeout"
    both = judged(leads(), leads(timeline=4, pending_restart=True), follows())
    assert [said(v) for v in both.values()] == [
        "CRITICAL split_brain",
        "OK ok",
        "WARNING pending_restart < p",
        "OK ok",
    ]


def test_what_is_critical_is_a_setting() -> None:
    strict = check(
        levels={"not_streaming": "critical", "timeline": "critical", "pending_restart": "critical"}
    )
    assert words(leads(), follows(timeline=2), follows(), of=strict)[0] == "CRITICAL timeline_differs"
    assert words(leads(replicas=frozenset()), follows(), follows(), of=strict)[0] == "CRITICAL not_streaming"
    tight = check(lag={"warning": 1, "critical": 2})
    assert words(leads(), follows(replayed=999 * MIB), follows(), of=tight)[0] == "CRITICAL lagging"


@pytest.mark.parametrize(
    ("given", "open_"),
    [
        ((leads(), follows(), follows()), False),
        ((follows(), follows(), follows()), True),
        ((leads(), leads(), follows()), True),
        ((REFUSED, REFUSED, REFUSED), False),
    ],
)
def test_a_change_of_the_leader_is_asked_again(given: tuple[Answer, ...], open_: bool) -> None:
    assert JUDGES["patroni"].unsettled(check(), observed(*given)) is open_
