"""Airflow: which components are alive, what that is for the whole, and what could not be asked."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from seen import said, verdicts
from servers import REFUSED, SILENT, cluster, healthy, no

from quorate.checks.kinds import JUDGES
from quorate.model import Check, CheckObservation, LogsFrom, NoReply, Reason, Secret, Verdict
from quorate.model.airflow import COMPONENTS, JOBS, AirflowBeat, AirflowJob, HealthFacts, JobsFacts

VIP = "192.0.2.250"
LOGIN = no(Reason.AUTH_FAILED, "the login (POST /auth/token) is refused: status 401")
BROKEN = no(Reason.UNHEALTHY, "GET /api/v2/monitor/health: the answer has the status 503")
HTML = no(Reason.UNPARSABLE, "GET /api/v2/monitor/health: not JSON: it begins with '<html>'")
LATE = no(Reason.SWEEP_TIMEOUT, "the sweep's time ended before the answer came", answered=False)
NO_SECRET = no(Reason.SECRET_UNAVAILABLE, "the password can't be had: P is not set", answered=False)

Answer = JobsFacts | HealthFacts | NoReply


def check(
    way: str = "api",
    scheduler: int | tuple[str, ...] = 2,
    triggerer: int | tuple[str, ...] = 1,
    dag_processor: int | tuple[str, ...] = 1,
    *,
    user: str | None = "quorate",
) -> Check:
    declared = dict(zip(COMPONENTS, (scheduler, triggerer, dag_processor), strict=True))
    settings: dict[str, Any] = {
        "way": way,
        "host": VIP,
        "port": 8081 if way == "api" else 5000,
        "user": user,
        "password": Secret(env="P"),
        "components": {
            name: {"number": of, "hosts": {}}
            if isinstance(of, int)
            else {"number": len(of), "hosts": {host: (host, f"192.0.2.{len(host)}") for host in of}}
            for name, of in declared.items()
            if of != 0
        },
        "max_age": 30.0,
        "timeout": 5.0,
    }
    if way == "api":
        settings |= {"url": f"http://{VIP}:8081", "path": "", "host_header": f"{VIP}:8081", "tls": None}
    return Check(
        name="af",
        kind="airflow",
        members=tuple(settings["components"]),
        settings=MappingProxyType(settings),
        logs_from=LogsFrom(group="rabbitmq", unit="rabbitmq-server.service"),
    )


def job(component: str, host: str, age: float | None, state: str = "running") -> AirflowJob:
    return AirflowJob(component=component, hostname=host, state=state, age=age)


FIRST, SECOND = job("scheduler", "haproxy-1", 3.4), job("scheduler", "scheduler-2", 1.2)
REST = (job("triggerer", "scheduler-2", 4.0), job("dag_processor", "nfs-1", 6.0))


def jobs(*given: AirflowJob, left_out: int = 0, standby: bool = False) -> JobsFacts:
    ordered = sorted(given, key=lambda each: -1e9 if each.age is None else each.age)
    return JobsFacts(jobs=tuple(ordered), left_out=left_out, standby=standby, duration=0.05)


def health(database: bool = True, **instead: tuple[bool | None, float | None]) -> HealthFacts:
    beats: dict[str, tuple[bool | None, float | None]] = dict.fromkeys(COMPONENTS, (True, 4.0))
    return HealthFacts(
        database=database,
        components={
            name: AirflowBeat(healthy=well, age=age) for name, (well, age) in (beats | instead).items()
        },
        duration=0.02,
    )


WELL = jobs(FIRST, SECOND, *REST)
DOWN = health(False, **dict.fromkeys(COMPONENTS, (False, None)))


def judged(*answers: Answer, of: Check | None = None) -> dict[str, Verdict]:
    """Judge what was answered: by a database, or to the health question and then to that for the jobs."""
    of = of or check()
    names = ["af", JOBS][: len(answers)]
    seen = CheckObservation(
        answers=dict(zip(names, answers, strict=True)), addresses=dict.fromkeys(names, VIP)
    )
    found = verdicts(cluster(of), healthy(), checks={"af": seen})
    return {i: v for i, v in found.items() if i.partition("/")[0] == "af"}


def words(*answers: Answer, of: Check | None = None) -> list[str]:
    return [said(v) for v in judged(*answers, of=of).values()]


def component(*given: AirflowJob, of: Check, name: str = "scheduler", **more: Any) -> Verdict:
    return judged(health(), jobs(*given, *REST, **more), of=of)[f"af/{name}"]


def test_all_is_as_declared() -> None:
    found = judged(health(), WELL)
    assert list(found) == ["af", "af/scheduler", "af/triggerer", "af/dag_processor"]
    assert {said(v) for v in found.values()} == {"OK ok"}
    whole, scheduler = found["af"], found["af/scheduler"]
    assert whole.summary == "Airflow is alive: 2 schedulers, 1 triggerer, 1 DAG processor"
    assert whole.observed == {"status": "healthy", "scheduler": 2, "triggerer": 1, "dag_processor": 1}
    assert whole.expected == {"status": "healthy", "scheduler": 2, "triggerer": 1, "dag_processor": 1}
    assert (whole.kind, whole.group, whole.host, whole.duration) == ("airflow", "af", None, 0.05)
    assert scheduler.summary == "2 of 2 schedulers alive (scheduler-2 1 s, haproxy-1 3 s)"
    assert scheduler.observed == {
        "status": "healthy",
        "alive": 2,
        "expected": 2,
        "jobs": [
            {"hostname": "scheduler-2", "age_s": 1.2, "state": "running"},
            {"hostname": "haproxy-1", "age_s": 3.4, "state": "running"},
        ],
    }
    assert scheduler.expected == {"alive": 2, "max_age_s": 30.0}
    assert (scheduler.host, scheduler.detail) == (None, None)
    assert found["af/dag_processor"].summary == "1 of 1 DAG processor alive (nfs-1 6 s)"
    assert not JUDGES["airflow"].unsettled(check(), CheckObservation(answers={"af": DOWN}))


def test_one_scheduler_of_two() -> None:
    stale = job("scheduler", "haproxy-1", 312.0)
    found = judged(health(), jobs(stale, SECOND, *REST))
    assert [said(v) for v in found.values()] == [
        "WARNING redundancy_lost",
        "WARNING redundancy_lost",
        "OK ok",
        "OK ok",
    ]
    scheduler = found["af/scheduler"]
    assert scheduler.summary == "ONLY 1 of 2 schedulers alive (scheduler-2 1 s)"
    assert scheduler.detail == "haproxy-1: the last heartbeat is 5 min old, state running"
    assert scheduler.observed["jobs"][1] == {"hostname": "haproxy-1", "age_s": 312.0, "state": "running"}
    assert found["af"].summary == scheduler.summary
    assert found["af"].detail == scheduler.detail
    assert found["af"].observed["scheduler"] == 1


def test_no_scheduler() -> None:
    found = judged(
        health(), jobs(job("scheduler", "haproxy-1", 312.0), job("scheduler", "b", 40.0, "failed"), *REST)
    )
    assert [said(v) for v in found.values()] == [
        "CRITICAL none_alive < af/scheduler",
        "CRITICAL none_alive",
        "OK ok",
        "OK ok",
    ]
    scheduler = found["af/scheduler"]
    assert scheduler.summary == "NO scheduler is alive: the last heartbeat is 40 s old (b)"
    assert scheduler.detail == (
        "b: the last heartbeat is 40 s old, state failed; "
        "haproxy-1: the last heartbeat is 5 min old, state running"
    )
    assert (scheduler.observed["alive"], scheduler.observed["status"]) == (0, "failed")


def test_several_components_are_bad() -> None:
    found = judged(health(), jobs(FIRST))
    assert [said(v) for v in found.values()] == [
        "CRITICAL none_alive < af/triggerer",
        "WARNING redundancy_lost",
        "CRITICAL none_alive",
        "CRITICAL none_alive",
    ]
    assert found["af"].summary == (
        "ONLY 1 of 2 schedulers alive (haproxy-1 3 s); NO triggerer is alive: no heartbeat; "
        "NO DAG processor is alive: no heartbeat"
    )


NAMED = check(scheduler=("haproxy-1", "scheduler-2"))


@pytest.mark.parametrize(
    "hostname", ["haproxy-1", "HAPROXY-1", "haproxy-1.example.org", "haproxy-1.example.org.", "192.0.2.9"]
)
def test_a_host_by_any_of_its_names(hostname: str) -> None:
    found = component(job("scheduler", hostname, 1.0), SECOND, of=NAMED)
    assert (said(found), found.observed.get("undeclared")) == ("OK ok", None)
    assert found.expected["hosts"] == ["haproxy-1", "scheduler-2"]


@pytest.mark.parametrize("hostname", ["haproxy", "haproxy-11", "other.haproxy-1", "192.0.2.99", "192", ""])
def test_a_host_by_another_name(hostname: str) -> None:
    found = component(job("scheduler", hostname, 1.0), SECOND, of=NAMED)
    assert said(found) == "WARNING redundancy_lost"
    assert (found.observed["missing"], found.observed["alive"]) == (["haproxy-1"], 1)
    assert found.observed["undeclared"] == [hostname]


def test_full_names_in_the_inventory() -> None:
    of = check(scheduler=("a.example.org", "a.example.net"))
    short = component(job("scheduler", "a", 1.0), of=of)
    assert said(short) == "OK ok"
    for hostname in ("a.example.org", "a.example.org.", "A.Example.org"):
        full = component(job("scheduler", hostname, 1.0), of=of)
        assert full.observed["missing"] == ["a.example.net"]


@pytest.mark.parametrize(
    ("name", "hostname", "verdict"),
    [
        ("Scheduler", "scheduler.example.org", "OK ok"),
        ("192", "192.0.2.77", "WARNING redundancy_lost"),
        ("192.0.2.77", "192", "WARNING redundancy_lost"),
    ],
)
def test_names_that_are_not_what_they_seem(name: str, hostname: str, verdict: str) -> None:
    declared = {"number": 1, "hosts": {name: (name,)}}
    of = check(scheduler=1)
    settings = {**of.settings, "components": {**of.settings["components"], "scheduler": declared}}
    found = component(job("scheduler", hostname, 1.0), of=replace(of, settings=settings))
    assert said(found) == verdict


def test_who_is_missing_is_named() -> None:
    found = component(SECOND, job("scheduler", "haproxy-1", 31.0), of=NAMED)
    assert found.summary == "ONLY 1 of 2 schedulers alive (scheduler-2 1 s), missing haproxy-1"
    assert found.detail == "haproxy-1: the last heartbeat is 31 s old, state running"
    found = component(SECOND, of=NAMED)
    assert found.detail == "haproxy-1: no heartbeat"


def test_others_than_those_that_are_declared() -> None:
    found = component(job("scheduler", "x", 1.0), of=NAMED)
    assert said(found) == "WARNING redundancy_lost"
    assert found.summary == "ONLY 0 of 2 schedulers alive, missing haproxy-1, scheduler-2, not declared: x"
    found = component(FIRST, SECOND, job("scheduler", "x", 1.0), of=NAMED)
    assert said(found) == "OK ok"
    assert found.summary.endswith(", not declared: x")


def test_more_than_declared() -> None:
    found = component(FIRST, SECOND, job("scheduler", "c", 0.0), of=check())
    assert said(found) == "OK ok"
    assert found.summary == "3 schedulers alive, 2 declared (c 0 s, scheduler-2 1 s, haproxy-1 3 s)"


@pytest.mark.parametrize(
    ("age", "state", "verdict"),
    [
        (30.0, "running", "OK ok"),
        (30.1, "running", "CRITICAL none_alive"),
        (0.1, "success", "CRITICAL none_alive"),
        (0.1, "restarting", "CRITICAL none_alive"),
        (0.1, "", "CRITICAL none_alive"),
        (None, "running", "CRITICAL none_alive"),
        (-30.0, "running", "OK ok"),
        (-30.1, "running", "UNKNOWN clock_off [clock_ahead]"),
        (-3600.0, "failed", "CRITICAL none_alive"),
    ],
)
def test_what_is_alive(age: float | None, state: str, verdict: str) -> None:
    assert said(component(job("scheduler", "a", age, state), of=check(scheduler=1))) == verdict


def test_a_clock_that_is_ahead() -> None:
    ahead = job("scheduler", "a", -3600.0)
    found = component(ahead, SECOND, of=check())
    assert said(found) == "WARNING redundancy_lost [clock_ahead]"
    assert found.detail == "a: the last heartbeat is 60 min ahead"
    alone = component(ahead, of=check())
    assert alone.summary == "schedulers are NOT VERIFIED (clock off): 0 of 2 alive"
    found = judged(health(), jobs(ahead, *REST))["af"]
    assert said(found) == "UNKNOWN clock_off [clock_ahead] < af/scheduler"


def test_of_one_host_whoever_is_alive_counts() -> None:
    rows = [job("scheduler", "a", 1.0, "success"), job("scheduler", "a", 5.0), job("scheduler", "a", 500.0)]
    found = component(*rows, of=check(scheduler=1))
    assert found.summary == "1 of 1 scheduler alive (a 5 s)"
    assert len(found.observed["jobs"]) == 1


def test_old_rows_behind_the_list_do_not_matter() -> None:
    old = job("scheduler", "haproxy-1", 31.0)
    assert said(component(SECOND, old, of=check(), left_out=900)) == "WARNING redundancy_lost"


def test_a_list_that_is_fresh_to_its_end_hides_somebody() -> None:
    found = component(SECOND, of=check(), left_out=1)
    assert said(found) == "UNKNOWN unparsable [list_cut]"
    assert found.detail == (
        "the list of jobs was cut while its rows were still fresh: who is not in it may be alive"
    )
    assert said(component(FIRST, SECOND, of=check(), left_out=1)) == "OK ok [list_cut]"
    assert words(health(), jobs(left_out=1))[0] == "UNKNOWN unparsable [list_cut] < af/scheduler"


def test_what_is_not_declared_is_not_judged() -> None:
    of = check(triggerer=0, dag_processor=0)
    assert words(health(), jobs(FIRST, SECOND), of=of) == ["OK ok", "OK ok"]
    nothing = judged(health(), jobs(), of=check(scheduler=0, triggerer=0, dag_processor=0))
    assert [said(v) for v in nothing.values()] == ["OK ok"]
    assert nothing["af"].summary == f"Airflow's API answers at http://{VIP}:8081"


def test_through_the_database() -> None:
    of = check("database")
    assert words(WELL, of=of) == ["OK ok"] * 4
    assert words(jobs(FIRST, SECOND, *REST, standby=True), of=of) == ["OK ok [standby]"] * 4
    found = judged(REFUSED, of=of)
    assert [said(v) for v in found.values()] == [
        "CRITICAL connect_failed",
        *["UNKNOWN connect_failed < af"] * 3,
    ]
    assert found["af"].summary == f"Airflow's database can NOT be reached at {VIP}:5000"
    assert found["af"].observed == {"status": "failed", "error": "Connection refused"}
    assert found["af/scheduler"].summary == "schedulers are NOT VERIFIED (connect failed)"
    assert found["af/scheduler"].observed == {
        "status": "unknown",
        "error": "Connection refused",
        "expected": 2,
    }


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (SILENT, "CRITICAL timeout"),
        (BROKEN, "CRITICAL unhealthy"),
        (no(Reason.CERTIFICATE_INVALID), "CRITICAL certificate_invalid"),
        (no(Reason.CERTIFICATE_EXPIRED), "CRITICAL certificate_expired"),
        (LOGIN, "UNKNOWN auth_failed"),
        (HTML, "UNKNOWN unparsable"),
        (LATE, "UNKNOWN sweep_timeout"),
        (NO_SECRET, "UNKNOWN secret_unavailable"),
        (no(Reason.QUERY_FAILED, "permission denied for table job"), "UNKNOWN query_failed"),
        (no(Reason.UNEXPECTED_STATUS, "status 404"), "UNKNOWN unexpected_status"),
        (no(Reason.UNSUPPORTED_KIND), "UNKNOWN unsupported_kind"),
    ],
)
def test_what_can_not_be_asked(answer: NoReply, state: str) -> None:
    reason = state.split()[1]
    assert words(answer, answer) == [state, *[f"UNKNOWN {reason} < af"] * 3]
    found = judged(answer, answer)["af"]
    assert found.detail == answer.detail
    assert ("NOT VERIFIED" in found.summary) is state.startswith("UNKNOWN")


def test_the_database_behind_the_api_is_gone() -> None:
    for answers in ((DOWN,), (DOWN, no(Reason.UNHEALTHY)), (DOWN, no(Reason.TIMEOUT)), (DOWN, LOGIN)):
        of = check(user="quorate" if len(answers) > 1 else None)
        found = judged(*answers, of=of)
        assert [said(v) for v in found.values()] == [
            "CRITICAL unhealthy",
            *["UNKNOWN unhealthy < af"] * 3,
        ]
        assert found["af"].summary == f"Airflow's API is UNHEALTHY at http://{VIP}:8081"
        assert found["af"].detail == "the API server can't use the metadata database"


def test_the_health_answer_came_and_the_jobs_did_not() -> None:
    assert words(health(), LOGIN) == ["UNKNOWN auth_failed", *["UNKNOWN auth_failed < af"] * 3]
    assert words(health(), SILENT)[0] == "UNKNOWN timeout"
    assert words(health(), BROKEN)[0] == "CRITICAL unhealthy"


def test_the_jobs_came_and_the_health_answer_did_not() -> None:
    assert words(SILENT, WELL) == ["CRITICAL timeout", "OK ok", "OK ok", "OK ok"]
    assert words(DOWN, jobs(*REST)) == ["CRITICAL unhealthy", "CRITICAL none_alive", "OK ok", "OK ok"]
    assert words(HTML, jobs(*REST))[0] == "CRITICAL none_alive < af/scheduler"


OPEN = check(user=None)


def test_without_a_user_one_instance_is_all_that_shows() -> None:
    found = judged(health(), of=OPEN)
    assert [said(v) for v in found.values()] == [
        "OK ok [number_unverified]",
        "OK ok [number_unverified]",
        "OK ok",
        "OK ok",
    ]
    assert found["af/scheduler"].summary == "at least 1 of 2 schedulers alive (4 s)"
    assert found["af/scheduler"].observed == {"status": "healthy", "alive": 1, "expected": 2, "age_s": 4.0}
    assert found["af/triggerer"].summary == "1 of 1 triggerer alive (4 s)"
    assert found["af"].summary == "Airflow is alive: at least 1 scheduler, 1 triggerer, 1 DAG processor"


def test_without_a_user_hosts_are_not_verified_either() -> None:
    of = check(scheduler=("haproxy-1",), user=None)
    assert words(health(), of=of)[1] == "OK ok [number_unverified]"


@pytest.mark.parametrize(
    ("beat", "verdict", "summary"),
    [
        ((True, 31.0), "CRITICAL none_alive", "NO scheduler is alive: the last heartbeat is 31 s old"),
        ((False, 2.0), "CRITICAL none_alive", "NO scheduler is alive: the last heartbeat is 2 s old"),
        ((False, None), "CRITICAL none_alive", "NO scheduler is alive: no heartbeat"),
        ((None, None), "CRITICAL none_alive", "NO scheduler is alive: no heartbeat"),
        ((True, -31.0), "UNKNOWN clock_off [clock_ahead]", "schedulers are NOT VERIFIED (clock off)"),
    ],
)
def test_without_a_user_none_alive_shows(
    beat: tuple[bool | None, float | None], verdict: str, summary: str
) -> None:
    found = judged(health(scheduler=beat), of=OPEN)
    scheduler = found["af/scheduler"]
    assert (said(scheduler), scheduler.summary) == (verdict, summary)
    assert said(found["af"]).endswith("< af/scheduler")


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (119.0, "119 s"),
        (120.0, "2 min"),
        (7199.0, "120 min"),
        (7200.0, "2 h"),
        (172_800.0, "2 d"),
        (9e9, "104167 d"),
    ],
)
def test_how_an_age_is_written(age: float, said: str) -> None:
    found = component(job("scheduler", "a", age), of=check())
    assert found.summary == f"NO scheduler is alive: the last heartbeat is {said} old (a)"


def test_many_hosts_are_not_all_named() -> None:
    many = [job("scheduler", f"s-{number:02}", float(number)) for number in range(40)]
    found = component(*many, of=check(scheduler=90))
    assert found.summary.endswith("s-09 9 s, and 21 more)")
    assert len(found.observed["jobs"]) == 20
    assert found.observed["alive"] == 31
    stale = [job("scheduler", f"s-{number:02}", 100.0 + number) for number in range(40)]
    assert (component(*stale, of=check()).detail or "").endswith(
        "s-09: the last heartbeat is 109 s old, state running; and 30 more"
    )


def test_a_monitor_that_is_cut_off() -> None:
    from seen import unreachable  # noqa: PLC0415  used here alone

    of = check()
    seen = CheckObservation(answers={"af": SILENT, JOBS: SILENT}, addresses={"af": VIP, JOBS: VIP})
    inventory = cluster(of)
    found = verdicts(inventory, [unreachable(host) for host in inventory.hosts], checks={"af": seen})
    assert said(found["af"]) == "UNKNOWN monitor_isolated < monitor"
    assert said(found["af/scheduler"]) == "UNKNOWN monitor_isolated < monitor"
