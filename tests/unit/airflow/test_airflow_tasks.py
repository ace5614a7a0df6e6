"""Which tasks a health DAG has: names, selectors, and that together they hold every verdict."""

import pytest
from made import inventory

from quorate.airflow.tasks import CheckTask, check_tasks
from quorate.plan import make_plan, verdict_ids


def ids(*args: str) -> list[str]:
    return [task.task_id for task in check_tasks(inventory(), *args)]  # type: ignore[arg-type]


def by_id(granularity: str) -> dict[str, CheckTask]:
    return {task.task_id: task for task in check_tasks(inventory(), granularity)}  # type: ignore[arg-type]


def test_one_task_a_group_and_a_check_and_one_for_the_hosts_of_neither():
    assert ids() == ["check_nfs", "check_rabbitmq_cluster", "check_hosts"]


def test_one_task_a_host():
    assert ids("host")[:2] == ["check_nfs__nfs-1", "check_nfs__nfs-2"]


def test_one_task_a_unit_and_one_for_the_virtual_ip():
    assert ids("unit")[:7] == [
        "check_nfs__vip",
        "check_nfs__nfs-1__nfs-server",
        "check_nfs__nfs-1__lsyncd",
        "check_nfs__nfs-1__keepalived",
        "check_nfs__nfs-2__nfs-server",
        "check_nfs__nfs-2__lsyncd",
        "check_nfs__nfs-2__keepalived",
    ]


def test_a_group_task_holds_the_verdicts_of_its_hosts_too():
    assert by_id("group")["check_nfs"].only == ("nfs", "host/nfs-1", "host/nfs-2")


def test_a_check_holds_the_hosts_that_no_group_has():
    assert by_id("group")["check_rabbitmq_cluster"].only == ("rabbitmq_cluster", "host/rabbit-1")


def test_the_failover_goes_with_the_virtual_ip():
    assert by_id("unit")["check_nfs__vip"].only == ("nfs/vip", "nfs/failover")
    assert by_id("host")["check_nfs__nfs-2"].only == ("nfs/nfs-2", "host/nfs-2", "nfs/vip", "nfs/failover")


def test_a_failure_is_named_by_the_group_or_check():
    tasks = by_id("unit")
    assert tasks["check_nfs__nfs-1__lsyncd"].failure_type == "CRITICAL_NFS_FAILURE"
    assert tasks["check_rabbitmq_cluster"].failure_type == "CRITICAL_RABBITMQ_CLUSTER_FAILURE"
    assert tasks["check_hosts"].failure_type == "CRITICAL_HOST_FAILURE"


@pytest.mark.parametrize("granularity", ["group", "host", "unit"])
def test_the_tasks_together_hold_every_verdict(granularity: str):
    declared = inventory()
    held = set()
    for task in check_tasks(declared, granularity):  # type: ignore[arg-type]
        held |= make_plan(declared, task.only).selected or set()
    assert held == set(verdict_ids(declared))


def test_a_unit_task_holds_its_hosts_verdict_too():
    assert by_id("unit")["check_nfs__nfs-1__lsyncd"].only == ("nfs/nfs-1/lsyncd", "host/nfs-1")


def test_a_group_without_units_is_checked_by_its_hosts_at_every_granularity():
    declared = inventory("name: x\nhosts: {a: 192.0.2.1}\ngroups: {g: {hosts: [a], units: []}}\n")
    for granularity in ("group", "host", "unit"):
        assert [t.only for t in check_tasks(declared, granularity)] == [("host/a",)]  # type: ignore[arg-type]


def test_a_group_with_a_virtual_ip_alone_does_not_lose_its_hosts():
    text = "name: x\nhosts: {a: 192.0.2.1}\ngroups: {g: {hosts: [a], units: [], vip: 192.0.2.3}}\n"
    (task,) = check_tasks(inventory(text), "unit")
    assert task.only == ("g/vip", "host/a")


def test_ids_that_would_become_one_stay_two():
    text = 'name: x\nhosts: {a: 192.0.2.1}\ngroups: {g: {hosts: [a], units: ["w@1", w_1]}}\n'
    tasks = check_tasks(inventory(text), "unit")
    assert [t.task_id for t in tasks] == ["check_g__a__w_1", "check_g__a__w_1_2"]
    assert [t.only for t in tasks] == [("g/a/w@1", "host/a"), ("g/a/w_1", "host/a")]
