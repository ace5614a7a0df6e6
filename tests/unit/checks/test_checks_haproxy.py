"""Load balancers: what each has up, what that is for the whole, and who could not be asked."""

from collections.abc import Mapping
from types import MappingProxyType

from seen import said, verdicts
from servers import REFUSED, SILENT, cluster, healthy, no

from quorate.checks.kinds import JUDGES
from quorate.model import Check, CheckObservation, LogsFrom, NoReply, Reason, Secret, Verdict
from quorate.model.haproxy import HaproxyBackend, HaproxyFacts, HaproxyServer

HOSTS = ("proxy-1", "proxy-2")
ADDRESSES = {"proxy-1": "192.0.2.6", "proxy-2": "192.0.2.7"}
LOGIN = no(Reason.AUTH_FAILED, "the login was refused (status 401)")
HTML = no(Reason.UNPARSABLE, "not HAProxy's table: it begins with '<html>'")
LATE = no(Reason.SWEEP_TIMEOUT, "the sweep's time ended before the answer came", answered=False)
PG = ("pg-1", "pg-2", "pg-3")


def check(*hosts: str, backends: Mapping[str, tuple[int, int | None]] | None = None) -> Check:
    names = hosts or HOSTS
    limits = {"write": (1, 1)} if backends is None else backends
    settings = {
        "members": tuple({"name": name, "address": ADDRESSES[name], "port": 7000} for name in names),
        "path": "/",
        "tls": None,
        "user": "u",
        "password": Secret(env="STATS"),
        "timeout": 5.0,
        "backends": {
            name: {"min_up": fewest, "max_up": most, "served_by": None}
            for name, (fewest, most) in limits.items()
        },
    }
    return Check(
        name="lb",
        kind="haproxy",
        hosts=names,
        members=names,
        settings=MappingProxyType(settings),
        logs_from=LogsFrom(group="haproxy", unit="haproxy.service"),
    )


def backend(*up: str, of: tuple[str, ...] = PG, down: str = "DOWN") -> HaproxyBackend:
    servers = tuple(HaproxyServer(name=n, status="UP" if n in up else down, up=n in up) for n in of)
    return HaproxyBackend(servers=servers, sessions=3, queue=0)


def sees(*up: str, **more: HaproxyBackend) -> HaproxyFacts:
    return HaproxyFacts(backends={"write": backend(*up), **more}, others=("statistics",), duration=0.01)


def observed(*given: HaproxyFacts | NoReply, of: Check | None = None) -> CheckObservation:
    names = (of or check()).members
    return CheckObservation(
        answers=dict(zip(names, given, strict=True)), addresses={name: ADDRESSES[name] for name in names}
    )


def judged(*given: HaproxyFacts | NoReply, of: Check | None = None) -> dict[str, Verdict]:
    of = of or check()
    found = verdicts(cluster(of), healthy(), checks={"lb": observed(*given, of=of)})
    return {i: v for i, v in found.items() if i.partition("/")[0] == "lb"}


def words(*given: HaproxyFacts | NoReply, of: Check | None = None) -> list[str]:
    return [said(v) for v in judged(*given, of=of).values()]


def unsettled(*given: HaproxyFacts | NoReply, of: Check | None = None) -> bool:
    of = of or check()
    return JUDGES["haproxy"].unsettled(of, observed(*given, of=of))


def test_one_server_up_behind_patroni_checks_is_as_it_should_be() -> None:
    found = judged(sees("pg-1"), sees("pg-1"))
    assert list(found) == ["lb", "lb/proxy-1", "lb/proxy-2"]
    assert {said(v) for v in found.values()} == {"OK ok"}
    assert found["lb"].summary == "HAProxy balances as declared: 2/2 hosts answer"
    assert found["lb"].observed == {
        "status": "healthy",
        "answering": 2,
        "total": 2,
        "backends": {"write": {"proxy-1": ["pg-1"], "proxy-2": ["pg-1"]}},
    }
    assert found["lb"].expected == {"answering": 2, "backends": {"write": {"min_up": 1, "max_up": 1}}}
    member = found["lb/proxy-2"]
    assert (member.host, member.kind, member.duration) == ("proxy-2", "haproxy", 0.01)
    assert member.summary == "proxy-2 answers at 192.0.2.7:7000 (write: 1 of 3 servers up)"
    assert member.observed["backends"] == {
        "write": {"up": ["pg-1"], "down": ["pg-2", "pg-3"], "sessions": 3, "queue": 0}
    }
    assert not unsettled(sees("pg-1"), sees("pg-1"))


