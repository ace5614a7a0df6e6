"""A report's verdicts in the two orders that people read them in: by section, and by what caused them."""

from quorate.model import Report, Verdict

_SECTIONS = {"host": "hosts", "monitor": "monitor"}


def sections(report: Report) -> dict[str, list[Verdict]]:
    """Return the verdicts by section, in report order: `monitor`, `hosts`, each group, each check."""
    found: dict[str, list[Verdict]] = {}
    for verdict in report.verdicts:
        title = verdict.group or _SECTIONS.get(verdict.kind, verdict.id.partition("/")[0])
        found.setdefault(title, []).append(verdict)
    return found


def consequences(report: Report) -> dict[str, list[Verdict]]:
    """Return what each root cause explains, directly or through other verdicts, by the root cause's id."""
    by_id = {verdict.id: verdict for verdict in report.verdicts}
    found: dict[str, list[Verdict]] = {}
    for verdict in report.verdicts:
        if verdict.caused_by is not None:
            found.setdefault(_root(verdict, by_id), []).append(verdict)
    return found


def _root(verdict: Verdict, by_id: dict[str, Verdict]) -> str:
    """Follow causes to their end; causes that name each other in a circle end where the circle closes."""
    passed = {verdict.id}
    while verdict.caused_by is not None:
        cause = by_id.get(verdict.caused_by)
        if cause is None or cause.id in passed:
            return verdict.caused_by
        passed.add(cause.id)
        verdict = cause
    return verdict.id
