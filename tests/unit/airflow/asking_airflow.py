"""Reads connections through a real Airflow SDK, in a process of its own, and prints what came as JSON."""

import asyncio
import json
import logging
import sys
from io import StringIO

from quorate.airflow.connections import (
    connect_inventory,
    connect_inventory_async,
    read_connections,
    read_connections_async,
    resolver,
)
from quorate.airflow.own_log import own_log
from quorate.engine import SecretUnavailableError
from quorate.evidence import make_mask
from quorate.inventory import parse_inventory
from quorate.model import Secret, TaskInstance

IDS = ("ssh_prod", "db", "no_password", "not_json", "a_list", "missing")
PARTS = ("password", "private_key", "private_key_passphrase")


def main(inventory: str, template_task: dict[str, str]) -> dict[str, object]:
    logged = StringIO()
    logging.basicConfig(stream=logged, level=logging.DEBUG)
    came = {"sync": read_connections(IDS), "async": asyncio.run(read_connections_async(IDS))}
    parsed = parse_inventory(inventory, source="cluster.yaml")
    connected, resolve = connect_inventory(parsed)
    again, _ = asyncio.run(connect_inventory_async(parsed))
    said = {kind: _secrets(connections) for kind, connections in came.items()}
    log = own_log(TaskInstance(**template_task), mask=make_mask([]))  # type: ignore[arg-type]  # fields by name
    return {
        "problems": {kind: dict(connections.problems) for kind, connections in came.items()},
        "secrets": said,
        "ssh": repr(connected.hosts["a"].ssh),
        "same": connected == again,
        "password": resolve(connected.checks["db"].settings["password"]),
        "written": repr(came) + repr(connected) + str(connected) + repr(resolve) + logged.getvalue(),
        "log": log.error,
    }


def _secrets(connections: object) -> dict[str, str]:
    resolve = resolver(connections)  # type: ignore[arg-type]  # Connections, of either way
    said = {}
    for id_ in (*IDS, "unread"):
        for part in PARTS:
            try:
                said[f"{id_}/{part}"] = resolve(Secret(airflow_connection=id_, part=part))
            except SecretUnavailableError as error:
                said[f"{id_}/{part}"] = f"! {error}"
    return said


if __name__ == "__main__":
    inventory, task = json.loads(sys.stdin.read())
    sys.stdout.write("\n" + json.dumps(main(inventory, task)) + "\n")
