"""Runs sweeps: the one room where inventory, plan, transports, probes, checks and evidence meet."""

from quorate.engine.fan_out import Limits
from quorate.engine.secrets import SecretUnavailableError, known_secrets, resolve_secret
from quorate.engine.sweep import Asker, Progress, sweep
from quorate.engine.task_logs import collect_task_logs

__all__ = [
    "Asker",
    "Limits",
    "Progress",
    "SecretUnavailableError",
    "collect_task_logs",
    "known_secrets",
    "resolve_secret",
    "sweep",
]
