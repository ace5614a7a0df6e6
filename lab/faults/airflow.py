"""Faults of Airflow's services: crashes and their aftermath, processes that hang, units that would not start.

Each unit stopped, failed, in a quick crash loop, masked and missing is among the faults of watched units.
"""

from lab.cluster import names, rabbitmq
from lab.cluster.airflow import LOGS
from lab.faults import airflow_units
from lab.faults.airflow_units import SCHEDULER, TRIGGERER, WEB, WORKER
from lab.faults.balancing import without_web
from lab.faults.drop_in import again, changed, forgotten, shown, until, ways
from lab.faults.fault import Fault
from lab.faults.heartbeats import NO_TRIGGERER, ONE_SCHEDULER, stale
from lab.faults.steps import Drop, Holds, MachineIs, Mend, PowerCut, PowerOn, Run, Step

PROCESSOR = "airflow-dag-processor"
BAD_ENVIRONMENT = "/run/airflow-bad.env"
WITHOUT_CELERY_1 = {
    "celery_workers": "warning redundancy_lost",
    "celery_workers/celery-1": "warning timeout",
}


def stands_still(host: str, unit: str) -> Step:
    """Return the step that stops every process of a unit where it is; systemd calls it active still."""
    return Run(host, f"systemctl kill --signal=STOP {unit}")


def goes_on(host: str, unit: str) -> Step:
    """Return the step that lets them go on."""
    return Run(host, f"systemctl kill --signal=CONT {unit}")


