"""Each outcome of a web server's check: its status, its body, its certificate, its pace."""

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
from seen import NOW, said, verdicts
from servers import REFUSED, SILENT, cluster, healthy, no

from quorate.model import Check, CheckObservation, NoReply, Reason, Verdict
from quorate.model.http import HttpFacts

URL = "https://192.0.2.210:8081/health"
DAY = 86400.0
PAGE = HttpFacts(status=200, contains=True, begins="'healthy'", duration=0.012)
SETTINGS = {
    "url": URL,
    "host": "192.0.2.210",
    "port": 8081,
    "status": (200,),
    "contains": "healthy",
    "slow": 2.0,
    "certificate": {"warning": 21 * DAY, "critical": 7 * DAY},
}


def judged(answer: HttpFacts | NoReply, **settings: object) -> Verdict:
    check = Check(name="web", kind="http", settings=MappingProxyType(SETTINGS | settings))
    seen = CheckObservation(answers={"web": answer}, addresses={"web": "192.0.2.210"})
    return verdicts(cluster(check), healthy(), checks={"web": seen})["web"]


def ending(**left: float) -> HttpFacts:
    return replace(PAGE, certificate_ends=NOW + timedelta(**left))


def test_all_well() -> None:
    found = judged(PAGE)
    assert said(found) == "OK ok"
    assert found.summary == f"web answers 200 at {URL} (in 12 ms)"
    assert found.observed == {"status": "healthy", "code": 200, "latency_ms": 12.0}
    assert found.expected == {"code": [200], "contains": "healthy", "latency_ms": 2000.0}
    assert (found.kind, found.group, found.duration, found.detail) == ("http", "web", 0.012, None)


def test_a_good_certificate_is_told() -> None:
    found = judged(ending(days=80, hours=5))
    assert said(found) == "OK ok"
    assert found.summary == f"web answers 200 at {URL} (in 12 ms, its certificate ends in 80 days)"
    assert found.observed["certificate_days_left"] == 80
    assert found.observed["certificate_ends"] == "2026-03-22T17:00:00Z"


@pytest.mark.parametrize(
    ("left", "state", "days", "detail"),
    [
        ({"days": 21, "seconds": 1}, "OK ok", 21, None),
        ({"days": 21}, "WARNING certificate_expires", 21, "ends on 2026-01-22, in 21 days"),
        ({"days": 7, "seconds": 1}, "WARNING certificate_expires", 7, "ends on 2026-01-08, in 7 days"),
        ({"days": 7}, "CRITICAL certificate_expires", 7, "ends on 2026-01-08, in 7 days"),
        ({"days": 1, "hours": 1}, "CRITICAL certificate_expires", 1, "ends on 2026-01-02, in 1 day"),
        ({"hours": 23}, "CRITICAL certificate_expires", 0, "ends on 2026-01-02, in less than a day"),
        ({"seconds": 0}, "CRITICAL certificate_expired", 0, "ended on 2026-01-01"),
        ({"days": -3}, "CRITICAL certificate_expired", -3, "ended on 2025-12-29"),
    ],
)
def test_days_left(left: dict[str, float], state: str, days: int, detail: str | None) -> None:
    found = judged(ending(**left))
    assert (said(found), found.observed["certificate_days_left"]) == (state, days)
    assert found.detail == (detail and f"the certificate {detail}")


def test_days_left_are_shown_where_they_are_not_judged() -> None:
    found = judged(ending(days=-3), certificate=None)
    assert said(found) == "OK ok"
    assert found.summary == f"web answers 200 at {URL} (in 12 ms)"
    assert found.observed["certificate_days_left"] == -3


def test_an_unexpected_status() -> None:
    found = judged(replace(PAGE, status=503, contains=False, begins="'<html>'"))
    assert said(found) == "CRITICAL unexpected_status"
    assert found.summary == f"web got an UNEXPECTED STATUS from {URL}"
    assert found.detail == "status 503 in place of 200; the body begins with '<html>'"
    assert found.observed["code"] == 503
    assert said(judged(replace(PAGE, status=204), status=(200, 204))) == "OK ok"