def test_two_servers_up_where_one_may_be() -> None:
    found = judged(sees("pg-2", "pg-3"), sees("pg-1"))
    assert [said(v) for v in found.values()] == [
        "CRITICAL too_many_up",
        "WARNING too_many_up < lb",
        "OK ok",
    ]
    assert found["lb"].summary == (
        "HAProxy on proxy-1 sends write to TOO MANY servers: 2 of 3 servers up (pg-2, pg-3), at most 1 may be"
    )
    assert found["lb"].observed["short"] == ["write"]
    assert found["lb/proxy-1"].summary == "HAProxy on proxy-1 is NOT HEALTHY (too many up)"
    assert found["lb/proxy-1"].observed["backends"] == {
        "write": {"up": ["pg-2", "pg-3"], "down": ["pg-1"], "sessions": 3, "queue": 0}
    }
    assert unsettled(sees("pg-2", "pg-3"), sees("pg-1"))


def test_balancers_that_each_write_to_another_server() -> None:
    found = judged(sees("pg-1"), sees("pg-2"))
    assert [said(v) for v in found.values()] == ["CRITICAL too_many_up", "OK ok", "OK ok"]
    assert found["lb"].detail == (
        "write: proxy-1 has pg-1 up; proxy-2 has pg-2 up: together 2, at most 1 may be"
    )
    assert unsettled(sees("pg-1"), sees("pg-2"))


def test_servers_are_compared_only_where_they_have_the_same_names() -> None:
    other = HaproxyFacts(backends={"write": backend("a", of=("a", "b", "c"))})
    assert words(sees("pg-1"), other) == ["OK ok"] * 3
    assert words(sees("pg-1"), sees("pg-2"), of=check(backends={"write": (1, None)})) == ["OK ok"] * 3


def test_no_server_up() -> None:
    down = HaproxyFacts(backends={"write": backend(down="MAINT")})
    found = judged(down, down)
    assert [said(v) for v in found.values()] == ["CRITICAL too_few_up", *["WARNING too_few_up < lb"] * 2]
    assert found["lb"].summary == (
        "HAProxy on proxy-1, proxy-2 has TOO FEW servers for write: 0 of 3 servers up"
        " (pg-1 MAINT, pg-2 MAINT, pg-3 MAINT), at least 1 must be"
    )
    assert found["lb"].detail == (
        "write: 0 of 3 servers up (pg-1 MAINT, pg-2 MAINT, pg-3 MAINT), at least 1 must be"
    )
    assert unsettled(down, sees("pg-1"))


def test_one_balancer_without_a_server_is_enough() -> None:
    assert words(sees(), sees("pg-1")) == ["CRITICAL too_few_up", "WARNING too_few_up < lb", "OK ok"]
    assert words(sees(), REFUSED) == [
        "CRITICAL too_few_up",
        "WARNING too_few_up < lb",
        "WARNING connect_failed",
    ]


def test_a_backend_may_be_empty_or_full_where_that_is_declared() -> None:
    assert words(sees(), sees(*PG), of=check(backends={"write": (0, None)})) == ["OK ok"] * 3
    assert words(sees("pg-1"), sees(*PG), of=check(backends={"write": (2, 3)}))[0] == "CRITICAL too_few_up"


def test_a_declared_backend_that_is_not_there() -> None:
    found = judged(sees("pg-1"), HaproxyFacts(backends={}, others=("read", "web")))
    assert [said(v) for v in found.values()] == [
        "CRITICAL backend_missing",
        "OK ok",
        "WARNING backend_missing < lb",
    ]
    assert found["lb"].summary == "HAProxy on proxy-2 LACKS the backend write"
    assert found["lb/proxy-2"].detail == "write: the statistics have no such backend; there are read, web"
    assert "short" not in found["lb"].observed
    assert not unsettled(HaproxyFacts(backends={}), sees("pg-1"))


