"""What Patroni's nodes and etcd's members say, recorded, and what liars and broken ones say."""

import json
from typing import Any

import pytest
from recorded_http import CASES, page, reply

from quorate.model import Check, HttpAnswer, HttpReply, NoReply, Reason
from quorate.model.etcd import EtcdFacts
from quorate.model.patroni import PatroniFacts, PatroniView
from quorate.probes import etcd, patroni

CHECK = Check(name="p", kind="patroni")
MEMBERS = ({"name": "pg-1", "address": "192.0.2.1", "port": 8008},)


def node(situation: str, number: int) -> PatroniFacts:
    pages = (f"patroni/{situation}.{number}.{page}.http" for page in ("patroni", "cluster"))
    found = patroni.read(CHECK, "pg-1", reply(*pages))
    assert isinstance(found, PatroniFacts)
    return found


def member(situation: str, number: int) -> EtcdFacts:
    told = [f"etcd/{situation}.{number}.{page}.http" for page in ("status", "members", "alarm")]
    there = [each if (CASES / each).exists() else NoReply(reason=Reason.TIMEOUT, detail="") for each in told]
    found = etcd.read(CHECK, "pg-1", reply(*there))
    assert isinstance(found, EtcdFacts)
    return found


def test_a_leader_and_its_standbys() -> None:
    leader, standby = node("nominal", 1), node("nominal", 2)
    assert (leader.role, leader.state, leader.timeline, leader.version) == ("master", "running", 1, "3.0.2")
    assert leader.scope == "airflow"
    assert set(leader.replicas) == {"postgresql-2", "postgresql-3", "192.0.2.137", "192.0.2.166"}
    assert (leader.store_age, standby.store_age) == (1.0, 2.0)
    assert (standby.role, standby.location) == ("replica", None)
    assert isinstance(leader.view, PatroniView)
    assert [(m.name, m.role, m.lag) for m in leader.view.members] == [
        ("postgresql-1", "leader", None),
        ("postgresql-2", "replica", 0),
        ("postgresql-3", "replica", 0),
    ]


def test_a_pause_and_a_standby_that_replays_slowly() -> None:
    paused = node("patroni-paused", 2)
    assert paused.paused
    assert isinstance(paused.view, PatroniView)
    assert paused.view.paused
    assert paused.view.members[1].addresses == ("192.0.2.166",)
    leader, standby = node("standby-lags", 1), node("standby-lags", 2)
    assert leader.location is not None
    assert standby.replayed is not None
    assert leader.location - standby.replayed > 16 * 2**20


def test_the_status_of_a_nodes_own_answer_is_not_judged_and_a_failed_view_is_none() -> None:
    body = json.dumps({"role": "replica", "state": "starting", "patroni": {"version": "4.0"}})
    found = patroni.read(CHECK, "pg-1", reply(page(body, 503), page('{"error": "DCS is away"}', 503)))
    assert isinstance(found, PatroniFacts)
    assert found.state == "starting"
    assert isinstance(found.view, NoReply)
    assert found.view.reason is Reason.DCS_FAILED


def own(**more: Any) -> str:
    return json.dumps({"role": "replica", "state": "running", "patroni": {"version": "4.0"}} | more)


VIEW = '{"members": [{"name": "a", "role": "leader", "state": "running", "lag": %s}]}'
LIES = {
    "HTML": ("<html>", Reason.UNPARSABLE),
    "nothing": ("", Reason.UNPARSABLE),
    "a list": ("[]", Reason.UNPARSABLE),
    "nesting": ("[" * 100_000, Reason.UNPARSABLE),
    "no role": ('{"state": "running", "patroni": {"version": "4"}}', Reason.UNPARSABLE),
    "role of another type": (own(role=1), Reason.UNPARSABLE),
    "timeline as text": (own(timeline="3"), Reason.UNPARSABLE),
    "timeline that is true": (own(timeline=True), Reason.UNPARSABLE),
    "location as text": (own(xlog={"replayed_location": "1"}), Reason.UNPARSABLE),
    "pause as text": (own(pause="yes"), Reason.UNPARSABLE),
    "replication of numbers": (own(replication=[1]), Reason.UNPARSABLE),
}


@pytest.mark.parametrize(("body", "reason"), LIES.values(), ids=LIES)
def test_what_a_node_can_get_wrong(body: str, reason: Reason) -> None:
    found = patroni.read(CHECK, "pg-1", reply(page(body), page(VIEW % 0)))
    assert isinstance(found, NoReply)
    assert (found.reason, found.answered) == (reason, True)


