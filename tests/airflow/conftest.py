"""One Airflow for all runs of `dag.test()`."""

from collections.abc import Iterator

import pytest
from dag_player import Player, player


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    with player(tmp_path_factory.mktemp("airflow")) as playing:
        yield playing