def test_the_worst_of_several_backends_leads_and_all_are_told() -> None:
    of = check(backends={"lost": (1, None), "read": (1, None), "write": (1, 1)})
    seen = sees("pg-1", "pg-2", read=backend())
    found = judged(seen, sees("pg-1", read=backend("pg-2"), lost=backend("pg-1")), of=of)
    assert said(found["lb"]) == "CRITICAL too_many_up"
    assert said(found["lb/proxy-1"]) == "WARNING too_many_up < lb"
    assert found["lb"].observed["short"] == ["read", "write"]
    assert found["lb/proxy-1"].detail == (
        "lost: the statistics have no such backend; there are read, statistics, write;"
        " read: 0 of 3 servers up (pg-1 DOWN, pg-2 DOWN, pg-3 DOWN), at least 1 must be;"
        " write: 2 of 3 servers up (pg-1, pg-2), at most 1 may be"
    )


def test_an_unchecked_server_counts_as_up_and_is_noted() -> None:
    unchecked = HaproxyServer(name="pg-1", status="no check", up=True, checked=False)
    facts = HaproxyFacts(backends={"write": HaproxyBackend(servers=(unchecked,))})
    assert words(facts, facts) == ["OK ok [unchecked]"] * 3


def test_a_balancer_that_does_not_answer_is_lost_redundancy() -> None:
    found = judged(sees("pg-1"), REFUSED)
    assert [said(v) for v in found.values()] == [
        "WARNING redundancy_lost",
        "OK ok",
        "WARNING connect_failed",
    ]
    assert found["lb"].summary == "HAProxy has lost redundancy: 1/2 nodes healthy, missing proxy-2"
    assert found["lb"].detail == "proxy-2: connect failed (Connection refused)"
    assert words(LOGIN, sees("pg-1"))[0] == "WARNING redundancy_lost"
    assert words(HTML, sees("pg-1"))[:2] == ["WARNING redundancy_lost", "WARNING unparsable"]
    assert words(LATE, sees("pg-1"))[:2] == ["WARNING redundancy_lost", "UNKNOWN sweep_timeout"]
    assert not unsettled(REFUSED, sees("pg-1"))


def test_where_none_answers_nobody_balances() -> None:
    found = judged(REFUSED, SILENT)
    assert [said(v) for v in found.values()] == [
        "CRITICAL connect_failed",
        "WARNING connect_failed",
        "WARNING timeout",
    ]
    assert found["lb"].summary == "HAProxy does NOT ANSWER: 0/2 hosts answer"
    assert found["lb"].observed["status"] == "failed"
    assert words(SILENT, of=check("proxy-1"))[0] == "CRITICAL connect_failed"


def test_who_says_anything_may_balance_all_the_same() -> None:
    assert words(LOGIN, LOGIN)[0] == "UNKNOWN auth_failed"
    assert words(HTML, HTML)[0] == "UNKNOWN unparsable"
    assert words(REFUSED, HTML)[0] == "UNKNOWN unparsable"
    assert words(REFUSED, LOGIN)[0] == "UNKNOWN auth_failed"
    assert words(REFUSED, LATE)[0] == "UNKNOWN sweep_timeout"
    found = judged(LOGIN, LOGIN)["lb"]
    assert found.summary == "HAProxy's backends are NOT VERIFIED (auth failed): 0/2 hosts answer"


def test_a_missing_secret_is_told_once() -> None:
    secret = no(Reason.SECRET_UNAVAILABLE, "the password can't be had: $STATS is not set", answered=False)
    assert words(secret, secret) == [
        "UNKNOWN secret_unavailable",
        *["WARNING secret_unavailable < lb"] * 2,
    ]


def test_the_balancer_that_holds_the_address_is_the_one_that_counts() -> None:
    assert words(SILENT, sees("pg-1"))[:2] == ["CRITICAL timeout", "WARNING timeout < lb"]
    assert words(REFUSED, sees("pg-1"))[0] == "CRITICAL connect_failed"
    assert words(sees("pg-1"), SILENT)[0] == "WARNING redundancy_lost"
    assert words(LOGIN, sees("pg-1"))[0] == "WARNING redundancy_lost"
