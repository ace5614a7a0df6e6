"""What Airflow's API and its metadata database are asked, and what is read out of what they say."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_http import answer, page, reply

from quorate.inventory import parse_inventory
from quorate.model import (
    Check,
    HttpAnswer,
    HttpAsk,
    HttpLogin,
    HttpRequest,
    NoReply,
    PostgresAsk,
    PostgresReply,
    Reason,
)
from quorate.model.airflow import COMPONENTS, JOBS, AirflowBeat, AirflowJob, HealthFacts, JobsFacts
from quorate.probes.airflow import PROBE

DATE = "Mon, 23 Nov 2026 03:02:31 GMT"
DATABASE = "host: 192.0.2.210, port: 5000, database: airflow_db, user: u, password: {env: P}"


def check(keys: str = "url: 'http://192.0.2.210:8081', user: quorate, password: {env: P}") -> Check:
    text = f"hosts: {{web: 192.0.2.9}}\nchecks:\n  af: {{kind: airflow, {keys}}}\n"
    return parse_inventory(text, source="F").checks["af"]


def read(name: str, *given: HttpAnswer | NoReply | str) -> Any:
    return PROBE.read(check(), name, reply(*given))


def of_health(body: str | bytes, status: int = 200, **headers: str) -> Any:
    found = HttpAnswer(status=status, body=page(body).body, headers={"date": DATE, **headers})
    return read("af", found)


def of_jobs(body: str | bytes, status: int = 200, **headers: str) -> Any:
    found = HttpAnswer(status=status, body=page(body).body, headers={"date": DATE, **headers})
    return read(JOBS, found)


def of_table(value: Any) -> Any:
    return PROBE.read(check(DATABASE), "af", PostgresReply(value=value, in_recovery=False, duration=0.1))


def ages(facts: JobsFacts) -> list[tuple[str, str, str, float]]:
    return [(job.component, job.hostname, job.state, round(job.age or 0, 1)) for job in facts.jobs]


def test_the_api_is_asked_twice_the_second_time_with_a_login() -> None:
    asks = PROBE.questions(check(), {"password": 'hid"den'})
    assert asks.keys() == {"af", JOBS}
    health, jobs = asks["af"], asks[JOBS]
    assert isinstance(health, HttpAsk)
    assert isinstance(jobs, HttpAsk)
    assert (health.host, health.port, health.host_header) == ("192.0.2.210", 8081, "192.0.2.210:8081")
    assert health.login is None
    fresh = {"cache-control": "no-cache"}
    assert health.requests == (HttpRequest(path="/api/v2/monitor/health", headers=fresh),)
    assert jobs.requests == (
        HttpRequest(path="/api/v2/jobs?limit=100&order_by=-latest_heartbeat", headers=fresh),
    )
    body = jobs.login.request.body if jobs.login else None
    assert json.loads(body or "") == {"username": "quorate", "password": 'hid"den'}
    assert jobs.login == HttpLogin(
        request=HttpRequest(method="POST", path="/auth/token", body=body), token="access_token"
    )
    assert (jobs.user, jobs.password, jobs.secrets) == (None, None, ('hid"den',))
    assert 'hid"den' not in repr(jobs)
    assert "hid" not in repr(jobs)


def test_without_a_user_only_the_health_answer_is_asked_for() -> None:
    asks = PROBE.questions(check("url: 'https://web/airflow/', timeout: 2s"), {})
    (ask,) = asks.values()
    assert isinstance(ask, HttpAsk)
    assert ask.requests[0].path == "/airflow/api/v2/monitor/health"
    assert (ask.host, ask.port, ask.timeout, ask.tls and ask.tls.name) == ("192.0.2.9", 443, 2.0, "web")


def test_a_prefix_of_the_api() -> None:
    asks = PROBE.questions(check("url: 'http://web/a/b', user: u, password: {env: P}"), {"password": "x"})
    jobs = asks[JOBS]
    assert isinstance(jobs, HttpAsk)
    assert jobs.requests[0].path.startswith("/a/b/api/v2/jobs?")
    assert jobs.login is not None
    assert jobs.login.request.path == "/a/b/auth/token"


def test_the_database_is_asked_one_thing() -> None:
    (ask,) = PROBE.questions(check(f"{DATABASE}, max_age: 1m, timeout: 2s"), {"password": "hidden"}).values()
    assert isinstance(ask, PostgresAsk)
    assert (ask.host, ask.port, ask.database, ask.user) == ("192.0.2.210", 5000, "airflow_db", "u")
    assert (ask.password, ask.write) == ("hidden", False)
    assert tuple(ask.parameters) == (60.0, 86400.0)
    assert (ask.connect_timeout, ask.statement_timeout) == (2.0, 2.0)
    assert "%" not in ask.query  # it would be taken for a placeholder


def test_recorded_health_answers() -> None:
    found = read("af", "airflow/nominal.health.http")
    assert isinstance(found, HealthFacts)
    assert found.database
    assert found.components.keys() == set(COMPONENTS)
    assert all(beat.healthy and 0 < (beat.age or 0) < 12 for beat in found.components.values())
    found = read("af", "airflow/none-alive.health.http")
    assert {name: beat.healthy for name, beat in found.components.items()} == {
        "scheduler": False,
        "triggerer": True,
        "dag_processor": False,
    }
    assert round(found.components["scheduler"].age) == 73


def test_a_health_answer_shows_the_best_instance_alone() -> None:
    found = read("af", "airflow/scheduler-killed.health.http")
    assert found.components["scheduler"].healthy
    assert ages(read(JOBS, "airflow/scheduler-killed.jobs.http")) == [
        ("dag_processor", "nfs-1", "running", 8.6),
        ("triggerer", "scheduler-2", "running", 10.1),
        ("scheduler", "haproxy-1", "running", 11.6),
        ("scheduler", "scheduler-2", "running", 38.4),
    ]


def test_recorded_health_answer_without_the_database() -> None:
    found = read("af", "airflow/database-gone.health.http")
    nothing = AirflowBeat(healthy=False, age=None)
    assert found == HealthFacts(database=False, components=dict.fromkeys(COMPONENTS, nothing), duration=0.02)


def test_recorded_lists_of_jobs() -> None:
    found = read(JOBS, "airflow/nominal.jobs.http")
    assert ages(found) == [
        ("scheduler", "scheduler-2", "running", 3.4),
        ("scheduler", "haproxy-1", "running", 3.8),
        ("dag_processor", "nfs-1", "running", 4.0),
        ("triggerer", "scheduler-2", "running", 6.1),
    ]
    assert (found.left_out, found.standby, found.duration) == (0, False, 0.02)
    assert read(JOBS, "airflow/cut.jobs.http").left_out == 2
    stopped = read(JOBS, "airflow/none-alive.jobs.http")
    assert ("scheduler", "haproxy-1", "success", 40.7) in ages(stopped)


@pytest.mark.parametrize(
    ("name", "case", "reason", "detail"),
    [
        ("af", "no-api.health", Reason.UNHEALTHY, "the answer has the status 503, and begins with '<html>"),
        ("af", "web-page.health", Reason.UNPARSABLE, "not JSON: it begins with '<!doctype html>"),
        (JOBS, "not-authenticated.jobs", Reason.AUTH_FAILED, "the answer has the status 401"),
        (JOBS, "forbidden.jobs", Reason.AUTH_FAILED, "the answer has the status 403"),
    ],
)
def test_recorded_refusals(name: str, case: str, reason: Reason, detail: str) -> None:
    found = read(name, f"airflow/{case}.http")
    assert isinstance(found, NoReply)
    assert (found.reason, found.answered) == (reason, True)
    assert detail in found.detail
    assert len(found.detail) < 250


def test_the_body_of_a_health_answer_counts_and_not_its_status() -> None:
    body = answer("airflow/none-alive.health.http").body
    assert of_health(body, 503) == of_health(body)
    assert isinstance(of_health(body, 503), HealthFacts)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (200, Reason.UNPARSABLE),
        (401, Reason.AUTH_FAILED),
        (403, Reason.AUTH_FAILED),
        (302, Reason.UNEXPECTED_STATUS),
        (404, Reason.UNEXPECTED_STATUS),
        (500, Reason.UNHEALTHY),
        (503, Reason.UNHEALTHY),
    ],
)
def test_a_status_without_such_a_body(status: int, reason: Reason) -> None:
    for body in ("", "<html>", '{"detail": "no"}', "[]", "null"):
        assert of_health(body, status).reason is reason
        assert of_jobs(body, status).reason is reason


def beats(**instead: Any) -> str:
    body: dict[str, Any] = {"metadatabase": {"status": "healthy"}}
    for name in COMPONENTS:
        body[name] = {"status": "healthy", f"latest_{name}_heartbeat": "2026-11-23T03:02:27.5+00:00"}
    return json.dumps({**body, **instead})


def beat(when: Any, status: Any = "healthy") -> dict[str, Any]:
    return {"status": status, "latest_scheduler_heartbeat": when}


@pytest.mark.parametrize(
    ("when", "age"),
    [
        ("2026-11-23T03:02:30.5+00:00", 0.5),
        ("2026-11-23T03:02:30.5Z", 0.5),
        ("2026-11-23T04:02:00+01:00", 31.0),
        ("2026-11-23T03:02:31.9Z", -0.9),
        ("9999-12-31T23:59:59.999999-14:00", -251_606_948_249.0),
        ("0001-01-01T00:00:00+14:00", 63_931_050_151.0),
    ],
)
def test_ages(when: str, age: float) -> None:
    found = of_health(beats(scheduler=beat(when)))
    assert found.components["scheduler"].age == pytest.approx(age, rel=1e-9)


def test_a_component_that_never_ran() -> None:
    found = of_health(beats(triggerer={"status": None, "latest_triggerer_heartbeat": None}))
    assert found.components["triggerer"] == AirflowBeat(healthy=None, age=None)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (beats(scheduler=beat("yesterday")), "a heartbeat is no time but 'yesterday'"),
        (beats(scheduler=beat("2026-11-23T03:02:27")), "a heartbeat has no time zone"),
        (beats(scheduler=beat(1795402951)), "'latest_scheduler_heartbeat' is not text but a number"),
        (beats(scheduler=beat(None)), "a component is healthy, and has no heartbeat"),
        (beats(scheduler=beat(None, "degraded")), "'status' is neither healthy nor unhealthy but 'degraded'"),
        (beats(scheduler=beat(None, True)), "'status' is not text but true or false"),
        (beats(scheduler="healthy"), "'scheduler' is not an object but text"),
        (beats(scheduler=None), "'scheduler' is not an object but null"),
        (beats(metadatabase={}), "has no 'status'"),
        (beats(metadatabase=None), "'metadatabase' is not an object"),
        ('{"metadatabase": {"status": "healthy"}}', "has no 'scheduler'"),
        ("{}", "has no 'metadatabase'"),
        ("", "it is empty"),
        ("[" * 100_000, "nested too deeply"),
        ('{"metadatabase": {"status": "healthy"}, "metadatabase": {}}', "stands twice"),
        ('{"metadatabase": NaN}', "is not a finite number"),
        (b"\xff\xfe{}", "not JSON"),
    ],
)
def test_odd_health_answers(body: str | bytes, detail: str) -> None:
    found = of_health(body)
    assert isinstance(found, NoReply)
    assert (found.reason, found.answered) == (Reason.UNPARSABLE, True)
    assert detail in found.detail


@pytest.mark.parametrize(
    ("date", "detail"),
    [
        (None, "the answer has no header Date"),
        ("soon", "the header Date is no time but 'soon'"),
        (f"{DATE}, {DATE}", "the header Date is no time"),
        ("Mon, 23 Nov 2026 03:02:31 -0000", "the header Date is no time"),
        ("Mon, 99 Nov 99999999999 03:02:31 GMT", "the header Date is no time"),
    ],
)
def test_an_answer_whose_time_is_not_known(date: str | None, detail: str) -> None:
    headers = {} if date is None else {"date": date}
    body = answer("airflow/nominal.jobs.http").body
    for name, said in (("af", beats().encode()), (JOBS, body)):
        found = read(name, HttpAnswer(status=200, body=said, headers=headers))
        assert isinstance(found, NoReply)
        assert found.reason is Reason.UNPARSABLE
        assert detail in found.detail


def rows(*given: Mapping[str, Any], total: Any = None) -> str:
    row = {
        "job_type": "SchedulerJob",
        "hostname": "a",
        "state": "running",
        "latest_heartbeat": "2026-11-23T03:02:30Z",
    }
    total = len(given) if total is None else total
    return json.dumps({"jobs": [{**row, **each} for each in given], "total_entries": total})


def test_odd_rows() -> None:
    found = of_jobs(
        rows(
            {"job_type": "LocalTaskJob"},
            {"job_type": None},
            {"hostname": None, "state": None},
            {"latest_heartbeat": None},
            {"hostname": "x" * 9000, "state": "y" * 9000},
        )
    )
    assert isinstance(found, JobsFacts)
    assert found.left_out == 0
    assert [(len(job.hostname), len(job.state), job.age) for job in found.jobs] == [
        (0, 0, 1.0),
        (1, 7, None),
        (255, 255, 1.0),
    ]
    assert of_jobs(rows({}, total=0)).left_out == 0


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (rows({"hostname": 5}), "'hostname' is not text but a number"),
        (rows({"job_type": ["SchedulerJob"]}), "'job_type' is not text but a list"),
        (rows({"latest_heartbeat": "x"}), "a heartbeat is no time"),
        (rows(total="4"), "'total_entries' is not a whole number but text"),
        (rows(total=True), "'total_entries' is not a whole number"),
        ('{"jobs": []}', "has no 'total_entries'"),
        ('{"jobs": [5], "total_entries": 1}', "'jobs[0]' is not an object"),
        ('{"jobs": {}, "total_entries": 1}', "'jobs' is not a list"),
        ('{"total_entries": 0}', "has no 'jobs'"),
        ("[]", "not an object but a list"),
    ],
)
def test_odd_lists_of_jobs(body: str, detail: str) -> None:
    found = of_jobs(body)
    assert isinstance(found, NoReply)
    assert found.reason is Reason.UNPARSABLE
    assert detail in found.detail


def test_what_the_database_says() -> None:
    found = of_table('{"total":3,"jobs":[["S", "haproxy-1", 5.4],["D", "nfs-1", 56, "success"]]}')
    assert found == JobsFacts(
        jobs=(
            AirflowJob(component="scheduler", hostname="haproxy-1", state="running", age=5.4),
            AirflowJob(component="dag_processor", hostname="nfs-1", state="success", age=56.0),
        ),
        left_out=1,
        duration=0.1,
    )
    assert of_table('{"total":0,"jobs":[]}') == JobsFacts(jobs=(), duration=0.1)
    standby = PostgresReply(value='{"total":0,"jobs":[]}', in_recovery=True)
    assert PROBE.read(check(DATABASE), "af", standby) == JobsFacts(jobs=(), standby=True)


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (None, "the query has no text as its answer"),
        (42, "the query has no text as its answer"),
        (True, "the query has no text as its answer"),
        ("", "it is empty"),
        ('{"total":60,"jobs":[["S", "haproxy-1", 5.4],["S", …', "not JSON"),
        ('{"total":1,"jobs":[["X", "a", 1]]}', "a row is not as it was asked for"),
        ('{"total":1,"jobs":[["S", "a"]]}', "a row is not as it was asked for"),
        ('{"total":1,"jobs":[["S", "a", "1"]]}', "a row is not as it was asked for"),
        ('{"total":1,"jobs":[["S", "a", true]]}', "a row is not as it was asked for"),
        ('{"total":1,"jobs":[["S", null, 1]]}', "a row is not as it was asked for"),
        ('{"total":1,"jobs":[["S", "a", 1, "failed", 2]]}', "a row is not as it was asked for"),
        ('{"total":1,"jobs":[["S", "a", 1, 2]]}', "a row is not as it was asked for"),
        ('{"total":1,"jobs":["S"]}', "a row is not as it was asked for"),
        ('{"total":1,"jobs":[{"S": 1}]}', "a row is not as it was asked for"),
        ('{"total":"1","jobs":[]}', "'total' is not a whole number"),
        ('{"total":1}', "has no 'jobs'"),
        ("\udcff", "not JSON"),
    ],
)
def test_odd_answers_of_a_database(value: Any, detail: str) -> None:
    found = of_table(value)
    assert isinstance(found, NoReply)
    assert (found.reason, found.duration) in ((Reason.UNPARSABLE, 0.1), (Reason.UNPARSABLE, 0.0))
    assert detail in found.detail


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["metadatabase", "scheduler", "status", "jobs", "total", "total_entries"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_anything_at_all_is_read_or_refused(value: Any) -> None:
    text = json.dumps(value)
    assert isinstance(of_health(text), HealthFacts | NoReply)
    assert isinstance(of_jobs(text), JobsFacts | NoReply)
    assert isinstance(of_table(text), JobsFacts | NoReply)


def test_no_answer_is_handed_through() -> None:
    silent = NoReply(reason=Reason.TIMEOUT, detail="no answer")
    assert read("af", silent) is silent
    assert read(JOBS, silent) is silent
