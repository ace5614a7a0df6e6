"""Faults of hosts as such, of the ways to them, and of the monitor's own place."""

from lab.faults.fault import MONITOR, Fault
from lab.faults.steps import (
    Cut,
    Drop,
    Freeze,
    Holds,
    MachineIs,
    Mend,
    PowerCut,
    PowerOn,
    Run,
    Thaw,
    Unplug,
)

WITHOUT_CELERY_2 = {
    "celery_workers": "warning redundancy_lost",
    "celery_workers/celery-2": "warning timeout",
}

RUNS = "systemctl is-active --quiet vsftpd"
KEYS = "/etc/ssh/ssh_host_*_key*"
PRELOAD = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
SESSIONS = "/etc/ssh/sshd_config.d/quorate-lab.conf"
RESOLVER = "192.0.2.99"
"""An address that nobody has."""

WAYS = (
    Fault(
        name="ftp-frozen",
        summary="Every process of ftp stands still; its kernel still accepts connections.",
        hosts=("ftp",),
        set_up=(Freeze("ftp"),),
        undo=(Thaw("ftp"),),
        holds=(MachineIs("ftp", "frozen"),),
        expected={"host/ftp": "critical ssh_unresponsive", "ftp/ftp/vsftpd": "unknown ssh_unresponsive"},
        root_causes=("host/ftp",),
    ),
    Fault(
        name="scheduler-2-cut-off",
        summary="Every packet to and from scheduler-2 is dropped in silence.",
        hosts=("scheduler-2",),
        set_up=(Cut("scheduler-2"),),
        undo=(Mend("scheduler-2"),),
        expected={"host/scheduler-2": "critical host_unreachable"},
    ),
    Fault(
        name="celery-2-unplugged",
        summary="The cable of celery-2 is pulled: neighbours say 'no route to host'.",
        hosts=("celery-2",),
        set_up=(Unplug("celery-2"),),
        undo=(Mend("celery-2"),),
        expected={"host/celery-2": "critical host_unreachable", **WITHOUT_CELERY_2},
        root_causes=("host/celery-2",),
    ),
    Fault(
        name="ftp-answers-dropped",
        summary="What ftp sends is dropped, and what is sent to it arrives.",
        hosts=("ftp",),
        set_up=(Drop("ftp", "out"),),
        undo=(Mend("ftp"),),
        expected={"host/ftp": "critical host_unreachable"},
    ),
    Fault(
        name="ftp-large-packets-dropped",
        summary="Packets of more than 150 bytes from ftp are dropped, so that a login begins and never ends.",
        hosts=("ftp",),
        set_up=(Drop("ftp", "out", "meta length > 150"),),
        undo=(Mend("ftp"),),
        expected={"host/ftp": "critical ssh_unresponsive"},
    ),
    Fault(
        name="celery-2-powered-off",
        summary="celery-2 loses its power.",
        hosts=("celery-2",),
        set_up=(PowerCut("celery-2"),),
        undo=(PowerOn("celery-2"),),
        holds=(MachineIs("celery-2", "off"),),
        expected={"host/celery-2": "critical host_unreachable", **WITHOUT_CELERY_2},
        root_causes=("host/celery-2",),
    ),
)

LOGINS = (
    Fault(
        name="sshd-stands-still",
        summary="ftp's sshd is stopped by SIGSTOP: the kernel accepts, and nobody speaks.",
        hosts=("ftp",),
        set_up=(Run("ftp", "systemctl kill --signal=STOP --kill-who=main ssh"),),
        undo=(Run("ftp", "systemctl kill --signal=CONT --kill-who=main ssh"),),
        expected={"host/ftp": "critical ssh_unresponsive"},
    ),
    Fault(
        name="sshd-down",
        summary="ftp's sshd is stopped: connections are refused, although its unit runs.",
        hosts=("ftp",),
        set_up=(Run("ftp", "systemctl stop ssh"),),
        undo=(Run("ftp", "systemctl start ssh"),),
        expected={"host/ftp": "critical host_unreachable"},
    ),
    Fault(
        name="host-key-changed",
        summary="celery-1 has other host keys than those that are known, as after a reinstallation.",
        hosts=("celery-1",),
        set_up=(
            Run(
                "celery-1",
                f"mkdir /root/keys; cp -p {KEYS} /root/keys/; rm {KEYS}\n"
                "ssh-keygen -qA; systemctl restart ssh",
            ),
        ),
        undo=(Run("celery-1", "mv -f /root/keys/* /etc/ssh/; rm -r /root/keys; systemctl restart ssh"),),
        expected={"host/celery-1": "critical host_key_changed"},
    ),
    Fault(
        name="key-withdrawn",
        summary="celery-1 no longer lets the monitor's key in.",
        hosts=("celery-1",),
        set_up=(Run("celery-1", "mv ~rocky/.ssh/authorized_keys ~rocky/.ssh/withdrawn"),),
        undo=(Run("celery-1", "mv ~rocky/.ssh/withdrawn ~rocky/.ssh/authorized_keys"),),
        expected={"host/celery-1": "unknown ssh_auth_failed"},
    ),
    Fault(
        name="nologin",
        summary="scheduler-2 lets nobody but root log in: /run/nologin is there.",
        hosts=("scheduler-2",),
        set_up=(Run("scheduler-2", "echo 'Maintenance until noon.' > /run/nologin"),),
        undo=(Run("scheduler-2", "rm -f /run/nologin"),),
        expected={"host/scheduler-2": "unknown login_closed"},
    ),
    Fault(
        name="sudo-withdrawn",
        summary="vsftpd is stopped, and the monitor may not use sudo on ftp: its log is out of reach.",
        hosts=("ftp",),
        set_up=(Run("ftp", "mv /etc/sudoers.d/quorate /root/sudoers; systemctl stop vsftpd"),),
        undo=(Run("ftp", "mv /root/sudoers /etc/sudoers.d/quorate; systemctl start vsftpd"),),
        expected={"host/ftp": "ok ok +sudo_denied", "ftp/ftp/vsftpd": "critical inactive"},
    ),
    Fault(
        name="login-script-prints",
        summary="The plain user's .bashrc on ftp prints something that looks like an answer.",
        hosts=("ftp",),
        set_up=(
            Run("ftp", "cp ~rocky/.bashrc /root/bashrc; sed -i '1i echo ActiveState=failed' ~rocky/.bashrc"),
        ),
        undo=(Run("ftp", "cat /root/bashrc > ~rocky/.bashrc"),),
        holds=(Holds("ftp", "su rocky -c 'bash -ic true' 2>&1 | grep -q ActiveState=failed"),),
        expected={},
    ),
)

