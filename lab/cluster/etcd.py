"""etcd: three members on the database hosts, where Patroni keeps who leads."""

import json

from lab.cluster import names
from lab.cluster.part import Part
from lab.command import LabError
from lab.lab import Lab

CLIENT_PORT = 2379
PEER_PORT = 2380
ENVIRONMENT = "/etc/default/etcd"
DATA = "/var/lib/etcd/default"
DROP_IN = """\
[Service]
# A member is ready when it has found a majority: hosts that boot one after the other must not fail it.
TimeoutStartSec=300
"""


def part(host: str) -> Part:
    """Return the etcd member of a host."""
    address = names.ADDRESSES[host]
    members = ",".join(f"{name}=http://{names.ADDRESSES[name]}:{PEER_PORT}" for name in names.POSTGRESQL)
    settings = {
        "ETCD_NAME": host,
        "ETCD_DATA_DIR": DATA,
        "ETCD_LISTEN_PEER_URLS": f"http://{address}:{PEER_PORT}",
        "ETCD_LISTEN_CLIENT_URLS": client_url(host),
        "ETCD_ADVERTISE_CLIENT_URLS": client_url(host),
        "ETCD_INITIAL_ADVERTISE_PEER_URLS": f"http://{address}:{PEER_PORT}",
        "ETCD_INITIAL_CLUSTER": members,
        "ETCD_INITIAL_CLUSTER_STATE": "new",
        "ETCD_INITIAL_CLUSTER_TOKEN": "airflow-lab",
        # A vote takes two seconds at most, and two busy cores for all machines start none.
        "ETCD_HEARTBEAT_INTERVAL": "200",
        "ETCD_ELECTION_TIMEOUT": "2000",
        # One core each is enough, and keeps the runtime of Go small.
        "GOMAXPROCS": "1",
    }
    return Part(
        files={
            ENVIRONMENT: "".join(f'{key}="{value}"\n' for key, value in settings.items()),
            "/etc/systemd/system/etcd.service.d/lab.conf": DROP_IN,
        },
        enabled=frozenset({"etcd"}),
    )


def client_url(host: str) -> str:
    """Return where a member answers its clients."""
    return f"http://{names.ADDRESSES[host]}:{CLIENT_PORT}"


def problems(lab: Lab) -> list[str]:
    """Return which members are not healthy, and whether they see another leader than each other."""
    found, leaders = [], set()
    for host in names.POSTGRESQL:
        try:
            health = json.loads(lab[host].read("curl", "-s", "--max-time", "3", f"{client_url(host)}/health"))
            if health.get("health") != "true":
                found.append(f"etcd on {host} says that it is not healthy")
            leaders.add(leader_seen_by(lab, host))
        except (LabError, ValueError) as error:
            found.append(f"etcd on {host} does not answer: {error}")
    if len(leaders) > 1 or 0 in leaders:
        found.append(f"the members of etcd see {len(leaders)} leaders, one of them none: {sorted(leaders)}")
    return found


def leader_seen_by(lab: Lab, host: str) -> int:
    """Return the number of the member that a member takes for the leader, 0 for none."""
    ask = ["etcdctl", f"--endpoints={client_url(host)}", "--command-timeout=3s", "endpoint", "status"]
    status = json.loads(lab[host].read("env", "ETCDCTL_API=3", *ask, "--write-out=json"))
    return int(status[0]["Status"].get("leader", 0))
