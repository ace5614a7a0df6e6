"""JUnit XML as Jenkins and GitLab show it: a suite for each group, check and the hosts, a case a verdict."""

import math
from datetime import UTC
from xml.etree import ElementTree as ET

from quorate.model import Report, State, Verdict
from quorate.outputs.arrange import sections
from quorate.outputs.logs import logs_body, logs_title
from quorate.outputs.safe import one_line, xml_text
from quorate.outputs.words import facts_words, reason_words, utc_seconds

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def render(report: Report) -> str:
    """Return the report as XML: CRITICAL fails, UNKNOWN is an error, the rest passes.

    EXPECTED is skipped, and so is whatever would fail or be an error and is in maintenance.
    """
    root = ET.Element("testsuites", {"name": xml_text(one_line(report.cluster))})
    root.attrib |= _figures(report.verdicts) | {"time": _time(report.duration)}
    for title, verdicts in sections(report).items():
        suite = ET.SubElement(root, "testsuite", {"name": xml_text(one_line(title))})
        suite.attrib |= _figures(verdicts) | {
            "time": _time(sum(verdict.duration for verdict in verdicts)),
            # The schema of JUnit's own report has no zone designator; the moment is UTC.
            "timestamp": f"{report.started_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
        }
        suite.extend(_case(verdict, f"{report.cluster}.{title}") for verdict in verdicts)
    ET.indent(root)
    return _DECLARATION + ET.tostring(root, encoding="unicode") + "\n"


def _figures(verdicts: list[Verdict] | tuple[Verdict, ...]) -> dict[str, str]:
    outcomes = [_outcome(verdict) for verdict in verdicts]
    return {
        "tests": str(len(verdicts)),
        "failures": str(outcomes.count("failure")),
        "errors": str(outcomes.count("error")),
        "skipped": str(outcomes.count("skipped")),
    }


def _outcome(verdict: Verdict) -> str | None:
    """Return the element that says what became of a case, None for one that passed."""
    bad = {State.CRITICAL: "failure", State.UNKNOWN: "error"}.get(verdict.state)
    if verdict.state is State.EXPECTED or (bad is not None and verdict.in_maintenance):
        return "skipped"
    return bad


def _time(seconds: float) -> str:
    return f"{seconds:.3f}" if math.isfinite(seconds) else "0.000"


def _case(verdict: Verdict, classname: str) -> ET.Element:
    case = ET.Element("testcase")
    case.attrib = {
        "name": xml_text(one_line(verdict.id)),
        "classname": xml_text(one_line(classname)),
        "time": _time(verdict.duration),
    }
    tag = _outcome(verdict)
    if tag == "skipped":
        prefix = f"{verdict.state.word.upper()} in maintenance: " if verdict.in_maintenance else ""
        ET.SubElement(case, tag, {"message": prefix + _message(verdict)})
    elif tag is not None:
        outcome = ET.SubElement(case, tag, {"message": _message(verdict), "type": verdict.reason.value})
        outcome.text = _story(verdict)
    elif verdict.state is State.WARNING:
        ET.SubElement(case, "system-out").text = f"WARNING: {_message(verdict)}\n{_story(verdict)}"
    return case


def _message(verdict: Verdict) -> str:
    cause = f" (caused by {verdict.caused_by})" if verdict.caused_by is not None else ""
    return xml_text(one_line(f"{verdict.summary}{cause}"))


def _story(verdict: Verdict) -> str:
    """Return all that is known beside the summary, evidence last."""
    lines = [f"id: {verdict.id}", f"reason: {reason_words(verdict)}"]
    if verdict.since:
        lines.append(f"since: {utc_seconds(verdict.since)}")
    if verdict.caused_by is not None:
        lines.append(f"caused by: {verdict.caused_by}")
    if verdict.notes:
        lines.append(f"notes: {', '.join(verdict.notes)}")
    if verdict.detail:
        lines.append(f"detail: {verdict.detail}")
    for title, facts in (("observed", verdict.observed), ("expected", verdict.expected)):
        if facts:
            lines.append(f"{title}: {facts_words(facts)}")
    for evidence in verdict.evidence:
        lines += ["", logs_title(evidence), *logs_body(evidence)]
    return xml_text("\n".join(lines) + "\n")
