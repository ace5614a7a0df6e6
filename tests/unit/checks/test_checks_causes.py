"""What explains a failed check, and what does not although it is near."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from seen import FAILED, RESTS, Look, look, said, unreachable, verdicts
from servers import (
    DAGS,
    DB_VIP,
    NODES,
    PATRONI,
    RABBIT,
    REFUSED,
    SILENT,
    UP,
    Answer,
    answers,
    broker,
    cluster,
    database,
    healthy,
    no,
)

from quorate.checks.finding import NOT_TRIED
from quorate.model import Check, Group, NoReply, Reason, Secret

LOGIN, QUERY = no(Reason.AUTH_FAILED), no(Reason.QUERY_FAILED)
MQ_1, MQ_2 = "rabbitmq/rabbit-1/rabbitmq-server", "rabbitmq/rabbit-2/rabbitmq-server"


def down(host: str, **more: object) -> Look:
    return unreachable(host, (RABBIT,), vip=False, **more)


def stopped(host: str) -> Look:
    return look(host, {RABBIT: RESTS})


def words(looks: Sequence[Look], *given: Answer, check: Check) -> Mapping[str, str]:
    found = verdicts(cluster(check), looks, checks=answers(check, *given))
    return {i: said(v) for i, v in found.items() if v.group == check.name}


def test_member_on_a_host_that_is_down() -> None:
    assert words(healthy(down("rabbit-2")), UP, SILENT, UP, check=broker()) == {
        "mq": "WARNING redundancy_lost < host/rabbit-2",
        "mq/rabbit-1": "OK ok",
        "mq/rabbit-2": "WARNING timeout < host/rabbit-2",
        "mq/rabbit-3": "OK ok",
    }


def test_member_whose_unit_is_stopped() -> None:
    found = words(healthy(stopped("rabbit-1"), stopped("rabbit-2")), REFUSED, REFUSED, UP, check=broker())
    assert found["mq"] == f"CRITICAL quorum_lost < {MQ_1}"
    assert found["mq/rabbit-2"] == f"WARNING connect_failed < {MQ_2}"


SPOKE = no(Reason.CONNECT_FAILED, "FATAL: sorry, too many clients already")


@pytest.mark.parametrize("answer", [REFUSED, SPOKE, no(Reason.TIMEOUT, "connected, then silent")])
def test_whatever_answered_was_reached_so_no_way_to_it_explains_the_failure(answer: Answer) -> None:
    member = words(healthy(down("rabbit-2")), UP, answer, UP, check=broker())
    assert member["mq/rabbit-2"] == f"WARNING {answer_reason(answer)}"
    assert member["mq"] == "WARNING redundancy_lost"
    for instead, host in (
        (look("proxy-1", {"lsyncd.service": RESTS}, vip=False, address=DB_VIP), DB_VIP),
        (unreachable("proxy-1", PROXY), DB_VIP),
        (unreachable("pg-1", (PATRONI,), vip=False), "192.0.2.4"),
    ):
        found = words(healthy(instead), answer, check=database(host=host))
        assert found["db"] == f"CRITICAL {answer_reason(answer)}"


def answer_reason(answer: Answer) -> Reason:
    assert isinstance(answer, NoReply)
    return answer.reason


def test_one_member_without_a_cause_leaves_the_whole_without_one() -> None:
    found = words(healthy(stopped("rabbit-1")), REFUSED, SILENT, UP, check=broker())
    assert found["mq/rabbit-1"] == f"WARNING connect_failed < {MQ_1}"
    assert found["mq/rabbit-2"] == "WARNING timeout"
    assert found["mq"] == "CRITICAL quorum_lost"


def test_a_unit_that_runs_explains_nothing() -> None:
    assert words(healthy(), UP, REFUSED, UP, check=broker())["mq/rabbit-2"] == "WARNING connect_failed"


def test_a_unit_that_could_not_be_asked_explains_nothing() -> None:
    strange = down("rabbit-2", reason=Reason.SSH_AUTH_FAILED, answered=True)
    assert words(healthy(strange), UP, REFUSED, UP, check=broker())["mq/rabbit-2"] == "WARNING connect_failed"


def test_a_host_that_is_down_does_not_explain_a_member_that_listens_elsewhere() -> None:
    elsewhere = broker(addresses={"rabbit-2": "192.0.2.99"})
    found = words(healthy(down("rabbit-2")), UP, SILENT, UP, check=elsewhere)
    assert found["mq/rabbit-2"] == "WARNING timeout"


@pytest.mark.parametrize("answer", [LOGIN, QUERY])
def test_refusals_of_the_service_itself_have_no_cause(answer: Answer) -> None:
    assert " < " not in words(healthy(stopped("rabbit-2")), UP, answer, UP, check=broker())["mq/rabbit-2"]
    nobody = look("proxy-1", {"lsyncd.service": RESTS}, vip=False, address=DB_VIP)
    assert " < " not in words(healthy(nobody), answer, check=database())["db"]


def test_quorum_that_is_unknown_has_no_cause_in_its_members() -> None:
    late = no(Reason.SWEEP_TIMEOUT, answered=False)
    found = words(healthy(down("rabbit-2")), UP, SILENT, late, check=broker())
    assert found["mq"] == "UNKNOWN sweep_timeout"


PROXY = ("lsyncd.service",)
VIPS = {
    "nobody holds it": (
        [look("proxy-1", {PROXY[0]: RESTS}, vip=False, address=DB_VIP)],
        "CRITICAL timeout < haproxy/vip",
    ),
    "two hold it": (
        [look("proxy-2", {PROXY[0]: RESTS}, vip=True, address=DB_VIP)],
        "CRITICAL timeout < haproxy/vip",
    ),
    "its holder is not known": (
        [unreachable("proxy-1", PROXY)],
        "CRITICAL timeout < haproxy/vip",
    ),
    "one holds it": ([], "CRITICAL timeout"),
    "its holder is known, the other not": ([unreachable("proxy-2", PROXY)], "CRITICAL timeout"),
}


@pytest.mark.parametrize(("instead", "expected"), VIPS.values(), ids=VIPS)
def test_database_behind_a_virtual_ip(instead: list[Look], expected: str) -> None:
    assert words(healthy(*instead), SILENT, check=database())["db"] == expected


def test_causes_of_causes_are_followed() -> None:
    check = database()
    looks = healthy(unreachable("proxy-1", PROXY))
    found = verdicts(cluster(check), looks, checks=answers(check, SILENT))
    assert found["haproxy/vip"].caused_by == "host/proxy-1"


def test_database_on_a_host_of_its_own() -> None:
    check = database(host="192.0.2.4")  # pg-1
    gone = unreachable("pg-1", (PATRONI,), vip=False)
    assert words(healthy(gone), SILENT, check=check)["db"] == "CRITICAL timeout < host/pg-1"
    changed = unreachable("pg-1", (PATRONI,), reason=Reason.HOST_KEY_CHANGED, answered=True, vip=False)
    assert words(healthy(changed), SILENT, check=check)["db"] == "CRITICAL timeout"
    assert words(healthy(look("pg-1", {PATRONI: FAILED})), REFUSED, check=check)["db"] == (
        "CRITICAL connect_failed < postgresql/pg-1/patroni"
    )


def test_a_check_alone_names_no_cause_that_was_not_asked() -> None:
    check = broker()
    found = verdicts(cluster(check), [], whole=False, checks=answers(check, REFUSED, REFUSED, UP))
    assert [said(v) for v in found.values()][:2] == ["CRITICAL quorum_lost", "WARNING connect_failed"]


def lost(*given: Answer, check: Check, hosts: Sequence[Look] | None = None) -> dict[str, str]:
    """Return what is said where no host answered in any way."""
    every = (*NODES, "pg-1", "pg-2", "proxy-1", "proxy-2")
    units = dict.fromkeys(NODES, RABBIT) | {"pg-1": PATRONI, "pg-2": PATRONI}
    looks = hosts or [
        unreachable(name, (units.get(name, PROXY[0]),), vip=name.startswith("proxy")) for name in every
    ]
    found = verdicts(cluster(check), looks, checks=answers(check, *given))
    return {i: said(v) for i, v in found.items() if v.group == check.name or i == "monitor"}


def test_isolation_explains_the_checks_that_could_not_be_asked() -> None:
    assert lost(SILENT, SILENT, SILENT, check=broker()) == {
        "monitor": "UNKNOWN monitor_isolated",
        "mq": "UNKNOWN monitor_isolated < monitor",
        **{f"mq/{name}": "UNKNOWN monitor_isolated < monitor" for name in NODES},
    }
    assert lost(SILENT, check=database())["db"] == "UNKNOWN monitor_isolated < monitor"


def test_a_service_that_answers_from_outside_proves_that_the_monitor_is_not_isolated() -> None:
    for answer in (UP, REFUSED, LOGIN):
        found = lost(SILENT, answer, SILENT, check=broker())
        assert "monitor" not in found
        assert found["mq"].startswith("CRITICAL quorum_lost")
    assert "monitor" not in lost(DAGS, check=database())


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "127.3.2.1", "::ffff:127.0.0.1", "localhost", "LocalHost.localdomain"]
)
def test_a_service_of_this_machine_proves_nothing_and_is_judged_as_ever(address: str) -> None:
    assert lost(DAGS, check=database(host=address)) == {"monitor": "UNKNOWN monitor_isolated", "db": "OK ok"}
    assert lost(REFUSED, check=database(host=address))["db"] == "CRITICAL connect_failed"


def test_a_virtual_ip_that_this_machine_holds_itself_is_not_outside() -> None:
    check = database()
    looks = [
        unreachable(name, (RABBIT if name in NODES else PATRONI,), vip=False)
        for name in (*NODES, "pg-1", "pg-2")
    ]
    looks += [
        look("proxy-1", {PROXY[0]: RESTS}, vip=True, address=DB_VIP, remote=False),
        unreachable("proxy-2", PROXY),
    ]
    found = lost(DAGS, check=check, hosts=looks)
    assert found == {"monitor": "UNKNOWN monitor_isolated", "db": "OK ok"}
    elsewhere = [
        replace(seen, contact=replace(seen.contact, remote=True)) if seen.contact.failure is None else seen
        for seen in looks
    ]
    assert "monitor" not in lost(DAGS, check=check, hosts=elsewhere)


@pytest.mark.parametrize("reason", sorted(NOT_TRIED - {Reason.SECRET_UNAVAILABLE}))
def test_a_question_that_was_cut_off_proves_no_isolation(reason: Reason) -> None:
    late = no(reason, answered=False)
    assert "monitor" not in lost(SILENT, late, SILENT, check=broker())


def test_a_missing_secret_neither_proves_nor_hides_isolation() -> None:
    secret = no(Reason.SECRET_UNAVAILABLE, answered=False)
    found = lost(secret, check=database())
    assert found == {"monitor": "UNKNOWN monitor_isolated", "db": "UNKNOWN secret_unavailable"}


def test_a_monitor_without_names_did_not_see_what_it_knows_by_name_alone() -> None:
    unresolved = no(Reason.CONNECT_FAILED, "the name db.example is not resolved", answered=False)
    every = (*NODES, "pg-1", "pg-2", "proxy-1", "proxy-2")
    looks = [unreachable(name, (), reason=Reason.NAME_UNRESOLVED, vip=False) for name in every]
    bare = Group(name="spare", hosts=every)
    for host, expected in (
        ("db.example", "UNKNOWN name_unresolved < monitor"),
        ("192.0.2.77", "CRITICAL connect_failed"),
    ):
        check = database(host=host)
        inventory = replace(cluster(check), groups={"spare": bare})
        found = verdicts(inventory, looks, checks=answers(check, unresolved))
        assert said(found["monitor"]) == "UNKNOWN name_unresolved"
        assert said(found["db"]) == expected


def test_a_check_that_a_whole_sweep_did_not_ask_is_not_silently_well() -> None:
    check = Check(name="db", kind="postgresql", settings={"password": Secret(env="X")})
    assert said(verdicts(cluster(check), healthy())["db"]) == "UNKNOWN no_answer"
