"""Faults of the shared storage that no unit's state shows, and of units that wait for others."""

from lab.cluster import names
from lab.cluster.mounts import HOSTS, UNIT
from lab.cluster.storage import MARKER, PROBE, SHARED, SYNC_LIMIT
from lab.faults.drop_in import changed, taken_back
from lab.faults.fault import Fault
from lab.faults.steps import Holds, Run

ACTIVE, PASSIVE = names.NFS
DAEMON = "/usr/bin/ganesha.nfsd -L /run/ganesha/log -f /etc/ganesha/lab.conf -p /run/ganesha/ganesha.pid"
ONESHOT = ("[Service]", "Type=oneshot", "RemainAfterExit=yes", "ExecStart=", f"ExecStart={DAEMON}")
# Asked for a name that no cache has. Whoever waits for the far end can't be killed, so nobody waits for it.
HANGS = f"stat {SHARED}/.$$ > /dev/null 2>&1 & sleep 1; kill -0 $!"
QUEUED = ("[Unit]", "Requires=lab-blocker.service", "After=lab-blocker.service")
BLOCKER = "'[Service]' Type=oneshot TimeoutStartSec=infinity 'ExecStart=/bin/sleep 1d'"

FAULTS = (
    Fault(
        name="nfs-server-exited",
        summary="nfs-server is a unit that has done its work, as the kernel's is, and its server is killed.",
        hosts=(ACTIVE,),
        set_up=(
            Run(
                ACTIVE,
                f"{changed('nfs-server', *ONESHOT)}systemctl restart nfs-server; pkill -KILL ganesha.nfsd",
            ),
        ),
        undo=(Run(ACTIVE, f"{taken_back('nfs-server')}systemctl restart nfs-server"),),
        holds=(
            Holds(ACTIVE, "test $(systemctl show -P SubState nfs-server) = exited"),
            Holds(ACTIVE, "! pgrep -x ganesha.nfsd"),
        ),
        expected={
            f"nfs/{ACTIVE}/nfs-server": "ok ok +no_process",
            "nfs_port": "critical connect_failed",
        },
    ),
    Fault(
        name="synchronisation-broken",
        summary=f"{PASSIVE} no longer lets lsyncd's key in; lsyncd stays active and only logs.",
        hosts=names.NFS,
        set_up=(
            Run(PASSIVE, "mv /root/.ssh/authorized_keys /root/.ssh/withdrawn"),
            Run(ACTIVE, f"echo broken > {PROBE}"),
        ),
        undo=(
            Run(
                PASSIVE,
                "test ! -e /root/.ssh/withdrawn || mv /root/.ssh/withdrawn /root/.ssh/authorized_keys",
            ),
            # It waits longer and longer between its attempts.
            Run(ACTIVE, "systemctl restart lsyncd"),
        ),
        holds=(
            Holds(ACTIVE, "journalctl --quiet --unit lsyncd --since -20s | grep -qi 'exitcode\\|denied'"),
            Holds(PASSIVE, f"test $(($(date +%s) - $(stat -c %Y {MARKER}))) -gt {SYNC_LIMIT + 1}"),
        ),
        expected={"nfs/failover": "warning sync_stale"},
    ),
    Fault(
        name="mount-hangs",
        summary="The process behind the shared folder of celery-1 stands still: whoever looks into it hangs.",
        hosts=("celery-1",),
        set_up=(Run("celery-1", f"systemctl kill --signal=STOP {UNIT}"),),
        undo=(Run("celery-1", f"systemctl kill --signal=CONT {UNIT}"),),
        holds=(Holds("celery-1", HANGS),),
        expected={
            "airflow_resources": "unknown command_timeout",
            "airflow_resources/celery-1": "unknown command_timeout",
        },
        root_causes=("airflow_resources/celery-1",),
    ),
    Fault(
        name="mounts-hang-everywhere",
        summary=f"What serves the shared folder on {ACTIVE} stands still, not its sshd: all mounts hang.",
        hosts=(ACTIVE, *HOSTS),
        set_up=(
            # A mount that was idle since the address moved has nobody over there yet.
            *(Run(host, f"timeout --signal=KILL 20 ls {SHARED}") for host in HOSTS),
            Run(ACTIVE, "pkill -STOP -x sftp-server"),
        ),
        undo=(Run(ACTIVE, "pkill -CONT -x sftp-server || true"),),
        holds=tuple(Holds(host, HANGS) for host in HOSTS),
        expected={
            "airflow_resources": "unknown command_timeout",
            **{f"airflow_resources/{host}": "unknown command_timeout" for host in HOSTS},
        },
        root_causes=tuple(f"airflow_resources/{host}" for host in HOSTS),
        alone=True,
    ),
    Fault(
        name="unit-queued-behind-another",
        summary="vsftpd is to start after a unit that never gets ready.",
        hosts=("ftp",),
        set_up=(
            Run(
                "ftp",
                f"systemctl stop vsftpd\n"
                f"printf '%s\\n' {BLOCKER} > /run/systemd/system/lab-blocker.service\n"
                f"{changed('vsftpd', *QUEUED)}systemctl start --no-block vsftpd",
            ),
        ),
        undo=(
            Run(
                "ftp",
                "systemctl stop vsftpd lab-blocker || true; rm -f /run/systemd/system/lab-blocker.service\n"
                f"{taken_back('vsftpd')}systemctl reset-failed lab-blocker || true; systemctl start vsftpd",
            ),
        ),
        holds=(Holds("ftp", "test -n \"$(systemctl show -P Job vsftpd | grep -v '^0$')\""),),
        expected={"ftp/ftp/vsftpd": "warning starting"},
    ),
)
