"""A RabbitMQ cluster whose nodes say themselves who is in it: what real ones said, and what they might."""

from typing import Any

import pytest
from brokers import (
    ALL,
    CASES,
    ONE,
    THREE,
    TWO,
    judged,
    managed,
    recorded,
    sees,
    unsettled,
    whole,
    words,
)
from seen import said
from servers import NODES, REFUSED, SILENT, UP, Answer, broker, no

from quorate.checks.kinds import JUDGES
from quorate.model import CheckObservation, NoReply, Reason
from quorate.model.rabbitmq import ManagementFacts, RabbitAlarm, RabbitNode

LOGIN = no(Reason.AUTH_FAILED, "the user is refused (status 401)")
LATE = no(Reason.SWEEP_TIMEOUT, "the sweep's time ended before the answer came", answered=False)
WELL = [UP, UP, UP]
WITHOUT_THREE = [UP, UP, REFUSED]


def test_all_well() -> None:
    found = judged(WELL, recorded("nominal"))
    assert list(found) == ["mq", "mq/rabbit-1", "mq/rabbit-2", "mq/rabbit-3"]
    assert {said(v) for v in found.values()} == {"OK ok"}
    assert found["mq"].summary == "RabbitMQ has all its nodes: 3/3 nodes healthy"
    assert found["mq"].observed["sides"] == [list(NODES)]
    assert (found["mq"].observed["alarms"], found["mq"].observed["queues_critical"]) == ([], 0)
    member = found["mq/rabbit-2"]
    assert member.summary == "rabbit-2 answers at 192.0.2.2:5672 (RabbitMQ 3.10.8)"
    assert (member.observed["node"], member.observed["running"]) == (TWO, sorted(ALL))
    assert found["mq"].duration == 0.02
    assert not unsettled(WELL, recorded("nominal"))


def test_a_real_partition() -> None:
    found = judged(WELL, recorded("partitioned"))
    assert [said(v) for v in found.values()] == [
        "CRITICAL partitioned [queues_critical]",
        "OK ok [queues_critical]",
        "OK ok [queues_critical]",
        "WARNING partitioned < mq",
    ]
    assert found["mq"].summary == (
        "RabbitMQ is PARTITIONED: rabbit-1, rabbit-2 on one side; rabbit-3 on the other"
    )
    assert found["mq/rabbit-3"].detail == (
        "it sees rabbit@rabbit-3 running; rabbit-1, rabbit-2 see rabbit@rabbit-1, rabbit@rabbit-2"
    )
    assert found["mq"].observed["status"] == "failed"
    assert unsettled(WELL, recorded("partitioned"))


def test_a_real_memory_alarm() -> None:
    found = judged(WELL, recorded("memory-alarm"))
    assert [said(v) for v in found.values()] == ["CRITICAL alarm", "WARNING alarm < mq", "OK ok", "OK ok"]
    assert found["mq"].summary == "RabbitMQ has an ALARM, and keeps publishers waiting: memory on rabbit-1"
    assert found["mq"].observed["alarms"] == ["rabbit-1: memory"]
    assert not unsettled(WELL, recorded("memory-alarm"))


def test_a_real_node_that_is_stopped() -> None:
    found = judged(WITHOUT_THREE, recorded("app-stopped"))
    assert [said(v) for v in found.values()] == [
        "WARNING redundancy_lost [queues_critical]",
        "OK ok [queues_critical]",
        "OK ok [queues_critical]",
        "WARNING connect_failed",
    ]
    assert found["mq"].summary == "RabbitMQ has lost redundancy: 2/3 nodes healthy, missing rabbit-3"
    assert "would lose their quorum with one more node: celery_delayed_14" in (found["mq"].detail or "")
    assert found["mq"].observed["queues_critical"] == 12
    assert not unsettled(WITHOUT_THREE, recorded("app-stopped"))


