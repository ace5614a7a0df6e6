"""Fixtures for sweeps of real hosts, and the table that they leave."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab import LabError
from quorate.model import Report
from sweeps.lane import Lane
from sweeps.lanes import Lanes, Outcome
from sweeps.simulated import sweep_all_simulated
from sweeps.situation import NOMINAL, Situation
from sweeps.verdicts import differences, found, in_short


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the table at the end."""

    name: str
    expected: str
    got: str
    seconds: float = 0.0
    around: float = 0.0


SAME = "the same"
ROWS = pytest.StashKey[list[Row]]()
REMARKS = pytest.StashKey[list[str]]()


def chosen(request: pytest.FixtureRequest, fixture: str) -> list[Situation]:
    """Return the situations of all chosen tests that use a fixture."""
    asked_for = []
    for item in request.session.items:
        if isinstance(item, pytest.Function) and fixture in item.fixturenames:
            situation = item.callspec.params["situation"]
            assert isinstance(situation, Situation)
            asked_for.append(situation)
    return asked_for


@pytest.fixture(scope="module")
def simulated_sweeps(request: pytest.FixtureRequest) -> dict[str, Report | BaseException]:
    """What came of all chosen situations in the simulated cluster."""
    return asyncio.run(sweep_all_simulated(chosen(request, "simulated")))


@pytest.fixture
def simulated(
    simulated_sweeps: dict[str, Report | BaseException],
) -> Callable[[Situation], Report]:
    """What came of a situation in the simulated cluster."""

    def report(situation: Situation) -> Report:
        came = simulated_sweeps[situation.name]
        if isinstance(came, BaseException):
            raise came
        return came

    return report


@pytest.fixture(scope="module")
def lanes(request: pytest.FixtureRequest) -> Iterator[Lanes]:
    """Real machines, at work on every situation that a chosen test asks for."""
    working = Lanes()
    try:
        working.up()
        for situation in chosen(request, "real"):
            working.begin(situation)
        yield working
    except LabError as error:  # a test that can't run is a failure, not a skip
        pytest.fail(f"the real hosts are not to be had: {error}", pytrace=False)
    finally:
        working.down()


@pytest.fixture(scope="module")
def lane() -> Iterator[Lane]:
    """One cluster of real machines, for tests that bring it into situations of their own."""
    alone = Lane()
    try:
        alone.up()
        yield alone
    except LabError as error:
        pytest.fail(f"the real hosts are not to be had: {error}", pytrace=False)
    finally:
        alone.down()


@pytest.fixture
def inventory(lane: Lane, tmp_path: Path) -> Path:
    """The inventory file of that cluster."""
    file = tmp_path / "cluster.yaml"
    file.write_text(lane.inventory_text(NOMINAL), encoding="utf-8")
    return file


@pytest.fixture
def healed(lane: Lane) -> Iterator[Lane]:
    """That cluster, well again after the test."""
    yield lane
    lane.heal()


@pytest.fixture
def real(lanes: Lanes, pytestconfig: pytest.Config) -> Callable[[Situation], Outcome]:
    """What came of a situation on real hosts."""
    rows = pytestconfig.stash.setdefault(ROWS, [])

    def outcome(situation: Situation) -> Outcome:
        expected = in_short(situation.expected())
        try:
            came = lanes.outcome(situation)
        except Exception as error:
            rows.append(Row(name=situation.name, expected=expected, got=f"{type(error).__name__}: {error}"))
            raise
        got = in_short(found(came.report)) if differences(situation, came.report) else SAME
        if came.healed:
            got += f"; {came.healed}"
        times = {"seconds": came.seconds, "around": came.around}
        rows.append(Row(name=situation.name, expected=expected, got=got, **times))
        return came

    return outcome


@pytest.fixture
def remark(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Write a line below the table: a measure that no test judges."""
    return pytestconfig.stash.setdefault(REMARKS, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what every situation on real hosts came to."""
    rows, remarks = config.stash.get(ROWS, []), config.stash.get(REMARKS, [])
    if not rows and not remarks:
        return
    terminalreporter.section("situations on real hosts: sweep s, bringing about and healing s, expected, got")
    for row in rows:
        times = f"{row.seconds:5.2f} {row.around:5.2f}"
        got = "=" if row.got == SAME else f"≠ {row.got}"
        terminalreporter.write_line(f"{row.name:39} {times}  {row.expected}  {got}", red=row.got != SAME)
    if rows:
        same = sum(row.got == SAME for row in rows)
        terminalreporter.write_line(f"{len(rows)} situations, {same} as expected")
    for line in remarks:
        terminalreporter.write_line(line)
