"""`quorate sudoers`: the least sudo rule that the sweep needs."""

import re
from pathlib import Path

from quorate.cli.inventory import load
from quorate.cli.printing import print_out
from quorate.model import Ask, Inventory
from quorate.plan import make_plan
from quorate.probes.journal import ask_journal, ask_journal_header, ask_journal_since, ask_restarts
from quorate.probes.vrrp import ask_vrrp

_DEFAULT_USER = "quorate"


def run_sudoers(option: Path | None) -> int:
    """Print the rule, for /etc/sudoers.d/quorate on every host."""
    path, inventory = load(option)
    return print_out(sudoers(inventory, str(path)))


def sudoers(inventory: Inventory, source: str) -> str:
    """Return a sudoers file that allows the exact commands which a sweep runs under sudo, and nothing else.

    Every argument is spelt out, since a wildcard would match more than it says (sudoers(5)). States of units
    and addresses need no sudo.
    """
    hosts = [h for h in inventory.hosts.values() if h.ssh.sudo]
    if not hosts:
        return "# No host of the inventory uses sudo (ssh.sudo is false): no rule is needed.\n"
    users = sorted({host.ssh.user or _DEFAULT_USER for host in hosts})
    wanted = {host.name for host in hosts}
    plans = [plan for plan in make_plan(inventory).hosts if plan.host in wanted]
    units = dict.fromkeys(unit for plan in plans for unit in plan.units)
    searched = dict.fromkeys(
        logs.unit for logs in inventory.task_logs if wanted & {*inventory.groups[logs.group].hosts}
    )
    asks = _asks(inventory, list(units), list(searched))
    asks += [ask_vrrp()] if any(plan.vrrp for plan in plans) else []
    commands = [_command(ask) for ask in asks]
    lines = [
        f"# What quorate reads as root on the hosts of {inventory.name}, by {_comment(source)}.",
        "# Into /etc/sudoers.d/quorate on every host (mode 0440), checked with: visudo -cf FILE",
        "Cmnd_Alias QUORATE = \\",
        ", \\\n".join(f"    {command}" for command in commands),
    ]
    if any(host.ssh.user is None for host in hosts):
        lines.append(f"# The inventory names no ssh user for some hosts; {_DEFAULT_USER} stands for it here.")
    lines += [f"{user} ALL=(root) NOPASSWD: QUORATE" for user in users]
    return "\n".join(lines) + "\n"


def _asks(inventory: Inventory, units: list[str], searched: list[str]) -> list[Ask]:
    evidence, window = inventory.evidence, inventory.judging.restart_window
    return [
        *(ask_journal(unit, evidence.log_lines) for unit in units),
        ask_journal_header(),
        *(ask_restarts(unit, window) for unit in units),
        *(ask_journal_since(unit, evidence.since) for unit in searched),
    ]


def _command(ask: Ask) -> str:
    program, *arguments = ask.argv
    return " ".join([f"/usr/bin/{program}", *(_escaped(a) for a in arguments)])


def _escaped(argument: str) -> str:
    # In a sudoers file these characters have a meaning in a command's arguments.
    return re.sub(r"([,:=\\*?\[\]!#\" ])", r"\\\1", argument)


def _comment(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", "?", text)
