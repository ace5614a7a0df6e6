"""How the lab judges a report against the faults that are in place."""

from collections.abc import Mapping
from typing import Any

import pytest

from lab.command import LabError
from lab.faults.batches import AT_ONCE, area, batches
from lab.faults.fault import Fault, Watch
from lab.faults.judging import Nominal, differences, during
from lab.faults.steps import Run

NOMINAL = Nominal(
    {
        "host/nfs-1": "ok ok",
        "nfs/nfs-1/lsyncd": "ok ok",
        "nfs/nfs-2/lsyncd": "expected passive_inactive",
        "ftp/ftp/vsftpd": "ok ok",
    }
)


def fault(name: str = "some", hosts: tuple[str, ...] = ("nfs-1",), **fields: Any) -> Fault:
    undo = tuple(Run(host, "true") for host in hosts)
    return Fault(
        **{
            "name": name,
            "summary": "",
            "hosts": hosts,
            "set_up": (),
            "undo": undo,
            "expected": {"nfs/nfs-1/lsyncd": "critical failed"},
            **fields,
        }
    )


def report(*, roots: tuple[str, ...] = (), causes: Mapping[str, str] | None = None, **said: str) -> Any:
    """Return a report that is nominal but for what is said; `__` stands for a slash, `_` for a dash."""
    words = {**NOMINAL.verdicts, **{key.replace("__", "/").replace("_", "-"): v for key, v in said.items()}}
    verdicts = [
        {
            "id": key,
            "state": word.split()[0],
            "reason": word.split()[1],
            "notes": word.split()[2:],
            "summary": "",
            "caused_by": (causes or {}).get(key),
        }
        for key, word in words.items()
    ]
    return {"verdicts": verdicts, "root_causes": list(roots)}


FAILED = {"nfs__nfs_1__lsyncd": "critical failed", "roots": ("nfs/nfs-1/lsyncd",)}


def test_a_report_that_says_what_it_must_differs_in_nothing() -> None:
    assert differences(report(), (), NOMINAL) == []
    assert differences(report(**FAILED), [fault()], NOMINAL) == []


@pytest.mark.parametrize(
    ("said", "expected", "found"),
    [
        ({}, "critical failed", "nfs/nfs-1/lsyncd: expected critical failed, got ok ok ()"),
        ({**FAILED, "roots": ()}, "critical failed", "root causes: expected ['nfs/nfs-1/lsyncd'], got []"),
        (
            {**FAILED, "ftp__ftp__vsftpd": "critical inactive"},
            "critical failed",
            "ftp/ftp/vsftpd: expected ok ok, got critical inactive ()",
        ),
        (
            {**FAILED, "nfs__nfs_2__lsyncd": "ok ok"},
            "critical failed",
            "nfs/nfs-2/lsyncd: expected expected passive_inactive, got ok ok ()",
        ),
        (
            FAILED,
            "critical failed +stopped_by_signal",
            "nfs/nfs-1/lsyncd: expected critical failed +stopped_by_signal, got critical failed ()",
        ),
    ],
)
def test_a_report_that_says_something_else_differs(said: Any, expected: str, found: str) -> None:
    assert differences(report(**said), [fault(expected={"nfs/nfs-1/lsyncd": expected})], NOMINAL) == [found]


def test_alternatives_and_notes_fit() -> None:
    one = fault(expected={"nfs/nfs-1/lsyncd": "critical crashed | critical crash_loop +again"})
    for said in ("critical crashed", "critical crash_loop again"):
        got = report(nfs__nfs_1__lsyncd=said, roots=("nfs/nfs-1/lsyncd",))
        assert differences(got, [one], NOMINAL) == []


def test_a_consequence_of_what_is_expected_is_no_difference_and_another_is() -> None:
    down = fault(expected={"host/nfs-1": "critical host_unreachable"})
    said = {"host__nfs_1": "critical host_unreachable", "nfs__nfs_1__lsyncd": "unknown host_unreachable"}
    caused = report(**said, roots=("host/nfs-1",), causes={"nfs/nfs-1/lsyncd": "host/nfs-1"})
    assert differences(caused, [down], NOMINAL) == []
    uncaused = report(**said, roots=("host/nfs-1",))
    assert [each.partition(":")[0] for each in differences(uncaused, [down], NOMINAL)] == ["nfs/nfs-1/lsyncd"]


def test_a_verdict_that_is_missing_differs() -> None:
    short = report()
    short["verdicts"] = [each for each in short["verdicts"] if each["id"] != "ftp/ftp/vsftpd"]
    assert differences(short, (), NOMINAL) == ["ftp/ftp/vsftpd: is missing from the report"]


