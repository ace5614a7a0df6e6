"""A simulated cluster behind real SSH on loopback, for the demo, for tests and for benchmarks.

Hosts answer as real systemctl, ip, journalctl and sudo do. `Simulation` starts them, `scenarios` lists what
can be wrong with them. asyncssh is loaded only when a simulation is.
"""

from typing import TYPE_CHECKING, Any

from quorate.simulation.scenario import Scenario, load_scenario, parse_scenario, scenarios

if TYPE_CHECKING:
    from quorate.simulation.simulation import Simulation

__all__ = ["Scenario", "Simulation", "load_scenario", "parse_scenario", "scenarios"]


def __getattr__(name: str) -> Any:
    if name != "Simulation":
        raise AttributeError(f"module 'quorate.simulation' has no attribute {name!r}")
    from quorate.simulation.simulation import Simulation  # noqa: PLC0415  asyncssh takes 0.2 s to load

    return Simulation
