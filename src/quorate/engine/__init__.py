"""Runs sweeps: the one room where inventory, plan, transports, probes, checks and evidence meet."""

from quorate.engine.fan_out import Limits
from quorate.engine.secrets import SecretUnavailableError, resolve_secret
from quorate.engine.sweep import Asker, Progress, sweep

__all__ = ["Asker", "Limits", "Progress", "SecretUnavailableError", "resolve_secret", "sweep"]
