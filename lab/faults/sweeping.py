"""Sweeps of the lab by `quorate check`, from the monitor's place or from one of the hosts."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from lab.cluster.inventory import SECRETS, inventory
from lab.command import LabError
from lab.faults.fault import MONITOR
from lab.lab import Lab

LIMIT = 90.0
"""Seconds; the sweep has a limit of its own below it, so this one ends only a program that hangs."""
FOLDER = "/etc/quorate"
QUORATE = "/opt/airflow/bin/quorate"


def sweep(lab: Lab, *, place: str = MONITOR, secrets: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the report of one sweep; `secrets` replaces some of what the monitor's environment has."""
    environment = {**SECRETS, **(secrets or {})}
    command = ["check", "-o", "json", "-i"]
    if place == MONITOR:
        file = monitor_inventory(lab)
        argv = [sys.executable, "-m", "quorate", *command, file]
        done = lab.network.run_on_monitor(argv, timeout=LIMIT, env=environment)
    else:
        install_monitor(lab, place)
        values = [f"{name}={value}" for name, value in environment.items()]
        argv = ["env", *values, QUORATE, *command, f"{FOLDER}/cluster.yaml"]
        done = lab[place].run(argv, timeout=LIMIT)
    return parsed(done)


def parsed(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    """Return the report that a sweep printed; whatever else it did is an error."""
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()[-500:]
        raise LabError(f"quorate check ended with {done.returncode} and no report: {said}") from error
    return report


def monitor_inventory(lab: Lab) -> str:
    """Write the inventory for the monitor's place beside the lab, once; return its path."""
    path = lab.folder / "cluster.yaml"
    if not path.exists():
        text = inventory(identity_file=str(lab.identity_file), known_hosts=str(lab.known_hosts))
        path.write_text(text, encoding="utf-8")
    return str(path)


def install_monitor(lab: Lab, host: str) -> None:
    """Give a host what a monitor needs that runs there, with itself as `local`."""
    machine = lab[host]
    key, known = f"{FOLDER}/id_ed25519", f"{FOLDER}/known_hosts"
    machine.write_file(key, lab.identity_file.read_text(encoding="ascii"), mode=0o600)
    machine.write_file(known, lab.known_hosts.read_text(encoding="ascii"))
    machine.write_file(
        f"{FOLDER}/cluster.yaml", inventory(identity_file=key, known_hosts=known, local=host), mode=0o600
    )
