"""The Celery workers of the cluster, as its machines and a scenario leave them, and who may ask for them."""

from collections.abc import Callable, Iterator

from quorate.simulation.services.layers import Layers
from quorate.simulation.services.state import Manner, SimulatedWorker
from quorate.simulation.services.words import EVERY

_UNIT = "airflow-worker"
_QUEUES = ("default", "card_processing_queue")
_GONE = frozenset({Manner.SILENT, Manner.MUTE})
"""How a host is that went with its worker before the broker took note."""


def workers(layers: Layers) -> tuple[SimulatedWorker, ...]:
    """Return the workers that are connected to the brokers, by what a check of them calls their hosts."""
    return tuple(_connected(layers))


def _connected(layers: Layers) -> Iterator[SimulatedWorker]:
    for host in layers.hosts_of(_UNIT):
        manner = layers.manner("celery", host, _UNIT)
        if manner is Manner.REFUSED:
            continue
        told = layers.told("celery", host).keys
        yield SimulatedWorker(
            name=told.get("worker", f"celery@{host}"),
            queues=told.get("queues", _QUEUES),
            after=None if manner in _GONE or told.get("silent", False) else told.get("after", 0.0),
            broken=told.get("broken", False),
        )


def logins(layers: Layers, password: Callable[[str], str]) -> frozenset[tuple[str, str]]:
    """Return the users with their passwords that ask for workers, as far as the brokers know them."""
    if layers.told("celery", EVERY).manner is Manner.WRONG_PASSWORD:
        return frozenset()
    checks = layers.cluster.checks.items()
    return frozenset((check["user"], password(name)) for name, check in checks if check["kind"] == "celery")
