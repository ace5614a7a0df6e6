"""Runs a sweep: asks all at once, looks again where needed, judges, collects evidence, reports."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from quorate.checks.again import FollowUp, follow_ups, ran_out_of_time, sharing_vip, unsettled
from quorate.checks.judge import judge
from quorate.checks.maintenance import declared, with_maintenance
from quorate.engine import batches, logs, services
from quorate.engine.fan_out import Limits, fan_out, pause
from quorate.engine.secrets import Secrets, resolve_secret
from quorate.evidence import Mask, clean_text, make_mask
from quorate.model import (
    Ask,
    Contact,
    Evidence,
    HostObservation,
    Inventory,
    Maintenance,
    NoReply,
    Reply,
    Report,
    Secret,
    Verdict,
)
from quorate.plan import HostPlan, Plan

Answers = tuple[Contact, tuple[Reply | NoReply, ...]]
Progress = Callable[[str, int, int], None]
"""Called as each host has been asked: its name, how many are done, how many there are."""


class Asker(services.ServiceAsker, Protocol):
    """What asks hosts and services; `quorate.transports.Transport` is one."""

    async def ask(self, host: str, asks: Sequence[Ask], *, deadline: float) -> Answers:
        """Return what came of reaching the host, and an answer for each question."""


async def sweep(
    inventory: Inventory,
    asker: Asker,
    plan: Plan,
    *,
    limits: Limits | None = None,
    evidence: bool = True,
    progress: Progress | None = None,
    resolve: Callable[[Secret], str] = resolve_secret,
    maintenance: Sequence[Maintenance] = (),
) -> Report:
    """Ask what is planned and return what was found; never raises for anything that a host or service does.

    With `limits` over, what had not answered is UNKNOWN and all that was found is in the report. `resolve`
    returns a secret's text, or raises SecretUnavailableError; it is called in threads. `maintenance` goes
    with that of the inventory.
    """
    run = _Sweep(
        inventory=inventory,
        asker=asker,
        plan=plan,
        limits=limits or Limits(),
        progress=progress,
        secrets=Secrets(inventory, resolve),
        maintenance=(*inventory.maintenance, *maintenance),
    )
    return await run.report(evidence=evidence)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fetched:
    """The journals of one host, and what sudo said where it refused them."""

    logs: Mapping[tuple[str, str], Evidence]
    refused: str | None


@dataclass(kw_only=True, slots=True)
class _Sweep:
    inventory: Inventory
    asker: Asker
    plan: Plan
    limits: Limits
    secrets: Secrets
    progress: Progress | None = None
    maintenance: tuple[Maintenance, ...] = ()
    looks: dict[str, list[HostObservation]] = field(default_factory=dict)
    deadlines: dict[str, float] = field(default_factory=dict)
    looked_at: dict[str, float] = field(default_factory=dict)
    asked: int = 0

    async def report(self, *, evidence: bool) -> Report:
        loop = asyncio.get_running_loop()
        began, started_at = loop.time(), datetime.now(UTC)
        plans = {plan.host: plan for plan in self.plan.hosts}
        checks = [self.inventory.checks[name] for name in self.plan.checks]
        async with asyncio.TaskGroup() as together:
            asking = together.create_task(
                services.ask_checks(self.inventory, checks, self.asker, self.secrets, self.limits)
            )
            await self.look(plans)
            await self.settle(plans)
        mask = make_mask(await self.secrets.known())
        first = {host: looks[0] for host, looks in self.looks.items()}
        seen = {**asking.result(), **services.of_hosts(self.inventory, checks, first)}
        answers = {name: services.masked(found, mask) for name, found in seen.items()}
        whole, now = self.plan.selected is None, datetime.now(UTC)
        judgement = judge(self.inventory, self.looks, now=now, whole=whole, checks=answers)
        judged = with_maintenance(judgement.verdicts, self.maintenance, now)
        verdicts = [_masked(v, mask) for v in _reported(judged, self.plan.selected)]
        if evidence:
            verdicts = await self.explain(verdicts, mask)
        return Report(
            cluster=self.inventory.name,
            started_at=started_at,
            duration=loop.time() - began,
            verdicts=tuple(verdicts),
            active_nodes=judgement.active_nodes,
            interrupted=self.limits.stop.is_set(),
            only=self.plan.only,
            maintenance=declared(self.maintenance, now),
        )

    async def settle(self, plans: Mapping[str, HostPlan]) -> None:
        """Look again at what contradicts the roles or is in transition, until two looks agree."""
        judging, loop = self.inventory.judging, asyncio.get_running_loop()
        await self.follow_up()
        for _ in range(judging.samples - 1):
            again = unsettled(self.inventory, self.looks)
            if not again or self.limits.over():
                return
            # The time that others took to answer counts: behind a dead host the next look is due already.
            due = max(self.looked_at[host] for host in again) + judging.interval
            await pause(due - loop.time(), self.limits)
            await self.look_again({host: plan for host, plan in plans.items() if host in again})
            await self.follow_up()

    async def look(self, plans: Mapping[str, HostPlan]) -> None:
        """Take the first look at every host; what has no answer by the end of the sweep is told as such."""
        for host, seen in (await self._looks(plans)).items():
            self.looks[host] = [self._unseen(plans[host], seen) if isinstance(seen, NoReply) else seen]

    async def look_again(self, plans: Mapping[str, HostPlan]) -> None:
        """Take another look at some hosts.

        One that did not come off in time leaves what was found before it standing, on the host and on those
        that share a virtual IP with it, since roles are judged by looks of one moment.
        """
        came = await self._looks(plans)
        missed = {
            host
            for host, seen in came.items()
            if isinstance(seen, NoReply) or ran_out_of_time(self.looks[host][-1], seen)
        }
        stale = sharing_vip(self.inventory, self.looks, missed)
        for host, seen in came.items():
            if isinstance(seen, HostObservation) and host not in stale:
                self.looks[host].append(seen)

    def _unseen(self, plan: HostPlan, why: NoReply) -> HostObservation:
        remote = not self.inventory.hosts[plan.host].local
        contact = Contact(host=plan.host, failure=why, answered=False, remote=remote)
        answers = [why] * len(batches.look_batch(plan, self.inventory.checks))
        return batches.read_look(plan, self.inventory.checks, contact, answers, _now())

    async def _looks(self, plans: Mapping[str, HostPlan]) -> dict[str, HostObservation | NoReply]:
        return await fan_out({host: self._look(plan) for host, plan in plans.items()}, self.limits)

    async def _look(self, plan: HostPlan) -> HostObservation:
        if plan.host in self.looked_at:
            plan = batches.another_look(plan)
        checks = self.inventory.checks
        contact, answers = await self._ask(plan.host, batches.look_batch(plan, checks))
        self.looked_at[plan.host] = asyncio.get_running_loop().time()
        self.asked += 1
        if self.progress is not None:
            self.progress(plan.host, min(self.asked, len(self.plan.hosts)), len(self.plan.hosts))
        return batches.read_look(plan, checks, contact, answers, _now())

    async def follow_up(self) -> None:
        wanted = follow_ups(self.inventory, self.looks)
        jobs = {host: self._follow_up(host, follow_up) for host, follow_up in wanted.items()}
        for host, seen in (await fan_out(jobs, self.limits)).items():
            if isinstance(seen, HostObservation):
                self.looks[host][-1] = seen

    async def _follow_up(self, host: str, follow_up: FollowUp) -> HostObservation:
        observation, declared = self.looks[host][-1], self.inventory.hosts[host]
        window = self.inventory.judging.restart_window
        _, answers = await self._ask(host, batches.follow_up_batch(follow_up, observation, declared, window))
        return batches.read_follow_up(observation, follow_up, answers)

    async def explain(self, verdicts: Sequence[Verdict], mask: Mask) -> list[Verdict]:
        """Return the verdicts with the journals behind them; hosts not asked so far are asked now."""
        seen = {host: looks[-1] for host, looks in self.looks.items()}
        silent = {h: f.detail for h, latest in seen.items() if (f := latest.contact.failure) is not None}
        wanted = logs.wanted_logs(self.inventory, verdicts, frozenset(seen) - frozenset(silent))
        found = {
            (want.host, want.unit): logs.no_log(want.host, want.unit, mask(clean_text(silent[want.host])))
            for want in wanted
            if want.host in silent
        }
        fetched = logs.log_batches([w for w in wanted if w.host not in silent], self.inventory, seen)
        jobs = {host: self._fetch(host, units, batch, mask) for host, (units, batch) in fetched.items()}
        refused: dict[str, str] = {}
        for host, came in (await fan_out(jobs, self.limits)).items():
            if isinstance(came, NoReply):
                found |= {(host, unit): logs.no_log(host, unit, came.detail) for unit in fetched[host][0]}
                continue
            found |= came.logs
            if came.refused is not None:
                refused[host] = came.refused
        return [_with_refusal(v, refused) for v in logs.attach(verdicts, wanted, found)]

    async def _fetch(self, host: str, units: Sequence[str], batch: Sequence[Ask], mask: Mask) -> "_Fetched":
        # Read within the host's own job, so that no fault in it can cost the report.
        _, answers = await self._ask(host, batch)
        said = next((said for answer in answers if (said := batches.refusal(answer))), None)
        return _Fetched(
            logs=logs.read_logs(host, units, answers, mask, self.inventory.evidence.log_lines),
            refused=None if said is None else mask(said),
        )

    async def _ask(self, host: str, asks: Sequence[Ask]) -> Answers:
        loop = asyncio.get_running_loop()
        if host not in self.deadlines:
            self.deadlines[host] = loop.time() + self.inventory.hosts[host].ssh.host_timeout
        return await self.asker.ask(host, asks, deadline=self.deadlines[host])


def _now() -> batches.Moment:
    return batches.Moment(loop=asyncio.get_running_loop().time(), utc=datetime.now(UTC))


def _reported(verdicts: Sequence[Verdict], selected: frozenset[str] | None) -> list[Verdict]:
    """Return the selected verdicts with those that are named as a cause, in report order."""
    if selected is None:
        return list(verdicts)
    by_id = {v.id: v for v in verdicts}
    wanted = set(selected)
    for chosen in selected:
        cause = by_id[chosen].caused_by if chosen in by_id else None
        while cause is not None and cause in by_id and cause not in wanted:
            wanted.add(cause)
            cause = by_id[cause].caused_by
    return [v for v in verdicts if v.id in wanted]


def _masked(verdict: Verdict, mask: Mask) -> Verdict:
    # What a host said stands in the detail: a banner or an error may hold anything.
    return verdict if verdict.detail is None else replace(verdict, detail=mask(clean_text(verdict.detail)))


def _with_refusal(verdict: Verdict, refused: Mapping[str, str]) -> Verdict:
    said = refused.get(verdict.host) if verdict.kind == "host" and verdict.host else None
    if said is None or "sudo_denied" in verdict.notes:
        return verdict
    return replace(verdict, notes=(*verdict.notes, "sudo_denied"), detail=verdict.detail or said)