def test_a_real_node_that_is_drained_by_a_version_that_does_not_tell() -> None:
    found = judged(WITHOUT_THREE, recorded("node-drained"))
    assert [said(v) for v in found.values()] == [
        "WARNING in_maintenance [maintenance_inferred queues_critical]",
        "OK ok [queues_critical]",
        "OK ok [queues_critical]",
        "WARNING in_maintenance [maintenance_inferred]",
    ]
    assert found["mq"].summary == "RabbitMQ is IN MAINTENANCE on rabbit-3: 2/3 nodes healthy"
    assert found["mq/rabbit-3"].detail == (
        "the other nodes see it running, and it refuses clients and its management API:"
        " it is drained, or something before it refuses (Connection refused)"
    )
    assert found["mq/rabbit-3"].observed["error"] == found["mq/rabbit-3"].detail
    assert unsettled(WITHOUT_THREE, recorded("node-drained")), "a node that just died looks like it"


def test_a_real_cluster_of_which_nobody_is_left() -> None:
    nobody: list[Answer] = [REFUSED, REFUSED, REFUSED]
    found = judged(nobody, recorded("minority-pauses"))
    assert [said(v) for v in found.values()] == ["CRITICAL quorum_lost", *["WARNING connect_failed"] * 3]
    assert found["mq"].summary == "RabbitMQ QUORUM LOST: Only 0/3 nodes healthy"
    assert not unsettled(nobody, recorded("minority-pauses"))


def test_a_node_that_says_that_it_is_drained() -> None:
    drained = {THREE: RabbitNode(name=THREE, running=True, drained=True)}
    lists = [*whole("rabbit-1", "rabbit-2", but=drained), SILENT]
    found = judged([UP, UP, SILENT], lists)
    assert [said(v) for v in found.values()][::3] == ["WARNING in_maintenance", "WARNING in_maintenance"]
    assert found["mq/rabbit-3"].detail == "it is drained, and takes no login: no answer within 5 s"
    assert words(WELL, whole(but=drained))[3] == "WARNING in_maintenance"
    assert not unsettled(WELL, whole(but=drained))


def test_maintenance_of_so_many_that_the_quorum_is_lost() -> None:
    drained = {name: RabbitNode(name=name, running=True, drained=True) for name in (TWO, THREE)}
    found = words([UP, REFUSED, REFUSED], [*whole("rabbit-1", but=drained), REFUSED, REFUSED])
    assert found[0] == "CRITICAL quorum_lost [in_maintenance]"


def test_a_missing_member_leads_over_one_in_maintenance() -> None:
    drained = {THREE: RabbitNode(name=THREE, running=True, drained=True)}
    one = sees(ONE, ONE, THREE, but=drained)
    found = judged([UP, SILENT, REFUSED], [one, SILENT, REFUSED], managed(quorum=1))
    assert said(found["mq"]) == "WARNING redundancy_lost [in_maintenance]"
    assert found["mq"].summary.endswith("missing rabbit-2, rabbit-3")


def test_a_node_that_just_died_is_no_maintenance() -> None:
    refuses_only_clients = [*whole("rabbit-1", "rabbit-2"), SILENT]
    assert words(WITHOUT_THREE, refuses_only_clients)[3] == "WARNING connect_failed"
    assert words([UP, UP, SILENT], [*whole("rabbit-1", "rabbit-2"), REFUSED])[3] == "WARNING timeout"


def test_queues_that_hang_by_one_node() -> None:
    lists = [*whole("rabbit-1", "rabbit-2"), *whole("rabbit-3", queues=("default", "cards"))]
    found = judged(WELL, lists)
    assert [said(v) for v in found.values()] == [
        "WARNING queues_critical",
        "OK ok",
        "OK ok",
        "OK ok [queues_critical]",
    ]
    assert found["mq"].summary == "RabbitMQ has 2 queues that HANG BY ONE NODE: default, cards"
    assert found["mq"].observed["healthy_nodes"] == 3
    many = judged(WELL, [*whole("rabbit-1", "rabbit-2"), *whole("rabbit-3", queues=tuple("abcdefghijklm"))])
    assert many["mq"].summary.endswith("a, b, c, d, e, f, g, h, i, j and 3 more")
    one = judged(WELL, [*whole("rabbit-1", "rabbit-2"), *whole("rabbit-3", queues=("default",))])
    assert one["mq"].summary == "RabbitMQ has 1 queue that HANGS BY ONE NODE: default"


