"""Celery's workers: who answered, who is missing, which queues have nobody, and who could not be asked."""

from collections.abc import Mapping
from types import MappingProxyType

import pytest
from seen import said, verdicts
from servers import NODES, cluster, healthy, no

from quorate.checks.kinds import JUDGES
from quorate.model import CeleryReply, Check, CheckObservation, NoReply, Reason, Secret, Verdict

HOSTS = ("pg-1", "pg-2")
A, B = "celery@pg-1", "other@b"
BOTH = {A: ("default", "cards"), B: ("default",)}


def check(*queues: str) -> Check:
    settings = {
        "brokers": tuple(
            {"name": n, "address": f"192.0.2.{i}", "port": 5672} for i, n in enumerate(NODES, 1)
        ),
        "vhost": "airflow_host",
        "user": "u",
        "password": Secret(env="MQ"),
        "members": ({"name": "pg-1", "worker": A}, {"name": "pg-2", "worker": B}),
        "queues": queues,
        "timeout": 3.0,
    }
    return Check(
        name="workers", kind="celery", hosts=HOSTS, members=HOSTS, settings=MappingProxyType(settings)
    )


def heard(
    workers: Mapping[str, tuple[str, ...]], *, errors: tuple[str, ...] = (), unreadable: int = 0
) -> CeleryReply:
    return CeleryReply(workers=workers, without_queues=errors, unreadable=unreadable, duration=0.25)


def seen(answer: CeleryReply | NoReply) -> CheckObservation:
    return CheckObservation(answers={"workers": answer}, addresses={"workers": "192.0.2.1"})


def judged(answer: CeleryReply | NoReply, *queues: str) -> dict[str, Verdict]:
    of = check(*queues)
    found = verdicts(cluster(of), healthy(), checks={"workers": seen(answer)})
    return {i: v for i, v in found.items() if i.partition("/")[0] == "workers"}


def unsettled(answer: CeleryReply | NoReply, *queues: str) -> bool:
    return JUDGES["celery"].unsettled(check(*queues), seen(answer))


def test_all_workers_answer() -> None:
    found = judged(heard({**BOTH, "celery@elsewhere": ("x",)}), "default", "cards")
    assert list(found) == ["workers", "workers/pg-1", "workers/pg-2"]
    assert {said(v) for v in found.values()} == {"OK ok"}
    whole, first, second = found.values()
    assert whole.summary == "Celery has all its workers: 2/2 workers answer"
    assert whole.observed == {
        "status": "healthy",
        "answering": 2,
        "total": 2,
        "workers": [
            {"host": "pg-1", "status": "healthy", "worker": A, "queues": ["default", "cards"]},
            {"host": "pg-2", "status": "healthy", "worker": B, "queues": ["default"]},
        ],
        "undeclared": ["celery@elsewhere"],
    }
    assert whole.expected == {"answering": 2, "queues": ["default", "cards"]}
    assert (whole.detail, whole.duration) == (None, 0.25)
    assert first.summary == "worker on pg-1 answers (default, cards)"
    assert (second.host, second.kind, second.group) == ("pg-2", "celery", "workers")
    assert not unsettled(heard(BOTH), "default", "cards")


def test_a_worker_is_missing() -> None:
    found = judged(heard({A: ("default",), "celery@b": ("default",)}))
    assert [said(v) for v in found.values()] == ["WARNING redundancy_lost", "OK ok", "WARNING timeout"]
    whole, _, missing = found.values()
    assert whole.summary == "Celery has lost redundancy: 1/2 workers answer, missing pg-2"
    assert whole.detail == (
        "pg-2: other@b gave no answer within 3 s; others answered that are not declared: celery@b"
    )
    assert missing.summary == "worker on pg-2 does NOT ANSWER"
    assert missing.observed == {
        "status": "failed",
        "worker": B,
        "error": "other@b gave no answer within 3 s",
    }
    assert unsettled(heard({A: ("default",)}))


def test_no_worker_answers() -> None:
    found = judged(heard({}), "default")
    assert [said(v) for v in found.values()] == ["CRITICAL none_alive", *["WARNING timeout"] * 2]
    assert found["workers"].summary == "Celery has NO WORKER: 0/2 workers answer"
    assert found["workers"].observed["unserved"] == ["default"]
    assert unsettled(heard({}))


def test_workers_of_other_names_are_none_of_the_declared() -> None:
    found = judged(heard({f"celery@{n}": ("default",) for n in range(30)}), "default")
    assert said(found["workers"]) == "CRITICAL none_alive"
    assert len(found["workers"].observed["undeclared"]) == 20


