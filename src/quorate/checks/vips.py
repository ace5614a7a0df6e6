"""Judges who holds the virtual IP of a group, by the table "Virtual IP" of the semantics."""

from collections.abc import Mapping

from quorate.checks.finding import Finding, words
from quorate.checks.roles import Roles
from quorate.checks.scene import Scene
from quorate.model import Group, Reason, State, Unobserved, Verdict


def vip_verdict(group: Group, hosts: Mapping[str, Verdict], scene: Scene) -> Verdict:
    """Return the verdict of a group's virtual IP; `hosts` are the verdicts of hosts by name."""
    roles = scene.roles[group.name]
    finding, said = _judge(group, roles)
    return Verdict(
        id=f"{group.name}/vip",
        kind="vip",
        group=group.name,
        state=finding.state,
        reason=finding.reason,
        summary=f"VIP {group.virtual_ip} of {group.name} {said}",
        notes=finding.notes,
        detail=_why_unasked(roles, scene),
        observed={
            "address": group.virtual_ip,
            "holders": list(roles.holders),
            "unasked": list(roles.unasked),
        },
        expected={"holders": 1},
        caused_by=_cause(roles, hosts, scene) if finding.reason is Reason.ACTIVE_NODE_UNKNOWN else None,
        duration=max(scene.latest(host).contact.duration for host in group.hosts),
    )


def _judge(group: Group, roles: Roles) -> tuple[Finding, str]:
    if len(roles.holders) > 1:
        said = f"is held by {' AND '.join(roles.holders)}"
        return Finding(state=State.CRITICAL, reason=Reason.DUPLICATE_VIP), said
    if roles.active_node is not None:
        notes = ("uniqueness_unproven",) if roles.unasked else ()
        return Finding(state=State.OK, reason=Reason.OK, notes=notes), f"is held by {roles.active_node}"
    if roles.unasked:
        said = f"has no known holder: {', '.join(roles.unasked)} could not be asked"
        return Finding(state=State.UNKNOWN, reason=Reason.ACTIVE_NODE_UNKNOWN), said
    said = f"is held by NOBODY (asked: {', '.join(group.hosts)})"
    return Finding(state=State.CRITICAL, reason=Reason.NO_ACTIVE_NODE), said


def _cause(roles: Roles, hosts: Mapping[str, Verdict], scene: Scene) -> str | None:
    """Return the first host that could not be asked for its addresses, or what explains all of those."""
    failed = [hosts[host] for host in roles.unasked if hosts[host].state.rank >= State.UNKNOWN.rank]
    if scene.isolated and any(host.caused_by == "monitor" for host in failed):
        return "monitor"
    return failed[0].id if failed else None


def _why_unasked(roles: Roles, scene: Scene) -> str | None:
    said = []
    for host in roles.unasked:
        addresses = scene.latest(host).addresses
        if isinstance(addresses, Unobserved):
            detail = f" ({addresses.detail})" if addresses.detail else ""
            said.append(f"{host}: {words(addresses.reason)}{detail}")
    return "; ".join(said) or None
