"""What verdicts say beyond their state: ids and their order, tolerance, roots, headers, times, observed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from seen import (
    FAILED,
    KEEPALIVED,
    LSYNCD,
    NOW,
    RESTARTS,
    RESTS,
    RUNS,
    STARTS,
    VIP,
    Fact,
    Look,
    farm,
    hosts,
    judged,
    look,
    pair,
    required,
    said,
    unit,
    unreachable,
    verdicts,
)

from quorate.model import (
    ActivePassive,
    Check,
    Group,
    Inventory,
    Reason,
    Report,
    State,
    UnitFacts,
    Unobserved,
    Verdict,
)
from quorate.plan import verdict_ids

PROXY = "haproxy.service"


def cluster() -> Inventory:
    groups = {
        "nfs": Group(
            name="nfs",
            hosts=("nfs-2", "nfs-1"),
            units=(LSYNCD, KEEPALIVED),
            active_passive=ActivePassive(vip=VIP, units=(LSYNCD,)),
        ),
        "web": Group(name="web", hosts=("web-1", "nfs-1"), units=(PROXY, "web.socket")),
        "haproxy": Group(name="haproxy", hosts=("web-1",), units=(PROXY,), vip="192.0.2.210"),
    }
    checks = {"database": Check(name="database", kind="of-tomorrow")}
    return Inventory(
        name="prod", hosts=hosts("web-1", "nfs-1", "nfs-2", "spare"), groups=groups, checks=checks
    )


def healthy() -> list[Look]:
    units = {LSYNCD: RUNS, KEEPALIVED: RUNS, PROXY: RUNS, "web.socket": unit("active/listening")}
    return [
        look("web-1", {PROXY: RUNS, "web.socket": RUNS}, vip=True, address="192.0.2.210"),
        look("nfs-1", units, vip=True),
        look("nfs-2", units | {LSYNCD: RESTS}, vip=False),
        look("spare"),
    ]


def test_ids_stand_in_report_order() -> None:
    found = judged(cluster(), healthy()).verdicts
    assert [verdict.id for verdict in found] == [
        "host/web-1",
        "host/nfs-1",
        "host/nfs-2",
        "host/spare",
        "nfs/vip",
        "nfs/failover",
        "haproxy/vip",
        "nfs/nfs-2/lsyncd",
        "nfs/nfs-2/keepalived",
        "nfs/nfs-1/lsyncd",
        "nfs/nfs-1/keepalived",
        "web/web-1/haproxy",
        "web/web-1/web.socket",
        "web/nfs-1/haproxy",
        "web/nfs-1/web.socket",
        "haproxy/web-1/haproxy",
        "database",
    ]
    assert tuple(verdict.id for verdict in found) == verdict_ids(cluster())


def test_monitor_stands_first() -> None:
    seen = [unreachable(name, (LSYNCD,)) for name in ("nfs-1", "nfs-2")]
    assert judged(pair(), seen).verdicts[0].id == "monitor"


def test_kinds_and_names() -> None:
    found = {v.id: (v.kind, v.group, v.host, v.unit) for v in judged(cluster(), healthy()).verdicts}
    assert found["host/nfs-1"] == ("host", None, "nfs-1", None)
    assert found["nfs/vip"] == ("vip", "nfs", None, None)
    assert found["nfs/nfs-1/lsyncd"] == ("unit", "nfs", "nfs-1", "lsyncd")
    assert found["web/nfs-1/web.socket"] == ("unit", "web", "nfs-1", "web.socket")
    assert found["database"] == ("of-tomorrow", "database", None, None)


def test_check_of_a_kind_that_can_t_be_asked_is_unknown() -> None:
    assert said(verdicts(cluster(), healthy())["database"]) == "UNKNOWN unsupported_kind"


def test_groups_that_were_not_asked_are_left_out_of_a_part() -> None:
    seen = [s for s in healthy() if s.contact.host.startswith("nfs")]
    judgement = judged(cluster(), seen, whole=False)
    assert {v.group for v in judgement.verdicts if v.kind in ("vip", "unit")} == {"nfs"}
    assert judgement.active_nodes == {"nfs": "nfs-1"}


def test_group_whose_hosts_were_asked_for_something_else_is_left_out_of_a_part() -> None:
    seen = [look("nfs-1"), look("nfs-2")]
    judgement = judged(pair(), seen, whole=False)
    assert [v.id for v in judgement.verdicts] == ["host/nfs-1", "host/nfs-2"]
    assert judgement.active_nodes == {"nfs": None}


def test_no_group_is_left_out_of_the_whole() -> None:
    found = verdicts(pair(), [look("nfs-1"), look("nfs-2")])
    assert said(found["nfs/vip"]) == "UNKNOWN active_node_unknown"
    assert said(found["nfs/nfs-1/lsyncd"]) == "UNKNOWN no_answer"


TOLERATED = {
    "none, one is bad": (0, (FAILED, RUNS, RUNS), ("CRITICAL failed", "OK ok", "OK ok")),
    "one, one is bad": (1, (FAILED, RUNS, RUNS), ("WARNING failed [tolerated]", "OK ok", "OK ok")),
    "one, two are bad": (1, (FAILED, RESTS, RUNS), ("CRITICAL failed", "CRITICAL inactive", "OK ok")),
    "two, two are bad": (
        2,
        (FAILED, RESTARTS, RUNS),
        ("WARNING failed [tolerated]", "WARNING crashed [tolerated]", "OK ok"),
    ),
    "one, one is bad and one not verified": (
        1,
        (FAILED, Unobserved(reason=Reason.COMMAND_TIMEOUT), RUNS),
        ("WARNING failed [tolerated]", "UNKNOWN command_timeout", "OK ok"),
    ),
    "one, one is a warning anyway": (
        1,
        (FAILED, STARTS, RUNS),
        ("WARNING failed [tolerated]", "WARNING starting", "OK ok"),
    ),
}


@pytest.mark.parametrize(("tolerates", "facts", "expected"), TOLERATED.values(), ids=TOLERATED)
def test_group_tolerates_what_is_bad_on_few_hosts(
    tolerates: int, facts: tuple[Fact, ...], expected: tuple[str, ...]
) -> None:
    names = ("a", "b", "c")
    seen = [look(name, {LSYNCD: fact}) for name, fact in zip(names, facts, strict=True)]
    found = verdicts(farm(*names, tolerates=tolerates), seen)
    assert tuple(said(found[f"web/{name}/lsyncd"]) for name in names) == expected


def test_tolerance_is_counted_by_unit() -> None:
    seen = [
        look("a", {"x.service": FAILED, "y.service": RUNS}),
        look("b", {"x.service": RUNS, "y.service": RESTS}),
    ]
    found = verdicts(farm("a", "b", units=("x.service", "y.service"), tolerates=1), seen)
    assert said(found["web/a/x"]) == "WARNING failed [tolerated]"
    assert said(found["web/b/y"]) == "WARNING inactive [tolerated]"


def test_tolerance_never_softens_units_of_which_one_may_run() -> None:
    seen = [look("nfs-1", {LSYNCD: RUNS, KEEPALIVED: RESTS}, vip=True)]
    seen.append(look("nfs-2", {LSYNCD: RUNS, KEEPALIVED: RUNS}, vip=False))
    found = verdicts(pair(units=(LSYNCD, KEEPALIVED), only=(LSYNCD,), tolerates=2), seen)
    assert said(found["nfs/nfs-2/lsyncd"]) == "CRITICAL split_brain"
    assert said(found["nfs/nfs-1/keepalived"]) == "WARNING inactive [tolerated]"


def report(found: dict[str, Verdict]) -> Report:
    return Report(cluster="prod", started_at=NOW, duration=0.1, verdicts=tuple(found.values()))


def test_root_causes_are_the_worst_first_and_only_what_nothing_explains() -> None:
    seen = healthy()
    seen[0] = look(
        "web-1", {PROXY: unit(load="masked"), "web.socket": FAILED}, vip=True, address="192.0.2.210"
    )
    seen[1] = unreachable("nfs-1", (LSYNCD, KEEPALIVED, PROXY, "web.socket"))
    roots = report(verdicts(cluster(), seen)).root_causes
    assert [verdict.id for verdict in roots] == [
        "host/nfs-1",
        "web/web-1/web.socket",
        "database",
        "web/web-1/haproxy",
        "haproxy/web-1/haproxy",
    ]


def test_isolation_is_one_root_cause() -> None:
    seen = [unreachable(name, (LSYNCD,)) for name in ("nfs-1", "nfs-2")]
    assert [verdict.id for verdict in report(verdicts(pair(), seen)).root_causes] == ["monitor"]


def test_headers_of_the_others() -> None:
    assert required(FAILED).summary == "lsyncd on web-1 is FAILED"
    found = verdicts(cluster(), healthy())
    assert found["nfs/nfs-2/keepalived"].summary == "keepalived on PASSIVE node nfs-2 is ACTIVE"
    assert found["nfs/vip"].summary == "VIP 192.0.2.220 of nfs is held by nfs-1"
    assert found["host/nfs-1"].summary == "nfs-1 (192.0.2.2) answers"
    down = verdicts(farm("a"), [unreachable("a", (LSYNCD,), vip=False)])
    assert down["host/a"].summary == "a (192.0.2.1) could NOT be asked (host unreachable)"
    assert down["web/a/lsyncd"].summary == "lsyncd on a is UNKNOWN (host unreachable)"


def test_failure_types() -> None:
    seen = [look("nfs-1", {LSYNCD: FAILED}, vip=True), look("nfs-2", {LSYNCD: RESTS}, vip=False)]
    found = verdicts(pair(), seen)
    assert found["nfs/nfs-1/lsyncd"].failure_type == "CRITICAL_NFS_FAILURE"
    assert found["nfs/nfs-2/lsyncd"].failure_type == "EXPECTED_PASSIVE_INACTIVE"
    assert found["nfs/vip"].failure_type is None
    nobody = verdicts(pair(), [unreachable(name, (LSYNCD,)) for name in ("nfs-1", "nfs-2")])
    assert nobody["monitor"].failure_type == "CRITICAL_MONITOR_FAILURE"
    assert nobody["host/nfs-1"].failure_type == "CRITICAL_HOST_FAILURE"
    assert nobody["nfs/vip"].failure_type == "CRITICAL_NFS_FAILURE"
    assert required(unit(load="masked")).failure_type is None


def test_observed_and_expected_of_a_unit() -> None:
    verdict = required(FAILED)
    assert verdict.observed == {
        "load_state": "loaded",
        "active_state": "failed",
        "sub_state": "failed",
        "result": "exit-code",
        "unit_file_state": None,
        "n_restarts": 0,
    }
    assert verdict.expected == {"active_state": "active"}
    assert verdict.duration == pytest.approx(0.02)


EXPECTATIONS = {
    "active and passive": ((True, False), ("active", "inactive")),
    "nobody": ((False, False), (None, None)),
    "two": ((True, True), (None, None)),
}


@pytest.mark.parametrize(("held", "expected"), EXPECTATIONS.values(), ids=EXPECTATIONS)
def test_what_is_expected_depends_on_the_proven_role(
    held: tuple[bool, bool], expected: tuple[str | None, ...]
) -> None:
    units = {LSYNCD: RUNS, KEEPALIVED: RUNS}
    seen = [look("nfs-1", units, vip=held[0]), look("nfs-2", units, vip=held[1])]
    found = verdicts(pair(units=(LSYNCD, KEEPALIVED), only=(LSYNCD,)), seen)
    assert (
        tuple(found[f"nfs/{h}/lsyncd"].expected.get("active_state") for h in ("nfs-1", "nfs-2")) == expected
    )
    assert found["nfs/nfs-2/keepalived"].expected == {"active_state": "active"}


AGES: dict[str, tuple[UnitFacts, float | None]] = {
    "failed": (unit("failed/failed", state_age=3600.0), 3600.0),
    "running": (unit(state_age=50.0, active_age=60.0), 50.0),
    "not told": (unit("failed/failed", state_age=None), None),
}


@pytest.mark.parametrize(("facts", "age"), AGES.values(), ids=AGES)
def test_since_when_is_counted_back_from_the_moment_of_the_look(facts: UnitFacts, age: float | None) -> None:
    seen = replace(look("web-1", {LSYNCD: facts}), seen_at=NOW - timedelta(seconds=7))
    since = verdicts(farm(), [seen])["web/web-1/lsyncd"].since
    assert since == (None if age is None else NOW - timedelta(seconds=7 + age))


def test_since_when_without_a_moment_of_the_look() -> None:
    seen = replace(look("web-1", {LSYNCD: FAILED}), seen_at=None)
    assert verdicts(farm(), [seen])["web/web-1/lsyncd"].since == NOW - timedelta(seconds=86400)


def test_sweep_s_state_is_its_worst_verdict_s() -> None:
    assert report(verdicts(farm(), [look("web-1", {LSYNCD: FAILED})])).state is State.CRITICAL
    assert report(verdicts(farm(), [look("web-1", {LSYNCD: RUNS})])).state is State.OK
