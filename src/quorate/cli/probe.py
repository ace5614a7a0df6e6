"""`quorate probe`: one host, raw questions and answers."""

import asyncio
import difflib
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from quorate.checks.hosts import judge_host
from quorate.cli.errors import CommandError
from quorate.cli.inventory import load
from quorate.cli.printing import print_out
from quorate.engine import resolve_secret
from quorate.engine.batches import look_batch
from quorate.engine.secrets import known_secrets
from quorate.evidence import clean_text, make_mask
from quorate.inventory import unit_name
from quorate.model import Ask, Contact, HostObservation, Inventory, NoReply, Reply
from quorate.plan import HostPlan, make_plan
from quorate.transports import Transport


def run_probe(host: str, units: Sequence[str], option: Path | None) -> int:
    """Ask a host what a sweep asks it, or the given units, and print every question with its raw answer."""
    _, inventory = load(option)
    if host not in inventory.hosts:
        near = difflib.get_close_matches(host, inventory.hosts, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"its hosts are {', '.join(inventory.hosts)}"
        raise CommandError(f"the inventory has no host {host!r}; {hint}")
    plan = next(p for p in make_plan(inventory).hosts if p.host == host)
    if units:
        plan = replace(plan, units=_unit_names(units))
    asks, contact, answers = asyncio.run(_ask(inventory, plan))
    mask = make_mask(known_secrets(inventory))
    printed = print_out(mask(clean_text(_text(contact, asks, answers))))
    return printed or judge_host(HostObservation(contact=contact)).state.exit_code


def _unit_names(units: Sequence[str]) -> tuple[str, ...]:
    try:
        return tuple(dict.fromkeys(unit_name(unit) for unit in units))
    except ValueError as error:
        raise CommandError(str(error)) from None


async def _ask(
    inventory: Inventory, plan: HostPlan
) -> tuple[tuple[Ask, ...], Contact, tuple[Reply | NoReply, ...]]:
    asks = look_batch(plan, inventory.checks)
    deadline = asyncio.get_running_loop().time() + inventory.hosts[plan.host].ssh.host_timeout
    async with Transport(inventory.hosts, resolve=resolve_secret) as transport:
        contact, answers = await transport.ask(plan.host, asks, deadline=deadline)
    return asks, contact, answers


def _text(contact: Contact, asks: Sequence[Ask], answers: Sequence[Reply | NoReply]) -> str:
    if contact.failure is not None:
        return f"{contact.host}: {contact.failure.reason} ({contact.failure.detail})\n"
    parts = [f"{contact.host}: answers, in {contact.duration:.3f} s\n"]
    for ask, answer in zip(asks, answers, strict=True):
        parts.append(f"\n$ {shlex.join(ask.argv)}\n")
        if isinstance(answer, NoReply):
            parts.append(f"no answer: {answer.reason} ({answer.detail})\n")
            continue
        parts.append(answer.stdout.decode("utf-8", "replace"))
        parts += [f"stderr: {line}\n" for line in answer.stderr.decode("utf-8", "replace").splitlines()]
        parts.append(f"exit code {answer.exit_code}\n")
    return "".join(parts)
