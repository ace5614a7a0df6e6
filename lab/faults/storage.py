"""Faults of the shared storage that no unit's state shows, and of units that wait for others."""

from lab.cluster import names
from lab.cluster.mounts import HOSTS, UNIT
from lab.cluster.storage import PROBE, SHARED
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
        expected={f"nfs/{ACTIVE}/nfs-server": "ok ok +no_process"},
        pending={"tcp": f"port 2049 of {names.NFS_VIP} is refused: CRITICAL"},
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
        ),
        expected={},
        pending={"none": "no kind that is planned compares the nodes' files; only lsyncd's journal tells"},
    ),
    Fault(
        name="mount-hangs",
        summary="The process behind the shared folder of celery-1 stands still: whoever looks into it hangs.",
        hosts=("celery-1",),
        set_up=(Run("celery-1", f"systemctl kill --signal=STOP {UNIT}"),),
        undo=(Run("celery-1", f"systemctl kill --signal=CONT {UNIT}"),),
        holds=(Holds("celery-1", HANGS),),
        expected={},
        pending={
            "resources": "the size of the log folder of celery-1 is not to be had: UNKNOWN command_timeout"
        },
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
        expected={},
        pending={
            "resources": "the size of the log folder is not to be had on any host: UNKNOWN command_timeout"
        },
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
