"""Each reason of a database's check, with its state, its words and its result."""

from dataclasses import replace

import pytest
from seen import said, verdicts
from servers import DAGS, REFUSED, SILENT, answers, cluster, database, healthy, no

from quorate.model import NoReply, PostgresReply, Reason, State, Verdict


def judged(answer: PostgresReply | NoReply, **settings: object) -> Verdict:
    check = database(**settings)
    return verdicts(cluster(check), healthy(), checks=answers(check, answer))["db"]


def test_a_database_that_answers() -> None:
    found = judged(DAGS)
    assert said(found) == "OK ok"
    assert found.summary == "db answers at 192.0.2.210:5000 (42 dags)"
    assert found.observed == {"status": "healthy", "value": 42, "dags": 42, "in_recovery": False}
    assert (found.kind, found.group, found.host, found.since) == ("postgresql", "db", None, None)
    assert (found.duration, found.failure_type, found.detail) == (0.02, None, None)


def test_another_query_has_a_value_and_no_dags() -> None:
    found = judged(replace(DAGS, value="red"), query="SELECT colour FROM state")
    assert found.summary == "db answers at 192.0.2.210:5000 (value red)"
    assert found.observed == {"status": "healthy", "value": "red", "in_recovery": False}
    assert "has no value" in judged(replace(DAGS, value=None), query="SELECT 1 WHERE false").summary


def test_a_write_that_went_through_is_told() -> None:
    found = judged(replace(DAGS, wrote=True), depth="write")
    assert found.summary == "db answers at 192.0.2.210:5000 and takes writes (42 dags)"
    assert found.observed["wrote"] is True


def test_an_ipv6_address_is_written_with_brackets() -> None:
    assert judged(DAGS, host="2001:db8::1").summary == "db answers at [2001:db8::1]:5000 (42 dags)"


FAILURES = {
    Reason.CONNECT_FAILED: ("CRITICAL", "db could NOT connect to 192.0.2.210:5000"),
    Reason.TIMEOUT: ("CRITICAL", "db got NO ANSWER in time from 192.0.2.210:5000"),
    Reason.QUERY_FAILED: ("CRITICAL", "db is answered at 192.0.2.210:5000, but its query FAILED"),
    Reason.READ_ONLY: ("CRITICAL", "db found a READ-ONLY server at 192.0.2.210:5000"),
    Reason.AUTH_FAILED: ("UNKNOWN", "db is NOT VERIFIED at 192.0.2.210:5000 (auth failed)"),
    Reason.SECRET_UNAVAILABLE: ("UNKNOWN", "db is NOT VERIFIED at 192.0.2.210:5000 (secret unavailable)"),
    Reason.UNSUPPORTED_KIND: ("UNKNOWN", "db is NOT VERIFIED at 192.0.2.210:5000 (unsupported kind)"),
    Reason.SWEEP_TIMEOUT: ("UNKNOWN", "db is NOT VERIFIED at 192.0.2.210:5000 (sweep timeout)"),
    Reason.INTERRUPTED: ("UNKNOWN", "db is NOT VERIFIED at 192.0.2.210:5000 (interrupted)"),
    Reason.INTERNAL_ERROR: ("UNKNOWN", "db is NOT VERIFIED at 192.0.2.210:5000 (internal error)"),
}


@pytest.mark.parametrize("reason", FAILURES)
def test_failures(reason: Reason) -> None:
    state, summary = FAILURES[reason]
    found = judged(no(reason, "FATAL: its own words"))
    assert (said(found), found.summary) == (f"{state} {reason}", summary)
    assert found.detail == "FATAL: its own words"
    status = "failed" if found.state is State.CRITICAL else "unknown"
    assert found.observed == {"status": status, "error": "FATAL: its own words"}
    assert found.failure_type == "CRITICAL_DB_FAILURE"


def test_a_standby_at_an_address_for_writing_is_critical() -> None:
    found = judged(replace(DAGS, in_recovery=True))
    assert said(found) == "CRITICAL read_only"
    assert found.observed == {"status": "failed", "value": 42, "dags": 42, "in_recovery": True}
    assert found.detail is not None
    assert "standby" in found.detail


def test_silence_and_refusal_are_both_critical_while_others_answer() -> None:
    assert said(judged(SILENT)) == "CRITICAL timeout"
    assert said(judged(REFUSED)) == "CRITICAL connect_failed"
