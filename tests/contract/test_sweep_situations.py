"""A sweep gives the same verdicts in the simulated cluster and on real hosts: those of the semantics."""

from collections.abc import Callable

import pytest
from sweeps.lanes import Outcome
from sweeps.situation import Situation
from sweeps.table import SITUATIONS
from sweeps.verdicts import differences

from quorate.model import Report

pytest_plugins = ("sweeps.fixtures",)


@pytest.mark.parametrize(
    "situation", [s for s in SITUATIONS if s.simulated is not None], ids=lambda situation: situation.name
)
def test_a_simulated_cluster_gives_the_verdicts(
    situation: Situation, simulated: Callable[[Situation], Report]
) -> None:
    assert differences(situation, simulated(situation)) == []


@pytest.mark.lab
@pytest.mark.timeout(600)  # the first one waits for the machines, and all for those before them
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
def test_real_hosts_give_the_verdicts(situation: Situation, real: Callable[[Situation], Outcome]) -> None:
    outcome = real(situation)
    assert differences(situation, outcome.report) == []
    assert outcome.healed == ""


def test_every_situation_has_a_name_of_its_own() -> None:
    names = [situation.name for situation in SITUATIONS]
    assert sorted(set(names)) == sorted(names)
    assert [s.name for s in SITUATIONS if s.simulated is None and not s.why] == []
