"""The probes of checks: one file a kind, one line here."""

from quorate.model.extensions import Registry
from quorate.probes import postgresql, rabbitmq
from quorate.probes.probe import Probe

PROBES: Registry[Probe] = Registry(
    "probe",
    {
        "postgresql": postgresql.PROBE,
        "rabbitmq": rabbitmq.PROBE,
    },
)
"""By kind: what is asked, and how the answers are read."""
