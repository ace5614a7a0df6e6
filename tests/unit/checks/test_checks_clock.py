"""Clocks: a slow answer makes no false alarm, and the monitor's own clock is told from the hosts'."""

from types import MappingProxyType

import pytest
from seen import hosts, look, unreachable, verdicts

from quorate.checks.clock import span
from quorate.model import Check, CheckObservation, Inventory, NoReply, Reason, State, Verdict
from quorate.model.resources import ClockFacts


def at(offset: float, uncertainty: float = 0.01) -> ClockFacts:
    return ClockFacts(offset=offset, uncertainty=uncertainty, duration=0.002)


def judged(*facts: ClockFacts | NoReply, here: str = "", gone: str = "") -> dict[str, Verdict]:
    """Return the verdicts of hosts a, b, …; `here` are this machine, `gone` could not be asked."""
    names = tuple("abcdef"[: len(facts)])
    settings = MappingProxyType({"warning": 0.5, "critical": 2.0})
    check = Check(name="time", kind="clock", hosts=names, members=names, asks_hosts=True, settings=settings)
    inventory = Inventory(name="test", hosts=hosts(*names), checks={"time": check})
    seen = CheckObservation(
        answers=dict(zip(names, facts, strict=True)),
        addresses={name: host.address or "" for name, host in inventory.hosts.items()},
    )
    looks = [
        unreachable(name, vip=False) if name in gone else look(name, remote=name not in here)
        for name in names
    ]
    found = verdicts(inventory, looks, checks={"time": seen})
    return {name: verdict for name, verdict in found.items() if name.split("/")[0] == "time"}


def stands(verdict: Verdict) -> str:
    """Return state and reason."""
    return f"{verdict.state.word} {verdict.reason}"


DOWN = NoReply(reason=Reason.HOST_UNREACHABLE, detail="no route")


@pytest.mark.parametrize(
    ("offset", "uncertainty", "expected", "notes"),
    [
        (0.0, 0.01, "ok ok", ()),
        (-0.49, 0.01, "ok ok", ()),
        (0.52, 0.01, "warning clock_off", ()),
        (-0.52, 0.01, "warning clock_off", ()),
        (2.0, 0.01, "warning clock_off", ()),
        (-2.02, 0.01, "critical clock_off", ()),
        (86400.0, 0.01, "critical clock_off", ()),
        # A slow answer: what may be beyond a limit, and may be within it.
        (0.4, 0.4, "ok ok", ("imprecise",)),
        (0.9, 0.9, "ok ok", ("imprecise",)),
        (1.6, 1.0, "warning clock_off", ()),
        (0.0, 2.5, "unknown command_timeout", ()),
        (2.4, 2.0, "unknown command_timeout", ()),
        (9.0, 2.5, "critical clock_off", ()),
    ],
)
def test_a_limit_is_broken_only_beyond_what_the_answer_leaves_open(
    offset: float, uncertainty: float, expected: str, notes: tuple[str, ...]
) -> None:
    verdict = judged(at(offset, uncertainty), at(0.0))["time/a"]
    assert stands(verdict) == expected
    assert verdict.notes == notes
    assert verdict.observed["offset_s"] == round(offset, 3)


def test_what_is_said_of_a_clock() -> None:
    found = judged(at(-90.0), at(0.9), at(0.003))
    assert found["time/a"].summary == (
        "clock of a is OFF: 90.0 s behind that of the monitor, the limit is 2.0 s (give or take 10 ms)"
    )
    assert found["time/b"].detail == (
        "its clock is 900 ms ahead of that of the monitor, the limit is 500 ms (give or take 10 ms)"
    )
    assert found["time/c"].summary == "clock of c is within 13 ms of the monitor's"
    assert found["time"].summary == "clocks are OFF on 2 of 3 hosts: a, b"
    assert (stands(found["time"]), found["time"].caused_by) == ("critical clock_off", "time/a")