RESOURCES = (
    Fault(
        name="disk-full",
        summary="A file system of ftp is full to the last byte.",
        hosts=("ftp",),
        set_up=(
            Run(
                "ftp",
                "mkdir -p /srv/ftp; mount -t tmpfs -o size=4m tmpfs /srv/ftp;"
                " dd if=/dev/zero of=/srv/ftp/full bs=64k 2>/dev/null || true",
            ),
        ),
        undo=(Run("ftp", "umount /srv/ftp"),),
        holds=(Holds("ftp", "test $(df --output=avail /srv/ftp | tail -1) -eq 0"),),
        expected={"ftp_resources": "critical disk_full", "ftp_resources/ftp": "critical disk_full"},
        root_causes=("ftp_resources/ftp",),
    ),
    Fault(
        name="clock-off",
        summary="ftp's clock, as everyone sees it who logs in, is five seconds ahead.",
        hosts=("ftp",),
        set_up=(
            Run(
                "ftp",
                f"echo 'SetEnv LD_PRELOAD={PRELOAD} FAKETIME=+5s FAKETIME_DONT_FAKE_MONOTONIC=1'"
                f" > {SESSIONS}; systemctl reload ssh",
            ),
        ),
        undo=(Run("ftp", f"rm -f {SESSIONS}; systemctl reload ssh"),),
        expected={"clocks": "critical clock_off", "clocks/ftp": "critical clock_off"},
        root_causes=("clocks/ftp",),
    ),
)

MONITORS = (
    Fault(
        name="monitor-cut-off",
        summary="Nothing that the monitor sends goes out.",
        hosts=(),
        set_up=(Drop(MONITOR, "out"),),
        undo=(Mend(MONITOR),),
        expected={"monitor": "unknown monitor_isolated"},
        alone=True,
    ),
    Fault(
        name="local-monitor-cut-off",
        shakes_airflow=True,
        summary="The monitor runs on scheduler-2 itself, and nothing that scheduler-2 sends goes out.",
        hosts=("scheduler-2",),
        set_up=(Drop("scheduler-2", "out"),),
        undo=(Mend("scheduler-2"),),
        sweep_from="scheduler-2",
        expected={
            "monitor": "unknown monitor_isolated",
            "host/scheduler-2": "ok ok",
        },
    ),
    Fault(
        name="local-monitor-without-resolver",
        summary="The monitor runs on scheduler-2, knows the others by name, and no name server answers.",
        hosts=("scheduler-2",),
        set_up=(
            Run(
                "scheduler-2",
                "cp /etc/hosts /root/hosts; printf '127.0.0.1 localhost\\n' > /etc/hosts;"
                f" printf 'nameserver {RESOLVER}\\noptions timeout:1 attempts:1\\n' > /etc/resolv.conf",
            ),
        ),
        undo=(Run("scheduler-2", "cat /root/hosts > /etc/hosts; rm -f /etc/resolv.conf"),),
        sweep_from="scheduler-2",
        by_name=True,
        expected={
            "monitor": "unknown name_unresolved",
            "host/scheduler-2": "ok ok",
            "scheduler/scheduler-2/airflow-scheduler": "ok ok",
        },
    ),
)

FAULTS = (*WAYS, *LOGINS, *RESOURCES, *MONITORS)
