"""Who leads a Patroni cluster, by what its nodes recorded of themselves, and what follows them."""

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from seen import hosts, look, said, verdicts
from servers import REFUSED, SILENT, no

from quorate.checks.kinds import JUDGES
from quorate.checks.patroni_cluster import cluster_of
from quorate.model import (
    Check,
    CheckObservation,
    Group,
    HttpAnswer,
    HttpReply,
    Inventory,
    NoReply,
    Reason,
    Verdict,
)
from quorate.model.patroni import PatroniFacts, PatroniMember, PatroniView
from quorate.probes.patroni import read

CASES = Path(__file__).parents[2] / "cases" / "probes" / "patroni"

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
                addresses=(ADDRESSES[name],),
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
        "replicas": NODES,
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
FED = replace(
    view(), members=tuple(replace(m, source="pg-3" if m.name == "pg-2" else None) for m in view().members)
)


def test_one_leads_and_the_others_follow() -> None:
    found = judged(leads(), follows(), follows(replayed=999 * MIB))
    assert [said(v) for v in found.values()] == ["OK ok", *OK3]
    assert found["p"].summary == "Patroni airflow: leader pg-1, 2 replicas streaming, timeline 3, lag 1.0 MiB"
    assert found["p"].observed["leader"] == "pg-1"
    assert found["p/pg-3"].observed["lag_bytes"] == MIB
    assert found["p/pg-3"].summary == "pg-3 answers at 192.0.2.3:8008 (replica, timeline 3, lag 1.0 MiB)"
    assert found["p"].observed["nodes"][0] == {
        "node": "pg-1",
        "status": "healthy",
        "role": "master",
        "state": "running",
        "timeline": 3,
        "lag_bytes": None,
    }
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
    "a standby is silent": ((leads(), follows(), SILENT), "WARNING redundancy_lost [uniqueness_unproven]"),
    "the store has no leader, but has not been read for long": (
        (SILENT, follows(view=view(None), store_age=61.0), follows(view=view(None), store_age=900.0)),
        "UNKNOWN timeout",
    ),
    "the store knows no leader, one was not asked": (
        (LATE, follows(view=view(None)), follows(view=view(None))),
        "UNKNOWN sweep_timeout",
    ),
    "one view has a leader, another none": (
        (SILENT, follows(view=view("pg-1")), follows(view=view(None))),
        "UNKNOWN timeout",
    ),
    "a primary that can't be asked for its state": (
        (leads(state="unknown"), follows(), follows()),
        "UNKNOWN unhealthy",
    ),
    "a primary that would not stop": (
        (leads(state="stop failed"), follows(), follows()),
        "UNKNOWN unhealthy",
    ),
    "a role that nobody knows": ((leads(role="monarch"), follows(), follows()), "UNKNOWN unhealthy"),
    "one that is being promoted": ((leads(role="promoted"), follows(), follows()), "UNKNOWN unhealthy"),
    "one leads, another may": (
        (leads(), leads(state="unknown"), follows()),
        "WARNING unhealthy [uniqueness_unproven]",
    ),
    "a leader of another cluster": (
        (leads(), follows(), leads(scope="other")),
        "WARNING redundancy_lost",
    ),
    "nobody answers": ((REFUSED, REFUSED, SILENT), "UNKNOWN connect_failed"),
    "nobody lets us in": ((LOGIN, LOGIN, LOGIN), "UNKNOWN auth_failed"),
    "no secret": ((SECRET, SECRET, SECRET), "UNKNOWN secret_unavailable"),
    "out of time": ((LATE, LATE, LATE), "UNKNOWN sweep_timeout"),
    "out of time but for the leader": (
        (leads(), LATE, LATE),
        "WARNING redundancy_lost [uniqueness_unproven]",
    ),
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
        (leads(replicas=("pg-2",)), follows(), follows()),
        "WARNING not_streaming",
    ),
    "a standby streams from a standby": (
        (leads(replicas=("pg-2",)), follows(replicas=("192.0.2.3",)), follows()),
        "OK ok",
    ),
    "a standby may stream from the one that is silent": (
        (leads(replicas=("pg-3",), view=FED), follows(view=FED), SILENT),
        "WARNING redundancy_lost [uniqueness_unproven]",
    ),
    "a standby streams from nobody, whoever is silent": (
        (leads(replicas=("pg-3",)), follows(), SILENT),
        "WARNING redundancy_lost [not_streaming uniqueness_unproven]",
    ),
    "a standby that goes by a name that nobody tells": (
        (leads(replicas=("a", "b"), view=STORE), follows(view=STORE), follows(view=STORE)),
        "WARNING dcs_failed",
    ),
    "a standby reads the archive": (
        (leads(), follows(streaming=False), follows()),
        "WARNING not_streaming",
    ),
    "a standby says that it streams": (
        (leads(replicas=()), follows(streaming=True), follows(streaming=True)),
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
        "WARNING split_brain < p",
        "WARNING split_brain [pending_restart] < p",
        "OK ok",
    ]
    assert both["p"].summary == (
        "Patroni airflow: SPLIT BRAIN, pg-1 (timeline 3) AND pg-2 (timeline 4) run as primary"
    )
    stopped = judged(follows(), follows(state="stopped", role="demoted"), follows(pending_restart=True))
    assert [said(v) for v in stopped.values()] == [
        "CRITICAL no_leader",
        "OK ok",
        "WARNING unhealthy < p",
        "WARNING pending_restart",
    ]
    assert stopped["p"].summary == (
        "Patroni airflow: NO LEADER, none of 3 nodes runs as primary"
        " (pg-1 is replica and running, pg-2 is demoted and stopped, pg-3 is replica and running)"
    )