@pytest.mark.parametrize("lag", ['"12"', "true", "[]", "1.5"])
def test_a_lag_that_is_neither_bytes_nor_unknown_fails_the_view(lag: str) -> None:
    found = patroni.read(CHECK, "pg-1", reply(page(own()), page(VIEW % lag)))
    assert isinstance(found, PatroniFacts)
    assert isinstance(found.view, NoReply)
    assert found.view.reason is Reason.UNPARSABLE


def test_an_unknown_lag_is_not_zero() -> None:
    found = patroni.read(CHECK, "pg-1", reply(page(own()), page(VIEW % '"unknown"')))
    assert isinstance(found, PatroniFacts)
    assert isinstance(found.view, PatroniView)
    assert (found.view.members[0].lag, found.view.members[0].lag_known) == (None, False)


def test_a_view_that_says_nothing_is_a_failure_of_the_store() -> None:
    for answer in (page(""), page("", 500), page("<html>Bad Gateway", 502), page('{"members": []}')):
        found = patroni.read(CHECK, "pg-1", reply(page(own()), answer))
        assert isinstance(found, PatroniFacts)
        assert isinstance(found.view, NoReply)
        assert found.view.reason in (Reason.DCS_FAILED, Reason.UNPARSABLE)


def test_what_later_versions_tell() -> None:
    member = {
        "name": "b",
        "role": "quorum_standby",
        "state": "streaming",
        "host": "10.0.0.2",
        "api_url": "https://[2001:db8::2]:8008/patroni",
        "lag": 16,
        "receive_lag": "unknown",
        "replay_lag": 48,
        "tags": {"replicatefrom": "c", "nofailover": True},
    }
    node = own(
        replication_state="in archive recovery",
        pending_restart=True,
        failsafe_mode_is_active=True,
        patroni={"version": "4.1.5", "scope": "airflow", "name": "b"},
    )
    found = patroni.read(CHECK, "pg-1", reply(page(node), page(json.dumps({"members": [member]}))))
    assert isinstance(found, PatroniFacts)
    assert (found.streaming, found.pending_restart, found.failsafe, found.name) == (False, True, True, "b")
    assert isinstance(found.view, PatroniView)
    (seen,) = found.view.members
    assert (seen.lag, seen.lag_known, seen.source) == (48, False, "c")
    assert seen.addresses == ("10.0.0.2", "2001:db8::2")


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Mon, 99 Nov 2026 99:00:00 GMT", "Fri, 01 Jan 0001 00:00:00"]
)
def test_a_node_without_a_date_does_not_tell_how_old_its_view_is(date: str) -> None:
    answer = HttpAnswer(status=200, body=own(dcs_last_seen=1795398321).encode(), headers={"date": date})
    found = patroni.read(CHECK, "pg-1", reply(answer, page(VIEW % 0)))
    assert isinstance(found, PatroniFacts)
    assert found.store_age in (None, 0.0)


def test_a_refused_login() -> None:
    found = patroni.read(CHECK, "pg-1", reply(page("no", 401), page("no", 401)))
    assert isinstance(found, NoReply)
    assert found.reason is Reason.AUTH_FAILED


def test_members_of_etcd() -> None:
    found = member("nominal", 1)
    assert (found.version, found.errors, found.db_size, found.alarms) == ("3.4.23", (), 40960, ())
    assert found.leader != found.member
    assert member("nominal", 3).leader == member("nominal", 3).member
    assert not isinstance(found.members, NoReply)
    assert {m.name for m in found.members} == {"postgresql-1", "postgresql-2", "postgresql-3"}


def test_a_member_of_etcd_without_a_majority() -> None:
    found = member("etcd-majority-lost", 1)
    assert (found.leader, found.errors) == (0, ("etcdserver: no leader",))
    assert isinstance(found.alarms, NoReply)


HEADER = {"cluster_id": "1", "member_id": "2"}


def status(**more: Any) -> str:
    return json.dumps({"header": HEADER, "version": "3.5.9", "leader": "2", "dbSize": "3"} | more)


