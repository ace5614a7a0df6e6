"""Sweeps of the lab by `quorate check`, from the monitor's place or from one of the hosts."""

import json
import os
import subprocess
import sys
from typing import Any

from lab.cluster.cluster import MONITOR_FILES, monitor_inventory
from lab.cluster.inventory import SECRETS, inventory
from lab.command import LabError
from lab.faults.fault import MONITOR, Fault
from lab.lab import Lab

LIMIT = 90.0
"""Seconds; the sweep has a limit of its own below it, so this one ends only a program that hangs."""
EXIT_CODES = {"ok": 0, "expected": 0, "warning": 1, "critical": 2, "unknown": 3}
INVENTORY = "/etc/quorate/cluster.yaml"
QUORATE = "/opt/airflow/bin/quorate"


def sweep(lab: Lab, fault: Fault | None = None) -> dict[str, Any]:
    """Return the report of one sweep, made from the place and with the secrets that a fault says."""
    argv, environment = command(lab, fault, "-o", "json")
    try:
        done = subprocess.run(argv, env=environment, capture_output=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired as error:
        raise LabError(f"quorate check did not end within {LIMIT:g} s") from error
    return parsed(done)


def command(lab: Lab, fault: Fault | None, *options: str) -> tuple[list[str], dict[str, str]]:
    """Return the argument vector and the environment of `quorate check` as a fault wants it made."""
    place = fault.sweep_from if fault else MONITOR
    secrets = {**SECRETS, **(fault.secrets if fault else {})}
    if fault is None or place == MONITOR:
        argv = [sys.executable, "-m", "quorate", "check", "-i", str(monitor_inventory(lab)), *options]
        return lab.network.inside(MONITOR, argv), {**os.environ, **secrets}
    install_monitor(lab, place, by_name=fault.by_name)
    values = [f"{name}={value}" for name, value in secrets.items()]
    return lab[place].argv(["env", *values, QUORATE, "check", "-i", INVENTORY, *options]), {**os.environ}


def parsed(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    """Return the report that a sweep printed; whatever else it did is an error."""
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()[-500:]
        raise LabError(f"quorate check ended with {done.returncode} and no report: {said}") from error
    if done.returncode != EXIT_CODES[report["state"]]:
        raise LabError(f"quorate check ended with {done.returncode}, and reports {report['state']}")
    return report


def install_monitor(lab: Lab, host: str, *, by_name: bool) -> None:
    """Give a host of Airflow, which has the key already, an inventory with itself as `local`."""
    key, known = MONITOR_FILES
    text = inventory(identity_file=key, known_hosts=known, local=host, by_name=by_name)
    lab[host].write_file(INVENTORY, text, mode=0o600)
