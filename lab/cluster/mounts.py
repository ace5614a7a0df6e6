"""The shared storage on the hosts that run Airflow: DAGs and logs, from behind the NFS VIP.

The kernel may have no NFS client, and Debian has none in user space that mounts. sshfs is the nearest real
equivalent: a mount over the network through FUSE, which follows the virtual address, hangs when the server
behind it stands still, and comes back when another node holds the address.
"""

from lab.cluster import names
from lab.cluster.part import Part
from lab.cluster.storage import SHARED
from lab.command import LabError
from lab.lab import Lab

HOSTS = (*names.HAPROXY, *names.CELERY)
UID = 900
"""Airflow's user, on every host the same: everything in the mount is shown as its."""
KNOWN_HOSTS = "/run/storage-known-hosts"
UNIT = "airflow-storage"
OPTIONS = {
    "reconnect": "",
    "ServerAliveInterval": "2",
    "ServerAliveCountMax": "2",
    "ConnectTimeout": "3",
    "StrictHostKeyChecking": "yes",
    "UserKnownHostsFile": KNOWN_HOSTS,
    "allow_other": "",
    "uid": str(UID),
    "gid": str(UID),
    "umask": "022",
}
# Either node may answer behind the address, each with a host key of its own.
NODES = "|".join(names.ADDRESSES[name].replace(".", "[.]") for name in names.NFS)
KNOW_BOTH = f"sed -nE 's/^({NODES}) /{names.NFS_VIP} /p' /etc/ssh/ssh_known_hosts > {KNOWN_HOSTS}"
WORDS = ",".join(f"{name}={value}" if value else name for name, value in OPTIONS.items())
SERVICE = f"""\
[Unit]
Description=DAGs and logs of Airflow from the shared storage
StartLimitIntervalSec=0
[Service]
ExecStartPre=-/bin/fusermount3 -uz {SHARED}
ExecStartPre=/bin/mkdir -p {SHARED}
ExecStartPre=/bin/sh -c "{KNOW_BOTH}"
ExecStart=/usr/bin/sshfs -f -o {WORDS} root@{names.NFS_VIP}:{SHARED} {SHARED}
ExecStopPost=-/bin/fusermount3 -uz {SHARED}
Restart=always
RestartSec=1
[Install]
WantedBy=multi-user.target
"""


def part(host: str) -> Part:  # noqa: ARG001  all hosts have the same one
    """Return the mount of the shared storage."""
    return Part(units={UNIT: SERVICE}, devices=("/dev/fuse",), root_key=True)


def problems(lab: Lab) -> list[str]:
    """Return where the shared storage is not mounted, or can't be written to."""
    found = []
    write = f"mountpoint -q {SHARED} && touch {SHARED}/logs/.$(hostname) && test -e {SHARED}/dags"
    for host in HOSTS:
        try:
            if lab[host].run(["timeout", "5", "sh", "-ec", write]).returncode != 0:
                found.append(f"the shared storage is not to be had on {host}")
        except LabError as error:
            found.append(f"{host} does not say whether it has the shared storage: {error}")
    return found