CRASHES = (
    Fault(
        name="scheduler-killed",
        summary="The scheduler on scheduler-2 was killed by signal 9, and systemd has started it again.",
        hosts=("scheduler-2",),
        set_up=(
            forgotten("scheduler-2"),
            Run("scheduler-2", f"systemctl kill --signal=KILL {SCHEDULER}"),
        ),
        undo=(again("scheduler-2", SCHEDULER),),
        holds=(
            Holds("scheduler-2", shown(SCHEDULER, "NRestarts", "-ge 1")),
            Holds("scheduler-2", f"systemctl is-active --quiet {SCHEDULER}"),
        ),
        expected={f"scheduler/scheduler-2/{SCHEDULER}": "warning restarted_recently"},
    ),
    Fault(
        name="scheduler-killed-and-waiting",
        summary="scheduler-2's scheduler was killed, and systemd waits a minute before it starts it again.",
        hosts=("scheduler-2",),
        set_up=(
            forgotten("scheduler-2"),
            Run(
                "scheduler-2",
                f"{changed(SCHEDULER, '[Service]', 'RestartSec=60')}systemctl kill --signal=KILL {SCHEDULER}",
            ),
        ),
        undo=(again("scheduler-2", SCHEDULER),),
        holds=(Holds("scheduler-2", shown(SCHEDULER, "SubState", "= auto-restart")),),
        expected={f"scheduler/scheduler-2/{SCHEDULER}": "critical crashed"},
    ),
    Fault(
        name="api-server-bad-environment",
        summary="haproxy-2's API server has a database URL that it can't use, and crashes at each start.",
        hosts=("haproxy-2",),
        set_up=(
            Run(
                "haproxy-2",
                f"echo AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=postgressql://nowhere > {BAD_ENVIRONMENT}\n"
                + changed(
                    WEB,
                    "[Unit]",
                    "StartLimitIntervalSec=0",
                    "[Service]",
                    "RestartSec=1",
                    f"EnvironmentFile={BAD_ENVIRONMENT}",
                )
                + f"systemctl restart {WEB}",
            ),
        ),
        undo=(Run("haproxy-2", f"rm -f {BAD_ENVIRONMENT}"), again("haproxy-2", WEB)),
        holds=(Holds("haproxy-2", shown(WEB, "NRestarts", "-ge 3"), within=60.0),),
        expected={f"webserver/haproxy-2/{WEB}": "critical crash_loop"},
    ),
    Fault(
        name="triggerer-slow-crash-loop",
        summary="The triggerer runs for 20 s, exits with 1, and is started again 10 s later; it looks well"
        " two times out of three.",
        hosts=("scheduler-2",),
        set_up=(
            # The first three crashes come quickly, so that nobody waits for minutes until it is a loop.
            Run(
                "scheduler-2",
                changed(
                    TRIGGERER,
                    "[Unit]",
                    "StartLimitIntervalSec=0",
                    "[Service]",
                    "ExecStartPre=",
                    "ExecStart=",
                    'ExecStart=/bin/sh -c "test -e /run/slowly && sleep 20; exit 1"',
                    "RestartSec=1",
                )
                + f"systemctl restart {TRIGGERER}\n"
                + until(shown(TRIGGERER, "NRestarts", "-ge 3"))
                + f"sed -i s/RestartSec=1/RestartSec=10/ {ways(TRIGGERER)}; touch /run/slowly\n"
                + "systemctl daemon-reload",
                timeout=90.0,
            ),
        ),
        undo=(Run("scheduler-2", "rm -f /run/slowly"), again("scheduler-2", TRIGGERER)),
        holds=(Holds("scheduler-2", shown(TRIGGERER, "SubState", "= running")),),
        expected={f"triggerer/scheduler-2/{TRIGGERER}": "critical crash_loop"},
        sweeps=6,
        apart=(1.0, 7.0),
    ),
    Fault(
        name="triggerer-exited",
        summary="The triggerer's process has ended, and its unit is called active all the same.",
        hosts=("scheduler-2",),
        set_up=(
            Run(
                "scheduler-2",
                changed(TRIGGERER, "[Service]", "RemainAfterExit=yes", "ExecStart=", "ExecStart=/bin/true")
                + f"systemctl restart {TRIGGERER}",
            ),
        ),
        undo=(again("scheduler-2", TRIGGERER),),
        holds=(Holds("scheduler-2", shown(TRIGGERER, "SubState", "= exited")), stale("TriggererJob")),
        expected={f"triggerer/scheduler-2/{TRIGGERER}": "warning exited", **NO_TRIGGERER},
        root_causes=(f"triggerer/scheduler-2/{TRIGGERER}", "airflow_health/triggerer"),
    ),
    Fault(
        name="both-schedulers-stopped",
        summary="Both schedulers are stopped: no task is started any more.",
        hosts=names.SCHEDULERS,
        set_up=tuple(Run(host, f"systemctl stop {SCHEDULER}") for host in names.SCHEDULERS),
        undo=tuple(again(host, SCHEDULER) for host in names.SCHEDULERS),
        holds=(stale("SchedulerJob"),),
        expected={
            **{f"scheduler/{host}/{SCHEDULER}": "critical inactive" for host in names.SCHEDULERS},
            "airflow_health": "critical none_alive",
            "airflow_health/scheduler": "critical none_alive",
        },
        root_causes=tuple(f"scheduler/{host}/{SCHEDULER}" for host in names.SCHEDULERS),
    ),
    Fault(
        name="both-api-servers-stopped",
        summary="Both API servers are stopped: HAProxy answers for them with 503, and tasks can't start.",
        hosts=names.HAPROXY,
        set_up=tuple(Run(host, f"systemctl stop {WEB}") for host in names.HAPROXY),
        undo=tuple(again(host, WEB) for host in names.HAPROXY),
        holds=tuple(without_web(host, server) for host in names.HAPROXY for server in names.HAPROXY),
        expected={
            **{f"webserver/{host}/{WEB}": "critical inactive" for host in names.HAPROXY},
            "balancers": "critical too_few_up",
            "airflow_health": "critical unhealthy",
        },
        root_causes=tuple(f"webserver/{host}/{WEB}" for host in names.HAPROXY),
    ),
)

