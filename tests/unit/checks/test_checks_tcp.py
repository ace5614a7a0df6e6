"""Each outcome of a port's check, of one place and of several."""

from types import MappingProxyType

import pytest
from seen import hosts, said, unreachable, verdicts
from servers import REFUSED, SILENT, cluster, healthy, no

from quorate.model import Check, CheckObservation, Inventory, NoReply, Reason, TcpReply, Verdict

FAST, SLOW = TcpReply(duration=0.0034), TcpReply(duration=1.25)
LATE = no(Reason.SWEEP_TIMEOUT, "the sweep's time ended before the answer came", answered=False)
NODES = {"pg-1": "192.0.2.11", "pg-2": "192.0.2.12", "proxy-1": "192.0.2.13"}
LIMITS = {"timeout": 5.0, "slow": 1.0}

Answer = TcpReply | NoReply


def one(answer: Answer) -> Verdict:
    settings = {"host": "192.0.2.220", "port": 2049, **LIMITS}
    check = Check(name="nfs_port", kind="tcp", settings=MappingProxyType(settings))
    seen = CheckObservation(answers={"nfs_port": answer}, addresses={"nfs_port": "192.0.2.220"})
    found = verdicts(cluster(check), healthy(), checks={"nfs_port": seen})
    assert [i for i in found if i.partition("/")[0] == "nfs_port"] == ["nfs_port"]
    return found["nfs_port"]


def several(*answers: Answer) -> dict[str, Verdict]:
    members = [{"name": name, "address": address, "port": 22} for name, address in NODES.items()]
    check = Check(
        name="ports",
        kind="tcp",
        hosts=tuple(NODES),
        members=tuple(NODES),
        settings=MappingProxyType({"members": tuple(members), **LIMITS}),
    )
    seen = CheckObservation(answers=dict(zip(NODES, answers, strict=True)), addresses=NODES)
    found = verdicts(cluster(check), healthy(), checks={"ports": seen})
    return {i: v for i, v in found.items() if i.partition("/")[0] == "ports"}


def test_a_port_that_takes_connections() -> None:
    found = one(FAST)
    assert said(found) == "OK ok"
    assert found.summary == "nfs_port takes connections at 192.0.2.220:2049 (in 3.4 ms)"
    assert found.observed == {"status": "healthy", "address": "192.0.2.220:2049", "latency_ms": 3.4}
    assert found.expected == {"status": "healthy", "latency_ms": 1000.0}
    assert (found.kind, found.group, found.host, found.duration) == ("tcp", "nfs_port", None, 0.0034)


def test_a_slow_one() -> None:
    found = one(SLOW)
    assert said(found) == "WARNING slow"
    assert found.summary == "nfs_port takes connections SLOWLY at 192.0.2.220:2049 (in 1250 ms)"
    assert found.detail == "the connection took 1250 ms, more than 1000 ms"
    assert found.observed["status"] == "degraded"


@pytest.mark.parametrize(
    ("answer", "state", "summary", "status"),
    [
        (
            REFUSED,
            "CRITICAL connect_failed",
            "nfs_port could NOT connect to 192.0.2.220:2049",
            "failed",
        ),
        (SILENT, "CRITICAL timeout", "nfs_port got NO ANSWER in time from 192.0.2.220:2049", "failed"),
        (
            LATE,
            "UNKNOWN sweep_timeout",
            "nfs_port is NOT VERIFIED at 192.0.2.220:2049 (sweep timeout)",
            "unknown",
        ),
        (
            no(Reason.INTERNAL_ERROR),
            "UNKNOWN internal_error",
            "nfs_port is NOT VERIFIED at 192.0.2.220:2049 (internal error)",
            "unknown",
        ),
    ],
)
def test_failures(answer: NoReply, state: str, summary: str, status: str) -> None:
    found = one(answer)
    assert (said(found), found.summary, found.detail) == (state, summary, answer.detail)
    assert found.observed == {"status": status, "address": "192.0.2.220:2049", "error": answer.detail}


def test_several_places_stand_each_for_itself() -> None:
    found = several(FAST, FAST, FAST)
    assert list(found) == ["ports", "ports/pg-1", "ports/pg-2", "ports/proxy-1"]
    assert {said(verdict) for verdict in found.values()} == {"OK ok"}
    assert found["ports"].summary == "ports takes connections at all 3 places"
    assert found["ports"].detail is None
    assert found["ports"].observed["reachable"] == 3
    assert found["ports/pg-2"].host == "pg-2"
    assert found["ports/pg-2"].summary == "pg-2 takes connections at 192.0.2.12:22 (in 3.4 ms)"


def test_the_whole_is_as_bad_as_its_worst_place() -> None:
    found = several(SLOW, REFUSED, LATE)
    assert {i: said(v) for i, v in found.items()} == {
        "ports": "CRITICAL connect_failed < ports/pg-2",
        "ports/pg-1": "WARNING slow",
        "ports/pg-2": "CRITICAL connect_failed",
        "ports/proxy-1": "UNKNOWN sweep_timeout",
    }
    assert found["ports"].summary == (
        "ports takes connections at ONLY 1/3 places: without pg-2 (connect failed)"
    )
    assert found["ports"].detail == (
        "pg-1: the connection took 1250 ms, more than 1000 ms; pg-2: Connection refused; "
        f"proxy-1: {LATE.detail}"
    )
    assert found["ports"].observed["places"][1] == {
        "name": "pg-2",
        "status": "failed",
        "address": "192.0.2.12:22",
        "error": "Connection refused",
    }


def test_a_warning_is_nobodys_cause() -> None:
    found = several(FAST, SLOW, FAST)["ports"]
    assert (said(found), found.summary) == (
        "WARNING slow",
        "ports takes connections at all 3 places, SLOWLY: pg-2 (slow)",
    )


def test_what_was_not_verified() -> None:
    found = several(FAST, LATE, FAST)["ports"]
    assert said(found) == "UNKNOWN sweep_timeout < ports/pg-2"
    assert found.summary == "ports takes connections at 2/3 places, NOT VERIFIED: pg-2 (sweep timeout)"


def test_a_monitor_that_is_isolated_explains_silence() -> None:
    settings = {"host": "192.0.2.220", "port": 2049, **LIMITS}
    check = Check(name="nfs_port", kind="tcp", settings=MappingProxyType(settings))
    declared = Inventory(name="test", hosts=hosts("a", "b"), checks={"nfs_port": check})
    seen = CheckObservation(answers={"nfs_port": SILENT}, addresses={"nfs_port": "192.0.2.220"})
    found = verdicts(declared, [unreachable("a"), unreachable("b")], checks={"nfs_port": seen})
    assert said(found["nfs_port"]) == "UNKNOWN monitor_isolated < monitor"
