"""The judgement of checks: one file a kind, one line here."""

from collections.abc import Callable
from dataclasses import dataclass

from quorate.checks import (
    airflow,
    celery,
    clock,
    etcd,
    haproxy,
    http,
    patroni,
    postgresql,
    rabbitmq,
    resources,
    tcp,
)
from quorate.checks.scene import Scene
from quorate.model import Check, CheckObservation, Verdict
from quorate.model.extensions import Registry


def settled(_check: Check, _observation: CheckObservation) -> bool:
    """Find nothing that another look could change."""
    return False


@dataclass(frozen=True, kw_only=True, slots=True)
class Judge:
    """How one kind of check is judged.

    `verdicts` returns the check's own verdict, and those of its members behind it. `unsettled` tells that
    what was seen may be a moment's only, as when a leader changes: the check is then asked again, until two
    answers in a row are settled or the samples are used up.
    """

    verdicts: Callable[[Check, CheckObservation, Scene], list[Verdict]]
    unsettled: Callable[[Check, CheckObservation], bool] = settled


JUDGES: Registry[Judge] = Registry(
    "judge",
    {
        "postgresql": Judge(verdicts=postgresql.verdicts),
        "rabbitmq": Judge(verdicts=rabbitmq.verdicts, unsettled=rabbitmq.unsettled),
        "etcd": Judge(verdicts=etcd.verdicts, unsettled=etcd.unsettled),
        "patroni": Judge(verdicts=patroni.verdicts, unsettled=patroni.unsettled),
        "haproxy": Judge(verdicts=haproxy.verdicts, unsettled=haproxy.unsettled),
        "airflow": Judge(verdicts=airflow.verdicts),
        "celery": Judge(verdicts=celery.verdicts, unsettled=celery.unsettled),
        "resources": Judge(verdicts=resources.verdicts),
        "clock": Judge(verdicts=clock.verdicts),
        "tcp": Judge(verdicts=tcp.verdicts),
        "http": Judge(verdicts=http.verdicts),
    },
)
"""By kind: how what was answered is judged."""
