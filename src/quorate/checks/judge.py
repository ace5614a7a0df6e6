"""Judges all that a sweep saw, in report order: the monitor, hosts, virtual IPs, units, checks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from quorate.checks.causes import with_causes
from quorate.checks.failover import failover_verdict
from quorate.checks.hosts import host_verdicts
from quorate.checks.kinds import JUDGES
from quorate.checks.monitor import monitor_fault, monitor_verdict
from quorate.checks.outside import own_addresses, silence
from quorate.checks.roles import Looks, asked_groups, roles_of
from quorate.checks.scene import Scene
from quorate.checks.unit_verdicts import unit_verdicts
from quorate.checks.vips import vip_verdict
from quorate.model import (
    Check,
    CheckObservation,
    Group,
    Inventory,
    Reason,
    State,
    Verdict,
    extensions,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """All verdicts in report order, and the proven active node of each active/passive group."""

    verdicts: tuple[Verdict, ...]
    active_nodes: Mapping[str, str | None]


def judge(
    inventory: Inventory,
    looks: Looks,
    *,
    now: datetime,
    whole: bool,
    checks: Mapping[str, CheckObservation] | None = None,
) -> Judgement:
    """Judge what was seen of the hosts in `looks` and of `checks`; what was not asked is left out.

    `whole` tells that the whole inventory was asked: then no group is left out, and what was not seen is
    UNKNOWN. `now` is the monitor's own clock in UTC, from which ages on the hosts are counted back.
    """
    checks = checks or {}
    contacts = {host: seen[-1].contact for host, seen in looks.items()}
    asked = list(inventory.groups.values()) if whole else asked_groups(inventory, looks)
    own = own_addresses(inventory, looks)
    scene = Scene(
        inventory=inventory,
        looks=looks,
        now=now,
        fault=monitor_fault(contacts, whole=whole, silent=silence(checks, own)),
        roles={group.name: roles_of(group, looks) for group in asked if group.virtual_ip},
        own=own,
    )
    hosts = host_verdicts(scene)
    units = {v.id: v for group in asked for v in unit_verdicts(group, hosts, scene)}
    verdicts = [
        *([monitor_verdict(scene.fault)] if scene.fault else []),
        *hosts.values(),
        *(verdict for group in asked for verdict in _of_address(group, hosts, units, scene)),
        *units.values(),
    ]
    verdicts += _check_verdicts(checks, scene, whole=whole)
    verdicts = with_causes(verdicts, inventory, checks)
    active_nodes = {
        group.name: _active_node(group, scene) for group in inventory.groups.values() if group.active_passive
    }
    return Judgement(verdicts=tuple(verdicts), active_nodes=active_nodes)


def _of_address(
    group: Group, hosts: Mapping[str, Verdict], units: Mapping[str, Verdict], scene: Scene
) -> Iterator[Verdict]:
    """Yield what is said of a group's virtual IP: who holds it, and whether it could move."""
    if group.virtual_ip:
        yield vip_verdict(group, hosts, scene)
    if group.active_passive:
        yield failover_verdict(group, units, scene)


def _check_verdicts(
    checks: Mapping[str, CheckObservation], scene: Scene, *, whole: bool
) -> Iterator[Verdict]:
    """Yield the verdicts of the checks that were asked, and of those that this version can't ask."""
    for check in scene.inventory.checks.values():
        if check.kind not in JUDGES:
            yield _unsupported(check)
        elif check.name in checks:
            yield from _judged(check, checks[check.name], scene)
        elif whole:
            yield _unverified(check, Reason.NO_ANSWER, "it was not asked")


def _judged(check: Check, seen: CheckObservation, scene: Scene) -> list[Verdict]:
    try:
        return JUDGES[check.kind].verdicts(check, seen, scene)
    except Exception as error:  # noqa: BLE001  a fault in one check's judgement costs no other verdict
        place = f"{type(error).__name__} in the judgement of kind {check.kind}"
        why = "a fault in quorate"
        return [_unverified(check, Reason.INTERNAL_ERROR, why, f"{place}; please report it")]


def _active_node(group: Group, scene: Scene) -> str | None:
    roles = scene.roles.get(group.name)
    return roles.active_node if roles else None


def _unsupported(check: Check) -> Verdict:
    return _unverified(
        check,
        Reason.UNSUPPORTED_KIND,
        f"this version cannot ask checks of kind {check.kind}",
        extensions.fault(check.kind)
        or "take the check out of the inventory, or use a version of quorate that knows its kind",
    )


def _unverified(check: Check, reason: Reason, why: str, detail: str | None = None) -> Verdict:
    return Verdict(
        id=check.name,
        kind=check.kind,
        group=check.name,
        state=State.UNKNOWN,
        reason=reason,
        summary=f"{check.name} is NOT VERIFIED ({why})",
        detail=detail,
    )
