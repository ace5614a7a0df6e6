"""Runs a sweep: asks every host at once, looks again where needed, judges, collects evidence, reports."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from quorate.checks.again import FollowUp, follow_ups, unsettled
from quorate.checks.judge import judge
from quorate.engine import batches, logs
from quorate.engine.fan_out import Limits, fan_out, pause
from quorate.engine.secrets import known_secrets
from quorate.evidence import make_mask
from quorate.model import (
    Ask,
    Contact,
    Evidence,
    HostObservation,
    Inventory,
    NoReply,
    Reply,
    Report,
    Verdict,
)
from quorate.plan import HostPlan, Plan

Answers = tuple[Contact, tuple[Reply | NoReply, ...]]
Progress = Callable[[str, int, int], None]
"""Called as each host has been asked: its name, how many are done, how many there are."""


class Asker(Protocol):
    """What asks a host; `quorate.transports.Transport` is one."""

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
) -> Report:
    """Ask what is planned and return what was found; never raises for anything that a host does.

    With `limits` over, what had not answered is UNKNOWN and all that was found is in the report.
    """
    run = _Sweep(inventory=inventory, asker=asker, plan=plan, limits=limits or Limits(), progress=progress)
    return await run.report(evidence=evidence)


@dataclass(kw_only=True, slots=True)
class _Sweep:
    inventory: Inventory
    asker: Asker
    plan: Plan
    limits: Limits
    progress: Progress | None = None
    looks: dict[str, list[HostObservation]] = field(default_factory=dict)
    deadlines: dict[str, float] = field(default_factory=dict)
    asked: int = 0

    async def report(self, *, evidence: bool) -> Report:
        loop = asyncio.get_running_loop()
        began, started_at = loop.time(), datetime.now(UTC)
        await self.look({plan.host: plan for plan in self.plan.hosts}, first=True)
        await self.settle()
        whole = self.plan.selected is None
        judgement = judge(self.inventory, self.looks, now=datetime.now(UTC), whole=whole)
        mask = make_mask(known_secrets(self.inventory))
        verdicts = [_masked(v, mask) for v in _reported(judgement.verdicts, self.plan.selected)]
        if evidence:
            verdicts = await self.explain(verdicts, mask)
        return Report(
            cluster=self.inventory.name,
            started_at=started_at,
            duration=loop.time() - began,
            verdicts=tuple(verdicts),
            active_nodes=judgement.active_nodes,
            interrupted=self.limits.stop.is_set(),
        )

    async def settle(self) -> None:
        """Look again at what contradicts the roles or is in transition, until two looks agree."""
        judging = self.inventory.judging
        plans = {plan.host: plan for plan in self.plan.hosts}
        await self.follow_up()
        for _ in range(judging.samples - 1):
            again = unsettled(self.inventory, self.looks)
            if not again or self.limits.over():
                return
            await pause(judging.interval, self.limits)
            await self.look({host: plan for host, plan in plans.items() if host in again}, first=False)
            await self.follow_up()

    async def look(self, plans: Mapping[str, HostPlan], *, first: bool) -> None:
        jobs = {host: self._look(plan) for host, plan in plans.items()}
        for host, seen in (await fan_out(jobs, self.limits)).items():
            if isinstance(seen, HostObservation):
                self.looks.setdefault(host, []).append(seen)
            elif first:
                # A second look that did not come off leaves the first one standing.
                contact = Contact(host=host, failure=seen, answered=False)
                answers = [seen] * len(batches.look_batch(plans[host]))
                self.looks[host] = [batches.read_look(plans[host], contact, answers, datetime.now(UTC))]

    async def _look(self, plan: HostPlan) -> HostObservation:
        contact, answers = await self._ask(plan.host, batches.look_batch(plan))
        self.asked += 1
        if self.progress is not None:
            self.progress(plan.host, min(self.asked, len(self.plan.hosts)), len(self.plan.hosts))
        return batches.read_look(plan, contact, answers, datetime.now(UTC))

    async def follow_up(self) -> None:
        wanted = follow_ups(self.inventory, self.looks)
        jobs = {host: self._follow_up(host, follow_up) for host, follow_up in wanted.items()}
        for host, seen in (await fan_out(jobs, self.limits)).items():
            if isinstance(seen, HostObservation):
                self.looks[host][-1] = seen

    async def _follow_up(self, host: str, follow_up: FollowUp) -> HostObservation:
        _, answers = await self._ask(
            host, batches.follow_up_batch(follow_up, self.inventory.judging.restart_window)
        )
        return batches.read_follow_up(self.looks[host][-1], follow_up, answers)

    async def explain(self, verdicts: Sequence[Verdict], mask: logs.Mask) -> list[Verdict]:
        """Return the verdicts with the journals behind them."""
        answering = frozenset(h for h, seen in self.looks.items() if seen[-1].contact.failure is None)
        wanted = logs.wanted_logs(self.inventory, verdicts, answering)
        lines = self.inventory.evidence.log_lines
        fetched = logs.log_batches(wanted, lines)
        jobs: dict[str, Coroutine[Any, Any, Answers]] = {
            host: self._ask(host, batch) for host, (_, batch) in fetched.items()
        }
        found: dict[tuple[str, str], Evidence] = {}
        refused: dict[str, str] = {}
        for host, came in (await fan_out(jobs, self.limits)).items():
            units, _ = fetched[host]
            if isinstance(came, NoReply):
                found |= {(host, unit): logs.no_log(host, unit, came.detail) for unit in units}
                continue
            found |= logs.read_logs(host, units, came[1], lines=lines, mask=mask)
            said = next((said for answer in came[1] if (said := batches.refusal(answer))), None)
            if said is not None:
                refused[host] = mask(said)
        return [_with_refusal(v, refused) for v in logs.attach(verdicts, wanted, found)]

    async def _ask(self, host: str, asks: Sequence[Ask]) -> Answers:
        loop = asyncio.get_running_loop()
        if host not in self.deadlines:
            self.deadlines[host] = loop.time() + self.inventory.hosts[host].ssh.host_timeout
        return await self.asker.ask(host, asks, deadline=self.deadlines[host])


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


def _masked(verdict: Verdict, mask: logs.Mask) -> Verdict:
    # What a host said stands in the detail: a banner or an error may hold anything.
    return verdict if verdict.detail is None else replace(verdict, detail=mask(verdict.detail))


def _with_refusal(verdict: Verdict, refused: Mapping[str, str]) -> Verdict:
    said = refused.get(verdict.host) if verdict.kind == "host" and verdict.host else None
    if said is None or "sudo_denied" in verdict.notes:
        return verdict
    return replace(verdict, notes=(*verdict.notes, "sudo_denied"), detail=verdict.detail or said)
