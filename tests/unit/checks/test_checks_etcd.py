"""The quorum of etcd, its leader and its alarms."""

from types import MappingProxyType
from typing import Any

import pytest
from seen import hosts, look, said, verdicts
from servers import REFUSED, SILENT, no

from quorate.checks.kinds import JUDGES
from quorate.model import Check, CheckObservation, Group, Inventory, NoReply, Reason, Verdict
from quorate.model.etcd import EtcdFacts, EtcdMember

NODES = ("pg-1", "pg-2", "pg-3")
ADDRESSES = {name: f"192.0.2.{number}" for number, name in enumerate(NODES, 1)}
LIST = tuple(EtcdMember(id=number, name=name) for number, name in enumerate(NODES, 1))
LOGIN = no(Reason.AUTH_FAILED)
UNREAD = NoReply(reason=Reason.UNPARSABLE, detail="not JSON", answered=True)
SECRET = no(Reason.SECRET_UNAVAILABLE, answered=False)
LOGIN_SAID = "the login (POST /v3/auth/authenticate) is answered with status "
WRONG = no(Reason.UNEXPECTED_STATUS, f"{LOGIN_SAID}400")
OLD = no(Reason.UNEXPECTED_STATUS, f"{LOGIN_SAID}404")
AWAY = no(Reason.UNEXPECTED_STATUS, f"{LOGIN_SAID}503")
SETTINGS = {
    "members": tuple({"name": n, "address": a, "port": 2379} for n, a in ADDRESSES.items()),
    "quorum": None,
}
CHECK = Check(name="e", kind="etcd", hosts=NODES, members=NODES, settings=MappingProxyType(SETTINGS))
Answer = EtcdFacts | NoReply


def well(number: int, **more: Any) -> EtcdFacts:
    values = {
        "version": "3.5.9",
        "cluster": 7,
        "member": number,
        "leader": 2,
        "errors": (),
        "db_size": 4096,
        "members": LIST,
        "alarms": (),
    }
    return EtcdFacts(**(values | more))


ONE, TWO, THREE = (well(number) for number in (1, 2, 3))


def observed(*given: Answer) -> CheckObservation:
    return CheckObservation(answers=dict(zip(NODES, given, strict=True)), addresses=ADDRESSES)


def judged(*given: Answer) -> dict[str, Verdict]:
    groups = {"pg": Group(name="pg", hosts=NODES)}
    inventory = Inventory(name="test", hosts=hosts(*NODES), groups=groups, checks={"e": CHECK})
    found = verdicts(inventory, [look(name, {}) for name in NODES], checks={"e": observed(*given)})
    return {i: v for i, v in found.items() if i.partition("/")[0] == "e"}


def blind(number: int) -> EtcdFacts:
    return well(number, leader=0, errors=("etcdserver: no leader",), alarms=UNREAD)


