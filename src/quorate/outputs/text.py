"""The report for a person on call: what broke and why, the log lines that show it, then the whole cluster."""

from datetime import timedelta

from quorate.model import Evidence, Report, State, Verdict
from quorate.outputs.ansi import Paint, painter
from quorate.outputs.arrange import consequences
from quorate.outputs.logs import logs_body, logs_title
from quorate.outputs.safe import one_line
from quorate.outputs.tree import cluster_tree
from quorate.outputs.words import (
    SYMBOLS,
    cluster_words,
    counted,
    facts_words,
    header,
    leading,
    maintenance_words,
    silenced,
    span,
    utc_words,
)
from quorate.outputs.wrap import glued, wrapped

_INDENT = "   "  # as wide as a symbol and the space behind it
_NARROWEST = 40
_NAMED = 16  # consequences that are named under their cause; the tree below shows them all


def render_text(report: Report, *, colour: bool = False, width: int = 100) -> str:
    """Return the report as text: overall state, root causes with evidence, the cluster as a tree.

    Below it is what is in maintenance, and which maintenance is over.

    `width` in columns bounds prose and rules; lines of logs and headlines are never wrapped or cut.
    Without `colour` no escape sequence is in it.
    """
    width = max(width, _NARROWEST)
    paint = painter(colour=colour)
    lines = _head(report, paint, width)
    explained = consequences(report)
    lines += _overview(report, paint)
    printed: dict[Evidence, str] = {}
    for root in report.root_causes:
        lines += ["", *_root(root, explained.get(root.id, []), report, paint, width)]
        lines += _evidence(root, printed, paint, width)
    lines += _left_out(report)
    if report.verdicts:
        lines += ["", *cluster_tree(report, paint, width)]
    lines += _maintenance(report, paint, width)
    return "\n".join(lines) + "\n"


def _head(report: Report, paint: Paint, width: int) -> list[str]:
    # A run in which the worst is a passive node's rightful rest is well; it says how many rest.
    state = State.OK if report.state is State.EXPECTED else report.state
    # What is in maintenance does not make the state, and would contradict it here.
    counts, quiet = report.counts, silenced(report)
    for verdict in quiet:
        counts[verdict.state.word] -= 1
    tally = [f"{number} {word}" for word, number in reversed(counts.items()) if number]
    tally += [f"{len(quiet)} in maintenance"] if quiet else []
    title = f"{SYMBOLS[state]} {cluster_words(report)}: {state.word.upper()}"
    title += " - " + ", ".join(tally) if tally else ""
    hosts = len({verdict.host for verdict in report.verdicts if verdict.host is not None})
    figures = [
        leading(report),
        f"{counted(hosts, 'host')}, {counted(len(report.verdicts), 'verdict')}",
        f"{report.duration:.2f} s",
        utc_words(report.started_at),
    ]
    lines = [paint(state.word, title), *wrapped(_joined(figures), width)]
    if report.interrupted:
        stopped = "The sweep was interrupted: what had not answered by then is UNKNOWN."
        lines += [paint(State.UNKNOWN.word, line) for line in wrapped(stopped, width)]
    return lines


def _overview(report: Report, paint: Paint) -> list[str]:
    """Return a line for each root cause where there are several, so that no log between them hides one."""
    roots = report.root_causes
    if len(roots) < 2:
        return []
    return ["", *(paint(_style(v), f"  {_headline(v)} ({one_line(v.id)})") for v in roots)]


def _root(root: Verdict, explained: list[Verdict], report: Report, paint: Paint, width: int) -> list[str]:
    """Return a root cause's headline and what is to be known of it, but its logs."""
    facts = [one_line(root.id), root.reason.value]
    if root.since is not None:
        age = (report.started_at + timedelta(seconds=report.duration) - root.since).total_seconds()
        facts.append(f"since {utc_words(root.since)}" + (f" ({span(age)} ago)" if age >= 0 else ""))
    facts += [f"note {one_line(note)}" for note in root.notes]
    prose = [_joined(facts)]
    prose += [one_line(line) for line in (root.detail or "").splitlines() if line.strip()]
    prose += _comparison(root)
    if explained:
        names = ", ".join(one_line(verdict.id) for verdict in explained[:_NAMED])
        more = f" and {len(explained) - _NAMED} more, marked ← below" if len(explained) > _NAMED else ""
        prose.append(f"{counted(len(explained), 'consequence')}: {names}{more}")
    lines = [line for text in prose for line in wrapped(text, width, first=_INDENT)]
    return [paint(_style(root), _headline(root)), *lines]


def _headline(root: Verdict) -> str:
    """Return a root cause's headline; one that is worked on leads only for its consequences, and says so."""
    return f"🔧 in maintenance: {header(root)}" if root.in_maintenance else header(root)


def _style(root: Verdict) -> str:
    return "faint" if root.in_maintenance else root.state.word


def _joined(facts: list[str]) -> str:
    """Join short facts with a dot, so that a line ends behind a dot and never within a fact."""
    return " ".join([*(glued(f"{fact} ·") for fact in facts[:-1]), glued(facts[-1])])


def _comparison(verdict: Verdict) -> list[str]:
    """Return what was observed against what was expected, where the two differ in more than the headline."""
    if verdict.kind in ("host", "monitor", "failover") or "status" in verdict.observed:
        return []  # all of it stands in the headline and the detail
    if all(verdict.observed.get(key) == value for key, value in verdict.expected.items()):
        return []
    # An empty list says something only where it is what was to be filled.
    seen = {k: v for k, v in verdict.observed.items() if v not in ([], (), {}) or k in verdict.expected}
    return [f"observed {facts_words(seen) or 'nothing'}; expected {facts_words(verdict.expected)}"]


def _evidence(root: Verdict, printed: dict[Evidence, str], paint: Paint, width: int) -> list[str]:
    """Return a root cause's logs, framed; those that another verdict has shown are referred to."""
    lines: list[str] = []
    known: list[str] = []
    rule = paint("faint", "─" * width)
    for evidence in root.evidence:
        title = paint("strong", logs_title(evidence))
        if evidence in printed:
            known.append(f"{_INDENT}{title}: see above, under {printed[evidence]}")
            continue
        printed[evidence] = one_line(root.id)
        lines += [rule, title, rule, *(f"  {line}" for line in logs_body(evidence))]
    return known + ([*lines, rule] if lines else [])


def _maintenance(report: Report, paint: Paint, width: int) -> list[str]:
    lines: list[str] = []
    for entry in report.maintenance:
        symbol, style = (SYMBOLS[State.WARNING], State.WARNING.word) if entry.expired else ("🔧", "faint")
        told = wrapped(f"{symbol} {maintenance_words(entry)}", width, rest=_INDENT)
        lines += [paint(style, line) for line in told]
    return ["", *lines] if lines else []


def _left_out(report: Report) -> list[str]:
    number = sum(bool(v.evidence) for v in report.verdicts if v.caused_by is not None)
    return ["", f"evidence of {counted(number, 'consequence')} is in -o json"] if number else []
