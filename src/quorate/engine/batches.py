"""Puts questions to a host together in batches, and reads the answers back into an observation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from quorate.checks.again import FollowUp
from quorate.model import (
    Ask,
    Check,
    Contact,
    Host,
    HostObservation,
    HostReply,
    NoReply,
    Reply,
    UnitFacts,
    Unobserved,
)
from quorate.plan import HostPlan
from quorate.probes.addresses import ask_addresses, parse_addresses
from quorate.probes.journal import (
    ask_journal_access,
    ask_restarts,
    parse_journal_access,
    parse_restarts,
)
from quorate.probes.kinds import PROBES
from quorate.probes.sudo import sudo_refusal
from quorate.probes.sync import ask_sync, parse_sync
from quorate.probes.systemd import ask_system_state, ask_units, parse_system_state, parse_units
from quorate.probes.vrrp import ask_vrrp, parse_vrrp

Answers = Sequence[Reply | NoReply]


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """One instant by both clocks: the event loop's in seconds, and UTC."""

    loop: float
    utc: datetime

    def at(self, loop: float) -> datetime:
        """Return the UTC of another instant of the loop's clock."""
        return self.utc + timedelta(seconds=loop - self.loop)


def look_batch(plan: HostPlan, checks: Mapping[str, Check]) -> tuple[Ask, ...]:
    """Return what a look at a host asks: the states first, so that nothing else can cost them.

    `checks` are those whose commands are asked along, by name.
    """
    units = (ask_units(plan.units),) if plan.units else ()
    addresses = (ask_addresses(),) if plan.addresses else ()
    commands = (ask for asks in _commands(plan, checks).values() for ask in asks)
    vrrp = (ask_vrrp(),) if plan.vrrp else ()
    return (*units, *addresses, *commands, *vrrp, *(ask_sync(path) for path in plan.sync))


def another_look(plan: HostPlan) -> HostPlan:
    """Return what is asked when a host is looked at again: states and roles, nothing that is asked once."""
    return replace(plan, checks=(), sync=())


def _commands(plan: HostPlan, checks: Mapping[str, Check]) -> dict[str, Sequence[Ask]]:
    """Return the commands of the checks that ask this host."""
    wanted = [checks[name] for name in plan.checks if name in checks and checks[name].kind in PROBES]
    wanted.sort(key=lambda check: not PROBES[check.kind].timed)
    return {check.name: _of_check(check, plan.host) for check in wanted}


def _of_check(check: Check, host: str) -> Sequence[Ask]:
    try:
        return PROBES[check.kind].commands(check, host)
    except Exception:  # noqa: BLE001  a broken probe must not cost the units; its reader says that it is broken
        return ()


def read_look(
    plan: HostPlan, checks: Mapping[str, Check], contact: Contact, answers: Answers, now: Moment
) -> HostObservation:
    """Return what a look saw, from the answers to `look_batch` in its order, which came by `now`."""
    rest = iter(answers)
    units = parse_units(next(rest), plan.units) if plan.units else {}
    addresses = parse_addresses(next(rest)) if plan.addresses else None
    replies = {name: [next(rest) for _ in asks] for name, asks in _commands(plan, checks).items()}
    vrrp = next(rest) if plan.vrrp else None
    return HostObservation(
        contact=contact,
        units=units,
        addresses=addresses,
        checks={name: _host_reply(of_check, now) for name, of_check in replies.items()},
        vrrp=None if vrrp is None else parse_vrrp(vrrp),
        sync={path: parse_sync(next(rest), path) for path in plan.sync},
        sudo_refused=None if vrrp is None else refusal(vrrp),
        seen_at=now.utc,
    )


def _host_reply(answers: Answers, now: Moment) -> HostReply:
    return HostReply(
        answers=tuple(answers),
        moments=tuple(_moments(answer, now) for answer in answers),
        duration=sum(answer.duration for answer in answers),
    )


def _moments(answer: Reply | NoReply, now: Moment) -> tuple[datetime, datetime] | None:
    if isinstance(answer, NoReply) or answer.asked is None or answer.came is None:
        return None
    return now.at(answer.asked), now.at(answer.came)


def follow_up_batch(
    follow_up: FollowUp, observation: HostObservation, host: Host, restart_window: float
) -> tuple[Ask, ...]:
    """Return the further questions to a host about what was observed there; the window in seconds."""
    state = (ask_system_state(),) if follow_up.system_state else ()
    triggers = (ask_units(follow_up.triggers),) if follow_up.triggers else ()
    names = [journal_name(observation, unit) for unit in follow_up.restarts]
    restarts = [ask_restarts(name, restart_window) for name in names]
    return (*state, *triggers, *restarts, *(access_batch(host) if restarts else ()))


def journal_name(observation: HostObservation, unit: str) -> str:
    """Return the name under which a unit's messages stand in the journal: its own, not an alias."""
    facts = observation.units.get(unit)
    return facts.names[0] if isinstance(facts, UnitFacts) and facts.names else unit


def access_batch(host: Host) -> tuple[Ask, ...]:
    """Return the question whether the journal can be seen, where sudo is not used: root always can."""
    return () if host.ssh.sudo else (ask_journal_access(),)


def read_access(answers: Answers) -> Unobserved | None:
    """Return why the journal can't be seen, from the answers to `access_batch`."""
    return parse_journal_access(answers[0]) if answers else None


def read_follow_up(observation: HostObservation, follow_up: FollowUp, answers: Answers) -> HostObservation:
    """Return the observation with the answers to `follow_up_batch`; what has none stays unknown."""
    rest = iter(answers)
    system_state = parse_system_state(next(rest)) if follow_up.system_state else None
    facts = parse_units(next(rest), follow_up.triggers) if follow_up.triggers else {}
    counts = [next(rest) for _ in follow_up.restarts]
    hidden = read_access(list(rest))
    restarts, refused = {}, observation.sudo_refused
    for unit, answer in zip(follow_up.restarts, counts, strict=True):
        counted = parse_restarts(answer)
        # None is proven only where the journal can be seen.
        if isinstance(counted, int) and (counted or hidden is None):
            restarts[unit] = counted
        refused = refused or refusal(answer)
    return replace(
        observation,
        followed_up=True,
        system_state=system_state,
        triggers={unit: f.active_state for unit, f in facts.items() if isinstance(f, UnitFacts)},
        restarts=restarts,
        sudo_refused=refused,
    )


def refusal(answer: Reply | NoReply) -> str | None:
    """Return what sudo said where it refused a command."""
    return sudo_refusal(answer) if isinstance(answer, Reply) else None
