"""The active/passive pair that has the DAGs and logs: an NFS server, lsyncd, and keepalived that moves them.

The kernel may have no NFS server, so NFS-Ganesha serves in user space, under the unit name that the kernel's
server has. It needs file handles, which an overlay does not give: the shared folder is a disk of the machine
itself, which outlives a power cut.
"""

import secrets
import time

from lab.cluster import keepalived, names
from lab.cluster.part import Part
from lab.command import LabError
from lab.lab import Lab
from lab.spec import File

SHARED = "/srv/airflow"
NOTIFY = "/etc/keepalived/move-storage"
PAUSE = "/etc/keepalived/pause"
"""Seconds that the notify script sleeps between two units, where this file is there; for a slow failover."""
PROBE = f"{SHARED}/.synchronised"
MARKER = f"{SHARED}/.touched"
"""Touched every few seconds on the node that holds the address: its age over there is the copy's."""
SYNC_LIMIT = 20
"""Seconds that the copy may be late."""

GANESHA = f"""\
NFS_CORE_PARAM {{ Protocols = 4; NFS_Port = 2049; Enable_NLM = false; Enable_RQUOTA = false; }}
NFSv4 {{ Graceless = true; RecoveryBackend = fs; }}
NFS_KRB5 {{ Active_krb5 = false; }}
EXPORT {{
  Export_Id = 1; Path = {SHARED}; Pseudo = {SHARED}; Protocols = 4; Transports = TCP;
  Access_Type = RW; Squash = No_Root_Squash; SecType = sys;
  FSAL {{ Name = VFS; }}
}}
"""
NFS_SERVER = """\
[Unit]
Description=NFS server in user space
[Service]
RuntimeDirectory=ganesha
ExecStartPre=/bin/mkdir -p /var/lib/nfs/ganesha
ExecStart=/usr/bin/ganesha.nfsd -F -L STDERR -f /etc/ganesha/lab.conf -p /run/ganesha/ganesha.pid
"""
LSYNCD = """\
[Unit]
Description=Synchronisation of the shared folder to the passive node
[Service]
ExecStart=/usr/bin/lsyncd -nodaemon /etc/lsyncd/lsyncd.conf.lua
"""
HOLDS = f"ip -o addr show to {names.NFS_VIP} | grep -q ."
TOUCH = f"""\
[Unit]
Description=A marker of how late the copy of the shared folder is
[Service]
ExecStart=/bin/sh -c 'while sleep 2; do {HOLDS} && touch {MARKER}; done'
[Install]
WantedBy=multi-user.target
"""
# keepalived calls it with INSTANCE, a name, the new state and the priority. In every state but MASTER the
# units are stopped: BACKUP, FAULT, and STOP when keepalived itself ends.
NOTIFY_SCRIPT = f"""\
#!/bin/sh
pause() {{ if test -e {PAUSE}; then sleep "$(cat {PAUSE})"; fi; }}
if test "$3" = MASTER; then
  for unit in {" ".join(names.ACTIVE_ONLY)}; do systemctl start --no-block $unit; pause; done
else
  for unit in {" ".join(reversed(names.ACTIVE_ONLY))}; do systemctl stop --no-block $unit; pause; done
fi
"""
# What keepalived started ends with it; this does not, and it is there after a crash as well.
AFTER_KEEPALIVED = f"""\
[Service]
ExecStopPost=-{NOTIFY} INSTANCE storage STOP 0
"""


def part(host: str) -> Part:
    """Return what nfs-1 or nfs-2 has beside its DAG processor."""
    peer = next(name for name in names.NFS if name != host)
    moves = keepalived.pair(
        name="storage",
        host=host,
        router=names.NFS_ROUTER,
        vip=names.NFS_VIP,
        priority=keepalived.NOMINAL if host == names.NFS[0] else keepalived.STANDBY,
        peer=peer,
        notify=NOTIFY,
    )
    return Part(
        units={"nfs-server": NFS_SERVER, "lsyncd": LSYNCD, "touch-marker": TOUCH},
        stopped=frozenset({"nfs-server.service", "lsyncd.service"}),
        enabled=moves.enabled,
        files={
            **moves.files,
            NOTIFY: File(text=NOTIFY_SCRIPT, mode=0o755),
            "/etc/systemd/system/keepalived.service.d/storage.conf": AFTER_KEEPALIVED,
            "/etc/ganesha/lab.conf": GANESHA,
            "/etc/lsyncd/lsyncd.conf.lua": lsyncd_config(names.ADDRESSES[peer]),
        },
        disks=(SHARED,),
        root_key=True,
    )


def lsyncd_config(peer: str) -> str:
    """Return lsyncd's settings: what changes is pushed within a second, and nothing is deleted over there.

    A node that comes back with an empty disk must not empty the other one.
    """
    ssh = "/usr/bin/ssh -o BatchMode=yes -o ConnectTimeout=5"
    return f"""\
settings {{ nodaemon = true, insist = true }}
sync {{
  default.rsync,
  source = "{SHARED}/",
  target = "root@{peer}:{SHARED}/",
  delay = 1,
  delete = false,
  rsync = {{ archive = true, rsh = "{ssh}" }},
}}
"""


def problems(lab: Lab) -> list[str]:
    """Return what is not well with the NFS VIP, the server behind it, and the way to the passive node."""
    found = keepalived.vip_problems(lab, names.NFS_VIP, names.NFS)
    active, passive = names.NFS
    try:
        for unit in names.ACTIVE_ONLY:
            state = lab[active].read("systemctl", "show", "-PActiveState", unit).strip()
            if state != "active":
                found.append(f"{unit} is {state} on {active}")
        url = f"nfs://{names.NFS_VIP}{SHARED}/dags?version=4"
        lab[passive].read("timeout", "5", "nfs-ls", url)
        if not is_synchronised(lab, active, passive):
            found.append(f"what changes on {active} does not arrive on {passive}")
    except LabError as error:
        found.append(f"the shared storage is not well: {error}")
    return found


def is_synchronised(lab: Lab, active: str, passive: str, within: float = 5.0) -> bool:
    """Write something on one node, and return whether it is on the other soon."""
    token = secrets.token_hex(8)
    lab[active].read("sh", "-ec", f"echo {token} > {PROBE}")
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if lab[passive].run(["grep", "-qs", token, PROBE]).returncode == 0:
            return True
        time.sleep(0.3)
    return False
