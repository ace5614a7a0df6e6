"""What is asked of whom, by the whole inventory and by selectors."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from quorate.model import ActivePassive, Check, Group, Host, Inventory, SshSettings, Sync
from quorate.model.selectors import select
from quorate.plan import HostPlan, SelectorError, make_plan, verdict_ids

JUMPS = {"nfs-1": "outer", "nfs-2": "inner", "inner": "outer"}
NAMES = ("nfs-1", "nfs-2", "haproxy-1", "outer", "inner", "spare")


def inventory() -> Inventory:
    """Return two groups that share nfs-1, jump hosts in a chain, and a host in no group."""
    hosts = {
        name: Host(name=name, address="192.0.2.1", ssh=SshSettings(jump=JUMPS.get(name))) for name in NAMES
    }
    groups = (
        Group(
            name="nfs",
            hosts=("nfs-1", "nfs-2"),
            units=("lsyncd.service", "keepalived.service"),
            active_passive=ActivePassive(vip="192.0.2.220", units=("lsyncd.service",)),
        ),
        Group(name="haproxy", hosts=("haproxy-1", "nfs-1"), units=("keepalived.service", "web.socket")),
        Group(name="web", hosts=("haproxy-1",), units=("haproxy.service",), vip="192.0.2.210"),
    )
    members = ({"name": "spare", "address": "192.0.2.1", "port": 5672},)
    checks = {
        "db": Check(name="db", kind="postgresql", hosts=("spare",)),
        "rabbitmq_cluster": Check(
            name="rabbitmq_cluster",
            kind="rabbitmq",
            hosts=("spare",),
            members=("spare",),
            settings={"members": members},
        ),
    }
    return Inventory(name="test", hosts=hosts, groups={g.name: g for g in groups}, checks=checks)


def asked(*only: str) -> dict[str, HostPlan]:
    plans = make_plan(inventory(), only).hosts
    assert len({plan.host for plan in plans}) == len(plans), "a host is asked once"
    return {plan.host: plan for plan in plans}


def test_whole_inventory_is_one_batch_a_host_in_inventory_order() -> None:
    plan = make_plan(inventory())
    assert plan.selected is None
    assert plan.hosts == (
        HostPlan(
            host="nfs-1",
            units=("lsyncd.service", "keepalived.service", "web.socket"),
            addresses=True,
            vrrp=True,
        ),
        HostPlan(host="nfs-2", units=("lsyncd.service", "keepalived.service"), addresses=True, vrrp=True),
        HostPlan(
            host="haproxy-1", units=("keepalived.service", "web.socket", "haproxy.service"), addresses=True
        ),
        HostPlan(host="outer"),
        HostPlan(host="inner"),
        HostPlan(host="spare"),
    )


def test_ids_stand_in_report_order() -> None:
    assert verdict_ids(inventory()) == (
        *(f"host/{name}" for name in NAMES),
        "nfs/vip",
        "nfs/failover",
        "web/vip",
        "nfs/nfs-1/lsyncd",
        "nfs/nfs-1/keepalived",
        "nfs/nfs-2/lsyncd",
        "nfs/nfs-2/keepalived",
        "haproxy/haproxy-1/keepalived",
        "haproxy/haproxy-1/web.socket",
        "haproxy/nfs-1/keepalived",
        "haproxy/nfs-1/web.socket",
        "web/haproxy-1/haproxy",
        "db",
        "rabbitmq_cluster",
        "rabbitmq_cluster/spare",
    )


NFS = {
    "nfs/vip",
    "nfs/failover",
    "nfs/nfs-1/lsyncd",
    "nfs/nfs-1/keepalived",
    "nfs/nfs-2/lsyncd",
    "nfs/nfs-2/keepalived",
}
SELECTORS: dict[str, tuple[Sequence[str], set[str]]] = {
    "a group": (("nfs",), NFS),
    "a group, with a slash": (("nfs/",), NFS),
    "a host of a group": (("nfs/nfs-1",), {"nfs/nfs-1/lsyncd", "nfs/nfs-1/keepalived"}),
    "a unit": (("nfs/nfs-2/lsyncd",), {"nfs/nfs-2/lsyncd"}),
    "a unit by its full name": (("nfs/nfs-2/lsyncd.service",), {"nfs/nfs-2/lsyncd"}),
    "a unit of another kind": (("haproxy/nfs-1/web.socket",), {"haproxy/nfs-1/web.socket"}),
    "a virtual IP": (("web/vip",), {"web/vip"}),
    "a failover": (("nfs/failover",), {"nfs/failover"}),
    "a host": (("host/spare",), {"host/spare"}),
    "every host": (("host",), {f"host/{name}" for name in NAMES}),
    "a check": (("db",), {"db"}),
    "a check with its members": (("rabbitmq_cluster",), {"rabbitmq_cluster", "rabbitmq_cluster/spare"}),
    "a member of a check": (("rabbitmq_cluster/spare",), {"rabbitmq_cluster/spare"}),
    "several": (("host/spare", "web/vip"), {"host/spare", "web/vip"}),
    "the same twice": (("web/vip", "web"), {"web/vip", "web/haproxy-1/haproxy"}),
}


@pytest.mark.parametrize(("only", "expected"), SELECTORS.values(), ids=SELECTORS)
def test_selectors_choose_by_id_and_by_prefix(only: Sequence[str], expected: set[str]) -> None:
    assert make_plan(inventory(), only).selected == expected


NOTHING = {
    "no such group": ("nsf", "the selector 'nsf' matches nothing in this inventory; did you mean 'nfs'?"),
    "no whole name": ("nf", "did you mean 'nfs'?"),
    "misspelt unit": ("nfs/nfs-1/lsycnd", "did you mean 'nfs/nfs-1/lsyncd'?"),
    "misspelt host": ("host/spar", "did you mean 'host/spare'?"),
    "misspelt check": ("rabbitmq_clutser", "did you mean 'rabbitmq_cluster'?"),
    "nothing like it": ("§", "it can begin with host, nfs,"),
    "empty": ("", "matches nothing"),
    "a slash": ("/", "matches nothing"),
    "a pattern": ("nfs/*", "matches nothing"),
}


@pytest.mark.parametrize(("selector", "message"), NOTHING.values(), ids=NOTHING)
def test_selector_that_matches_nothing_is_an_error_with_what_was_meant(selector: str, message: str) -> None:
    with pytest.raises(SelectorError) as raised:
        make_plan(inventory(), ["web", selector])
    assert message in str(raised.value)
    assert repr(selector) in str(raised.value)


def test_group_is_asked_as_a_whole_with_the_jump_hosts_on_the_way() -> None:
    assert asked("nfs/nfs-2/lsyncd") == {
        "nfs-1": HostPlan(host="nfs-1", units=("lsyncd.service", "keepalived.service"), addresses=True),
        "nfs-2": HostPlan(host="nfs-2", units=("lsyncd.service", "keepalived.service"), addresses=True),
        "outer": HostPlan(host="outer"),
        "inner": HostPlan(host="inner"),
    }


def test_only_who_wants_to_know_of_a_failover_asks_keepalived_and_for_the_marker() -> None:
    declared = inventory()
    nfs = declared.groups["nfs"]
    assert nfs.active_passive is not None
    marked = replace(nfs.active_passive, sync=Sync(path="/srv/marker", max_age=60.0))
    declared = replace(declared, groups={**declared.groups, "nfs": replace(nfs, active_passive=marked)})

    def asked_further(*only: str) -> dict[str, tuple[bool, tuple[str, ...]]]:
        plans = make_plan(declared, only).hosts
        return {plan.host: (plan.vrrp, plan.sync) for plan in plans if plan.vrrp or plan.sync}

    both = dict.fromkeys(("nfs-1", "nfs-2"), (True, ("/srv/marker",)))
    assert asked_further() == asked_further("nfs") == asked_further("nfs/failover") == both
    assert asked_further("nfs/vip") == asked_further("nfs/nfs-2") == asked_further("haproxy") == {}
    lonely = replace(declared, groups={"nfs": replace(declared.groups["nfs"], units=("lsyncd.service",))})
    assert [(plan.vrrp, plan.sync) for plan in make_plan(lonely, ["nfs"]).hosts[:1]] == [
        (False, ("/srv/marker",))
    ]


def test_shared_host_is_asked_only_for_the_groups_that_are_selected() -> None:
    assert asked("haproxy") == {
        "nfs-1": HostPlan(host="nfs-1", units=("keepalived.service", "web.socket")),
        "haproxy-1": HostPlan(host="haproxy-1", units=("keepalived.service", "web.socket")),
        "outer": HostPlan(host="outer"),
    }


def test_host_alone_is_asked_whether_it_answers() -> None:
    assert asked("host/spare") == {"spare": HostPlan(host="spare")}
    assert list(asked("host/nfs-2")) == ["nfs-2", "outer", "inner"]


CHECKS = {
    "the whole inventory": ((), ("db", "rabbitmq_cluster")),
    "a check": (("db",), ("db",)),
    "a member is judged with its whole": (("rabbitmq_cluster/spare",), ("rabbitmq_cluster",)),
    "several": (("rabbitmq_cluster", "db", "nfs"), ("db", "rabbitmq_cluster")),
    "a group": (("nfs",), ()),
    "the host of a check": (("host/spare",), ()),
}


@pytest.mark.parametrize(("only", "expected"), CHECKS.values(), ids=CHECKS)
def test_checks_are_asked_as_a_whole(only: Sequence[str], expected: tuple[str, ...]) -> None:
    assert make_plan(inventory(), only).checks == expected


def test_check_alone_asks_no_host_over_ssh() -> None:
    assert asked("rabbitmq_cluster") == {}
    assert asked("rabbitmq_cluster/spare", "db") == {}


def test_selectors_take_names_that_end_like_a_unit() -> None:
    ids = ("host/web.service", "g.service/a/x", "g/a/x")
    assert select(ids, ["host/web.service"]) == {"host/web.service"}
    assert select(ids, ["g.service"]) == {"g.service/a/x"}
    assert select(ids, ["g/a/x.service"]) == {"g/a/x"}


def test_check_whose_meaning_roles_decide_asks_who_holds_the_address() -> None:
    declared = inventory()
    lb = Check(name="lb", kind="haproxy", hosts=("haproxy-1",), members=("haproxy-1",), needs_roles=True)
    declared = replace(declared, checks={**declared.checks, "lb": lb})
    plan = make_plan(declared, ("lb",))
    assert plan.selected == {"lb", "lb/haproxy-1"}
    assert [host for host in plan.hosts if host.addresses] == [
        HostPlan(host="haproxy-1", units=("haproxy.service",), addresses=True)
    ]
    assert not make_plan(replace(declared, checks={"lb": replace(lb, needs_roles=False)}), ("lb",)).hosts
