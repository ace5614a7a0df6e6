"""Real hosts for tests: booted once a session, gone afterwards."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # `lab` is no part of the installed package

from lab import Lab, LabError
from lab.sleepers import CLUSTER

HOSTS = ("nfs-1", "nfs-2", "haproxy-1")


@pytest.fixture(scope="session")
def real_hosts() -> Iterator[Lab]:
    """Three machines of the example cluster, with the units and virtual addresses it has when all is well."""
    try:
        with Lab([CLUSTER[name] for name in HOSTS]) as lab:
            yield lab
    except LabError as error:  # a test that can't run is a failure, not a skip
        pytest.fail(f"the real hosts are not to be had: {error}", pytrace=False)
