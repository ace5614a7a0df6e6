"""Every row of the rules "Quorum", and what has to hold whatever the members answered."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.checks.quorum import NOT_ASKED, judge_quorum
from quorate.model import Reason, State

OK, GONE, MUTE, REFUSED = Reason.OK, Reason.CONNECT_FAILED, Reason.TIMEOUT, Reason.AUTH_FAILED
LATE, BLIND, SECRET = Reason.SWEEP_TIMEOUT, Reason.MONITOR_ISOLATED, Reason.SECRET_UNAVAILABLE

ROWS: dict[str, tuple[Sequence[Reason], int | None, str]] = {
    "all of three": ((OK, OK, OK), None, "OK ok"),
    "two of three": ((OK, GONE, OK), None, "WARNING redundancy_lost"),
    "one of three": ((OK, GONE, MUTE), None, "CRITICAL quorum_lost"),
    "none of three": ((GONE, GONE, GONE), None, "CRITICAL quorum_lost"),
    "three of four": ((OK, OK, OK, GONE), None, "WARNING redundancy_lost"),
    "two of four is no majority": ((OK, OK, GONE, GONE), None, "CRITICAL quorum_lost"),
    "the only one": ((OK,), None, "OK ok"),
    "not even the only one": ((MUTE,), None, "CRITICAL quorum_lost"),
    "both": ((OK, OK), None, "OK ok"),
    "one of two is no majority": ((OK, GONE), None, "CRITICAL quorum_lost"),
    "one of two, where one is enough": ((OK, GONE), 1, "WARNING redundancy_lost"),
    "none of two, where one is enough": ((GONE, GONE), 1, "CRITICAL quorum_lost"),
    "two of three, where all are needed": ((OK, GONE, OK), 3, "CRITICAL quorum_lost"),
    "one refuses the login": ((OK, OK, REFUSED), None, "WARNING redundancy_lost"),
    "two refuse the login": ((OK, REFUSED, REFUSED), None, "CRITICAL quorum_lost"),
    "all refuse the login": ((REFUSED, REFUSED, REFUSED), None, "UNKNOWN auth_failed"),
    "the only one refuses the login": ((REFUSED,), None, "UNKNOWN auth_failed"),
    "some refuse, one is gone": ((REFUSED, REFUSED, GONE), None, "CRITICAL quorum_lost"),
    "the secret is missing": ((SECRET, SECRET, SECRET), None, "UNKNOWN secret_unavailable"),
    "isolated": ((BLIND, BLIND, BLIND), None, "UNKNOWN monitor_isolated"),
    "isolated beside a node of this machine": ((BLIND, OK, BLIND), None, "UNKNOWN monitor_isolated"),
    "one came too late": ((OK, OK, LATE), None, "WARNING redundancy_lost"),
    "one is enough, the others came too late": ((LATE, OK, LATE), 1, "WARNING redundancy_lost"),
    "one is enough, isolated beside it": ((BLIND, OK, BLIND), 1, "UNKNOWN monitor_isolated"),
    "one is enough, the secret is missing": ((OK, LATE, SECRET), 1, "UNKNOWN secret_unavailable"),
    "one is gone, one came too late": ((OK, LATE, GONE), None, "UNKNOWN sweep_timeout"),
    "two are gone, so the late one decides nothing": ((GONE, LATE, GONE), None, "CRITICAL quorum_lost"),
    "two refuse, the late one may refuse as well": ((REFUSED, LATE, REFUSED), None, "UNKNOWN sweep_timeout"),
    "refusals and one that works": (
        (REFUSED, REFUSED, REFUSED, OK, LATE),
        None,
        "CRITICAL quorum_lost",
    ),
    "interrupted": ((OK, Reason.INTERRUPTED, GONE), None, "UNKNOWN interrupted"),
    "a fault of quorate": ((OK, Reason.INTERNAL_ERROR, GONE), None, "UNKNOWN internal_error"),
}


@pytest.mark.parametrize(("reasons", "needed", "expected"), ROWS.values(), ids=ROWS)
def test_rows(reasons: Sequence[Reason], needed: int | None, expected: str) -> None:
    found = judge_quorum(named(reasons), needed)
    assert f"{found.state.name} {found.reason}" == expected


def test_members_are_told_apart() -> None:
    found = judge_quorum({"a": OK, "b": GONE, "c": OK, "d": LATE})
    assert (found.healthy, found.missing, found.needed) == (("a", "c"), ("b", "d"), 3)


def named(reasons: Sequence[Reason]) -> dict[str, Reason]:
    return {f"node-{at}": reason for at, reason in enumerate(reasons)}


KNOWN = (OK, GONE, MUTE, REFUSED, Reason.QUERY_FAILED)
SOME = st.lists(st.sampled_from((*KNOWN, *sorted(NOT_ASKED))), min_size=1, max_size=7)


@given(SOME, st.data())
def test_whether_there_is_a_quorum_holds_whatever_the_unasked_would_have_said(
    reasons: list[Reason], data: st.DataObject
) -> None:
    found = judge_quorum(named(reasons))
    answered = [data.draw(st.sampled_from(KNOWN)) if reason in NOT_ASKED else reason for reason in reasons]
    if found.state is not State.UNKNOWN:
        lost = judge_quorum(named(answered)).state not in (State.OK, State.WARNING)
        assert lost == (found.state is State.CRITICAL)


@given(SOME, st.permutations(range(7)))
def test_the_order_of_members_changes_no_state(reasons: list[Reason], order: list[int]) -> None:
    shuffled = [reasons[at] for at in order if at < len(reasons)]
    assert judge_quorum(named(shuffled)).state is judge_quorum(named(reasons)).state


@given(st.lists(st.sampled_from(KNOWN), min_size=1, max_size=7), st.integers(0, 6))
def test_a_member_that_recovers_makes_nothing_worse(reasons: list[Reason], at: int) -> None:
    better = list(reasons)
    better[at % len(reasons)] = OK
    before, after = judge_quorum(named(reasons)), judge_quorum(named(better))
    # A login that all refuse says nothing of the cluster; one that some accept does.
    assert after.state.rank <= before.state.rank or before.reason is REFUSED


@given(SOME)
def test_ok_means_that_every_declared_member_is_healthy(reasons: list[Reason]) -> None:
    assert (judge_quorum(named(reasons)).state is State.OK) == (set(reasons) == {OK})
