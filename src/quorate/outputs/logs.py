"""Evidence in words: a title that can be found in a long log, and what was had or not had, in place."""

from quorate.model import Evidence, unit_id
from quorate.outputs.safe import one_line, printable
from quorate.outputs.words import counted

_TITLES = {
    "journal": "SERVICE LOGS",
    "airflow": "TASK-SPECIFIC AIRFLOW LOGS",
    "worker": "THIS TASK'S WORKER LOG",
}
_NAMES = {"journal": "the journal", "airflow": "some Airflow logs", "worker": "some Airflow logs"}


def logs_title(evidence: Evidence) -> str:
    """Return the title of a piece of evidence: `📋 SERVICE LOGS: lsyncd on nfs-1 (last 100 lines)`."""
    title = _TITLES.get(evidence.source) or _spaced(evidence.source).upper()
    of = [unit_id(evidence.unit)] if evidence.unit else []
    on = [f"on {evidence.host}"] if evidence.host else []
    subject = one_line(" ".join(of + on))
    last = f" (last {counted(len(evidence.lines), 'line')})" if evidence.lines else ""
    return f"📋 {title}: {subject}{last}" if subject else f"📋 {title}{last}"


def logs_body(evidence: Evidence) -> list[str]:
    """Return the lines below the title, neither wrapped nor cut, with what a reader must know before them.

    'No lines' and 'could not be fetched' are told apart; both can stand before lines that were had.
    """
    name = _NAMES.get(evidence.source) or f"the {_spaced(evidence.source)}"
    body = []
    if evidence.error is not None:
        body.append(f"⚠️ Could not fetch {name}: {one_line(evidence.error)}")
    if evidence.note:
        body.append(f"({one_line(evidence.note)})")
    if evidence.truncated:
        body.append("(shortened: not everything that was found is shown)")
    if not evidence.lines and evidence.error is None:
        body.append(f"({_nothing(evidence, name)})")
    return body + [printable(line) for line in evidence.lines]


def _nothing(evidence: Evidence, name: str) -> str:
    if evidence.source == "airflow":
        return "no line names this task instance"
    return f"{name} holds no line of this unit" if evidence.unit else f"{name} holds no line"


def framed_logs(evidence: Evidence, *, width: int) -> list[str]:
    """Return evidence with its title between two rules of `width` columns, and a rule at its end."""
    rule = "─" * width
    return [rule, logs_title(evidence), rule, *logs_body(evidence), rule]


def _spaced(source: str) -> str:
    return one_line(source.replace("_", " "))
