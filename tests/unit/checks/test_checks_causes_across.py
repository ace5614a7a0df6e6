"""What explains a failed check across kinds: every row of the table, and what is near and does not."""

from collections.abc import Mapping
from typing import Any

import pytest

from quorate.checks.causes import with_causes
from quorate.model import (
    ActivePassive,
    Check,
    CheckObservation,
    Group,
    Host,
    Inventory,
    LogsFrom,
    NoReply,
    Reason,
    State,
    Verdict,
)

VIP, NFS_VIP = "192.0.2.210", "192.0.2.220"
HOSTS = (
    "lb-1",
    "lb-2",
    "sch-2",
    "nfs-1",
    "nfs-2",
    "mq-1",
    "mq-2",
    "mq-3",
    "pg-1",
    "pg-2",
    "pg-3",
    "w-1",
    "w-2",
)
ADDRESS = {name: f"192.0.2.{number}" for number, name in enumerate(HOSTS, 1)}
PG, MQ = HOSTS[8:11], HOSTS[5:8]


def unit(name: str) -> str:
    return f"{name}.service"


GROUPS = (
    Group(name="lb", hosts=("lb-1", "lb-2"), units=(unit("haproxy"), unit("keepalived")), vip=VIP),
    Group(name="sch", hosts=("lb-1", "sch-2"), units=(unit("airflow-scheduler"),)),
    Group(name="web", hosts=("lb-1", "lb-2"), units=(unit("airflow-webserver"),)),
    Group(
        name="nfs",
        hosts=("nfs-1", "nfs-2"),
        units=(unit("nfs-server"), unit("airflow-dag-processor")),
        active_passive=ActivePassive(vip=NFS_VIP, units=(unit("nfs-server"), unit("airflow-dag-processor"))),
    ),
    Group(name="mq", hosts=MQ, units=(unit("rabbitmq-server"),)),
    Group(name="pg", hosts=PG, units=(unit("patroni"), unit("etcd"))),
    Group(name="w", hosts=("w-1", "w-2"), units=(unit("airflow-worker"),)),
)
SERVED = {
    "write": {"served_by": LogsFrom(group="pg", unit=unit("patroni"))},
    "web": {"served_by": LogsFrom(group="web", unit=unit("airflow-webserver"))},
    "other": {"served_by": None},
}
CHECKS = (
    Check(name="etcds", kind="etcd", hosts=PG, members=PG),
    Check(name="patronis", kind="patroni", hosts=PG, members=PG),
    Check(
        name="lbs",
        kind="haproxy",
        hosts=("lb-1", "lb-2"),
        members=("lb-1", "lb-2"),
        settings={"backends": SERVED},
    ),
    Check(name="db", kind="postgresql", logs_from=LogsFrom(group="pg", unit=unit("patroni"))),
    Check(name="mqs", kind="rabbitmq", hosts=MQ, members=MQ),
    Check(
        name="ws",
        kind="celery",
        hosts=("w-1", "w-2"),
        members=("w-1", "w-2"),
        settings={"brokers": tuple({"name": name} for name in MQ)},
    ),
    Check(name="af", kind="airflow", members=("scheduler", "triggerer", "dag_processor")),
    Check(name="port", kind="tcp", logs_from=LogsFrom(group="nfs", unit=unit("nfs-server"))),
)
INVENTORY = Inventory(
    name="test",
    hosts={name: Host(name=name, address=ADDRESS[name]) for name in HOSTS},
    groups={group.name: group for group in GROUPS},
    checks={check.name: check for check in CHECKS},
)
ASKED_AT = {"db": VIP, "af": VIP, "port": NFS_VIP}
OBSERVED: Mapping[str, Mapping[str, Any]] = {
    "lb/vip": {"holders": ["lb-1"]},
    "nfs/vip": {"holders": ["nfs-1"]},
    "lbs": {"short": ["write"]},
}

Said = Mapping[str, str]


def causes(
    said: Said, *, refused: bool = True, observed: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, str | None]:
    """Return the cause of each verdict that is said to be bad; all others are well."""
    ids = [*(f"host/{host}" for host in HOSTS), "lb/vip", "nfs/vip"]
    ids += [
        f"{g.name}/{host}/{u.removesuffix('.service')}" for g in GROUPS for host in g.hosts for u in g.units
    ]
    ids += [i for check in CHECKS for i in (check.name, *(f"{check.name}/{m}" for m in check.members))]
    assert set(said) <= set(ids)
    kinds = {check.name: check.kind for check in CHECKS}
    seen = {**OBSERVED, **(observed or {})}
    verdicts = [
        Verdict(
            id=i,
            kind=kinds.get(i.partition("/")[0], "unit"),
            group=i.partition("/")[0],
            state=State[said.get(i, "OK ok").split()[0]],
            reason=Reason(said.get(i, "OK ok").split()[1]),
            summary="",
            observed=seen.get(i, {}),
        )
        for i in ids
    ]
    found = with_causes(verdicts, INVENTORY, {c.name: observation(c, refused=refused) for c in CHECKS})
    return {verdict.id: verdict.caused_by for verdict in found if verdict.id in said}


