"""Faults of Airflow's units: files that are gone or broken, starts that wait, stops that take long."""

from lab.faults.drop_in import again, changed, shown, until, ways
from lab.faults.fault import Fault
from lab.faults.heartbeats import NO_TRIGGERER, ONE_SCHEDULER, stale
from lab.faults.steps import Holds, Run

SCHEDULER, WEB, TRIGGERER = "airflow-scheduler", "airflow-webserver", "airflow-triggerer"
WORKER = "airflow-worker"
BLOCKER = "quorate-lab-blocker"

FAULTS = (
    Fault(
        name="api-server-masked-while-running",
        summary="The API server on haproxy-2 runs, and was masked: it would not start again.",
        hosts=("haproxy-2",),
        set_up=(
            Run(
                "haproxy-2",
                f"cd /etc/systemd/system; mv {WEB}.service /root/; ln -s /dev/null {WEB}.service\n"
                "systemctl daemon-reload",
            ),
        ),
        undo=(
            Run(
                "haproxy-2",
                f"test ! -e /root/{WEB}.service || mv -f /root/{WEB}.service /etc/systemd/system/\n"
                "systemctl daemon-reload",
            ),
        ),
        holds=(Holds("haproxy-2", shown(WEB, "LoadState", "= masked")),),
        expected={f"webserver/haproxy-2/{WEB}": "warning masked"},
    ),
    Fault(
        name="worker-file-gone-while-running",
        summary="The worker on celery-1 runs, and its unit file is gone: it would not start again.",
        hosts=("celery-1",),
        set_up=(Run("celery-1", f"mv /etc/systemd/system/{WORKER}.service /root/; systemctl daemon-reload"),),
        undo=(
            Run(
                "celery-1",
                f"test ! -e /root/{WORKER}.service || mv /root/{WORKER}.service /etc/systemd/system/\n"
                "systemctl daemon-reload",
            ),
        ),
        holds=(Holds("celery-1", shown(WORKER, "LoadState", "= not-found")),),
        expected={f"celery/celery-1/{WORKER}": "warning unit_not_found"},
    ),
    Fault(
        name="scheduler-unit-broken-while-running",
        summary="The scheduler on scheduler-2 runs, and its unit was edited into one that can't be loaded.",
        hosts=("scheduler-2",),
        set_up=(
            Run("scheduler-2", changed(SCHEDULER, "[Service]", "ExecStart=", "Type=oneshoot", "ExecStart=")),
        ),
        undo=(Run("scheduler-2", f"rm -f {ways(SCHEDULER)}; systemctl daemon-reload"),),
        holds=(Holds("scheduler-2", shown(SCHEDULER, "LoadState", "= bad-setting")),),
        expected={f"scheduler/scheduler-2/{SCHEDULER}": "warning unit_broken"},
    ),
    Fault(
        name="scheduler-queued-behind-a-blocked-unit",
        summary="The scheduler on scheduler-2 is to start, but waits for a unit that never gets ready.",
        hosts=("scheduler-2",),
        set_up=(
            Run(
                "scheduler-2",
                f"printf '%s\\n' '[Service]' Type=oneshot TimeoutStartSec=infinity"
                f" 'ExecStart=/bin/sleep infinity' > /run/systemd/system/{BLOCKER}.service\n"
                + changed(SCHEDULER, "[Unit]", f"After={BLOCKER}.service")
                + f"systemctl stop {SCHEDULER}; systemctl start --no-block {BLOCKER}\n"
                f"systemctl start --no-block {SCHEDULER}",
            ),
        ),
        undo=(
            Run(
                "scheduler-2",
                f"rm -f {ways(SCHEDULER)}; systemctl stop {SCHEDULER} {BLOCKER}\n"
                f"rm -f /run/systemd/system/{BLOCKER}.service",
            ),
            again("scheduler-2", SCHEDULER),
        ),
        holds=(
            Holds(
                "scheduler-2",
                f"{shown(SCHEDULER, 'ActiveState', '= inactive')} && {shown(SCHEDULER, 'Job', '!= 0')}",
            ),
            stale("SchedulerJob", "scheduler-2"),
        ),
        expected={f"scheduler/scheduler-2/{SCHEDULER}": "warning starting", **ONE_SCHEDULER},
    ),
    Fault(
        name="triggerer-starting",
        summary="The triggerer waits for something before it starts, and its unit is activating.",
        hosts=("scheduler-2",),
        set_up=(
            Run(
                "scheduler-2",
                changed(TRIGGERER, "[Service]", "ExecStartPre=/bin/sleep infinity")
                + f"systemctl stop {TRIGGERER}; systemctl start --no-block {TRIGGERER}",
            ),
        ),
        undo=(again("scheduler-2", TRIGGERER),),
        holds=(Holds("scheduler-2", shown(TRIGGERER, "SubState", "= start-pre")), stale("TriggererJob")),
        expected={f"triggerer/scheduler-2/{TRIGGERER}": "warning starting", **NO_TRIGGERER},
        root_causes=(f"triggerer/scheduler-2/{TRIGGERER}", "airflow_health/triggerer"),
    ),
    Fault(
        name="triggerer-stuck-starting",
        summary="The triggerer has been starting for longer than its unit gives it.",
        hosts=("scheduler-2",),
        set_up=(
            # systemd ends a step that takes too long, but not many that each end in time.
            Run(
                "scheduler-2",
                changed(TRIGGERER, "[Service]", "TimeoutStartSec=5", *["ExecStartPre=/bin/sleep 4"] * 60)
                + f"systemctl stop {TRIGGERER}; systemctl start --no-block {TRIGGERER}\n"
                + until(shown(TRIGGERER, "SubState", "= start-pre"))
                + "sleep 6",
            ),
        ),
        undo=(again("scheduler-2", TRIGGERER),),
        holds=(Holds("scheduler-2", shown(TRIGGERER, "SubState", "= start-pre")),),
        expected={f"triggerer/scheduler-2/{TRIGGERER}": "critical stuck_starting"},
    ),
    Fault(
        name="worker-stopping",
        summary="The worker on celery-2 was told to stop, and takes its time: its unit is deactivating.",
        hosts=("celery-2",),
        set_up=(
            Run(
                "celery-2",
                changed(WORKER, "[Service]", "TimeoutStopSec=300", "ExecStop=/bin/sleep 250")
                + f"systemctl stop --no-block {WORKER}",
            ),
        ),
        undo=(
            Run("celery-2", f"systemctl kill --kill-who=control {WORKER} || true"),
            again("celery-2", WORKER),
        ),
        holds=(Holds("celery-2", shown(WORKER, "ActiveState", "= deactivating")),),
        expected={f"celery/celery-2/{WORKER}": "warning stopping"},
    ),
)