CASES = {
    "all well": ((ONE, TWO, THREE), ["OK ok", "OK ok", "OK ok", "OK ok"]),
    "one is silent": (
        (ONE, TWO, SILENT),
        ["WARNING redundancy_lost", "OK ok", "OK ok", "WARNING timeout"],
    ),
    "a majority is gone": (
        (blind(1), REFUSED, REFUSED),
        [
            "CRITICAL quorum_lost [alarms_unverified]",
            "WARNING no_leader < e",
            "WARNING connect_failed",
            "WARNING connect_failed",
        ],
    ),
    "all answer, and elect for ever": (
        (blind(1), blind(2), blind(3)),
        ["CRITICAL no_leader [alarms_unverified]", *["WARNING no_leader < e"] * 3],
    ),
    "one does not see the leader": (
        (ONE, TWO, blind(3)),
        ["WARNING redundancy_lost", "OK ok", "OK ok", "WARNING no_leader"],
    ),
    "one is out of space": (
        (well(1, alarms=((3, "NOSPACE"),)), TWO, THREE),
        ["CRITICAL alarm", "OK ok", "OK ok", "WARNING alarm < e"],
    ),
    "one is a learner": (
        (ONE, TWO, well(3, members=(*LIST[:2], EtcdMember(id=3, name="pg-3", learner=True)))),
        ["WARNING redundancy_lost [learner]", "OK ok", "OK ok", "WARNING not_a_member [learner]"],
    ),
    "one is a learner, which is told no list": (
        (ONE, TWO, well(3, learner=True, members=UNREAD)),
        ["WARNING redundancy_lost [learner]", "OK ok", "OK ok", "WARNING not_a_member [learner]"],
    ),
    "one can't reach its leader": (
        (ONE, TWO, well(3, members=SILENT, alarms=SILENT)),
        ["WARNING redundancy_lost", "OK ok", "OK ok", "WARNING timeout"],
    ),
    "all are out of space": (
        tuple(well(n, alarms=tuple((m, "NOSPACE") for m in (1, 2, 3))) for n in (1, 2, 3)),
        ["CRITICAL alarm", *["WARNING alarm < e"] * 3],
    ),
    "one is out of space, one is gone": (
        (well(1, alarms=((2, "NOSPACE"),)), TWO, SILENT),
        ["CRITICAL alarm [redundancy_lost]", "OK ok", "WARNING alarm < e", "WARNING timeout"],
    ),
    "the one that is out of space is gone": (
        (well(1, alarms=((3, "CORRUPT"),)), TWO, SILENT),
        ["CRITICAL alarm [redundancy_lost]", "OK ok", "OK ok", "WARNING timeout"],
    ),
    "one is out of space, and the others are gone": (
        (well(1, leader=0, alarms=((1, "NOSPACE"),)), REFUSED, REFUSED),
        [
            "CRITICAL quorum_lost [alarm]",
            "WARNING no_leader < e",
            "WARNING connect_failed",
            "WARNING connect_failed",
        ],
    ),
    "nobody tells of alarms": (
        tuple(well(n, alarms=UNREAD) for n in (1, 2, 3)),
        ["OK ok [alarms_unverified]", "OK ok", "OK ok", "OK ok"],
    ),
    "nobody shows the list": (
        tuple(well(n, members=LOGIN) for n in (1, 2, 3)),
        ["OK ok [members_unverified]", *["OK ok [members_unverified]"] * 3],
    ),
    "one is not in the list": (
        (ONE, TWO, well(9)),
        ["WARNING redundancy_lost", "OK ok", "OK ok", "WARNING not_a_member"],
    ),
    "one is of another cluster": (
        (ONE, TWO, well(3, cluster=8)),
        ["WARNING redundancy_lost", "OK ok", "OK ok", "WARNING not_a_member"],
    ),
    "one finds fault with itself": (
        (ONE, TWO, well(3, errors=("etcdserver: corrupt",))),
        ["WARNING redundancy_lost", "OK ok", "OK ok", "WARNING unhealthy"],
    ),
    "one can't tell of the others": (
        (ONE, TWO, well(3, members=UNREAD, alarms=UNREAD)),
        ["OK ok", "OK ok", "OK ok", "OK ok"],
    ),
    "nobody lets us in": ((LOGIN, LOGIN, LOGIN), ["UNKNOWN auth_failed", *["WARNING auth_failed"] * 3]),
    "nobody lets us in, in etcd's own way": (
        (WRONG, WRONG, WRONG),
        ["UNKNOWN auth_failed", *["WARNING auth_failed"] * 3],
    ),
    "nobody can log in, for want of a leader": (
        (AWAY, AWAY, AWAY),
        ["CRITICAL quorum_lost", *["WARNING unexpected_status"] * 3],
    ),
    "all are too old to log in to": (
        (OLD, OLD, OLD),
        ["UNKNOWN unparsable", *["WARNING unparsable"] * 3],
    ),
    "all are too old": ((UNREAD, UNREAD, UNREAD), ["UNKNOWN unparsable", *["WARNING unparsable"] * 3]),
    "no secret": (
        (SECRET, SECRET, SECRET),
        ["UNKNOWN secret_unavailable", *["WARNING secret_unavailable < e"] * 3],
    ),
    "one says what can't be read": (
        (ONE, TWO, UNREAD),
        ["WARNING redundancy_lost", "OK ok", "OK ok", "WARNING unparsable"],
    ),
}


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_a_cluster(given: tuple[Answer, ...], expected: list[str]) -> None:
    assert [said(v) for v in judged(*given).values()] == expected


def test_what_is_said() -> None:
    found = judged(well(1, alarms=((3, "NOSPACE"),)), TWO, THREE)
    assert found["e"].summary == "etcd has an ALARM: NOSPACE on pg-3"
    assert judged(ONE, TWO, THREE)["e"].observed["leader"] == "pg-2"
    assert judged(ONE, REFUSED, REFUSED)["e"].summary == "etcd QUORUM LOST: Only 1/3 nodes healthy"


def test_an_election_is_asked_again() -> None:
    unsettled = JUDGES["etcd"].unsettled
    assert unsettled(CHECK, observed(blind(1), TWO, THREE))
    assert not unsettled(CHECK, observed(ONE, TWO, SILENT))