def test_partitions_that_a_node_reports() -> None:
    apart = {ONE: RabbitNode(name=ONE, running=True, partitions=(THREE,))}
    found = judged(WELL, [*whole("rabbit-1", but=apart), *whole("rabbit-2", "rabbit-3")])
    assert [said(v) for v in found.values()] == [
        "CRITICAL partitioned",
        "WARNING partitioned < mq",
        "OK ok",
        "OK ok",
    ]
    assert found["mq"].summary == "RabbitMQ is PARTITIONED: rabbit-1 parted from rabbit-3"
    assert unsettled(WELL, [*whole("rabbit-1", but=apart), *whole("rabbit-2", "rabbit-3")])


def test_lists_of_which_none_is_the_greatest() -> None:
    lists = [sees(ONE, ONE, TWO), sees(TWO, TWO, THREE), sees(THREE, ONE, THREE)]
    assert words(WELL, lists) == ["CRITICAL partitioned", *["WARNING partitioned < mq"] * 3]
    assert judged(WELL, lists)["mq"].summary == (
        "RabbitMQ is PARTITIONED: rabbit-1 with rabbit-1, rabbit-2; rabbit-2 with rabbit-2, rabbit-3;"
        " rabbit-3 with rabbit-1, rabbit-3"
    )
    alone = [sees(node, node) for node in (ONE, TWO, THREE)]
    assert judged(WELL, alone)["mq"].summary == (
        "RabbitMQ is PARTITIONED: rabbit-1 on one side; rabbit-2 on another; rabbit-3 on another"
    )
    two = managed("rabbit-1", "rabbit-2")
    assert words([UP, UP], [sees(ONE, ONE), sees(TWO, TWO)], two)[0] == "CRITICAL partitioned"


def test_a_partition_leads_over_an_alarm_and_a_lost_quorum() -> None:
    alarm = (RabbitAlarm(node=THREE, resource="disk"),)
    lists = [sees(ONE, ONE), REFUSED, sees(THREE, THREE, alarms=alarm)]
    assert words([UP, REFUSED, UP], lists)[0] == "CRITICAL partitioned"
    lists = [sees(ONE, ONE, alarms=alarm), REFUSED, REFUSED]
    found = judged([UP, REFUSED, REFUSED], lists)
    assert said(found["mq"]) == "CRITICAL alarm"
    assert found["mq"].summary.endswith("disk on rabbit-3")


def test_a_node_that_left_and_is_a_cluster_of_its_own() -> None:
    lists = [*(sees(name, ONE, TWO, of=(ONE, TWO)) for name in (ONE, TWO)), sees(THREE, THREE, of=(THREE,))]
    found = judged(WELL, lists)
    assert said(found["mq"]) == "CRITICAL partitioned"
    assert said(found["mq/rabbit-3"]) == "WARNING not_a_member"
    assert found["mq/rabbit-3"].detail == (
        "it sees rabbit@rabbit-3 running, and rabbit-1, rabbit-2 do not list rabbit@rabbit-3"
    )


def test_a_login_is_no_proof_where_the_others_do_not_see_the_node() -> None:
    lists = [sees(ONE, ONE, TWO), sees(TWO, ONE, TWO), SILENT]
    found = judged(WELL, lists)
    assert [said(v) for v in found.values()] == [
        "WARNING redundancy_lost",
        "OK ok",
        "OK ok",
        "WARNING not_a_member",
    ]
    assert found["mq/rabbit-3"].detail == "rabbit-1, rabbit-2 do not see rabbit@rabbit-3 running"
    assert unsettled(WELL, lists)


def test_another_node_in_a_members_place() -> None:
    lists = [*whole("rabbit-1", "rabbit-2"), sees(ONE, *ALL)]
    found = judged(WELL, lists)
    assert [said(v) for v in found.values()][3] == "WARNING not_a_member"
    assert found["mq/rabbit-3"].detail == "it answers as rabbit@rabbit-1, which is rabbit-1"
    declared = managed(nodes={"rabbit-3": {"node": "rabbit@mq3"}})
    found = judged(WELL, whole(), declared)
    assert found["mq/rabbit-3"].detail == "it answers as rabbit@rabbit-3, and is declared as rabbit@mq3"


def test_nodes_by_other_names() -> None:
    names = ("hare@a", "hare@b", "rabbit@rabbit-3.example.org")
    lists = [sees(name, *names, of=names) for name in names[:2]]
    # Whoever says its name goes by it; of the third it is known by the others' lists.
    assert words(WELL, [*lists, sees("", *names, of=names, node=None)]) == ["OK ok"] * 4
    declared = managed(nodes={"rabbit-3": {"node": "hare@c"}})
    of = ("hare@a", "hare@b", "hare@c")
    assert words(WELL, [*(sees(n, *of, of=of) for n in of[:2]), LATE], declared)[3].startswith("OK ok")