HANGS = (
    Fault(
        name="worker-frozen",
        summary="Every process of the worker on celery-1 stands still; systemd calls it active.",
        hosts=("celery-1",),
        set_up=(stands_still("celery-1", WORKER),),
        undo=(goes_on("celery-1", WORKER),),
        expected=WITHOUT_CELERY_1,
    ),
    Fault(
        name="worker-without-broker",
        summary="Nothing that the worker on celery-1 sends reaches any broker; systemd calls it active.",
        hosts=("celery-1",),
        set_up=(Drop("celery-1", "out", f"tcp dport {rabbitmq.AMQP_PORT}"),),
        undo=(Mend("celery-1"),),
        expected=WITHOUT_CELERY_1,
    ),
    Fault(
        name="scheduler-frozen",
        summary="The scheduler on haproxy-1 stands still; systemd calls it active.",
        hosts=("haproxy-1",),
        set_up=(stands_still("haproxy-1", SCHEDULER),),
        undo=(goes_on("haproxy-1", SCHEDULER),),
        holds=(stale("SchedulerJob", "haproxy-1"),),
        expected=ONE_SCHEDULER,
    ),
    Fault(
        name="dag-processor-hung",
        summary="The DAG processor on the active node stands still; systemd calls it active.",
        hosts=("nfs-1",),
        set_up=(stands_still("nfs-1", PROCESSOR),),
        undo=(goes_on("nfs-1", PROCESSOR),),
        holds=(stale("DagProcessorJob"),),
        expected={
            "airflow_health": "critical none_alive",
            "airflow_health/dag_processor": "critical none_alive",
        },
        root_causes=("airflow_health/dag_processor",),
    ),
    Fault(
        name="api-server-hung",
        summary="haproxy-1's API server stands still: it accepts connections, and HAProxy leaves it out.",
        hosts=("haproxy-1",),
        set_up=(stands_still("haproxy-1", WEB),),
        undo=(goes_on("haproxy-1", WEB),),
        holds=tuple(without_web(host, "haproxy-1") for host in names.HAPROXY),
        expected={},
    ),
)

HOSTS = (
    Fault(
        name="scheduler-2-powered-off",
        summary="scheduler-2 loses its power: a scheduler and the only triggerer are gone, their rows stay.",
        hosts=("scheduler-2",),
        set_up=(PowerCut("scheduler-2"),),
        undo=(PowerOn("scheduler-2"),),
        holds=(MachineIs("scheduler-2", "off"),),
        expected={
            "host/scheduler-2": "critical host_unreachable",
            f"scheduler/scheduler-2/{SCHEDULER}": "unknown host_unreachable",
            f"triggerer/scheduler-2/{TRIGGERER}": "unknown host_unreachable",
        },
        root_causes=("host/scheduler-2",),
    ),
    Fault(
        name="log-folder-full",
        summary="The file system of Airflow's logs on scheduler-2 is full to the last byte.",
        hosts=("scheduler-2",),
        set_up=(
            Run(
                "scheduler-2",
                f"mount -t tmpfs -o size=1m tmpfs {LOGS}\n"
                f"dd if=/dev/zero of={LOGS}/full bs=64k 2>/dev/null || true",
            ),
        ),
        undo=(Run("scheduler-2", f"umount --lazy {LOGS}"),),
        holds=(Holds("scheduler-2", f"test $(df --output=avail {LOGS} | tail -1) -eq 0"),),
        expected={
            "airflow_resources": "critical disk_full",
            "airflow_resources/scheduler-2": "critical disk_full",
        },
        root_causes=("airflow_resources/scheduler-2",),
    ),
    Fault(
        name="memory-pressure",
        summary="celery-1 has next to no memory left, by what its kernel tells.",
        hosts=("celery-1",),
        set_up=(
            # The machines share one kernel and its memory: whoever took it here would take it from all.
            Run(
                "celery-1",
                "sed -E 's/^(MemFree|MemAvailable|Buffers|Cached): .*/\\1: 65536 kB/' /proc/meminfo"
                " > /run/meminfo; mount --bind /run/meminfo /proc/meminfo",
            ),
        ),
        undo=(Run("celery-1", "umount /proc/meminfo"),),
        holds=(Holds("celery-1", "grep -q '^MemAvailable: 65536 kB' /proc/meminfo"),),
        expected={
            "airflow_resources": "critical memory_high",
            "airflow_resources/celery-1": "critical memory_high",
        },
        root_causes=("airflow_resources/celery-1",),
    ),
)

FAULTS = (*CRASHES, *HANGS, *airflow_units.FAULTS, *HOSTS)
