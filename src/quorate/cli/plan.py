"""`quorate plan`: what a sweep would ask of whom."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from quorate.cli.inventory import load
from quorate.cli.printing import print_out
from quorate.engine.batches import look_batch
from quorate.model import Check, Host, Inventory, Secret
from quorate.plan import make_plan


def run_plan(option: Path | None) -> int:
    """Print each host with its commands, and each check with where it would connect; connect to nothing."""
    path, inventory = load(option)
    lines = [
        f"{inventory.name}, by {path}: {len(inventory.hosts)} hosts, each asked once, all at the same time",
        "",
    ]
    for plan in make_plan(inventory).hosts:
        lines.append(f"{plan.host}: {_way(inventory.hosts[plan.host])}")
        lines += [f"  {shlex.join(ask.argv)}" for ask in look_batch(plan)] or ["  (whether it answers)"]
    lines += ["", "Of units that are not as they should be, their journal is fetched as well."]
    lines += [line for check in inventory.checks.values() for line in _check(check, inventory)]
    return print_out("\n".join(lines) + "\n")


def _way(host: Host) -> str:
    if host.local and host.address is None:
        return "this machine, without SSH"
    user = f"{host.ssh.user}@" if host.ssh.user else ""
    port = f":{host.ssh.port}" if host.ssh.port else ""
    jump = f" through {host.ssh.jump}" if host.ssh.jump else ""
    local = ", or without SSH if that is this machine" if host.local else ""
    return f"ssh {user}{host.address}{port}{jump}{local}"


def _check(check: Check, inventory: Inventory) -> list[str]:
    lines = ["", f"{check.name}: {check.kind}; not asked by this version, and reported as UNKNOWN"]
    for key, value in check.settings.items():
        if value is not None and value != ():
            lines.append(f"  {key}: {_said(value)}")
    if check.logs_from is not None:
        hosts = ", ".join(inventory.groups[check.logs_from.group].hosts)
        lines.append(f"  logs from: {check.logs_from.unit} on {hosts}")
    return lines


def _said(value: object) -> str:
    if isinstance(value, Secret):
        places = {
            "environment variable": value.env,
            "file": value.file,
            "Airflow connection": value.airflow_connection,
        }
        return next(f"from the {kind} {name}" for kind, name in places.items() if name is not None)
    if isinstance(value, tuple):
        return ", ".join(_said(each) for each in value)
    if isinstance(value, Mapping):
        return " ".join(f"{key}={_said(each)}" for key, each in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)