def test_a_warning_is_no_cause() -> None:
    assert judged(at(0.9), at(0.0))["time"].caused_by is None


def test_clocks_that_agree() -> None:
    found = judged(at(0.0), at(0.1))["time"]
    assert (found.state, found.summary) == (State.OK, "clocks agree with the monitor on 2 hosts")


# ---------------------------------------------------------------- the monitor's own


@pytest.mark.parametrize(("offset", "state"), [(0.9, State.WARNING), (7.0, State.CRITICAL)])
def test_where_all_are_off_alike_it_is_the_monitor(offset: float, state: State) -> None:
    found = judged(at(offset), at(offset + 0.1), at(offset - 0.1))
    whole = found.pop("time")
    assert (whole.state, whole.reason, whole.caused_by) == (state, Reason.CLOCK_OFF, None)
    assert "the MONITOR's clock is OFF" in whole.summary
    assert "behind that of a, b, c" in whole.summary
    assert whole.observed["monitor_offset_s"] == -offset
    assert {(v.state, v.notes) for v in found.values()} == {(State.OK, ("monitor_clock",))}
    assert found["time/a"].summary == "clock of a agrees with those of the other hosts"


@pytest.mark.parametrize(
    "facts",
    [
        (at(7.0), at(-7.0)),
        (at(7.0), at(9.0)),
        (at(7.0), at(7.0), at(0.0)),
        (at(7.0), at(0.45, 0.1)),
        (at(7.0), at(7.0), at(0.4)),
        (at(7.0),),
    ],
)
def test_where_hosts_differ_from_each_other_or_there_is_one_each_stands_for_itself(
    facts: tuple[ClockFacts, ...],
) -> None:
    found = judged(*facts)
    assert stands(found["time/a"]) == "critical clock_off"
    assert "MONITOR" not in found["time"].summary


def test_this_machine_has_no_say_about_its_own_clock_and_is_the_one_that_is_off() -> None:
    found = judged(at(-7.0), at(-7.0), at(0.0), here="c")
    assert stands(found["time/c"]) == "critical clock_off"
    assert found["time/c"].detail == "its clock is 7.0 s ahead of that of the other hosts, the limit is 2.0 s"
    assert stands(found["time/a"]) == "ok ok"
    assert "the MONITOR's clock is OFF: 7.0 s ahead of that of a, b" in found["time"].summary


def test_an_answer_too_slow_to_tell_denies_nothing() -> None:
    found = judged(at(7.0), at(7.0), at(3.0, 5.0))
    assert "the MONITOR's clock is OFF" in found["time"].summary
    assert stands(found["time/c"]) == "ok ok"


def test_one_host_beside_this_machine_proves_nothing_of_the_monitor() -> None:
    found = judged(at(7.0), at(0.0), here="b")
    assert stands(found["time/a"]) == "critical clock_off"
    assert stands(found["time/b"]) == "ok ok"


def test_a_host_that_can_not_be_asked_hides_no_clock_of_the_monitor() -> None:
    critical = judged(at(7.0), at(7.0), DOWN, gone="c")
    assert stands(critical["time"]) == "critical clock_off"
    assert (stands(critical["time/c"]), critical["time/c"].caused_by) == (
        "unknown host_unreachable",
        "host/c",
    )
    warning = judged(at(0.9), at(0.9), DOWN, gone="c")["time"]
    assert (stands(warning), warning.caused_by) == ("unknown host_unreachable", "time/c")
    assert "the MONITOR's clock is OFF" in warning.summary


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 ms"),
        (0.0125, "12 ms"),
        (1.0, "1.0 s"),
        (90.0, "90.0 s"),
        (125.0, "2 min"),
        (3600.0, "1 h"),
        (5400.0, "1 h 30 min"),
        (90000.0, "1 d 1 h"),
        (86400.0 * 365, "365 d"),
    ],
)
def test_lengths_of_time_as_people_compare_clocks(seconds: float, words: str) -> None:
    assert span(seconds) == words
