"""Short ways to say what was declared and what was seen, and the verdicts that come of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from quorate.checks.judge import Judgement, judge
from quorate.model import (
    ActivePassive,
    Addresses,
    CheckObservation,
    Contact,
    Group,
    Host,
    HostObservation,
    Inventory,
    JudgingSettings,
    NoReply,
    Reason,
    SshSettings,
    UnitFacts,
    Unobserved,
    Verdict,
)

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
VIP = "192.0.2.220"
LSYNCD, KEEPALIVED = "lsyncd.service", "keepalived.service"
INFINITY = float("inf")

Fact = UnitFacts | Unobserved
Look = HostObservation
Looks = Mapping[str, Sequence[HostObservation]]
Checks = Mapping[str, CheckObservation]


def unit(state: str = "active/running", load: str = "loaded", **more: object) -> UnitFacts:
    """Return what systemd says of a simple service that has been in a state for a day."""
    active, _, sub = state.partition("/")
    values = {"type": "simple", "result": "success", "n_restarts": 0, "job": 0, "state_age": 86400.0}
    values |= {"start_limit": 90.0, "stop_limit": 90.0, "names": (LSYNCD,)}
    if active in ("active", "reloading", "refreshing"):
        values["active_age"] = 86400.0
    return UnitFacts(load_state=load, active_state=active, sub_state=sub or "dead", **(values | more))


RUNS = unit()
RESTS = unit("inactive/dead")
FAILED = unit("failed/failed", result="exit-code", exec_main_code=1, exec_main_status=1)
STARTS = unit("activating/start", state_age=3.0)
RESTARTS = unit("activating/auto-restart", result="exit-code", state_age=2.0, n_restarts=1)


def look(
    host: str,
    units: Mapping[str, Fact] | None = None,
    *,
    vip: bool | Unobserved | None = None,
    address: str = VIP,
    failure: NoReply | None = None,
    answered: bool = True,
    remote: bool = True,
    **more: object,
) -> Look:
    """Return one look at a host; `vip` tells whether it holds the virtual IP, None that it was not asked."""
    addresses: Addresses | Unobserved | None = None
    if isinstance(vip, Unobserved):
        addresses = vip
    elif vip is not None:
        held = {"192.0.2.1", "fe80::1"} | ({address} if vip else set())
        addresses = Addresses(held=frozenset(held))
    contact = Contact(host=host, failure=failure, answered=answered, remote=remote, duration=0.02)
    return HostObservation(contact=contact, units=units or {}, addresses=addresses, seen_at=NOW, **more)


def unreachable(
    host: str,
    units: Sequence[str] = (),
    *,
    reason: Reason = Reason.HOST_UNREACHABLE,
    answered: bool = False,
    remote: bool = True,
    vip: bool = True,
) -> Look:
    """Return a look at a host that could not be asked; `vip` tells whether its addresses were wanted."""
    failure = NoReply(reason=reason, detail=f"{host}: said so")
    nothing = Unobserved(reason=reason, detail=failure.detail)
    return look(
        host,
        dict.fromkeys(units, nothing),
        vip=nothing if vip else None,
        failure=failure,
        answered=answered,
        remote=remote,
    )


def hosts(*names: str, jump: Mapping[str, str] | None = None) -> dict[str, Host]:
    """Return hosts by name; `jump` names jump hosts by the hosts behind them."""
    jumps = jump or {}
    return {
        name: Host(name=name, address=f"192.0.2.{number}", ssh=SshSettings(jump=jumps.get(name)))
        for number, name in enumerate(names, start=1)
    }


def pair(
    *names: str, units: Sequence[str] = (LSYNCD,), only: Sequence[str] | None = None, **more: object
) -> Inventory:
    """Return a cluster of one active/passive group `nfs`; `only` are its active-only units, else all."""
    names = names or ("nfs-1", "nfs-2")
    roles = ActivePassive(vip=VIP, units=tuple(units if only is None else only))
    group = Group(name="nfs", hosts=names, units=tuple(units), active_passive=roles, **more)
    return Inventory(name="test", hosts=hosts(*names), groups={"nfs": group})


def farm(*names: str, units: Sequence[str] = (LSYNCD,), **more: object) -> Inventory:
    """Return a cluster of one group `web` whose units run on all hosts."""
    names = names or ("web-1",)
    group = Group(name="web", hosts=names, units=tuple(units), **more)
    return Inventory(name="test", hosts=hosts(*names), groups={"web": group})


def judged(
    inventory: Inventory, looks: Looks | Sequence[Look], *, whole: bool = True, checks: Checks | None = None
) -> Judgement:
    """Judge looks and what checks were answered; where each host has one look, they may be given in a row."""
    if not isinstance(looks, Mapping):
        looks = {seen.contact.host: [seen] for seen in looks}
    return judge(inventory, looks, now=NOW, whole=whole, checks=checks)


def verdicts(
    inventory: Inventory, looks: Looks | Sequence[Look], *, whole: bool = True, checks: Checks | None = None
) -> dict[str, Verdict]:
    """Return the verdicts by id."""
    found = judged(inventory, looks, whole=whole, checks=checks)
    return {verdict.id: verdict for verdict in found.verdicts}


def said(verdict: Verdict) -> str:
    """Return state and reason in a word, with notes and cause where there are some: `OK ok [no_process]`."""
    notes = f" [{' '.join(verdict.notes)}]" if verdict.notes else ""
    cause = f" < {verdict.caused_by}" if verdict.caused_by else ""
    return f"{verdict.state.name} {verdict.reason}{notes}{cause}"


def required(*looks: Fact, settings: JudgingSettings | None = None, **more: object) -> Verdict:
    """Return the verdict of lsyncd where it must run, after looks at it; `more` is of the last look."""
    inventory = replace(farm(), judging=settings or JudgingSettings())
    *earlier, last = looks
    seen = [look("web-1", {LSYNCD: fact}) for fact in earlier] + [look("web-1", {LSYNCD: last}, **more)]
    return verdicts(inventory, {"web-1": seen})["web/web-1/lsyncd"]


def passive(*looks: Fact, peer: Fact = RUNS) -> Verdict:
    """Return the verdict of lsyncd on the passive node of a pair, after looks at it."""
    seen = {
        "nfs-1": [look("nfs-1", {LSYNCD: peer}, vip=True) for _ in looks],
        "nfs-2": [look("nfs-2", {LSYNCD: fact}, vip=False) for fact in looks],
    }
    return verdicts(pair(), seen)["nfs/nfs-2/lsyncd"]