def test_meanwhile_only_what_was_or_will_be_or_is_allowed_may_be_said() -> None:
    watch = Watch(seconds=10, allowed=("nfs/*/lsyncd warning failover_in_progress",))
    after = {"nfs/nfs-1/lsyncd": "expected passive_inactive", "nfs/nfs-2/lsyncd": "ok ok"}
    over = fault(watch=watch, expected=after)
    for said in ("ok ok", "expected passive_inactive", "warning failover_in_progress"):
        assert during(report(nfs__nfs_1__lsyncd=said, nfs__nfs_2__lsyncd="ok ok"), over, NOMINAL) == []
    (found,) = during(report(nfs__nfs_1__lsyncd="critical inactive"), over, NOMINAL)
    assert found == "nfs/nfs-1/lsyncd: meanwhile critical inactive ()"
    caused = report(nfs__nfs_1__lsyncd="critical inactive", causes={"nfs/nfs-1/lsyncd": "nfs/nfs-2/lsyncd"})
    assert len(during(caused, over, NOMINAL)) == 1  # what is calm explains nothing


def test_expected_on_every_node_is_a_dead_pair_whatever_a_fault_says() -> None:
    dead = {"nfs/nfs-1/lsyncd": "expected passive_inactive"}
    watch = Watch(seconds=10, allowed=())
    said = report(nfs__nfs_1__lsyncd="expected passive_inactive")
    words = "nfs: every unit of it is EXPECTED on every node, so nothing of it runs"
    assert during(said, fault(watch=watch, expected=dead), NOMINAL) == [words]
    assert differences(said, [fault(expected=dead)], NOMINAL) == [words]


def test_faults_of_other_hosts_and_groups_go_together_and_the_others_do_not() -> None:
    ftp = fault("ftp", hosts=("ftp",), expected={"ftp/ftp/vsftpd": "critical failed"})
    rabbit = fault("rabbit", hosts=("rabbit-1",), expected={"rabbitmq_cluster": "warning redundancy_lost"})
    nfs, again = fault("nfs"), fault("again")
    lonely = fault("lonely", hosts=("celery-1",), expected={}, alone=True)
    secret = fault("secret", hosts=(), expected={"postgresql_vip": "unknown auth_failed"}, secrets={"A": "b"})
    every = (nfs, again, ftp, rabbit, lonely, secret)
    names = [[each.name for each in batch] for batch in batches(every)]
    assert names == [["nfs", "ftp", "rabbit"], ["again"], ["lonely"], ["secret"]]
    assert "rabbitmq_cluster" in area(rabbit)
    many = [fault(str(n), hosts=(f"x-{n}",), expected={f"g{n}": "ok ok"}) for n in range(AT_ONCE + 1)]
    assert [len(batch) for batch in batches(many)] == [AT_ONCE, 1]


def test_what_a_shaken_airflow_may_show_may_be_shown_or_not() -> None:
    unit = "triggerer/scheduler-2/airflow-triggerer"
    nominal = Nominal({**NOMINAL.verdicts, unit: "ok ok"})
    shaking = fault(shakes_airflow=True)
    calm = report(**FAILED)
    shaken = report(**{**FAILED, "roots": ("nfs/nfs-1/lsyncd", unit)})
    for each, said in ((calm, "ok ok"), (shaken, "warning restarted_recently")):
        state, reason = said.split()
        each["verdicts"].append(
            {"id": unit, "state": state, "reason": reason, "notes": [], "summary": "", "caused_by": None}
        )
        assert differences(each, [shaking], nominal) == []
    assert len(differences(shaken, [fault()], nominal)) == 1


def test_what_is_calm_is_no_consequence_and_explains_nothing() -> None:
    down = fault(expected={"host/nfs-1": "critical host_unreachable"})
    said = {"host__nfs_1": "critical host_unreachable", "roots": ("host/nfs-1",)}
    causes = {"nfs/nfs-1/lsyncd": "host/nfs-1"}
    false = report(**said, nfs__nfs_1__lsyncd="expected passive_inactive", causes=causes)
    assert next(each.partition(":")[0] for each in differences(false, [down], NOMINAL)) == "nfs/nfs-1/lsyncd"
    calm = fault(expected={"host/nfs-1": "ok ok"})
    blamed = report(nfs__nfs_1__lsyncd="unknown host_unreachable", causes=causes)
    assert len(differences(blamed, [calm], NOMINAL)) == 1


def test_nothing_is_expected_where_nobody_is_proven_to_hold_the_address() -> None:
    nominal = Nominal({**NOMINAL.verdicts, "nfs/vip": "ok ok"})
    lost = report()
    lost["verdicts"].append(
        {
            "id": "nfs/vip",
            "group": "nfs",
            "state": "critical",
            "reason": "no_active_node",
            "notes": [],
            "summary": "",
            "caused_by": None,
        }
    )
    lost["root_causes"] = ["nfs/vip"]
    (found,) = differences(lost, [fault(expected={"nfs/vip": "critical no_active_node"})], nominal)
    assert found == "nfs: a unit of it is EXPECTED, though no one node is proven to hold the address"


def test_a_cluster_that_is_not_well_before_any_fault_is_no_measure() -> None:
    assert Nominal.of(report()) == NOMINAL
    with pytest.raises(LabError, match="nfs/nfs-1/lsyncd is critical failed"):
        Nominal.of(report(**FAILED))
    with pytest.raises(LabError, match="nfs-2"):
        Nominal.of(report(nfs__nfs_2__lsyncd="ok ok"))
