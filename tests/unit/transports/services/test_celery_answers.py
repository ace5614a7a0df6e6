"""What workers say, out of bytes that strangers sent: who answered, with which queues, what is no answer."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.transports.celery_answers import Answers


def heard(*said: Any) -> Answers:
    answers = Answers()
    for each in said:
        answers.take(each if isinstance(each, bytes) else json.dumps(each).encode())
    return answers


def queues(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "exchange": {"name": name}, "routing_key": "s3cret"} for name in names]


def test_the_names_of_workers_and_queues_are_kept_and_nothing_else() -> None:
    answers = heard({"celery@a": queues("default", "cards")}, {"celery@b": []})
    assert answers.workers == {"celery@a": ("default", "cards"), "celery@b": ()}
    assert (answers.without_queues, answers.unreadable) == ((), 0)
    assert "s3cret" not in str(vars(answers))


def test_workers_of_one_name_are_one() -> None:
    answers = heard({"celery@a": queues("x")}, {"celery@a": queues("y", "x")}, {"celery@a": {"error": "e"}})
    assert answers.workers == {"celery@a": ("x", "y")}
    assert answers.without_queues == ()


@pytest.mark.parametrize(
    "said",
    [{"error": "KeyError('active_queues')"}, {}, None, 5, True, "queues", [[]], [{}], [{"name": None}]],
    ids=str,
)
def test_a_worker_that_says_something_else_than_its_queues_is_there(said: Any) -> None:
    answers = heard({"celery@a": said})
    assert (answers.workers, answers.without_queues, answers.unreadable) == ({}, ("celery@a",), 0)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"{",
        b"\xff",
        b"null",
        b"[]",
        b"7",
        b"NaN",
        b"{}",
        b'{"": []}',
        b'{"a": [], "b": []}',
        b"[" * 99_999,
        b"9" * 9_999,
    ],
    ids=lambda said: repr(said[:20]),
)
def test_what_nothing_can_be_made_of_is_counted(said: bytes) -> None:
    answers = heard(said, said, {"celery@a": queues("x")})
    assert (answers.workers, answers.unreadable) == ({"celery@a": ("x",)}, 2)


def test_what_is_too_long_or_no_json_is_counted() -> None:
    answers = Answers()
    answers.take(None)
    answers.take(b'{"celery@a": []}', "application/x-python-serialize")
    answers.take(b'{"celery@a": []}', None)
    assert (answers.workers, answers.unreadable) == ({}, 3)


def test_names_are_harmless_and_bounded() -> None:
    answers = heard({"celery@\x1b[31m\n\ud800" + "a" * 999: queues("\x07" + "q" * 999) * 2_000})
    ((worker, names),) = answers.workers.items()
    assert worker.startswith("celery@ / aaa")
    assert len(worker) <= 257
    assert [len(name) for name in names] == [257]


def test_all_have_answered_when_each_worker_and_each_queue_is_there() -> None:
    answers = heard({"celery@a": queues("x")}, {"celery@b": {"error": "e"}})
    assert answers.complete((), ())
    assert answers.complete(("celery@a", "celery@b"), ("x",))
    assert not answers.complete(("celery@a", "celery@c"), ())
    assert not answers.complete(("celery@a",), ("x", "y"))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary(max_size=40) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_an_answer_or_are_counted(said: bytes) -> None:
    answers = heard(said)
    assert len(answers.workers) + len(answers.without_queues) + answers.unreadable == 1
