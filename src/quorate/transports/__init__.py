"""Asks a host's questions and brings back replies, or why there are none: over SSH, or on this machine."""

from quorate.transports.local import is_this_machine
from quorate.transports.transport import Transport

__all__ = ["Transport", "is_this_machine"]
