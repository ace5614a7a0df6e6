"""Reports and verdicts as check tasks get them, made short."""

from datetime import UTC, datetime
from typing import Any

from quorate.inventory import parse_inventory
from quorate.model import Evidence, Inventory, Reason, Report, State, Verdict

NOW = datetime(2026, 1, 1, 3, 0, tzinfo=UTC)

PAIR = """
name: airflow-prod
hosts: {nfs-1: 192.0.2.165, nfs-2: 192.0.2.203, rabbit-1: 192.0.2.205, spare: 192.0.2.9}
groups:
  nfs:
    hosts: [nfs-1, nfs-2]
    units: [nfs-server, lsyncd, keepalived]
    active_passive: {vip: 192.0.2.220, units: [nfs-server, lsyncd]}
checks:
  rabbitmq_cluster: {kind: rabbitmq, hosts: [rabbit-1], user: u, password: {env: RABBITMQ_PASSWORD}}
"""


def inventory(text: str = PAIR) -> Inventory:
    return parse_inventory(text, source="cluster.yaml")


def verdict(name: str, state: State = State.OK, reason: Reason = Reason.OK, **more: Any) -> Verdict:
    group, *rest = name.split("/")
    kind = {1: "rabbitmq", 2: "vip", 3: "unit"}[len(name.split("/"))]
    if group == "host":
        kind, group = "host", None  # type: ignore[assignment]  # a host's verdict is of no group
    values: dict[str, Any] = {
        "id": name,
        "kind": kind,
        "state": state,
        "reason": reason,
        "group": group,
        "host": rest[0] if rest and rest[0] != "vip" else None,
        "unit": rest[1] if len(rest) > 1 else None,
        "summary": f"{name} is {reason.value}",
    }
    return Verdict(**(values | more))


def failed(name: str = "nfs/nfs-1/lsyncd", **more: Any) -> Verdict:
    lines = ("2026-01-01T02:59:00.000000Z lsyncd[812]: Error: no space left",)
    values: dict[str, Any] = {
        "role": "active",
        "summary": "lsyncd on ACTIVE node nfs-1 is FAILED",
        "observed": {"active_state": "failed"},
        "expected": {"active_state": "active"},
        "evidence": (Evidence(source="journal", host="nfs-1", unit="lsyncd", lines=lines),),
    }
    return verdict(name, State.CRITICAL, Reason.FAILED, **(values | more))


def passive(name: str = "nfs/nfs-2/lsyncd") -> Verdict:
    return verdict(name, State.EXPECTED, Reason.PASSIVE_INACTIVE, role="passive")


def report(*verdicts: Verdict, **more: Any) -> Report:
    values: dict[str, Any] = {"cluster": "airflow-prod", "started_at": NOW, "duration": 0.4}
    return Report(verdicts=verdicts, **(values | more))
