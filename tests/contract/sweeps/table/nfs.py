"""The active/passive pair, of which nfs-1 is the active node on a good day."""

from sweeps.declared import ACTIVE_ONLY, NFS_VIP
from sweeps.situation import Changes, Expected

ACTIVE, PASSIVE = "nfs/nfs-1/lsyncd", "nfs/nfs-2/lsyncd"
FAILOVER = "nfs/failover"
UNIT_FILE = "/etc/systemd/system/lsyncd.service"
VIP = f"{NFS_VIP}/24"
ALL = " ".join(ACTIVE_ONLY)
RUNNING = {
    "nfs-server": {"state": "exited-oneshot", "age": "2h"},
    "lsyncd": "2h",
    "airflow-dag-processor": "2h",
}
STOPPED = {unit: {"state": "inactive", "age": "10m"} for unit in ACTIVE_ONLY}


def on_both(node: str, verdict: Expected) -> dict[str, Expected]:
    """Return a verdict for every active-only unit of a node."""
    return {f"nfs/{node}/{unit}": verdict for unit in ACTIVE_ONLY}


def lsyncd(spec: object, node: str = "nfs-2") -> Changes:
    """Return the change that makes the simulated unit so."""
    return {node: {"units": {"lsyncd": spec}}}
