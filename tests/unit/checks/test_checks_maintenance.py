"""Maintenance: such verdicts keep their state, carry a note, and count for nothing; what is over is told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.checks.maintenance import declared, with_maintenance
from quorate.model import DeclaredMaintenance, Maintenance, Reason, Report, State, Verdict

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
IDS = ("host/nfs-1", "nfs/vip", "nfs/failover", "nfs/nfs-1/lsyncd", "nfs/nfs-10/lsyncd", "db", "db/a")


def verdict(name: str, state: State = State.OK, cause: str | None = None, *notes: str) -> Verdict:
    return Verdict(
        id=name, kind="unit", state=state, reason=Reason.OK, summary=name, caused_by=cause, notes=notes
    )


def report(verdicts: Sequence[Verdict]) -> Report:
    return Report(cluster="test", started_at=NOW, duration=0.1, verdicts=tuple(verdicts))


def maintained(*entries: Maintenance) -> list[str]:
    """Return the ids of the verdicts that are in maintenance then."""
    found = with_maintenance([verdict(i) for i in IDS], entries, NOW)
    assert [v.id for v in found] == list(IDS)
    return [v.id for v in found if v.notes == ("maintenance",)]


SELECTED = {
    "a unit": ("nfs/nfs-1/lsyncd", ["nfs/nfs-1/lsyncd"]),
    "a unit by its full name": ("nfs/nfs-1/lsyncd.service", ["nfs/nfs-1/lsyncd"]),
    "a node of a group": ("nfs/nfs-1", ["nfs/nfs-1/lsyncd"]),
    "a group": ("nfs/", ["nfs/vip", "nfs/failover", "nfs/nfs-1/lsyncd", "nfs/nfs-10/lsyncd"]),
    "a failover": ("nfs/failover", ["nfs/failover"]),
    "a host": ("host/nfs-1", ["host/nfs-1"]),
    "a check": ("db", ["db", "db/a"]),
    "what is not in this report": ("web", []),
}


@pytest.mark.parametrize(("selector", "expected"), SELECTED.values(), ids=SELECTED)
def test_a_selector_chooses_as_only_does(selector: str, expected: list[str]) -> None:
    assert maintained(Maintenance(select=selector, until=LATER)) == expected


ENDS = {
    "an hour from now": (LATER, True),
    "now": (NOW, False),
    "an hour ago": (EARLIER, False),
    "in another time zone, in an hour": (LATER.astimezone(timezone(timedelta(hours=9))), True),
    "in another time zone, an hour ago": (EARLIER.astimezone(timezone(timedelta(hours=-9))), False),
}


@pytest.mark.parametrize(("until", "holds"), ENDS.values(), ids=ENDS)
def test_it_holds_until_its_end_and_is_told_afterwards(until: datetime, holds: bool) -> None:
    entry = Maintenance(select="db", until=until, reason="upgrade")
    assert maintained(entry) == (["db", "db/a"] if holds else [])
    (told,) = declared([entry], NOW)
    assert told == DeclaredMaintenance(select="db", until=until, reason="upgrade", expired=not holds)
    assert told.until.tzinfo is UTC


def test_several_entries_add_up_and_one_that_is_over_takes_nothing_away() -> None:
    over, holds = Maintenance(select="nfs", until=EARLIER), Maintenance(select="nfs/vip", until=LATER)
    assert maintained(over, holds, Maintenance(select="db/a", until=LATER)) == ["nfs/vip", "db/a"]
    assert [told.expired for told in declared([over, holds], NOW)] == [True, False]


def test_other_notes_stay_and_nobody_else_puts_something_in_maintenance() -> None:
    strangers = [
        verdict("db", State.CRITICAL, None, "odd", "maintenance"),
        verdict("db/a", State.OK, None, "odd"),
    ]
    assert [v.notes for v in with_maintenance(strangers, [], NOW)] == [("odd",), ("odd",)]
    entry = Maintenance(select="db", until=LATER)
    again = with_maintenance(strangers, [entry], NOW)
    assert [v.notes for v in again] == [("odd", "maintenance"), ("odd", "maintenance")]
    assert [v.state for v in again] == [State.CRITICAL, State.OK]


M = "maintenance"
ROOTS: dict[str, tuple[list[Verdict], State, list[str]]] = {
    "what counts": ([verdict("a", State.CRITICAL), verdict("b")], State.CRITICAL, ["a"]),
    "in maintenance": ([verdict("a", State.CRITICAL, None, M), verdict("b")], State.OK, []),
    "all of it": ([verdict("a", State.UNKNOWN, None, M)], State.OK, []),
    "beside what is less bad": (
        [verdict("a", State.CRITICAL, None, M), verdict("b", State.WARNING)],
        State.WARNING,
        ["b"],
    ),
    "what rests, in maintenance": ([verdict("a", State.EXPECTED, None, M), verdict("b")], State.OK, []),
    "with its consequence": (
        [verdict("a", State.CRITICAL, None, M), verdict("b", State.UNKNOWN, "a", M)],
        State.OK,
        [],
    ),
    "a consequence that counts": (
        [verdict("a", State.CRITICAL, None, M), verdict("b", State.UNKNOWN, "a")],
        State.UNKNOWN,
        ["a"],
    ),
    "one that counts, through one that does not": (
        [
            verdict("a", State.CRITICAL, None, M),
            verdict("b", State.UNKNOWN, "a", M),
            verdict("c", State.WARNING, "b"),
        ],
        State.WARNING,
        ["a"],
    ),
    "a consequence alone": (
        [verdict("a", State.CRITICAL), verdict("b", State.UNKNOWN, "a", M)],
        State.CRITICAL,
        ["a"],
    ),
    "a circle": (
        [verdict("a", State.CRITICAL, "b"), verdict("b", State.CRITICAL, "a", M)],
        State.CRITICAL,
        [],
    ),
    "nothing was judged": ([], State.UNKNOWN, []),
}


@pytest.mark.parametrize(("verdicts", "state", "roots"), ROOTS.values(), ids=ROOTS)
def test_state_and_roots_are_those_of_what_counts(
    verdicts: list[Verdict], state: State, roots: list[str]
) -> None:
    found = report(verdicts)
    assert found.state is state
    assert [v.id for v in found.root_causes] == roots
    assert sum(found.counts.values()) == len(verdicts)


VERDICTS = st.lists(
    st.builds(verdict, st.sampled_from(IDS), st.sampled_from(State), st.none() | st.sampled_from(IDS)),
    unique_by=lambda v: v.id,
    max_size=len(IDS),
)
ENTRIES = st.lists(
    st.builds(
        Maintenance,
        select=st.sampled_from((*IDS, "nfs", "host", "nfs/nfs-1", "nothing")),
        until=st.sampled_from((EARLIER, NOW, LATER)),
    ),
    max_size=3,
)


@given(VERDICTS, ENTRIES)
def test_a_verdict_in_maintenance_never_changes_the_state(
    verdicts: list[Verdict], entries: list[Maintenance]
) -> None:
    whole = report(with_maintenance(verdicts, entries, NOW))
    rest = [v for v in whole.verdicts if not v.in_maintenance]
    assert whole.state is (report(rest).state if rest else State.OK if verdicts else State.UNKNOWN)
    assert whole.counts == report(verdicts).counts
    blamed = {v.caused_by for v in whole.verdicts}
    for root in whole.root_causes:
        assert not root.in_maintenance or root.id in blamed
    assert {v.id for v in report(rest).root_causes} <= {v.id for v in whole.root_causes}
    worse = [replace(v, state=State.CRITICAL) if v.in_maintenance else v for v in whole.verdicts]
    assert report(worse).state is whole.state