def observation(check: Check, *, refused: bool) -> CheckObservation:
    no = NoReply(reason=Reason.CONNECT_FAILED, detail="", answered=refused)
    if check.kind in ("etcd", "patroni", "haproxy", "rabbitmq"):
        places = {member: ADDRESS[member] for member in check.members}
        return CheckObservation(answers=dict.fromkeys(places, no), addresses=places)
    return CheckObservation(
        answers={check.name: no}, addresses={check.name: ASKED_AT.get(check.name, ADDRESS["mq-1"])}
    )


CASCADE = {
    "pg/pg-2/etcd": "CRITICAL failed",
    "pg/pg-3/etcd": "CRITICAL failed",
    "etcds": "CRITICAL quorum_lost",
    "etcds/pg-2": "WARNING connect_failed",
    "etcds/pg-3": "WARNING connect_failed",
    "patronis": "CRITICAL no_leader",
    "lbs": "CRITICAL too_few_up",
    "db": "CRITICAL connect_failed",
    "af": "CRITICAL timeout",
}


def test_a_lost_majority_of_etcd_is_followed_to_the_schedulers() -> None:
    assert causes(CASCADE) == {
        "pg/pg-2/etcd": None,
        "pg/pg-3/etcd": None,
        "etcds": "pg/pg-2/etcd",
        "etcds/pg-2": "pg/pg-2/etcd",
        "etcds/pg-3": "pg/pg-3/etcd",
        "patronis": "etcds",
        "lbs": "patronis",
        "db": "lbs",
        "af": "lbs",
    }


ONE = {
    "database, the balancer's unit": (
        {"lb/lb-1/haproxy": "CRITICAL failed", "db": "CRITICAL connect_failed"},
        "db",
        "lb/lb-1/haproxy",
    ),
    "database, the other balancer's unit": (
        {"lb/lb-2/haproxy": "CRITICAL failed", "db": "CRITICAL connect_failed"},
        "db",
        None,
    ),
    "database, the leader": (
        {"patronis": "CRITICAL no_leader", "db": "CRITICAL connect_failed"},
        "db",
        "patronis",
    ),
    "database, a lagging replica": (
        {"patronis": "CRITICAL lagging", "db": "CRITICAL connect_failed"},
        "db",
        None,
    ),
    "database, Patroni is merely not verified": (
        {"patronis": "UNKNOWN connect_failed", "db": "CRITICAL connect_failed"},
        "db",
        None,
    ),
    "database answers as a standby, two servers take writes": (
        {"lbs": "CRITICAL too_many_up", "db": "CRITICAL read_only"},
        "db",
        "lbs",
    ),
    "database refuses the login": (
        {"patronis": "CRITICAL no_leader", "db": "UNKNOWN auth_failed"},
        "db",
        None,
    ),
    "database fails a query": ({"patronis": "CRITICAL no_leader", "db": "CRITICAL query_failed"}, "db", None),
    "no leader, etcd has none": (
        {"etcds": "CRITICAL no_leader", "patronis": "CRITICAL no_leader"},
        "patronis",
        "etcds",
    ),
    "no leader, etcd lacks a member": (
        {"etcds": "WARNING redundancy_lost", "patronis": "CRITICAL no_leader"},
        "patronis",
        None,
    ),
    "two leaders": ({"etcds": "CRITICAL quorum_lost", "patronis": "CRITICAL split_brain"}, "patronis", None),
    "backend of the database, no leader": (
        {"patronis": "CRITICAL no_leader", "lbs": "CRITICAL too_few_up"},
        "lbs",
        "patronis",
    ),
    "workers, no quorum of the broker": (
        {"mqs": "CRITICAL quorum_lost", "ws": "CRITICAL none_alive"},
        "ws",
        "mqs",
    ),
    "workers, the broker lacks a node": (
        {"mqs": "WARNING redundancy_lost", "ws": "CRITICAL none_alive"},
        "ws",
        None,
    ),
    "worker's unit": (
        {"w/w-1/airflow-worker": "CRITICAL failed", "ws/w-1": "WARNING timeout"},
        "ws/w-1",
        "w/w-1/airflow-worker",
    ),
    "worker's host is gone": (
        {"host/w-1": "CRITICAL host_unreachable", "ws/w-1": "WARNING timeout"},
        "ws/w-1",
        "host/w-1",
    ),
    "worker's host refuses the key": (
        {"host/w-1": "UNKNOWN ssh_auth_failed", "ws/w-1": "WARNING timeout"},
        "ws/w-1",
        None,
    ),
    "workers lack one, which is explained": (
        {
            "w/w-1/airflow-worker": "CRITICAL failed",
            "ws": "WARNING redundancy_lost",
            "ws/w-1": "WARNING timeout",
        },
        "ws",
        "w/w-1/airflow-worker",
    ),
    "API behind the address, its unit on the holder": (
        {"lb/lb-1/haproxy": "CRITICAL inactive", "af": "CRITICAL connect_failed"},
        "af",
        "lb/lb-1/haproxy",
    ),
    "API fails without its database": (
        {"db": "CRITICAL connect_failed", "af": "CRITICAL unhealthy"},
        "af",
        "db",
    ),
    "port of the active node, the unit there": (
        {"nfs/nfs-1/nfs-server": "CRITICAL failed", "port": "CRITICAL connect_failed"},
        "port",
        "nfs/nfs-1/nfs-server",
    ),
    "port of the active node, the unit elsewhere": (
        {"nfs/nfs-2/nfs-server": "CRITICAL split_brain", "port": "CRITICAL connect_failed"},
        "port",
        None,
    ),
    "member's host hangs": (
        {"host/pg-1": "CRITICAL ssh_unresponsive", "etcds/pg-1": "WARNING timeout"},
        "etcds/pg-1",
        "host/pg-1",
    ),
}


