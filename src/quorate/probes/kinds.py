"""The probes of checks: one file a kind, one line here."""

from collections.abc import Mapping

from quorate.probes import postgresql, rabbitmq
from quorate.probes.probe import Probe

PROBES: Mapping[str, Probe] = {
    "postgresql": postgresql.PROBE,
    "rabbitmq": rabbitmq.PROBE,
}
"""By kind: what is asked, and how the answers are read."""