def test_a_leader_that_is_not_verified_is_named() -> None:
    assert judged(SILENT, follows(), follows())["p"].summary == (
        "Patroni airflow: its leader is NOT VERIFIED,"
        " the configuration store has pg-1, but pg-1 did not answer (timeout)"
    )
    assert judged(REFUSED, REFUSED, REFUSED)["p"].summary == (
        "Patroni: NOT VERIFIED (connect failed), none of 3 nodes answered"
    )


def test_everything_that_is_wrong_is_said() -> None:
    found = judged(leads(paused=True), follows(replayed=980 * MIB), SILENT)["p"]
    assert said(found) == "WARNING redundancy_lost [paused lagging uniqueness_unproven]"
    assert found.summary == (
        "Patroni airflow: leader pg-1, timeline 3, but REDUNDANCY LOST: pg-3 (timeout);"
        " it is PAUSED, so nobody takes over by itself; pg-2 is LAGGING"
    )
    assert found.detail == (
        "pg-2: lagging (it is 20.0 MiB behind, more than 16.0 MiB); pg-3: timeout (no answer within 5 s)"
    )
    away = judged(leads(view=STORE), follows(view=STORE), follows(view=STORE))["p"]
    assert away.detail == "pg-1: status 503"


def test_a_node_that_the_inventory_calls_otherwise_is_found_by_its_address() -> None:
    named = (("a", "leader", None), ("b", "replica", 2 * MIB), ("c", "replica", 3 * MIB))
    members = tuple(
        PatroniMember(
            name=name, role=role, state="running", addresses=(f"10.0.0.{n}", f"192.0.2.{n}"), lag=lag
        )
        for n, (name, role, lag) in enumerate(named, 1)
    )
    seen = PatroniView(members=members)
    found = judged(leads(view=seen, replicas=("b", "10.0.0.3")), follows(view=seen), follows(view=seen))
    assert [said(v) for v in found.values()] == ["OK ok", *OK3]
    assert [found[f"p/pg-{n}"].observed["lag_bytes"] for n in (1, 2, 3)] == [None, 2 * MIB, 3 * MIB]


def test_nodes_behind_one_address_are_told_apart_by_their_names() -> None:
    here = dict.fromkeys(NODES, "127.0.0.1")
    one = check(
        members=tuple({"name": n, "address": "127.0.0.1", "port": 8008 + i} for i, n in enumerate(NODES))
    )
    seen = PatroniView(
        members=tuple(replace(m, addresses=("127.0.0.1",), lag=n * MIB) for n, m in enumerate(view().members))
    )
    cluster = cluster_of(
        one,
        CheckObservation(
            answers=dict(zip(NODES, (leads(view=seen), follows(view=seen), follows(view=seen)), strict=True)),
            addresses=here,
        ),
    )
    assert [cluster.lag(name) for name in NODES] == [None, MIB, 2 * MIB]