def test_a_management_api_that_does_not_answer_turns_no_member_red() -> None:
    for failure in (LOGIN, SILENT, LATE, REFUSED):
        found = judged(WELL, [*whole("rabbit-1", "rabbit-2"), failure])
        assert [said(v) for v in found.values()] == [
            "OK ok [management_unverified]",
            "OK ok",
            "OK ok",
            "OK ok [management_unverified]",
        ]
        assert failure.detail in (found["mq/rabbit-3"].detail or "")
        assert found["mq"].observed["unverified"] == ["rabbit-3"]


@pytest.mark.parametrize(
    ("lists", "reason"),
    [
        ([LOGIN, LOGIN, LOGIN], "auth_failed"),
        ([SILENT, SILENT, SILENT], "timeout"),
        ([LOGIN, REFUSED, LOGIN], "connect_failed"),
        ([LATE, LATE, LATE], "sweep_timeout"),
        ([ManagementFacts(nodes=LOGIN, alarms=())] * 3, "auth_failed"),
    ],
)
def test_where_nobody_shows_a_list_logins_prove_no_cluster(lists: list[Any], reason: str) -> None:
    found = judged(WELL, lists)
    assert said(found["mq"]) == f"UNKNOWN {reason} [management_unverified]"
    assert {said(v) for i, v in found.items() if "/" in i} == {"OK ok [management_unverified]"}
    assert found["mq"].summary == (
        f"RabbitMQ's cluster is NOT VERIFIED ({reason.replace('_', ' ')}): 3/3 nodes take logins"
    )
    assert (found["mq"].detail or "").startswith("no management API could be asked: ")
    assert not unsettled(WELL, lists)


def test_an_alarm_is_told_even_where_no_list_is() -> None:
    facts = ManagementFacts(nodes=LOGIN, alarms=(RabbitAlarm(node=TWO, resource="memory"),))
    found = words(WELL, [facts, SILENT, SILENT])
    assert found[0].startswith("CRITICAL alarm")
    assert found[2] == "WARNING alarm < mq"


def test_what_no_node_tells_is_noted() -> None:
    silent = {name: RabbitNode(name=name, running=True) for name in ALL}
    assert words(WELL, whole(but=silent, alarms=None, queues=None))[0] == "OK ok [alarms_unverified]"
    assert words(WELL, whole(alarms=SILENT, queues=SILENT))[0] == "OK ok [queues_unverified]"


def test_logins_are_judged_as_without_management() -> None:
    secret = no(Reason.SECRET_UNAVAILABLE, "the password can't be had", answered=False)
    assert words([secret] * 3, [secret] * 3) == [
        "UNKNOWN secret_unavailable",
        *["WARNING secret_unavailable < mq"] * 3,
    ]
    refused = no(Reason.AUTH_FAILED, "ACCESS_REFUSED - Login was refused")
    assert words([refused] * 3, [LOGIN] * 3) == ["UNKNOWN auth_failed", *["WARNING auth_failed"] * 3]
    assert words([UP, LATE, UP], whole())[2] == "UNKNOWN sweep_timeout"


def test_publishers_that_wait_are_explained_by_the_alarm() -> None:
    alarm = (RabbitAlarm(node=ONE, resource="memory"),)
    deep = managed(depth="round_trip")
    waiting: list[Answer] = [SILENT, SILENT, SILENT]
    assert words(waiting, whole(alarms=alarm), deep) == ["CRITICAL alarm", *["WARNING timeout < mq"] * 3]
    assert words(waiting, whole(alarms=alarm))[1] == "WARNING timeout"


def test_without_a_management_section_nothing_is_asked_again() -> None:
    seen = CheckObservation(answers=dict(zip(NODES, WITHOUT_THREE, strict=True)))
    assert not JUDGES["rabbitmq"].unsettled(broker(), seen)


def test_the_recordings_have_no_answers_that_could_not_be_read() -> None:
    for file in CASES.glob("*.json"):
        for found in recorded(file.stem):
            assert isinstance(found, NoReply) or isinstance(found.nodes, tuple)
