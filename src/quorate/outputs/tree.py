"""The whole cluster at a glance: hosts, each group with its VIP, nodes and units, each check."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from quorate.model import Reason, Report, State, Verdict
from quorate.outputs.ansi import Paint
from quorate.outputs.arrange import sections
from quorate.outputs.safe import one_line
from quorate.outputs.words import LINE_SYMBOLS, counted, reason_words, unit_line
from quorate.outputs.wrap import glued, wrapped

_LABEL_MOST = 30  # columns; a longer label has a line of its own
_TEXT_LEAST = 20
_OF_ADDRESS = ("vip", "failover")
_NOT_JUDGED = frozenset(
    {"active_node_unknown", "failover_in_progress"}
)  # of a failover; the VIP's line tells
_NAMED = 12  # hosts that are named in one line; more are counted


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """One line of the tree: what it is of, in the left column, and what is to be said, in the right one."""

    label: str
    text: str
    style: str


def cluster_tree(report: Report, paint: Paint, width: int) -> list[str]:
    """Return the lines of the tree: what is not OK line by line, what is OK as briefly as can be."""
    rows = list(_rows(report))
    lengths = [len(row.label) for row in rows if len(row.label) <= _LABEL_MOST]
    column = max(lengths, default=0) + 2
    lines: list[str] = []
    for row in rows:
        label = row.label
        if len(label) + 2 > column:
            lines.append(label)
            label = ""
        first, *rest = wrapped(row.text, max(width - column, _TEXT_LEAST), rest="   ")
        lines.append(f"{label:<{column}}{paint(row.style, first)}".rstrip())
        lines += [" " * column + paint(row.style, line) for line in rest]
    return lines


def _rows(report: Report) -> Iterator[_Row]:
    judged = {verdict.group for verdict in report.verdicts}
    active_nodes = {group: node for group, node in report.active_nodes.items() if group in judged}
    if active_nodes:
        nodes = ", ".join(
            one_line(f"{group} → {node or 'not proven'}") for group, node in active_nodes.items()
        )
        proven = all(active_nodes.values())
        yield _Row(label="active nodes", text=nodes, style=(State.OK if proven else State.UNKNOWN).word)
    for title, verdicts in sections(report).items():
        label = one_line(title)
        if title == "hosts":
            section = _host_rows(verdicts)
        elif all(verdict.kind in ("unit", *_OF_ADDRESS) for verdict in verdicts):
            section = _group_rows(verdicts, has_roles=title in report.active_nodes)
        else:
            section = _check_rows(verdicts)
        for row in section:
            if label and row.label:
                yield _Row(label=label, text="", style=row.style)
            yield _Row(label=row.label or label, text=row.text, style=row.style)
            label = ""


def _row(verdict: Verdict, text: str, label: str = "", on: str = "") -> _Row:
    """Make a verdict's row: its notes in brackets behind the text, and what caused it behind an arrow."""
    notes = f" [{one_line(', '.join(verdict.notes))}]" if verdict.notes else ""
    cause = " " + glued(f"← {one_line(verdict.caused_by)}") if verdict.caused_by is not None else ""
    return _Row(label=label, text=f"{text}{notes}{on}{cause}", style=verdict.state.word)


def _host_rows(verdicts: list[Verdict]) -> Iterator[_Row]:
    """Rows of the hosts: those that answered as one, the others one by one unless very many are alike."""
    well = [verdict for verdict in verdicts if verdict.state is State.OK]
    alike: dict[tuple[State, Reason, str | None], list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.state is not State.OK:
            alike.setdefault((verdict.state, verdict.reason, verdict.caused_by), []).append(verdict)
    for unwell in alike.values():
        if len(unwell) > _NAMED and unwell[0].caused_by is not None:
            yield _row(unwell[0], _line(unwell[0], counted(len(unwell), "host")))
        else:
            yield from (_row(verdict, _line(verdict, verdict.host or verdict.id)) for verdict in unwell)
    if well:
        yield _Row(label="", text=f"✅ {counted(len(well), 'host')} answered", style=State.OK.word)
    for note in dict.fromkeys(note for verdict in well for note in verdict.notes):
        names = _names(verdict.host or verdict.id for verdict in well if note in verdict.notes)
        yield _Row(label="", text=f"   {one_line(note)}: {names}", style=State.OK.word)


def _group_rows(verdicts: list[Verdict], *, has_roles: bool) -> Iterator[_Row]:
    """Rows of a group: its VIP, nodes with a role or with trouble unit by unit, the others folded by unit."""
    by_host: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.kind in _OF_ADDRESS:
            if not _NOT_JUDGED.intersection(verdict.notes):
                yield _row(verdict, _line(verdict, verdict.kind))
        else:
            by_host.setdefault(verdict.host or "", []).append(verdict)
    folded = [host for host, units in by_host.items() if _needs_no_look(units, has_roles=has_roles)]
    yield from _folded_rows(unit for host in folded for unit in by_host.pop(host))
    for host, units in by_host.items():
        role = next((unit.role for unit in units if unit.role), None)
        label = one_line(f"{host} ({role})" if role else host)
        for unit in units:
            yield _row(unit, unit_line(unit), label and f"  {label}")
            label = ""


def _needs_no_look(units: list[Verdict], *, has_roles: bool) -> bool:
    """Tell whether a node's units may share lines with other nodes': all well, or the monitor was blind."""
    if all(unit.caused_by == "monitor" for unit in units):
        return True
    return not has_roles and all(unit.state is State.OK for unit in units)


def _folded_rows(units: Iterable[Verdict]) -> Iterator[_Row]:
    """Rows of units on several hosts: one for all hosts of which the same is to be said."""
    folded: dict[str, list[Verdict]] = {}
    for unit in units:
        folded.setdefault(_row(unit, unit_line(unit)).text, []).append(unit)
    for alike in folded.values():
        if alike[0].state is State.OK:
            on = f" on {_names(unit.host or '' for unit in alike)}"
        else:
            on = f", on {counted(len(alike), 'host')}"
        yield _row(alike[0], unit_line(alike[0]), on=on)


def _check_rows(verdicts: list[Verdict]) -> Iterator[_Row]:
    """Rows of a check: what it found, then its members, of those on hosts the ones that are not well."""
    for verdict in verdicts:
        is_member = verdict.group is not None and verdict.id != verdict.group
        if is_member and verdict.host is not None and verdict.state is State.OK:
            continue
        member = verdict.host or verdict.id.removeprefix(f"{verdict.group}/")
        yield _row(verdict, _line(verdict), f"  {one_line(member)}" if is_member else "")


def _line(verdict: Verdict, name: str = "") -> str:
    """Return the line of what is no unit; a check that broke through something else says how it broke."""
    symbol = LINE_SYMBOLS[verdict.state]
    if verdict.state is State.OK:
        return f"{symbol} {one_line(verdict.summary)}"
    broke = verdict.caused_by is not None and verdict.state is not State.UNKNOWN
    words = one_line(verdict.summary) if broke and not name else reason_words(verdict)
    return f"{symbol} {f'{one_line(name)}: ' if name else ''}{verdict.state.word.upper()} - {words}"


def _names(hosts: Iterable[str]) -> str:
    names = [one_line(host) for host in hosts]
    return ", ".join(names) if len(names) <= _NAMED else counted(len(names), "host")
