"""The probes of checks: one file a kind, one line here."""

from quorate.model.extensions import Registry
from quorate.probes import clock, haproxy, http, postgresql, rabbitmq, resources, tcp
from quorate.probes.probe import Probe

PROBES: Registry[Probe] = Registry(
    "probe",
    {
        "postgresql": postgresql.PROBE,
        "resources": resources.PROBE,
        "clock": clock.PROBE,
        "haproxy": haproxy.PROBE,
        "rabbitmq": rabbitmq.PROBE,
        "tcp": tcp.PROBE,
        "http": http.PROBE,
    },
)
"""By kind: what is asked, and how the answers are read."""