def test_who_went_further_on_another_timeline_is_not_said_to_have_no_lag() -> None:
    found = judged(
        leads(view=STORE), follows(view=STORE, timeline=2, replayed=2000 * MIB), follows(view=STORE)
    )
    assert said(found["p/pg-2"]) == "WARNING timeline_differs"
    assert found["p/pg-2"].observed["lag_bytes"] is None


RECORDED = {
    "nominal": (
        ["OK ok", *OK3],
        "Patroni airflow: leader pg-1, 2 replicas streaming, timeline 1, lag 0 B",
    ),
    "etcd-majority-lost": (
        ["CRITICAL no_leader", *OK3],
        (
            "Patroni airflow: NO LEADER, none of 3 nodes runs as primary"
            " (pg-1 is replica and running, pg-2 is replica and running, pg-3 is replica and running)"
        ),
    ),
    "leader-frozen-patroni": (
        ["WARNING redundancy_lost [uniqueness_unproven]", "WARNING timeout", "OK ok", "OK ok"],
        "Patroni airflow: leader pg-3, timeline 4, but REDUNDANCY LOST: pg-1 (timeout)",
    ),
    "patroni-paused": (
        ["WARNING paused", *OK3],
        "Patroni airflow: leader pg-1, timeline 3, but it is PAUSED, so nobody takes over by itself",
    ),
    "standby-does-not-stream": (
        ["WARNING not_streaming", "OK ok", "OK ok", "WARNING not_streaming"],
        "Patroni airflow: leader pg-1, timeline 3, but pg-3 is NOT STREAMING",
    ),
    "standby-lags": (
        ["WARNING lagging", "OK ok", "WARNING lagging", "OK ok"],
        "Patroni airflow: leader pg-1, timeline 3, but pg-2 is LAGGING",
    ),
    "two-primaries": (
        ["CRITICAL split_brain [paused]", "WARNING split_brain < p", "WARNING split_brain < p", "OK ok"],
        "Patroni airflow: SPLIT BRAIN, pg-1 (timeline 3) AND pg-2 (timeline 4) run as primary",
    ),
}


def recorded(situation: str, number: int) -> Answer:
    told = []
    for page in ("patroni", "cluster"):
        path = CASES / f"{situation}.{number}.{page}.http"
        if not path.exists():
            return SILENT
        head, _, body = path.read_bytes().partition(b"\n\n")
        lines = (line.split(": ", 1) for line in head.decode().splitlines()[1:])
        headers = {name.lower(): value for name, value in lines}
        told.append(HttpAnswer(status=int(head.split()[1]), body=body, headers=headers))
    found = read(check(), f"pg-{number}", HttpReply(answers=tuple(told)))
    assert isinstance(found, PatroniFacts)
    return found


@pytest.mark.parametrize("situation", RECORDED)
def test_real_clusters(situation: str) -> None:
    """Their nodes are called postgresql-1 to 3, and are asked at 192.0.2.204, 166 and 137."""
    places = dict(zip(NODES, ("192.0.2.204", "192.0.2.166", "192.0.2.137"), strict=True))
    real = check(members=tuple({"name": n, "address": a, "port": 8008} for n, a in places.items()))
    expected, summary = RECORDED[situation]
    found = judged(*(recorded(situation, number) for number in (1, 2, 3)), of=real)
    assert [said(v) for v in found.values()] == expected
    assert found["p"].summary == summary


def test_what_is_critical_is_a_setting() -> None:
    strict = check(
        levels={"not_streaming": "critical", "timeline": "critical", "pending_restart": "critical"}
    )
    assert words(leads(), follows(timeline=2), follows(), of=strict)[0] == "CRITICAL timeline_differs"
    assert words(leads(replicas=()), follows(), follows(), of=strict)[0] == "CRITICAL not_streaming"
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