ETCD_LIES = {
    "HTML": ("<html>", 200, Reason.UNPARSABLE),
    "an old version": ("404 page not found", 404, Reason.UNPARSABLE),
    "a number with a sign": (status(leader="-2"), 200, Reason.UNPARSABLE),
    "a fraction": (status(dbSize=1.5), 200, Reason.UNPARSABLE),
    "true": (status(leader=True), 200, Reason.UNPARSABLE),
    "a header of text": (status(header="x"), 200, Reason.UNPARSABLE),
    "errors of numbers": (status(errors=[1]), 200, Reason.UNPARSABLE),
    "a huge number": (status(leader="9" * 40), 200, Reason.UNPARSABLE),
    "a refused login": ('{"error": "etcdserver: invalid auth token"}', 401, Reason.AUTH_FAILED),
    "a login that is missing": ('{"error": "etcdserver: user name is empty"}', 400, Reason.AUTH_FAILED),
    "a number beyond 64 bits": (status(leader=str(2**64)), 200, Reason.UNPARSABLE),
    "digits of another script": (status(leader="\u0663"), 200, Reason.UNPARSABLE),
    "a learner as text": (status(isLearner="yes"), 200, Reason.UNPARSABLE),
    "an error": ('{"error": "etcdserver: request timed out"}', 503, Reason.UNHEALTHY),
}


@pytest.mark.parametrize(("body", "code", "reason"), ETCD_LIES.values(), ids=ETCD_LIES)
def test_what_a_member_can_get_wrong(body: str, code: int, reason: Reason) -> None:
    found = etcd.read(CHECK, "pg-1", reply(page(body, code), page("{}"), page("{}")))
    assert isinstance(found, NoReply)
    assert found.reason is reason


def test_alarms_and_learners() -> None:
    alarms = page('{"alarms": [{"memberID": "2", "alarm": "NOSPACE"}]}')
    members = page('{"members": [{"ID": "2", "name": "a", "isLearner": true}, {"ID": "3"}]}')
    found = etcd.read(CHECK, "pg-1", reply(page(status()), members, alarms))
    assert isinstance(found, EtcdFacts)
    assert found.alarms == ((2, "NOSPACE"),)
    assert not isinstance(found.members, NoReply)
    assert [(m.id, m.name, m.learner) for m in found.members] == [(2, "a", True), (3, "", False)]


def test_the_version_that_is_needed_is_named() -> None:
    found = etcd.read(CHECK, "pg-1", reply(*[page("404 page not found", 404)] * 3))
    assert isinstance(found, NoReply)
    assert found.detail == (
        "POST /v3/maintenance/status: there is no such page: etcd has it since version 3.4 (status 404)"
    )


@pytest.mark.parametrize("late", [True, False])
def test_alarms_stand_among_the_errors_of_every_member(late: bool) -> None:
    errors = [
        "etcdserver: no leader",
        "memberID:305694893574049068  alarm:NOSPACE ",
        "memberID:7 alarm:CORRUPT",
    ]
    told = '{"alarms": [{"memberID": "7", "alarm": "CORRUPT"}]}'
    alarms = NoReply(reason=Reason.TIMEOUT, detail="no answer within 5 s") if late else page(told)
    found = etcd.read(CHECK, "pg-1", reply(page(status(errors=errors, isLearner=True)), page("{}"), alarms))
    assert isinstance(found, EtcdFacts)
    assert (found.errors, found.learner) == (("etcdserver: no leader",), True)
    assert not isinstance(found.alarms, NoReply)
    assert set(found.alarms) == {(305694893574049068, "NOSPACE"), (7, "CORRUPT")}


def test_a_connection_that_ends_after_the_first_answer_leaves_the_rest_open() -> None:
    end = NoReply(reason=Reason.CONNECT_FAILED, detail="closed", answered=True)
    found = etcd.read(CHECK, "pg-1", HttpReply(answers=(page(status()), end, end)))
    assert isinstance(found, EtcdFacts)
    assert (found.members, found.alarms) == (end, end)


def test_what_is_asked() -> None:
    settings = {"members": MEMBERS, "timeout": 5.0, "tls": None, "user": "root"}
    check = Check(name="p", kind="patroni", settings=settings)
    (ask,) = patroni.questions(check, {"password": "s3cret"}).values()
    assert [r.path for r in ask.requests] == ["/patroni", "/cluster"]
    assert (ask.user, ask.password) == ("root", "s3cret")
    (ask,) = etcd.questions(check, {"password": "s3cret"}).values()
    assert ask.login is not None
    assert json.loads(ask.login.request.body or "") == {"name": "root", "password": "s3cret"}
    assert "s3cret" not in repr(ask)
    (ask,) = etcd.questions(check, {}).values()
    assert ask.login is None
