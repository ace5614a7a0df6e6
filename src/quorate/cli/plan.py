"""`quorate plan`: what a sweep would ask of whom."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from quorate.cli.inventory import load
from quorate.cli.printing import print_out
from quorate.engine.batches import look_batch
from quorate.engine.services import ask_of
from quorate.model import (
    AmqpAsk,
    CeleryAsk,
    Check,
    Host,
    HttpAsk,
    Inventory,
    PostgresAsk,
    Secret,
    ServiceAsk,
    TcpAsk,
    unit_id,
)
from quorate.plan import make_plan
from quorate.probes.kinds import PROBES


def run_plan(option: Path | None) -> int:
    """Print each host with its commands, and each check with where it would connect; connect to nothing."""
    path, inventory = load(option)
    asked = f"{len(inventory.hosts)} hosts" + (
        f", {len(inventory.checks)} checks" if inventory.checks else ""
    )
    lines = [f"{inventory.name}, by {path}: {asked}, each asked once, all at the same time", ""]
    for plan in make_plan(inventory).hosts:
        lines.append(f"{plan.host}: {_way(inventory.hosts[plan.host])}")
        lines += [f"  {shlex.join(ask.argv)}" for ask in look_batch(plan, inventory.checks)] or [
            "  (whether it answers)"
        ]
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
    connection = host.ssh.airflow_connection
    login = f", as the Airflow connection {connection} says (inside Airflow only)" if connection else ""
    return f"ssh {user}{host.address}{port}{jump}{login}{local}"


def _check(check: Check, inventory: Inventory) -> Iterator[str]:
    yield ""
    if check.kind not in PROBES:
        yield f"{check.name}: {check.kind}; this version cannot ask it, and reports it as UNKNOWN"
        return
    if check.asks_hosts:
        yield f"{check.name}: {check.kind}, asked of {', '.join(check.hosts)} together with their units"
    asks = ask_of(check)
    if asks:
        login = [f" as {user}"] if (user := check.settings.get("user")) else []
        login += [
            f" with a {key.replace('_', ' ')} {_from(value)}"
            for key, value in check.settings.items()
            if isinstance(value, Secret)
        ]
        yield f"{check.name}: {check.kind}{',' if login else ''}{''.join(login)}"
    for server, ask in asks.items():
        yield from _ask(ask, server if len(asks) > 1 or server != check.name else None)
    if check.logs_from is not None:
        hosts = ", ".join(inventory.groups[check.logs_from.group].hosts)
        yield f"  if it fails: the journal of {unit_id(check.logs_from.unit)} on {hosts}"


def _ask(ask: ServiceAsk, server: str | None) -> Iterator[str]:
    where = _address(ask.host, ask.port)
    if server is not None:
        where = f"{server} at {where}"
    match ask:
        case PostgresAsk():
            yield f"  {where}, database {ask.database}"
            yield f"  {' '.join(ask.query.split())}"
            if ask.parameters:
                yield f"  parameters: {', '.join(str(value) for value in ask.parameters)}"
            if ask.write:
                yield "  a temporary table is made as well, and rolled back"
        case AmqpAsk():
            sent = "; a message is sent and taken back" if ask.round_trip else ""
            yield f"  {where}, virtual host {ask.vhost}{sent}"
        case HttpAsk():
            asked = [*([ask.login.request] if ask.login else []), *ask.requests]
            secured = " over TLS" if ask.tls else ""
            yield f"  {where}{secured}: {', '.join(f'{each.method} {each.path}' for each in asked)}"
        case TcpAsk():
            yield f"  {where}, a connection that is closed at once"
        case CeleryAsk():
            where = ", or through ".join(_address(*broker) for broker in ask.brokers)
            yield f"  through {where}"
            yield f"  virtual host {ask.vhost}: a broadcast to {', '.join(ask.workers)}"


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _from(password: Secret) -> str:
    places = {
        "environment variable": password.env,
        "file": password.file,
        "Airflow connection": password.airflow_connection,
    }
    return next(f"from the {kind} {name}" for kind, name in places.items() if name is not None)