@pytest.mark.parametrize(("said", "about", "cause"), ONE.values(), ids=ONE)
def test_one_cause(said: Said, about: str, cause: str | None) -> None:
    assert causes(said)[about] == cause


@pytest.mark.parametrize("check", ["db", "af"])
def test_nobody_holds_the_address(check: str) -> None:
    said = {"lb/vip": "CRITICAL no_active_node", check: "CRITICAL timeout"}
    assert causes(said, refused=False)[check] == "lb/vip"
    assert causes(said, refused=True)[check] is None


SCHEDULER = {"af/scheduler": {"alive": 1, "expected": 2}}
NO_SCHEDULER = {"af/scheduler": {"alive": 0, "expected": 2}}
LOST, NONE = "WARNING redundancy_lost", "CRITICAL none_alive"
COMPONENTS = {
    "one of two, its unit": (
        SCHEDULER,
        {"sch/sch-2/airflow-scheduler": "CRITICAL failed"},
        LOST,
        "sch/sch-2/airflow-scheduler",
    ),
    "one of two, its host": (SCHEDULER, {"host/sch-2": "CRITICAL host_unreachable"}, LOST, "host/sch-2"),
    "one of two, a host with another key": (
        SCHEDULER,
        {"host/sch-2": "CRITICAL host_key_changed"},
        LOST,
        None,
    ),
    "none, one unit": (NO_SCHEDULER, {"sch/sch-2/airflow-scheduler": "CRITICAL failed"}, NONE, None),
    "none, a unit and a host": (
        NO_SCHEDULER,
        {"sch/lb-1/airflow-scheduler": "CRITICAL failed", "host/sch-2": "CRITICAL ssh_unresponsive"},
        NONE,
        "sch/lb-1/airflow-scheduler",
    ),
    "none, the database": (NO_SCHEDULER, {"db": "CRITICAL connect_failed"}, NONE, "db"),
    "none, a database that refuses the login": (NO_SCHEDULER, {"db": "UNKNOWN auth_failed"}, NONE, None),
}


@pytest.mark.parametrize(("seen", "said", "state", "cause"), COMPONENTS.values(), ids=COMPONENTS)
def test_component_that_is_missing(
    seen: Mapping[str, Mapping[str, Any]], said: Said, state: str, cause: str | None
) -> None:
    assert causes({**said, "af/scheduler": state}, observed=seen)["af/scheduler"] == cause


def test_backend_of_the_web_servers() -> None:
    said = {
        "web/lb-1/airflow-webserver": "CRITICAL failed",
        "web/lb-2/airflow-webserver": "CRITICAL failed",
        "patronis": "CRITICAL no_leader",
        "lbs": "CRITICAL too_few_up",
    }
    assert causes(said, observed={"lbs": {"short": ["web"]}})["lbs"] == "web/lb-1/airflow-webserver"
    assert causes(said, observed={"lbs": {"short": ["other"]}})["lbs"] is None


def test_a_cause_is_never_a_warning_nor_itself() -> None:
    bad = {check.name: "CRITICAL connect_failed" for check in CHECKS}
    found = causes(bad)
    assert all(cause != i for i, cause in found.items())
    chains = dict(found)
    for start in chains:
        seen, at = set(), start
        while (at := chains.get(at)) is not None:
            assert at not in seen, "causes lead in a circle"
            seen.add(at)
