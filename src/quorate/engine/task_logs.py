"""Collects what Airflow's own services say of one task instance: all hosts at once, on open connections."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC

from quorate.engine.batches import access_batch, read_access
from quorate.engine.fan_out import Limits, fan_out
from quorate.engine.secrets import Secrets, resolve_secret
from quorate.engine.sweep import Asker
from quorate.evidence import evidence_of_task, find_entries, make_mask
from quorate.model import (
    Evidence,
    Inventory,
    NoReply,
    Reply,
    Secret,
    TaskInstance,
    UnitFacts,
    Unobserved,
    unit_id,
)
from quorate.probes.journal import (
    SEARCHED_LINES,
    Journal,
    JournalEntry,
    ask_journal_since,
    parse_journal,
    with_access,
)
from quorate.probes.systemd import ask_units, parse_units


async def collect_task_logs(
    inventory: Inventory,
    asker: Asker,
    task: TaskInstance,
    *,
    limits: Limits,
    resolve: Callable[[Secret], str] = resolve_secret,
    lines: int = 100,
) -> Evidence:
    """Return the last lines that Airflow's own services have of a task instance; all hosts asked at once.

    Which services is `inventory.task_logs`, how far back `inventory.evidence.since`; a host has its
    `host_timeout`. Lines are searched here, with nothing of the task in the question. Never raises for
    anything that a host does: a host whose journal could not be had is in the evidence's `error`.
    """
    units, secrets = _units(inventory), Secrets(inventory, resolve)
    searching = _Searching(inventory=inventory, asker=asker)
    came = await fan_out({host: searching.search(host, names) for host, names in units.items()}, limits)
    failed: dict[str, str] = {}
    journals: dict[str, Sequence[JournalEntry]] = {}
    cut: list[str] = []
    for host, found in came.items():
        if isinstance(found, NoReply):
            failed[host] = found.detail
            continue
        journals[host] = [entry for journal in found.values() for entry in journal.entries]
        errors = [f"{unit_id(unit)}: {j.error}" for unit, j in found.items() if j.error is not None]
        if errors:
            failed[host] = "; ".join(dict.fromkeys(errors))
        cut += [_cut(host, unit, journal) for unit, journal in found.items() if _is_full(journal)]
    mask, note = make_mask(await secrets.known()), _note(units, inventory.evidence.since, cut)

    def evidence() -> Evidence:
        return evidence_of_task(
            find_entries(journals, task), failed=failed, lines=lines, mask=mask, note=note
        )

    # Some tenths of a second for full journals, for which the triggerer's loop should not stand still.
    return await asyncio.to_thread(evidence)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Searching:
    inventory: Inventory
    asker: Asker

    async def search(self, host: str, units: Sequence[str]) -> Mapping[str, Journal] | NoReply:
        """Return the journals of some units of a host, by the units' names in the inventory."""
        declared, since = self.inventory.hosts[host], self.inventory.evidence.since
        deadline = asyncio.get_running_loop().time() + declared.ssh.host_timeout
        asks = [ask_journal_since(unit, since) for unit in units]
        batch = [ask_units(units), *asks, *access_batch(declared)]
        contact, came = await self.asker.ask(host, batch, deadline=deadline)
        if contact.failure is not None and all(isinstance(answer, NoReply) for answer in came):
            return contact.failure
        states, *answers = came
        hidden = read_access(answers[len(units) :])
        journals = await asyncio.to_thread(_read, units, answers[: len(units)], hidden)
        # Messages stand in the journal under a unit's own name: none were found by its alias.
        facts = parse_units(states, units)
        others = {unit: own for unit in units if (own := _own_name(facts.get(unit), unit)) is not None}
        if others:
            asks = [ask_journal_since(own, since) for own in others.values()]
            _, again = await self.asker.ask(host, asks, deadline=deadline)
            journals |= await asyncio.to_thread(_read, tuple(others), again, hidden)
        return journals


def _read(
    units: Sequence[str], answers: Sequence[Reply | NoReply], hidden: Unobserved | None
) -> dict[str, Journal]:
    return {
        unit: with_access(parse_journal(answer), hidden) for unit, answer in zip(units, answers, strict=True)
    }


def _own_name(facts: object, unit: str) -> str | None:
    own = facts.names[0] if isinstance(facts, UnitFacts) and facts.names else unit
    return own if own != unit else None


def _units(inventory: Inventory) -> dict[str, list[str]]:
    """Return by host the units whose journals are searched, each once."""
    units: dict[str, list[str]] = {}
    for logs in inventory.task_logs:
        for host in inventory.groups[logs.group].hosts:
            names = units.setdefault(host, [])
            if logs.unit not in names:
                names.append(logs.unit)
    return units


def _is_full(journal: Journal) -> bool:
    return len(journal.entries) + journal.skipped >= SEARCHED_LINES and bool(journal.entries)


def _cut(host: str, unit: str, journal: Journal) -> str:
    begins = journal.entries[0].time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"of {unit_id(unit)} on {host} only the newest {SEARCHED_LINES} lines, from {begins}"


def _note(units: Mapping[str, Sequence[str]], since: float, cut: Sequence[str]) -> str:
    """Return what was searched, so that 'no lines' can be understood."""
    if not units:
        return "the inventory names no service to search, under airflow: task_logs"
    where: dict[str, list[str]] = {}
    for host, names in units.items():
        for name in names:
            where.setdefault(unit_id(name), []).append(host)
    searched = "; ".join(f"{unit} on {', '.join(hosts)}" for unit, hosts in where.items())
    return "; ".join([f"searched the last {since / 60:g} min of {searched}", *cut])
