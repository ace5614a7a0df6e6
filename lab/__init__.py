"""Machines with real systemd, journald and sshd on this one machine, in network namespaces of their own."""

from lab.command import LabError
from lab.lab import Lab
from lab.machine import Machine
from lab.network import Network
from lab.spec import HostSpec, RootfsSpec

__all__ = ["HostSpec", "Lab", "LabError", "Machine", "Network", "RootfsSpec"]