def test_a_redirect_is_no_page() -> None:
    found = judged(HttpFacts(status=302, location="https://login.example.org/"), contains=None)
    assert said(found) == "CRITICAL unexpected_status"
    assert found.detail == "status 302 in place of 200, to https://login.example.org/"


def test_an_unexpected_body() -> None:
    found = judged(replace(PAGE, contains=False, begins="'unhealthy?'"))
    assert said(found) == "CRITICAL unexpected_body"
    assert found.detail == "the body does not contain 'healthy'; it begins with 'unhealthy?'"
    assert judged(replace(PAGE, contains=False, begins=None)).detail == (
        "the body does not contain 'healthy'; it is empty"
    )


@pytest.mark.parametrize("status", [401, 403])
def test_who_is_refused_knows_nothing_of_the_page(status: int) -> None:
    page = HttpFacts(status=status, contains=False, begins="'Invalid JWT token'")
    found = judged(page)
    assert said(found) == "UNKNOWN auth_failed"
    assert found.summary == f"web is NOT VERIFIED at {URL} (auth failed)"
    assert found.detail == f"status {status} in place of 200; the body begins with 'Invalid JWT token'"
    expected = judged(page, status=(200, status), contains=None)
    assert said(expected) == "OK ok"
    assert expected.summary == f"web answers {status} at {URL} (in 0.0 ms)"


def test_a_slow_answer() -> None:
    found = judged(replace(PAGE, duration=2.5))
    assert said(found) == "WARNING slow"
    assert found.summary == f"web is answered SLOWLY at {URL}"
    assert found.detail == "the answer took 2500 ms, more than 2000 ms"


def test_the_worst_leads_and_the_rest_is_told() -> None:
    found = judged(replace(ending(days=10), duration=2.5, status=500), contains=None)
    assert said(found) == "CRITICAL unexpected_status"
    assert found.detail == (
        "status 500 in place of 200; the body begins with 'healthy'; "
        "the certificate ends on 2026-01-11, in 10 days; the answer took 2500 ms, more than 2000 ms"
    )
    refused = judged(replace(ending(days=-1), status=401))
    assert said(refused) == "CRITICAL certificate_expired"
    assert (refused.detail or "").startswith("the certificate ended on 2025-12-31; status 401")


FAILURES = {
    Reason.CONNECT_FAILED: ("CRITICAL", f"web got NO ANSWER from {URL}"),
    Reason.TIMEOUT: ("CRITICAL", f"web got NO ANSWER in time from {URL}"),
    Reason.CERTIFICATE_INVALID: ("CRITICAL", f"web found a certificate that is NOT VALID at {URL}"),
    Reason.CERTIFICATE_EXPIRED: ("CRITICAL", f"web found an EXPIRED certificate at {URL}"),
    Reason.AUTH_FAILED: ("UNKNOWN", f"web is NOT VERIFIED at {URL} (auth failed)"),
    Reason.UNPARSABLE: ("UNKNOWN", f"web is NOT VERIFIED at {URL} (unparsable)"),
    Reason.SECRET_UNAVAILABLE: ("UNKNOWN", f"web is NOT VERIFIED at {URL} (secret unavailable)"),
    Reason.SWEEP_TIMEOUT: ("UNKNOWN", f"web is NOT VERIFIED at {URL} (sweep timeout)"),
    Reason.INTERNAL_ERROR: ("UNKNOWN", f"web is NOT VERIFIED at {URL} (internal error)"),
}


@pytest.mark.parametrize("reason", FAILURES)
def test_failures(reason: Reason) -> None:
    state, summary = FAILURES[reason]
    found = judged(no(reason, "its own words"))
    assert (said(found), found.summary, found.detail) == (f"{state} {reason}", summary, "its own words")
    status = "failed" if state == "CRITICAL" else "unknown"
    assert found.observed == {"status": status, "error": "its own words"}
    assert found.failure_type == "CRITICAL_WEB_FAILURE"


def test_silence_and_refusal_are_both_critical_while_others_answer() -> None:
    assert (said(judged(SILENT)), said(judged(REFUSED))) == ("CRITICAL timeout", "CRITICAL connect_failed")
