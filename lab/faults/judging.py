"""Whether a report says of a fault what it must say, and nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from lab.cluster import names
from lab.cluster.inventory import GROUPS
from lab.command import LabError
from lab.faults.fault import Fault

Report = Mapping[str, Any]
"""A report as `quorate check -o json` prints it."""
Verdict = Mapping[str, Any]
CALM = ("ok", "expected")
HARMLESS = {"imprecise"}
"""Notes of what a busy machine shows: answers that take long tell a clock less exactly."""
PASSIVE = "expected passive_inactive"
RESTING = frozenset(f"nfs/{names.NFS[1]}/{unit}" for unit in names.ACTIVE_ONLY)
"""The verdicts of what rightly does not run in the nominal cluster."""


@dataclass(frozen=True)
class Nominal:
    """What every verdict of the nominal cluster is: id → `<state> <reason>`."""

    verdicts: Mapping[str, str]

    @classmethod
    def of(cls, report: Report) -> "Nominal":
        """Return what a report of the nominal cluster says; LabError where it is not what it must be.

        All is well, and what may run on the active node alone is expected not to run on the other one.
        """
        strays = [
            f"{verdict['id']} is {describe(verdict)}"
            for verdict in report["verdicts"]
            if word(verdict) != (PASSIVE if verdict["id"] in RESTING else "ok ok")
            or set(verdict["notes"]) - HARMLESS
        ]
        if strays:
            raise LabError(f"the cluster is not nominal before any fault: {'; '.join(strays)}")
        return cls({verdict["id"]: word(verdict) for verdict in report["verdicts"]})


def word(verdict: Verdict) -> str:
    """Return a verdict's state and reason as faults write them."""
    return f"{verdict['state']} {verdict['reason']}"


def fits(verdict: Verdict, wanted: str) -> bool:
    """Return whether a verdict is one of the alternatives of an expectation."""
    for alternative in wanted.split(" | "):
        said, *notes = alternative.split(" +")
        if word(verdict) == said and set(notes) <= set(verdict["notes"]):
            return True
    return False


def differences(report: Report, faults: Iterable[Fault], nominal: Nominal) -> list[str]:
    """Return how a report differs from what these faults, in place together, must show."""
    wanted = {key: said for fault in faults for key, said in fault.expected.items()}
    possible = {key: said for fault in faults for key, said in fault.possible.items()}
    verdicts = {verdict["id"]: verdict for verdict in report["verdicts"]}
    found = [
        f"{key}: expected {said}, got {describe(verdicts.get(key))}"
        for key, said in wanted.items()
        if key not in verdicts or not fits(verdicts[key], said)
    ]
    for key, verdict in verdicts.items():
        allowed = nominal.verdicts.get(key) == word(verdict) or fits(verdict, possible.get(key, ""))
        if key not in wanted and not allowed and not explained(verdict, verdicts, wanted):
            found.append(f"{key}: expected {nominal.verdicts.get(key, 'nothing')}, got {describe(verdict)}")
    found += expected_when_dead(report)
    found += [f"{key}: is missing from the report" for key in nominal.verdicts if key not in verdicts]
    roots = {key for fault in faults for key in root_causes_of(fault, verdicts)}
    if not found and roots != set(report["root_causes"]):
        found.append(f"root causes: expected {sorted(roots)}, got {sorted(report['root_causes'])}")
    return found


def root_causes_of(fault: Fault, verdicts: Mapping[str, Verdict]) -> tuple[str, ...]:
    """Return the ids that the report must lead with for a fault."""
    bad = {key for key, verdict in verdicts.items() if verdict["state"] not in CALM}
    told = fault.root_causes
    if told is None:
        told = tuple(key for key in fault.expected if key in bad)
    return (*told, *(key for key in fault.possible if key in bad and verdicts[key]["caused_by"] is None))


def explained(verdict: Verdict, verdicts: Mapping[str, Verdict], wanted: Mapping[str, str]) -> bool:
    """Return whether a verdict's causes lead to one that a fault names."""
    if verdict["state"] in CALM:
        return False  # whatever could not be asked is never fine, nor rightly passive
    seen: set[str] = set()
    cause = verdict["caused_by"]
    while cause in verdicts and cause not in seen:
        if verdicts[cause]["state"] not in ("critical", "unknown"):
            return False
        if cause in wanted:
            return True
        seen.add(cause)
        cause = verdicts[cause]["caused_by"]
    return False


def expected_when_dead(report: Report) -> list[str]:
    """Return the active/passive groups of which a report calls units expected that nothing proves to be."""
    found = []
    unheld = {v["group"] for v in report["verdicts"] if v["id"].endswith("/vip") and v["state"] != "ok"}
    for name, group in GROUPS.items():
        units = group.get("active_passive", {}).get("units", ())
        ids = {f"{name}/{host}/{unit}" for host in group["hosts"] for unit in units}
        states = [verdict["state"] for verdict in report["verdicts"] if verdict["id"] in ids]
        if states and set(states) == {"expected"}:
            found.append(f"{name}: every unit of it is EXPECTED on every node, so nothing of it runs")
        elif name in unheld and "expected" in states:
            found.append(
                f"{name}: a unit of it is EXPECTED, though no one node is proven to hold the address"
            )
    return found


def during(report: Report, fault: Fault, nominal: Nominal) -> list[str]:
    """Return what a sweep in mid-fault said that is neither as before, nor as after, nor allowed."""
    assert fault.watch is not None, "only a fault that is watched has a while in between"
    verdicts = {verdict["id"]: verdict for verdict in report["verdicts"]}
    fine = {
        key
        for key, verdict in verdicts.items()
        if nominal.verdicts.get(key) == word(verdict)
        or fits(verdict, fault.expected.get(key) or fault.possible.get(key, ""))
        or any(fnmatchcase(f"{key} {word(verdict)}", pattern) for pattern in fault.watch.allowed)
    }
    causes = {key: "" for key in fine if verdicts[key]["state"] not in CALM}
    return expected_when_dead(report) + [
        f"{key}: meanwhile {describe(verdict)}"
        for key, verdict in verdicts.items()
        if key not in fine and not explained(verdict, verdicts, causes)
    ]


def describe(verdict: Verdict | None) -> str:
    """Return a verdict in one line, for whoever reads why a test failed."""
    if verdict is None:
        return "no verdict"
    notes = "".join(f" +{note}" for note in verdict["notes"])
    cause = f", caused by {verdict['caused_by']}" if verdict["caused_by"] else ""
    return f"{word(verdict)}{notes} ({verdict['summary']}{cause})"
