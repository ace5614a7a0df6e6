"""RabbitMQ on three hosts: one cluster by a list of its members, with the management plug-in.

Partitions are met with `pause_minority`: RabbitMQ's advice for three nodes, and the setting with which the
cluster is whole again by itself after a host was cut off. A node that sees neither of the others pauses: its
systemd unit stays active while nobody can log in. A partition that stays, with both sides at work, needs
`ignore`; a fault sets that on the running nodes, since RabbitMQ looks it up when a node is lost.
"""

import json
from collections.abc import Iterator
from typing import Any

from lab.cluster import names
from lab.cluster.part import Part
from lab.command import LabError
from lab.lab import Lab
from lab.spec import File

AMQP_PORT = 5672
MANAGEMENT_PORT = 15672
NET_TICK = 10
"""Seconds after which a node that is silent counts as lost, give or take a quarter. Source: kernel(6)."""
MEMORY = "400MiB"
COOKIE = "QUORATELABCOOKIE"
CURL = "/etc/rabbitmq/curl.conf"
RESTART_APP = "rabbitmqctl stop_app; rabbitmqctl start_app"
"""Starts RabbitMQ anew in its Erlang node, as a side of a partition must be."""
ASK = f"curl -K {CURL} http://127.0.0.1:{MANAGEMENT_PORT}/api"
"""Asks the management API of a node, on its host, as root; the password is in a file of curl(1)."""
CURL_SETTINGS = f'user = "{names.USER}:{names.BROKER_PASSWORD}"\nmax-time = 5\nsilent\nshow-error\nfail\n'

WAITS = "whereis(rabbit_outside_app_process)"
"""In Erlang, what waits on a node that has paused, and starts RabbitMQ on it again."""
ASTRAY = (
    f"case {{rabbit_boot_state:get(), {WAITS}}} of"
    " {stopped, undefined} -> [stopped];"
    " {ready, _} -> [N || Q <- rabbit_amqqueue:list(), amqqueue:get_type(Q) =:= rabbit_quorum_queue,"
    " {N, _} <- [amqqueue:get_pid(Q)],"
    " not lists:member(ets:lookup(ra_state, N), [[{N, leader}], [{N, follower}]])];"
    " _ -> [] end."
)
"""Asks a node in Erlang what it will not mend by itself: that it is stopped and waits for nothing, or which
quorum queues have a replica on it that neither leads nor follows."""

MEMBERS = "\n".join(
    f"cluster_formation.classic_config.nodes.{number} = rabbit@{name}"
    for number, name in enumerate(names.RABBIT, 1)
)
CONFIGURATION = f"""\
cluster_formation.peer_discovery_backend = classic_config
{MEMBERS}
cluster_partition_handling = pause_minority
net_ticktime = {NET_TICK}
load_definitions = /etc/rabbitmq/definitions.json
vm_memory_high_watermark.absolute = {MEMORY}
disk_free_limit.absolute = 50MB
log.console = true
log.file = false
"""
DEFINITIONS = {
    # RabbitMQ 3.10 takes no default type of queue from here: Celery declares its own as quorum queues.
    "vhosts": [{"name": names.VHOST}],
    "users": [{"name": names.USER, "password": names.BROKER_PASSWORD, "tags": "monitoring"}],
    "permissions": [
        {"user": names.USER, "vhost": names.VHOST, "configure": ".*", "write": ".*", "read": ".*"}
    ],
}
ENVIRONMENT = """\
# One scheduler thread a node, which sleeps when there is nothing to do: three nodes share few cores.
SERVER_ADDITIONAL_ERL_ARGS="+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none"
CTL_ERL_ARGS="+S 1:1 +sbwt none"
"""
JOURNAL = """\
[Service]
StandardOutput=journal
StandardError=journal
"""
GROW = f"""\
[Unit]
Description=Replica of every quorum queue on this node
After=rabbitmq-server.service
Requisite=rabbitmq-server.service
[Service]
Type=oneshot
RemainAfterExit=yes
# Queues that were declared before this node joined have none here; a failure shows in problems().
ExecStart=-/usr/sbin/rabbitmq-queues grow rabbit@%H all --vhost-pattern {names.VHOST}
[Install]
WantedBy=multi-user.target
"""


