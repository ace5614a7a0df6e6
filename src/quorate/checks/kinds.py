"""The judgement of checks: one file a kind, one line here."""

from collections.abc import Callable, Mapping

from quorate.checks import postgresql, rabbitmq
from quorate.checks.scene import Scene
from quorate.model import Check, CheckObservation, Verdict

JUDGES: Mapping[str, Callable[[Check, CheckObservation, Scene], list[Verdict]]] = {
    "postgresql": postgresql.verdicts,
    "rabbitmq": rabbitmq.verdicts,
}
"""By kind: from what was answered to the check's own verdict, and those of its members behind it."""
