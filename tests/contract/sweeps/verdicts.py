"""Compares what a sweep found with what a situation expects."""

from collections.abc import Iterable

from quorate.model import Report, State, Verdict
from sweeps.situation import NOMINAL, Expected, Situation


def found(report: Report) -> dict[str, Expected]:
    """Return what a sweep found, in the words of what is expected."""
    return {
        v.id: Expected(
            state=v.state.word, reason=v.reason.value, caused_by=v.caused_by, notes=compared(v.notes)
        )
        for v in report.verdicts
    }


def compared(notes: Iterable[str]) -> tuple[str, ...]:
    """Return the notes that a situation speaks of."""
    # The real hosts' keepalived only sleeps: its journal tells of no state, unlike the simulated one's.
    return tuple(note for note in notes if note != "vrrp_state_unseen")


def differences(situation: Situation, report: Report) -> list[str]:
    """Return, a line each, where a sweep found something else than the situation expects."""
    got, want = found(report), situation.expected()
    lines = [
        f"{i}: expected {want.get(i, 'no verdict')}, got {got.get(i, 'no verdict')}"
        for i in {**want, **got}
        if want.get(i) != got.get(i)
    ]
    active = report.active_nodes.get("nfs")
    if active != situation.active:
        lines.append(f"the active node: expected {situation.active}, got {active}")
    return lines + [line for v in report.verdicts for line in log_faults(v, situation)]


def log_faults(verdict: Verdict, situation: Situation) -> list[str]:
    """Return what is wrong with the evidence of a unit's verdict.

    A unit that is not well, on a host that answers, has its journal, and the journal could be read, unless
    the situation says that it can't. Nothing else has a journal of a unit.
    """
    if verdict.kind != "unit":
        return []
    answered = not (verdict.caused_by or "").startswith(("host/", "monitor"))
    sources = [evidence.source for evidence in verdict.evidence]
    wanted = ["journal"] if verdict.state.rank >= State.WARNING.rank and answered else []
    faults = [] if sources == wanted else [f"{verdict.id}: its evidence is {sources}, expected {wanted}"]
    if situation.logs is None:
        return faults
    wrong = [e.error for e in verdict.evidence if (e.error is None) is not situation.logs]
    return faults + [f"{verdict.id}: the error of its journal is {error!r}" for error in wrong]


def in_short(verdicts: dict[str, Expected]) -> str:
    """Return the verdicts that need no other to explain them, in a line; those of a good day are left out."""
    good_day = NOMINAL.expected()
    roots = [f"{i} {v}" for i, v in verdicts.items() if v.caused_by is None and good_day.get(i) != v]
    more = f"; and {len(roots) - 2} more" if len(roots) > 2 else ""
    return "; ".join(roots[:2]) + more or "nominal"
