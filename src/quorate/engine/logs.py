"""Collects the journals that explain a report's verdicts: each unit once a host, on open connections."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from quorate.evidence import evidence_from_journal
from quorate.model import Ask, Evidence, Inventory, NoReply, Reply, State, Unobserved, Verdict, unit_id
from quorate.probes.journal import (
    Journal,
    ask_journal,
    ask_journal_header,
    parse_journal,
    parse_journal_begins,
)

_KEEPALIVED = "keepalived.service"

Mask = Callable[[str], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Whose journal explains which verdict."""

    verdict: str
    host: str
    unit: str


def wanted_logs(inventory: Inventory, verdicts: Sequence[Verdict], answering: frozenset[str]) -> list[Wanted]:
    """Return the journals that explain the verdicts, of hosts that answer.

    A virtual IP has no unit of its own; the keepalived of its group tells why it is where it is.
    """
    found = []
    for verdict in verdicts:
        group = inventory.groups.get(verdict.group or "")
        if verdict.state.rank < State.WARNING.rank or group is None:
            continue
        if verdict.kind == "unit" and verdict.host is not None and verdict.host in answering:
            unit = next(u for u in group.units if unit_id(u) == verdict.unit)
            found.append(Wanted(verdict=verdict.id, host=verdict.host, unit=unit))
        elif verdict.kind == "vip" and _KEEPALIVED in group.units:
            hosts = [host for host in group.hosts if host in answering]
            found += [Wanted(verdict=verdict.id, host=host, unit=_KEEPALIVED) for host in hosts]
    return found


def log_batches(wanted: Sequence[Wanted], lines: int) -> dict[str, tuple[tuple[str, ...], tuple[Ask, ...]]]:
    """Return by host the units whose journals are fetched, and the batch that fetches them."""
    units: dict[str, dict[str, None]] = {}
    for want in wanted:
        units.setdefault(want.host, {})[want.unit] = None
    return {
        host: (tuple(names), (*(ask_journal(unit, lines) for unit in names), ask_journal_header()))
        for host, names in units.items()
    }


def read_logs(
    host: str, units: Sequence[str], answers: Sequence[Reply | NoReply], *, lines: int, mask: Mask
) -> dict[tuple[str, str], Evidence]:
    """Return the evidence of each unit, from the answers to a batch of `log_batches`."""
    *journals, header = answers
    found = {}
    for unit, answer in zip(units, journals, strict=True):
        journal = parse_journal(answer)
        if isinstance(journal, Unobserved):
            found[host, unit] = no_log(host, unit, mask(journal.detail))
            continue
        evidence = evidence_from_journal(journal, host=host, unit=unit, mask=mask)
        found[host, unit] = replace(evidence, note=evidence.note or _note(journal, header, lines))
    return found


def _note(journal: Journal, header: Reply | NoReply, lines: int) -> str | None:
    if journal.error is not None or len(journal.entries) >= lines:
        return None
    begins = parse_journal_begins(header)
    if isinstance(begins, Unobserved):
        return None
    volatile, first = begins
    if not volatile or not isinstance(first, datetime):
        return None
    return f"the journal is volatile and begins at {first:%Y-%m-%dT%H:%M:%SZ}"


def no_log(host: str, unit: str, why: str) -> Evidence:
    """Return the evidence that says why there is none."""
    return Evidence(source="journal", host=host, unit=unit_id(unit), error=why)


def attach(
    verdicts: Sequence[Verdict], wanted: Sequence[Wanted], logs: Mapping[tuple[str, str], Evidence]
) -> list[Verdict]:
    """Return the verdicts with the evidence that was fetched for them."""
    by_verdict: dict[str, list[Evidence]] = {}
    for want in wanted:
        by_verdict.setdefault(want.verdict, []).append(logs[want.host, want.unit])
    return [replace(v, evidence=tuple(by_verdict.get(v.id, ()))) for v in verdicts]
