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
            "CRITICAL quorum_lost",
            "WARNING no_leader < e",
            "WARNING connect_failed",
            "WARNING connect_failed",
        ],
    ),
    "all answer, and elect for ever": (
        (blind(1), blind(2), blind(3)),
        ["CRITICAL no_leader", *["WARNING no_leader < e"] * 3],
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
        ["WARNING redundancy_lost", "OK ok", "OK ok", "WARNING not_a_member"],
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
        ["OK ok [members_unverified]", "OK ok", "OK ok", "OK ok [members_unverified]"],
    ),
    "nobody lets us in": ((LOGIN, LOGIN, LOGIN), ["UNKNOWN auth_failed", *["WARNING auth_failed"] * 3]),
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