@pytest.mark.parametrize(
    ("workers", "queues", "whole", "summary"),
    [
        (
            BOTH,
            ["cards", "x"],
            "CRITICAL queue_unserved",
            "Celery's queue has NO WORKER (x): 2/2 workers answer",
        ),
        (
            BOTH,
            ["x", "y"],
            "CRITICAL queue_unserved",
            "Celery's queues have NO WORKER (x, y): 2/2 workers answer",
        ),
        (
            {B: ("default",)},
            ["cards"],
            "CRITICAL queue_unserved",
            "Celery's queue has NO WORKER (cards): 1/2",
        ),
        (
            {A: (), B: ()},
            ["default"],
            "CRITICAL queue_unserved",
            "Celery's queue has NO WORKER (default): 2/2",
        ),
        ({**BOTH, "celery@else": ("x",)}, ["x"], "OK ok", "Celery has all its workers: 2/2 workers answer"),
        ({B: ("default",), "c@e": ("cards",)}, ["cards"], "WARNING redundancy_lost", "Celery has lost redun"),
        ({A: (), B: ()}, [], "OK ok", "Celery has all its workers: 2/2 workers answer"),
    ],
    ids=[
        "one",
        "two",
        "of-the-missing",
        "consumes-nothing",
        "of-another",
        "served-by-another",
        "not-asked-for",
    ],
)
def test_a_queue_that_nobody_consumes_from(
    workers: dict[str, tuple[str, ...]], queues: list[str], whole: str, summary: str
) -> None:
    found = judged(heard(workers), *queues)
    assert said(found["workers"]) == whole
    assert found["workers"].summary.startswith(summary)
    assert unsettled(heard(workers), *queues) is (whole != "OK ok")


def test_a_worker_without_a_queue_says_so() -> None:
    assert (
        judged(heard({A: (), B: ()}))["workers/pg-1"].summary
        == "worker on pg-1 answers (consumes from no queue)"
    )


def test_a_worker_that_answers_with_an_error_is_there() -> None:
    found = judged(heard({A: ("default",)}, errors=(B,)), "default")
    assert [said(v) for v in found.values()] == ["WARNING query_failed", "OK ok", "WARNING query_failed"]
    assert found["workers"].summary == "Celery's workers are NOT ALL HEALTHY (pg-2): 2/2 workers answer"
    assert found["workers/pg-2"].detail == "it answered with something else than its queues"
    assert not unsettled(heard({A: ("default",)}, errors=(B,)), "default")
    missing_too = judged(heard({}, errors=(B,)))
    assert said(missing_too["workers"]) == "WARNING redundancy_lost"


@pytest.mark.parametrize(
    ("reply", "whole"),
    [
        (heard({A: ("default",)}, errors=(B,)), "UNKNOWN query_failed"),
        (heard({A: ("default",), B: ()}, unreadable=1), "UNKNOWN unparsable"),
        (heard({}, unreadable=2), "UNKNOWN unparsable"),
        (heard({A: ("default",)}, errors=("celery@else",)), "UNKNOWN query_failed"),
    ],
    ids=["error", "unreadable", "nobody-readable", "error-of-another"],
)
def test_what_an_unread_answer_may_hold_is_not_called_missing(reply: CeleryReply, whole: str) -> None:
    assert said(judged(reply, "cards")["workers"]) == whole


def test_unread_answers_are_told() -> None:
    found = judged(heard({A: ("default",)}, unreadable=3))
    assert said(found["workers"]) == "WARNING redundancy_lost"
    assert (found["workers"].detail or "").endswith("; 3 answers could not be read")


@pytest.mark.parametrize(
    "reason",
    [
        *(Reason.CONNECT_FAILED, Reason.TIMEOUT, Reason.AUTH_FAILED, Reason.QUERY_FAILED, Reason.UNPARSABLE),
        *(Reason.SECRET_UNAVAILABLE, Reason.SWEEP_TIMEOUT, Reason.INTERNAL_ERROR, Reason.UNSUPPORTED_KIND),
    ],
)
def test_brokers_that_could_not_be_asked_say_nothing_of_workers(reason: Reason) -> None:
    answer = no(reason, "192.0.2.1:5672: said so")
    whole, *members = judged(answer, "default").values()
    assert said(whole) == f"UNKNOWN {reason}"
    assert [said(v) for v in members] == [f"UNKNOWN {reason} < workers"] * 2
    assert whole.summary == f"Celery's workers are NOT VERIFIED ({reason.value.replace('_', ' ')})"
    assert members[0].summary.startswith("worker on pg-1 is NOT VERIFIED (")
    assert (whole.detail, whole.observed["error"]) == ("192.0.2.1:5672: said so",) * 2
    assert (whole.observed["total"], whole.expected["answering"]) == (2, 2)
    assert not unsettled(answer, "default")
