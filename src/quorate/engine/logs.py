"""Collects the journals that explain a report's verdicts: each unit once a host, on open connections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from quorate.engine.batches import access_batch, journal_name, read_access
from quorate.evidence import Mask, evidence_from_journal, volatile_note
from quorate.model import (
    KEEPALIVED,
    Ask,
    Evidence,
    HostObservation,
    Inventory,
    NoReply,
    Reason,
    Reply,
    State,
    Unobserved,
    Verdict,
    unit_id,
)
from quorate.probes.journal import (
    ask_journal,
    ask_journal_header,
    parse_journal,
    parse_journal_begins,
    with_access,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Whose journal explains which verdict."""

    verdict: str
    host: str
    unit: str


def wanted_logs(inventory: Inventory, verdicts: Sequence[Verdict], answering: frozenset[str]) -> list[Wanted]:
    """Return the journals that explain the verdicts: of units and virtual IPs on hosts that answer.

    A virtual IP has no unit of its own; the keepalived of its group tells why it is where it is, and why it
    could not move. A check is explained by its `logs_from` on every host of that group, whether it was asked
    before or answers at all; a member of it by its own host's.
    """
    found = []
    for verdict in verdicts:
        if verdict.state.rank < State.WARNING.rank:
            continue
        group = inventory.groups.get(verdict.group or "")
        check = inventory.checks.get(verdict.group or "")
        if group is not None and verdict.kind == "unit" and verdict.host in answering:
            unit = next(u for u in group.units if unit_id(u) == verdict.unit)
            found.append(Wanted(verdict=verdict.id, host=verdict.host, unit=unit))
        elif group is not None and _is_of_keepalived(verdict) and KEEPALIVED in group.units:
            hosts = [host for host in group.hosts if host in answering]
            found += [Wanted(verdict=verdict.id, host=host, unit=KEEPALIVED) for host in hosts]
        elif check is not None and check.logs_from is not None:
            logs = check.logs_from
            hosts = [h for h in inventory.groups[logs.group].hosts if verdict.host in (None, h)]
            found += [Wanted(verdict=verdict.id, host=host, unit=logs.unit) for host in hosts]
    return found


def _is_of_keepalived(verdict: Verdict) -> bool:
    return verdict.kind == "vip" or (
        verdict.kind == "failover" and verdict.reason is Reason.STANDBY_FAULT and verdict.caused_by is None
    )


def log_batches(
    wanted: Sequence[Wanted], inventory: Inventory, seen: Mapping[str, HostObservation]
) -> dict[str, tuple[tuple[str, ...], tuple[Ask, ...]]]:
    """Return by host the units whose journals are fetched, and the batch that fetches them."""
    units: dict[str, dict[str, None]] = {}
    for want in wanted:
        units.setdefault(want.host, {})[want.unit] = None
    lines = inventory.evidence.log_lines
    found = {}
    for host, names in units.items():
        journals = [ask_journal(_name(seen.get(host), unit), lines) for unit in names]
        access = access_batch(inventory.hosts[host])
        found[host] = (tuple(names), (*journals, ask_journal_header(), *access))
    return found


def _name(observation: HostObservation | None, unit: str) -> str:
    return unit if observation is None else journal_name(observation, unit)


def read_logs(
    host: str, units: Sequence[str], answers: Sequence[Reply | NoReply], mask: Mask, lines: int
) -> dict[tuple[str, str], Evidence]:
    """Return the last lines of each unit, from the answers to a batch of `log_batches`."""
    journals, header, access = answers[: len(units)], answers[len(units)], answers[len(units) + 1 :]
    hidden = read_access(access)
    begins = parse_journal_begins(header)
    note = None if isinstance(begins, Unobserved) else volatile_note(*begins)
    return {
        (host, unit): evidence_from_journal(
            with_access(parse_journal(answer), hidden),
            host=host,
            unit=unit,
            mask=mask,
            note=note,
            lines=lines,
        )
        for unit, answer in zip(units, journals, strict=True)
    }


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
    return [replace(v, evidence=tuple(by_verdict[v.id])) if v.id in by_verdict else v for v in verdicts]
