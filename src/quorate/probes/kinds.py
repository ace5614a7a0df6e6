"""The questions of checks: one file a kind, one line here."""

from collections.abc import Callable, Mapping

from quorate.model import Check, ServiceAsk
from quorate.probes import postgresql, rabbitmq

QUESTIONS: Mapping[str, Callable[[Check, str], Mapping[str, ServiceAsk]]] = {
    "postgresql": postgresql.questions,
    "rabbitmq": rabbitmq.questions,
}
"""By kind: from a check and its password to what each of its servers is asked."""
