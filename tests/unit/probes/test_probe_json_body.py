"""What strangers send in place of JSON, and of the JSON that was meant, becomes one sentence."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.model import HttpAnswer, NoReply, Reason
from quorate.probes.json_body import (
    first_words,
    flag,
    items,
    json_list,
    json_object,
    maybe,
    number,
    objects,
    reading,
    section,
    text,
    whole_number,
)

NAMED = {"name": "a", "port": 1, "lag": 1.5, "up": True, "none": None, "of": {"b": 1}, "all": [1, {}]}


def why(body: bytes) -> str:
    found = json_object(HttpAnswer(status=200, body=body, duration=0.5), "GET /patroni")
    assert isinstance(found, NoReply), found
    assert (found.reason, found.answered, found.duration) == (Reason.UNPARSABLE, True, 0.5)
    assert found.detail.isprintable()
    assert len(found.detail) < 250
    return found.detail


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "GET /patroni: not JSON: it is empty"),
        (b" \n", "GET /patroni: not JSON: it is empty"),
        (
            b"<html>\r\n <h1>\x1b[2J</h1>",
            r"GET /patroni: not JSON: it begins with '<html> <h1>\x1b[2J</h1>'",
        ),
        (b'{"a": 1', "GET /patroni: not JSON: it begins with '{\"a\": 1'"),
        (b'{"a": 1} {}', "GET /patroni: not JSON: it begins with '{\"a\": 1} {}'"),
        (b"{'a': 1}", "GET /patroni: not JSON: it begins with \"{'a': 1}\""),
        (b"\xff\xfe{\0}\0", "GET /patroni: not JSON: it begins with '��{\\x00}\\x00'"),
        ('{"ä": 1}'.encode("latin-1"), "GET /patroni: not JSON: it begins with '{\"�\": 1}'"),
        (b'\xef\xbb\xbf{"a": 1}', "GET /patroni: not JSON: it begins with '\\ufeff{\"a\": 1}'"),
        (b"[1]", "GET /patroni: not an object but a list: it begins with '[1]'"),
        (b"null", "GET /patroni: not an object but null: it begins with 'null'"),
        (b'"a"', "GET /patroni: not an object but text: it begins with '\"a\"'"),
        (b"true", "GET /patroni: not an object but true or false: it begins with 'true'"),
        (b"-0.5", "GET /patroni: not an object but a number: it begins with '-0.5'"),
        (
            b'{"a": NaN}',
            "GET /patroni: not JSON ('NaN' is not a finite number): it begins with '{\"a\": NaN}'",
        ),
        (
            b"[-Infinity]",
            "GET /patroni: not JSON ('-Infinity' is not a finite number): it begins with '[-Infinity]'",
        ),
        (b"[1e999]", "GET /patroni: not JSON ('1e999' is not a finite number): it begins with '[1e999]'"),
    ],
)
def test_what_is_no_object(body: bytes, detail: str) -> None:
    assert why(body) == detail


def test_a_name_that_stands_twice() -> None:
    assert why(b'{"a": 1, "a": 1}').startswith(
        "GET /patroni: not JSON (the name 'a' stands twice in an object): it begins with "
    )


@pytest.mark.parametrize("body", [b"[" * 1_000_000, b'{"a":' * 500_000, b"[" * 100_000 + b"]" * 100_000])
def test_nesting_without_end(body: bytes) -> None:
    assert "nested too deeply" in why(body)


@pytest.mark.parametrize("size", [41, 4_000, 5_000, 1_000_000])
def test_numbers_without_end(size: int) -> None:
    assert f"a number of {size} digits" in why(b'{"a": ' + b"9" * size + b"}")


def test_half_a_surrogate_pair() -> None:
    assert why(rb'{"a": "\ud800"}') == r"""GET /patroni: not JSON: it begins with '{"a": "\\ud800"}'"""
    assert why(rb'{"\uDC00": 1}').startswith("GET /patroni: not JSON: ")
    assert json_object(rb'{"a": "\ud83d\ude00"}', "x") == {"a": "😀"}


def test_what_is_an_object_or_a_list() -> None:
    answer = HttpAnswer(status=503, body=json.dumps(NAMED).encode())
    assert json_object(answer, "x") == NAMED
    assert json_list(HttpAnswer(status=200, body=b"[1, 2]"), "x") == [1, 2]
    assert json_object(b'{"id": 14175622820633108451}', "x") == {"id": 14175622820633108451}
    found = json_list(b"{}", "x")
    assert isinstance(found, NoReply)
    assert found.detail == "x: not a list but an object: it begins with '{}'"


def test_no_answer_is_handed_through() -> None:
    reply = NoReply(reason=Reason.TIMEOUT, detail="no answer within 5 s")
    assert json_object(reply, "x") is reply
    assert json_list(reply, "x") is reply


def test_getters() -> None:
    assert text(NAMED, "name") == "a"
    assert whole_number(NAMED, "port") == 1
    assert (number(NAMED, "port"), number(NAMED, "lag")) == (1.0, 1.5)
    assert flag(NAMED, "up") is True
    assert section(NAMED, "of") == {"b": 1}
    assert items(NAMED, "all") == [1, {}]
    assert objects({"a": [{}, {"b": 1}]}, "a") == [{}, {"b": 1}]
    assert (maybe(text, NAMED, "none"), maybe(text, NAMED, "absent"), maybe(text, NAMED, "name")) == (
        None,
        None,
        "a",
    )


@pytest.mark.parametrize(
    ("getter", "value", "detail"),
    [
        (text, 1, "'k' is not text but a number: 1"),
        (text, None, "'k' is not text but null"),
        (text, [1], "'k' is not text but a list"),
        (whole_number, "1", "'k' is not a whole number but text: '1'"),
        (whole_number, True, "'k' is not a whole number but true or false"),
        (whole_number, 1.0, "'k' is not a whole number but a number: 1.0"),
        (number, "1.5", "'k' is not a number but text: '1.5'"),
        (number, False, "'k' is not a number but true or false"),
        (flag, 1, "'k' is not true or false but a number: 1"),
        (flag, "true", "'k' is not true or false but text: 'true'"),
        (section, [], "'k' is not an object but a list"),
        (items, {}, "'k' is not a list but an object"),
        (objects, [{}, 5], "'k[1]' is not an object but a number: 5"),
        (text, {"k": "x" * 500}, "'k' is not text but an object"),
        (section, "x" * 500, "'k' is not an object but text: '" + "x" * 40 + "…'"),
    ],
)
def test_what_a_getter_does_not_take(getter: Any, value: object, detail: str) -> None:
    found = reading("GET /cluster", lambda: getter({"k": value}, "k"))
    assert isinstance(found, NoReply)
    assert found == NoReply(reason=Reason.UNPARSABLE, detail=f"GET /cluster: {detail}", answered=True)
    if value is not None:
        wrong = reading("x", lambda: maybe(getter, {"k": value}, "k"))
        assert isinstance(wrong, NoReply)


def test_what_is_not_there() -> None:
    found = reading("GET /cluster", lambda: text({}, "role"))
    assert isinstance(found, NoReply)
    assert found.detail == "GET /cluster: has no 'role'"


def test_only_what_is_wrong_with_the_answer_is_caught() -> None:
    with pytest.raises(ValueError, match="ours"):
        reading("x", _fail)


def _fail() -> None:
    raise ValueError("a fault of ours")


def test_first_words_are_one_short_line() -> None:
    assert first_words(b"a\r\n\tb  c") == "'a b c'"
    assert first_words(b"x" * 500) == f"'{'x' * 80}…'"
    assert first_words("é" * 10, 3) == "'ééé…'"


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    found = json_object(body, "x")
    assert isinstance(found, dict | NoReply)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_any_object_is_read_as_it_is_or_refused(value: dict[str, Any]) -> None:
    found = json_object(json.dumps(value).encode(), "x")
    if isinstance(found, NoReply):
        assert "Infinity" in found.detail or "inf" in json.dumps(value).lower()
    else:
        assert found == value
