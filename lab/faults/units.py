"""Watched units stopped, failed, in a crash loop, masked and missing, where that takes nothing else along."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lab.faults.database_steps import Leads, Well
from lab.faults.drop_in import FORGET_RESTARTS, changed, taken_back
from lab.faults.fault import Fault
from lab.faults.roles import SETTLED
from lab.faults.steps import Condition, Holds, Run, Step


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A unit of a group on a host, and what else a sweep must show while it does not run there.

    `after_stop` is the reason that is given once it was stopped in order. `before` is done before every
    set-up, `after` after every undo; `settled` must hold, too, before the fault counts as in place.
    """

    group: str
    host: str
    unit: str
    after_stop: str = "inactive"
    besides: dict[str, str] = field(default_factory=dict)
    before: tuple[Step, ...] = ()
    settled: tuple[Condition, ...] = ()
    after: tuple[Step, ...] = ()

    @property
    def id(self) -> str:
        """The id of the unit's verdict."""
        return f"{self.group}/{self.host}/{self.unit}"


def gone(check: str, member: str, reason: str = "connect_failed") -> dict[str, str]:
    """Return what a check says of a member that does not answer, while enough others do."""
    return {check: "warning redundancy_lost", f"{check}/{member}": f"warning {reason}"}


WATCHED = (
    Watched(
        group="haproxy",
        host="haproxy-2",
        unit="haproxy",
        besides=gone("balancers", "haproxy-2"),
    ),
    Watched(group="haproxy", host="haproxy-2", unit="keepalived"),
    Watched(
        group="scheduler",
        host="scheduler-2",
        unit="airflow-scheduler",
    ),
    Watched(group="webserver", host="haproxy-2", unit="airflow-webserver"),
    Watched(
        group="triggerer",
        host="scheduler-2",
        unit="airflow-triggerer",
    ),
    Watched(
        group="postgresql",
        host="postgresql-3",
        unit="etcd",
        besides=gone("etcd_cluster", "postgresql-3"),
        after=(Well(),),
    ),
    Watched(
        group="postgresql",
        host="postgresql-2",
        unit="patroni",
        besides=gone("patroni_cluster", "postgresql-2"),
        before=(Leads("postgresql-1"),),
        after=(Well(),),
    ),
    Watched(
        group="rabbitmq",
        host="rabbit-3",
        unit="rabbitmq-server",
        besides=gone("rabbitmq_cluster", "rabbit-3"),
        # One that is going down may still answer for a moment.
        settled=(Holds("rabbit-3", "! ss -Hltn sport = :5672 | grep -q ."),),
    ),
    Watched(
        group="celery",
        host="celery-2",
        unit="airflow-worker",
        besides=gone("celery_workers", "celery-2", "timeout"),
    ),
    Watched(group="ftp", host="ftp", unit="vsftpd"),
    Watched(
        group="nfs",
        host="nfs-1",
        unit="nfs-server",
        settled=(SETTLED,),
    ),
    # Stopped by SIGTERM it ends with 143, which systemd calls a failure.
    Watched(group="nfs", host="nfs-1", unit="lsyncd", after_stop="failed", settled=(SETTLED,)),
    Watched(
        group="nfs",
        host="nfs-1",
        unit="airflow-dag-processor",
        settled=(SETTLED,),
    ),
)


def stopped(it: Watched) -> Fault:
    """The unit is stopped as a person stops it."""
    return fault(
        it,
        "stopped",
        "is stopped, as by a person who forgot to start it again",
        it.after_stop,
        set_up=f"systemctl stop {it.unit}",
        undo=f"systemctl reset-failed {it.unit} || true; systemctl start {it.unit}",
    )


def failed(it: Watched) -> Fault:
    """The unit's processes are killed, and systemd does not restart it."""
    return fault(
        it,
        "failed",
        "is killed, and systemd may not start it again",
        "failed",
        set_up=f"{changed(it.unit, '[Service]', 'Restart=no')}systemctl kill --signal=KILL {it.unit}",
        undo=f"{taken_back(it.unit)}systemctl reset-failed {it.unit} || true; systemctl restart {it.unit}",
        holds=f"test $(systemctl is-failed {it.unit}) = failed",
    )