def part(host: str) -> Part:  # noqa: ARG001  every node is like the others, as with the other services
    """Return the RabbitMQ node of a host."""
    return Part(
        enabled=frozenset({"rabbitmq-server"}),
        units={"rabbitmq-grow": GROW},
        files={
            "/etc/rabbitmq/rabbitmq.conf": CONFIGURATION,
            "/etc/rabbitmq/rabbitmq-env.conf": ENVIRONMENT,
            "/etc/rabbitmq/enabled_plugins": "[rabbitmq_management].\n",
            "/etc/rabbitmq/definitions.json": File(
                text=json.dumps(DEFINITIONS, indent=1) + "\n", mode=0o640, owner="rabbitmq"
            ),
            CURL: File(text=CURL_SETTINGS, mode=0o600),
            "/var/lib/rabbitmq/.erlang.cookie": File(text=COOKIE, mode=0o400, owner="rabbitmq"),
            "/etc/systemd/system/rabbitmq-server.service.d/journal.conf": JOURNAL,
        },
    )


def problems(lab: Lab) -> list[str]:
    """Return what is not well with the cluster in any node's own view, and its queues, a sentence each."""
    return [sentence for host in names.RABBIT for sentence in of_node(lab, host)]


def of_node(lab: Lab, host: str) -> Iterator[str]:
    """Yield what is not well as one node sees it."""
    try:
        nodes = ask(lab, host, "nodes")
        queues = ask(lab, host, f"queues/{names.VHOST}")
    except (LabError, ValueError) as error:
        yield f"{host}: the management API can't be asked: {error}"
        return
    running = sorted(node["name"] for node in nodes if node["running"])
    wanted = sorted(f"rabbit@{name}" for name in names.RABBIT)
    if running != wanted:
        yield f"{host}: RabbitMQ sees {', '.join(running) or 'no node'} running, not {', '.join(wanted)}"
    for node in nodes:
        for sign in ("partitions", "mem_alarm", "disk_free_alarm"):
            if node.get(sign):
                yield f"{host}: RabbitMQ says {sign} {node[sign]} of {node['name']}"
    for queue in queues:
        if queue.get("type") == "quorum" and sorted(queue.get("online", ())) != wanted:
            yield f"{host}: the queue {queue['name']} is online on {', '.join(queue.get('online', ()))} alone"


def ask(lab: Lab, host: str, path: str) -> Any:
    """Return what the management API of a node answers, asked on its host; LabError where it does not."""
    return json.loads(lab[host].read(*f"{ASK}/{path}".split()))


def lose_replica(queue: str) -> str:
    """Return the script that ends a node's replica of a quorum queue; it starts again with RabbitMQ."""
    return f"rabbitmqctl eval 'ok = ra:stop_server(quorum_queues, {{{names.VHOST}_{queue}, node()}}).'"


def renew(lab: Lab) -> list[str]:
    """Start RabbitMQ anew where it does not come back by itself; return these hosts.

    RabbitMQ 3.10 does not start a replica again that did not start or has ended, a partition stays, and what
    failed to resume after a pause stays stopped.
    """
    astray = [host for host in names.RABBIT if is_astray(lab, host)]
    for host in astray:
        lab[host].run(["sh", "-ec", RESTART_APP], timeout=120.0)
    return [f"RabbitMQ on {host}" for host in astray]


def is_astray(lab: Lab, host: str) -> bool:
    """Return whether RabbitMQ in a node's Erlang is stopped, is in a partition or lacks a replica."""
    try:
        if lab[host].read("rabbitmqctl", "--quiet", "eval", ASTRAY).strip() != "[]":
            return True
        return any(node.get("partitions") for node in ask(lab, host, "nodes"))
    except (LabError, ValueError):
        return False
