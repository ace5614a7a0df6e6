"""The hosts as a table: where they are, what they are made of, and whether they answer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from quorate.model import Reason, State
from quorate.model.resources import size_words
from quorate.outputs.ansi import painter
from quorate.outputs.json_report import plain
from quorate.outputs.safe import one_line
from quorate.outputs.words import LINE_SYMBOLS, counted

SCHEMA = "quorate.hosts/1"
_COLUMNS = ("host", "address", "cores", "memory", "state")
_RIGHT = frozenset({2, 3})


@dataclass(frozen=True, kw_only=True, slots=True)
class HostRow:
    """A host; `cores` and `memory_bytes` are None where they are not known, `why` says why then."""

    name: str
    address: str | None
    state: State
    reason: Reason
    cores: int | None = None
    memory_bytes: int | None = None
    why: str | None = None

    @property
    def answered(self) -> bool:
        """Whether the host could be asked."""
        return self.state is State.OK


@dataclass(frozen=True, kw_only=True, slots=True)
class HostsTable:
    """All hosts of a cluster, in the order of its inventory; `remark` is what concerns them all."""

    cluster: str
    hosts: Sequence[HostRow]
    remark: str | None = None

    @property
    def answered(self) -> int:
        """How many of the hosts could be asked."""
        return sum(host.answered for host in self.hosts)

    @property
    def cores(self) -> int:
        """How many cores those have together of which it is known."""
        return sum(host.cores or 0 for host in self.hosts)

    @property
    def memory_bytes(self) -> int:
        """How much memory those have together of which it is known."""
        return sum(host.memory_bytes or 0 for host in self.hosts)

    @property
    def complete(self) -> bool:
        """Whether the totals are those of all hosts."""
        return all(host.cores is not None and host.memory_bytes is not None for host in self.hosts)


def render_json(table: HostsTable) -> str:
    """Return the table as JSON, schema `quorate.hosts/1`; what is not known is null, and in no total."""
    document = {
        "schema": SCHEMA,
        "cluster": table.cluster,
        "hosts": [
            {
                "name": host.name,
                "address": host.address,
                "cores": host.cores,
                "memory_bytes": host.memory_bytes,
                "answered": host.answered,
                "state": host.state,
                "reason": host.reason,
                "detail": host.why,
            }
            for host in table.hosts
        ],
        "totals": {
            "hosts": len(table.hosts),
            "answered": table.answered,
            "cores": table.cores,
            "memory_bytes": table.memory_bytes,
            "complete": table.complete,
        },
    }
    return json.dumps(plain(document), ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def render_text(table: HostsTable, *, colour: bool = False) -> str:
    """Return the table in aligned columns, its totals last; with `colour`, states in the terminal's."""
    paint = painter(colour=colour)
    rows = [_COLUMNS, *(_row(host) for host in table.hosts), _totals(table)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_COLUMNS))]
    styles = ["strong", *(host.state.word for host in table.hosts), "strong"]
    lines = [f"{one_line(table.cluster)}: {table.answered} of {counted(len(table.hosts), 'host')} answered"]
    lines += [one_line(table.remark)] if table.remark else []
    lines.append("")
    for row, style in zip(rows, styles, strict=True):
        cells = [
            word.rjust(width) if at in _RIGHT else word.ljust(width)
            for at, (word, width) in enumerate(zip(row, widths, strict=True))
        ]
        line = "  ".join(cells).rstrip()
        lines.append(paint(style, line) if style != State.OK.word else line)
    return "\n".join(lines) + "\n"


def _row(host: HostRow) -> tuple[str, ...]:
    said = "answers" if host.answered else host.reason.value.replace("_", " ")
    why = f" ({host.why})" if host.why else ""
    return (
        one_line(host.name),
        one_line(host.address or "this machine"),
        "?" if host.cores is None else str(host.cores),
        "?" if host.memory_bytes is None else size_words(host.memory_bytes),
        one_line(f"{LINE_SYMBOLS[host.state]} {said}{why}"),
    )


def _totals(table: HostsTable) -> tuple[str, ...]:
    known = "" if table.complete else "at least "
    return (
        counted(len(table.hosts), "host"),
        "",
        f"{known}{table.cores}" if table.cores else "?",
        f"{known}{size_words(table.memory_bytes)}" if table.memory_bytes else "?",
        f"{table.answered} answered",
    )
