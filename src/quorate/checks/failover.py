"""Judges whether a failover of an active/passive group would work now. It raises no alarm but a warning.

What the standby lacks is a finding; what could not be seen of it is a note, and no alarm. Where no active
node is proven there is nothing to judge: that is UNKNOWN, and a consequence of what the virtual IP says.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from quorate.checks import units
from quorate.checks.finding import words
from quorate.checks.roles import failover_in_progress
from quorate.checks.scene import Scene
from quorate.model import (
    KEEPALIVED,
    Group,
    Reason,
    State,
    Sync,
    SyncMarker,
    UnitFacts,
    Unobserved,
    Verdict,
    unit_id,
)

ORDER = (Reason.STANDBY_FAULT, Reason.WOULD_NOT_START, Reason.ENABLED_AT_BOOT, Reason.SYNC_STALE)
"""The reasons, the one that a failover breaks at first before the others."""

_NOT_LOADED = {"masked": "masked", "not-found": "not found", "bad-setting": "broken", "error": "broken"}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lack:
    """One thing that stands against a failover; `cause` is the verdict that explains it."""

    reason: Reason
    said: str
    cause: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Unseen:
    """One thing that could not be seen, and why."""

    note: str
    said: str


_Told = Iterator[_Lack | _Unseen]


def failover_verdict(group: Group, verdicts: Mapping[str, Verdict], scene: Scene) -> Verdict:
    """Return the verdict of a group with roles; `verdicts` are those of its units, by id."""
    active = scene.roles[group.name].active_node
    if active is None:
        said = f"whether {group.name} could fail over is NOT VERIFIED (no active node is proven)"
        ambiguous = len(scene.roles[group.name].holders) > 1
        reason = Reason.ACTIVE_NODE_AMBIGUOUS if ambiguous else Reason.ACTIVE_NODE_UNKNOWN
        return _verdict(group, scene, said, state=State.UNKNOWN, reason=reason, caused_by=f"{group.name}/vip")
    standbys = [host for host in group.hosts if host != active]
    named = ", ".join(standbys)
    if failover_in_progress(group, active, scene.looks):
        said = f"whether {group.name} could fail over is NOT JUDGED: it has just begun to run on {active}"
        return _verdict(group, scene, said, notes=("failover_in_progress",))
    told = [each for host in standbys for each in _standby(group, host, verdicts, scene)]
    told += _boot(group, active, scene)
    lacks = sorted((e for e in told if isinstance(e, _Lack)), key=lambda lack: ORDER.index(lack.reason))
    unseen = [each for each in told if isinstance(each, _Unseen)]
    first = lacks[0] if lacks else None
    if first is not None:
        works = "work" if first.reason in (Reason.STANDBY_FAULT, Reason.WOULD_NOT_START) else "be safe"
        said = f"a failover of {group.name} to {named} would NOT {works} ({first.said})"
    elif not unseen:
        said = f"a failover of {group.name} to {named} would work"
    else:
        said = f"nothing that was seen stands against a failover of {group.name} to {named}"
    notes = [lack.reason.value for lack in lacks if first is not None and lack.reason is not first.reason]
    return _verdict(
        group,
        scene,
        said,
        state=State.OK if first is None else State.WARNING,
        reason=Reason.OK if first is None else first.reason,
        notes=tuple(dict.fromkeys([*notes, *(each.note for each in unseen)])),
        detail="\n".join(dict.fromkeys([*(lack.said for lack in lacks), *(each.said for each in unseen)]))
        or None,
        observed={"active_node": active, "standbys": {host: _seen(group, host, scene) for host in standbys}},
        # What nothing explains is an alarm of its own, and must not hide behind what has a cause.
        caused_by=first.cause if first is not None and all(lack.cause for lack in lacks) else None,
    )


def _verdict(
    group: Group,
    scene: Scene,
    summary: str,
    *,
    state: State = State.OK,
    reason: Reason = Reason.OK,
    notes: tuple[str, ...] = (),
    detail: str | None = None,
    observed: Mapping[str, object] | None = None,
    caused_by: str | None = None,
) -> Verdict:
    return Verdict(
        id=f"{group.name}/failover",
        kind="failover",
        group=group.name,
        state=state,
        reason=reason,
        summary=summary,
        notes=notes,
        detail=detail,
        observed=observed or {},
        expected=_expected(group),
        caused_by=caused_by,
        duration=max(scene.latest(host).contact.duration for host in group.hosts),
    )


def _standby(group: Group, host: str, verdicts: Mapping[str, Verdict], scene: Scene) -> _Told:
    failure = scene.latest(host).contact.failure
    if failure is not None:
        yield _Unseen(note="standby_unverified", said=f"{host} could not be asked ({words(failure.reason)})")
        return
    if KEEPALIVED in group.units:
        yield from _keepalived(group, host, verdicts, scene)
    yield from _units(group, host, verdicts, scene)
    if group.active_passive is not None and group.active_passive.sync is not None:
        yield from _sync(host, group.active_passive.sync, scene)
    else:
        yield from _without_sync(group, host, verdicts, scene)


def _keepalived(group: Group, host: str, verdicts: Mapping[str, Verdict], scene: Scene) -> _Told:
    facts, vrrp = scene.latest(host).units.get(KEEPALIVED), scene.latest(host).vrrp
    if isinstance(facts, UnitFacts) and not units.runs(facts):
        cause = _cause(group, host, KEEPALIVED, verdicts)
        said = f"keepalived on {host} is {facts.active_state.upper()}"
        yield _Lack(reason=Reason.STANDBY_FAULT, said=said, cause=cause)
        return
    if not isinstance(vrrp, Mapping) or not vrrp:
        why = f": {vrrp.detail}" if isinstance(vrrp, Unobserved) and vrrp.detail else ""
        said = f"the state of VRRP on {host} is not seen in the journal of keepalived{why}"
        yield _Unseen(note="vrrp_state_unseen", said=said)
        return
    # One keepalived moves the addresses of several groups; which instance is whose its journal does not tell.
    faulty = [name for name, state in vrrp.items() if state == "FAULT"]
    if faulty:
        said = f"keepalived on {host} is in FAULT STATE: {', '.join(faulty)}"
        yield _Lack(reason=Reason.STANDBY_FAULT, said=said)
    elif "BACKUP" not in vrrp.values():
        said = f"the journal of keepalived on {host} tells of no instance in BACKUP STATE"
        yield _Unseen(note="vrrp_state_unseen", said=said)


def _units(group: Group, host: str, verdicts: Mapping[str, Verdict], scene: Scene) -> _Told:
    for unit in _active_only(group):
        facts, name = scene.latest(host).units.get(unit), unit_id(unit)
        if not isinstance(facts, UnitFacts):
            why = f" ({words(facts.reason)})" if facts is not None else ""
            yield _Unseen(note="standby_unverified", said=f"{name} on {host} could not be asked{why}")
        elif facts.load_state != "loaded":
            state = _NOT_LOADED.get(facts.load_state, facts.load_state)
            cause = _cause(group, host, unit, verdicts)
            yield _Lack(reason=Reason.WOULD_NOT_START, said=f"{name} is {state} on {host}", cause=cause)


def _boot(group: Group, active: str, scene: Scene) -> _Told:
    for unit, hosts in _enabled(group, scene).items():
        if len(hosts) > 1:
            said = (
                f"{unit_id(unit)} is enabled at boot on {' and '.join(hosts)}: a reboot would split the pair"
            )
            yield _Lack(reason=Reason.ENABLED_AT_BOOT, said=said)
        elif not isinstance(scene.latest(active).units.get(unit), UnitFacts):
            said = f"whether {unit_id(unit)} is enabled at boot on {active} could not be asked"
            yield _Unseen(note="enabled_at_boot_unseen", said=said)


def _enabled(group: Group, scene: Scene) -> dict[str, list[str]]:
    """Return where each active-only unit starts at boot; `enabled-runtime` is lost by then, systemctl(1)."""
    return {
        unit: [
            host
            for host in group.hosts
            if isinstance(facts := scene.latest(host).units.get(unit), UnitFacts)
            and facts.unit_file_state == "enabled"
        ]
        for unit in _active_only(group)
    }


def _sync(host: str, sync: Sync, scene: Scene) -> _Told:
    marker = scene.looks[host][0].sync.get(sync.path)
    if not isinstance(marker, SyncMarker):
        why = f": {marker.detail}" if marker is not None and marker.detail else ""
        yield _Unseen(note="sync_unseen", said=f"how old {sync.path} is on {host} could not be asked{why}")
    elif marker.age is None:
        yield _Lack(reason=Reason.SYNC_STALE, said=f"{sync.path} is missing on {host}")
    elif marker.age > sync.max_age:
        said = f"{sync.path} on {host} is {marker.age:.0f} s old, more than {sync.max_age:g} s"
        yield _Lack(reason=Reason.SYNC_STALE, said=said)


def _without_sync(group: Group, host: str, verdicts: Mapping[str, Verdict], scene: Scene) -> _Told:
    """Yield that nothing tells what the passive node has, where what runs on the active one is not well."""
    active = scene.roles[group.name].active_node
    for unit in _active_only(group):
        verdict = verdicts[f"{group.name}/{active}/{unit_id(unit)}"]
        if verdict.state is State.CRITICAL:
            lost = f"without a `sync` marker nothing tells whether {host} has what {active} has"
            yield _Unseen(note="sync_unseen", said=f"{verdict.summary}; {lost}")


def _cause(group: Group, host: str, unit: str, verdicts: Mapping[str, Verdict]) -> str | None:
    """Return the unit's own verdict where it says as much: a cause is CRITICAL or UNKNOWN."""
    name = f"{group.name}/{host}/{unit_id(unit)}"
    return name if name in verdicts and verdicts[name].state.rank >= State.UNKNOWN.rank else None


def _active_only(group: Group) -> tuple[str, ...]:
    return group.active_passive.units if group.active_passive is not None else ()


def _seen(group: Group, host: str, scene: Scene) -> dict[str, object]:
    look, first = scene.latest(host), scene.looks[host][0]
    loaded = {
        unit: facts for unit in _active_only(group) if isinstance(facts := look.units.get(unit), UnitFacts)
    }
    ages = {path: marker.age for path, marker in first.sync.items() if isinstance(marker, SyncMarker)}
    sync = group.active_passive.sync if group.active_passive is not None else None
    return {
        "vrrp": dict(look.vrrp) if isinstance(look.vrrp, Mapping) else None,
        "load_state": {unit_id(unit): facts.load_state for unit, facts in loaded.items()},
        "unit_file_state": {unit_id(unit): facts.unit_file_state for unit, facts in loaded.items()},
        **({"sync_age_s": ages.get(sync.path)} if sync is not None else {}),
    }


def _expected(group: Group) -> dict[str, object]:
    sync = group.active_passive.sync if group.active_passive is not None else None
    return {
        "vrrp": "BACKUP",
        "load_state": "loaded",
        **({"sync_max_age_s": sync.max_age} if sync is not None else {}),
    }
