"""A cluster's verdict and its members': what each says, and who carries the state."""

from seen import said, verdicts
from servers import NODES, REFUSED, SILENT, UP, Answer, answers, broker, cluster, healthy, no

from quorate.model import Check, Reason, Verdict

SECRET = no(Reason.SECRET_UNAVAILABLE, "the password can't be had: $MQ_PASSWORD is not set", answered=False)
LOGIN = no(Reason.AUTH_FAILED, "ACCESS_REFUSED - Login was refused")
LATE = no(Reason.SWEEP_TIMEOUT, "the sweep's time ended before the answer came", answered=False)


def judged(*given: Answer, check: Check | None = None) -> dict[str, Verdict]:
    """Return the verdicts of a check without a unit to look at, so that nothing explains them."""
    check = check or broker()
    found = verdicts(cluster(check), healthy(), checks=answers(check, *given))
    return {i: v for i, v in found.items() if i.partition("/")[0] == "mq"}


def words(*given: Answer, check: Check | None = None) -> dict[str, str]:
    return {i: said(v) for i, v in judged(*given, check=check).items()}


def test_all_well() -> None:
    found = judged(UP, UP, UP)
    assert list(found) == ["mq", "mq/rabbit-1", "mq/rabbit-2", "mq/rabbit-3"]
    assert {said(v) for v in found.values()} == {"OK ok"}
    assert found["mq"].summary == "RabbitMQ has all its nodes: 3/3 nodes healthy"
    assert found["mq"].observed == {
        "status": "healthy",
        "healthy_nodes": 3,
        "total": 3,
        "nodes": [{"node": name, "status": "healthy"} for name in NODES],
    }
    member = found["mq/rabbit-2"]
    assert (member.group, member.host, member.kind, member.unit) == ("mq", "rabbit-2", "rabbitmq", None)
    assert member.summary == "rabbit-2 answers at 192.0.2.2:5672 (RabbitMQ 3.10.8)"
    assert member.observed["version"] == "3.10.8"


def test_one_of_three_is_missing() -> None:
    found = judged(UP, REFUSED, UP)
    assert said(found["mq"]) == "WARNING redundancy_lost"
    assert found["mq"].summary == "RabbitMQ has lost redundancy: 2/3 nodes healthy, missing rabbit-2"
    assert found["mq"].detail == "rabbit-2: connect failed (Connection refused)"
    assert found["mq"].observed["status"] == "degraded"
    assert said(found["mq/rabbit-2"]) == "WARNING connect_failed"
    assert said(found["mq/rabbit-3"]) == "OK ok"
    assert found["mq"].failure_type is None


def test_two_of_three_are_missing() -> None:
    found = judged(REFUSED, UP, SILENT)
    assert said(found["mq"]) == "CRITICAL quorum_lost"
    assert found["mq"].summary == "RabbitMQ QUORUM LOST: Only 1/3 nodes healthy"
    assert found["mq"].detail == (
        "rabbit-1: connect failed (Connection refused); rabbit-3: timeout (no answer within 5 s)"
    )
    assert found["mq"].observed["nodes"] == [
        {"node": "rabbit-1", "status": "failed", "error": "Connection refused"},
        {"node": "rabbit-2", "status": "healthy"},
        {"node": "rabbit-3", "status": "failed", "error": "no answer within 5 s"},
    ]
    assert (found["mq"].observed["status"], found["mq"].observed["healthy_nodes"]) == ("failed", 1)
    assert {said(v) for i, v in found.items() if "/" in i} == {
        "WARNING connect_failed",
        "OK ok",
        "WARNING timeout",
    }
    assert found["mq"].failure_type == "CRITICAL_MQ_FAILURE"


def test_a_login_that_all_refuse_proves_nothing_of_the_cluster() -> None:
    found = judged(LOGIN, LOGIN, LOGIN)
    assert said(found["mq"]) == "UNKNOWN auth_failed"
    assert found["mq"].summary == "RabbitMQ's quorum is NOT VERIFIED (auth failed)"
    assert found["mq"].detail == "ACCESS_REFUSED - Login was refused"
    assert said(found["mq/rabbit-1"]) == "WARNING auth_failed"


def test_a_missing_secret_is_told_once() -> None:
    found = judged(SECRET, SECRET, SECRET)
    assert {i: said(v) for i, v in found.items()} == {
        "mq": "UNKNOWN secret_unavailable",
        **{f"mq/{name}": "WARNING secret_unavailable < mq" for name in NODES},
    }
    assert found["mq"].detail == "the password can't be had: $MQ_PASSWORD is not set"
    assert found["mq/rabbit-1"].summary == "RabbitMQ on rabbit-1 is NOT VERIFIED (secret unavailable)"


def test_members_that_had_no_chance_are_unknown() -> None:
    assert words(UP, LATE, UP) == {
        "mq": "WARNING redundancy_lost",
        "mq/rabbit-1": "OK ok",
        "mq/rabbit-2": "UNKNOWN sweep_timeout",
        "mq/rabbit-3": "OK ok",
    }
    assert words(REFUSED, LATE, REFUSED)["mq"] == "CRITICAL quorum_lost"
    assert words(UP, UP, no(Reason.INTERNAL_ERROR))["mq/rabbit-3"] == "UNKNOWN internal_error"
    assert judged(UP, LATE, UP)["mq"].summary == (
        "RabbitMQ has its quorum, its redundancy is NOT VERIFIED: 2/3 nodes healthy, not verified rabbit-2"
    )
    assert judged(UP, LATE, UP)["mq"].detail == f"rabbit-2: sweep timeout ({LATE.detail})"
    assert judged(UP, LATE, REFUSED, check=broker(quorum=1))["mq"].summary == (
        "RabbitMQ has lost redundancy: 1/3 nodes healthy, missing rabbit-3, not verified rabbit-2"
    )
    assert judged(UP, LATE, REFUSED)["mq"].summary == (
        "RabbitMQ's quorum is NOT VERIFIED (sweep timeout): 1/3 nodes healthy"
    )


def test_small_clusters_and_a_quorum_that_is_set() -> None:
    assert words(UP, check=broker("rabbit-1")) == {"mq": "OK ok", "mq/rabbit-1": "OK ok"}
    assert words(SILENT, check=broker("rabbit-1"))["mq"] == "CRITICAL quorum_lost"
    two = broker("rabbit-1", "rabbit-2")
    assert words(UP, REFUSED, check=two)["mq"] == "CRITICAL quorum_lost"
    assert judged(UP, REFUSED, check=two)["mq"].summary == "RabbitMQ QUORUM LOST: Only 1/2 nodes healthy"
    one_is_enough = broker("rabbit-1", "rabbit-2", quorum=1)
    assert words(UP, REFUSED, check=one_is_enough)["mq"] == "WARNING redundancy_lost"


def test_the_longest_answer_is_the_duration_of_the_whole() -> None:
    assert judged(UP, REFUSED, UP)["mq"].duration == REFUSED.duration