def crash_looping(it: Watched) -> Fault:
    """The unit fails at every start, a second after the other."""
    loop = ("[Unit]", "StartLimitIntervalSec=0", "[Service]", "Restart=always", "RestartSec=1")
    return fault(
        it,
        "crash-looping",
        "fails at every start, and systemd starts it again a second later",
        "crash_loop",
        set_up=f"{changed(it.unit, *loop, 'ExecStartPre=/bin/false')}systemctl restart {it.unit} || true",
        undo=(
            f"{taken_back(it.unit)}systemctl stop {it.unit}; systemctl reset-failed {it.unit} || true\n"
            f"systemctl start {it.unit}; {FORGET_RESTARTS}"
        ),
        holds=f"test $(systemctl show --value -p NRestarts {it.unit}) -ge 3",
    )


def masked(it: Watched) -> Fault:
    """The unit is stopped and masked."""
    away = put_away(it)
    return fault(
        it,
        "masked",
        "is stopped and masked",
        "masked",
        set_up=f"{stop(it)}\n{away}\nln -s /dev/null /etc/systemd/system/{it.unit}.service\n"
        "systemctl daemon-reload",
        undo=f"{unmask(it)}\n{put_back(it)}\nsystemctl start {it.unit}",
        holds=f"test $(systemctl show --value -p LoadState {it.unit}) = masked",
    )


def unmask(it: Watched) -> str:
    """Return the script that takes the mask away, and never the unit's own file."""
    file = f"/etc/systemd/system/{it.unit}.service"
    return f"if test -L {file}; then rm {file}; fi"


def missing(it: Watched) -> Fault:
    """The unit's file is gone, as after a package was removed."""
    return fault(
        it,
        "missing",
        "is stopped, and its unit file is gone",
        "unit_not_found",
        set_up=f"{stop(it)}\n{put_away(it)}\nsystemctl daemon-reload",
        undo=f"{put_back(it)}\nsystemctl start {it.unit}",
        holds=f"test $(systemctl show --value -p LoadState {it.unit}) = not-found",
    )


def fault(
    it: Watched, what: str, said: str, reason: str, *, set_up: str, undo: str, holds: str = "true"
) -> Fault:
    """Return one fault of one unit."""
    return Fault(
        name=f"{it.unit}-{what}",
        summary=f"{it.unit} on {it.host} {said}.",
        hosts=(it.host,),
        set_up=(*it.before, Run(it.host, set_up, timeout=60.0)),
        undo=(Run(it.host, undo, timeout=60.0), *it.after),
        holds=(Holds(it.host, holds), *it.settled),
        expected={it.id: f"critical {reason}", **it.besides},
        root_causes=(it.id,),
    )


def stop(it: Watched) -> str:
    """Return the script that stops the unit and makes systemd forget how it ended."""
    return f"systemctl stop {it.unit}; systemctl reset-failed {it.unit} || true"


def put_away(it: Watched) -> str:
    """Return the script that takes the unit's file away, wherever it is; drop-ins stay."""
    return (
        f"file=$(systemctl show --value -p FragmentPath {it.unit}); echo $file > /root/{it.unit}.path\n"
        f"mv $file /root/{it.unit}.unit\n"
        # systemd makes a unit of an old init script where it has no other.
        f"if test -e /etc/init.d/{it.unit}; then mv /etc/init.d/{it.unit} /root/{it.unit}.init; fi"
    )


def put_back(it: Watched) -> str:
    """Return the script that brings the file back."""
    return (
        f"if test -e /root/{it.unit}.unit; then mv /root/{it.unit}.unit $(cat /root/{it.unit}.path); fi\n"
        f"if test -e /root/{it.unit}.init; then mv /root/{it.unit}.init /etc/init.d/{it.unit}; fi\n"
        "systemctl daemon-reload"
    )


def every() -> Iterator[Fault]:
    """Yield every way for every unit; faults of different units that come next to each other go together."""
    for way in (stopped, failed, crash_looping, masked, missing):
        for it in WATCHED:
            yield way(it)


FAULTS = tuple(every())
