"""Faults of HAProxy, and of the keepalived pair that holds the airflow VIP, beside those of any unit."""

from lab.cluster import haproxy, keepalived, names
from lab.faults.fault import Fault, Watch
from lab.faults.steps import Condition, Drop, Holds, Mend, Run, Step

HOLDER, STANDBY = names.HAPROXY
UNIT_FILES = ("/lib/systemd/system/haproxy.service", "/etc/init.d/haproxy")
"""systemd makes a unit of the second one, where the first one is gone."""
STOPPED_VIP = (
    f"haproxy/{HOLDER}/* warning stopping",
    "haproxy/vip critical no_active_node",
    "postgresql_vip critical connect_failed",
    "postgresql_vip critical timeout",
)
"""What sweeps may say while the VIP moves: for a second or two it is nowhere, and no database behind it."""


def without_balancer(host: str) -> dict[str, str]:
    """Return what is said of the balancers while one refuses connections, its unit being the cause."""
    return {"balancers": "warning redundancy_lost", f"balancers/{host}": "warning connect_failed"}


def holds_vip(host: str, *, yes: bool = True) -> Condition:
    """Return the condition that a host holds the airflow VIP, or that it does not."""
    return Holds(host, f"{'' if yes else '! '}ip -4 -o addr show dev eth0 | grep -q ' {names.AIRFLOW_VIP}/'")


def writes_to(host: str, number: int) -> Condition:
    """Return the condition that a host's HAProxy has so many servers up for writes."""
    stats = f"echo 'show stat' | socat -t 3 stdio {haproxy.SOCKET}"
    return Holds(host, f"test $({stats} | grep '^write,postgresql' | grep -c ',UP') = {number}", within=45)


def without_web(host: str, server: str) -> Condition:
    """Return the condition that a host's HAProxy has left out an API server."""
    stats = f"echo 'show stat' | socat -t 3 stdio {haproxy.SOCKET}"
    return Holds(host, f"{stats} | grep '^web,{server},' | grep -q ',DOWN'", within=45)


def again(*hosts: str) -> tuple[Step, ...]:
    """Return the steps that start HAProxy as new: without a restart to its name, and as it was configured."""
    script = "systemctl reset-failed haproxy; systemctl start haproxy"
    return tuple(Run(host, script) for host in hosts)


def reconfigured(host: str, edit: str) -> Step:
    """Return the step that edits the configuration by a script of sed(1), with the original put by."""
    return Run(host, f"cp -n {haproxy.CONFIG} {haproxy.CONFIG}.good; sed -i '{edit}' {haproxy.CONFIG}")


def as_configured(host: str) -> Step:
    """Return the step that puts the configuration back as it was."""
    return Run(host, f"test ! -e {haproxy.CONFIG}.good || mv {haproxy.CONFIG}.good {haproxy.CONFIG}")


def without_unit(host: str) -> Step:
    """Return the step that takes the unit's files away, and lets systemd see it."""
    return Run(host, f"mkdir /root/unit; mv {' '.join(UNIT_FILES)} /root/unit/; systemctl daemon-reload")


def with_unit(host: str) -> Step:
    """Return the step that puts the unit's files back."""
    back = "".join(
        f"test ! -e /root/unit/{path.rpartition('/')[2]} || mv /root/unit/{path.rpartition('/')[2]} {path}\n"
        for path in UNIT_FILES
    )
    return Run(host, f"{back}rm -rf /root/unit; systemctl daemon-reload")


UNITS = (
    Fault(
        name="haproxy-stopped-on-holder",
        shakes_airflow=True,
        summary=f"HAProxy is stopped on {HOLDER}: keepalived's check fails, and the VIP moves to {STANDBY}.",
        hosts=(HOLDER, STANDBY),
        set_up=(Run(HOLDER, "systemctl stop haproxy"),),
        undo=again(HOLDER),
        holds=(holds_vip(STANDBY), holds_vip(HOLDER, yes=False)),
        expected={f"haproxy/{HOLDER}/haproxy": "critical inactive", **without_balancer(HOLDER)},
        root_causes=(f"haproxy/{HOLDER}/haproxy",),
    ),
    Fault(
        name="haproxy-stopped-on-both",
        summary="HAProxy is stopped on both hosts: the VIP is held, and nobody listens behind it.",
        hosts=(HOLDER, STANDBY),
        set_up=(Run(HOLDER, "systemctl stop haproxy"), Run(STANDBY, "systemctl stop haproxy")),
        undo=again(HOLDER, STANDBY),
        expected={
            f"haproxy/{HOLDER}/haproxy": "critical inactive",
            f"haproxy/{STANDBY}/haproxy": "critical inactive",
            "balancers": "critical connect_failed",
            "postgresql_vip": "critical connect_failed",
            "airflow_health": "critical connect_failed",
        },
        root_causes=tuple(f"haproxy/{host}/haproxy" for host in names.HAPROXY),
        shakes_airflow=True,
    ),
    Fault(
        name="haproxy-bad-config",
        summary=f"{STANDBY}'s HAProxy was restarted with a configuration that it can't read.",
        hosts=(STANDBY,),
        set_up=(
            reconfigured(STANDBY, "s/^listen write/listne write/"),
            Run(STANDBY, "systemctl restart haproxy || true"),
        ),
        undo=(as_configured(STANDBY), *again(STANDBY)),
        holds=(Holds(STANDBY, "systemctl is-failed --quiet haproxy"),),
        expected={f"haproxy/{STANDBY}/haproxy": "critical failed", **without_balancer(STANDBY)},
        root_causes=(f"haproxy/{STANDBY}/haproxy",),
    ),
    Fault(
        name="haproxy-masked-while-running",
        summary=f"{STANDBY}'s HAProxy runs, and was masked: it would not start again.",
        hosts=(STANDBY,),
        set_up=(Run(STANDBY, "systemctl mask --runtime haproxy"),),
        undo=(Run(STANDBY, "systemctl unmask --runtime haproxy"),),
        expected={f"haproxy/{STANDBY}/haproxy": "warning masked"},
    ),
    Fault(
        name="haproxy-unit-file-gone-while-running",
        summary=f"{STANDBY}'s HAProxy runs, and its unit file is gone: it would not start again.",
        hosts=(STANDBY,),
        set_up=(without_unit(STANDBY),),
        undo=(with_unit(STANDBY),),
        expected={f"haproxy/{STANDBY}/haproxy": "warning unit_not_found"},
    ),
)

WAYS = (
    Fault(
        name="haproxy-hung-on-holder",
        summary=f"Every process of {HOLDER}'s HAProxy stands still: systemd says active, and nobody answers.",
        hosts=(HOLDER,),
        set_up=(Run(HOLDER, "systemctl kill --signal=STOP haproxy"),),
        undo=(Run(HOLDER, "systemctl kill --signal=CONT haproxy"),),
        holds=(Holds(HOLDER, "! pgrep -x haproxy -r S,R"),),
        expected={
            "balancers": "critical timeout",
            f"balancers/{HOLDER}": "warning timeout",
            "postgresql_vip": "critical timeout",
            "airflow_health": "critical timeout",
        },
        root_causes=("balancers",),
        shakes_airflow=True,
    ),
    Fault(
        name="write-backend-empty",
        summary="Both HAProxys have all servers of their write backend in maintenance.",
        hosts=(HOLDER, STANDBY),
        set_up=tuple(
            Run(host, f"echo 'set server write/{server} state maint' | socat stdio {haproxy.SOCKET}")
            for host in names.HAPROXY
            for server in names.POSTGRESQL
        ),
        undo=tuple(
            Run(host, f"echo 'set server write/{server} state ready' | socat stdio {haproxy.SOCKET}")
            for host in names.HAPROXY
            for server in names.POSTGRESQL
        ),
        holds=(writes_to(HOLDER, 0), writes_to(STANDBY, 0)),
        expected={"balancers": "critical too_few_up", "postgresql_vip": "critical connect_failed"},
        root_causes=("balancers",),
        shakes_airflow=True,
    ),
    Fault(
        name="standby-answers-writes",
        summary=f"{HOLDER}'s write backend asks for replicas: standbys answer at the database's write port.",
        hosts=(HOLDER,),
        set_up=(
            reconfigured(HOLDER, "s|OPTIONS /primary|OPTIONS /replica|"),
            Run(HOLDER, "systemctl reload haproxy"),
        ),
        undo=(as_configured(HOLDER), Run(HOLDER, "systemctl reload haproxy")),
        holds=(writes_to(HOLDER, 2),),
        expected={"balancers": "critical too_many_up", "postgresql_vip": "critical read_only"},
        root_causes=("balancers",),
        shakes_airflow=True,
    ),
)

ADDRESS = (
    Fault(
        name="keepalived-fault-on-standby",
        summary=f"{STANDBY}'s keepalived runs in the state FAULT: it would not take the VIP.",
        hosts=(STANDBY,),
        set_up=(Run(STANDBY, f"echo 1 > {keepalived.FAULT_FILE}"),),
        undo=(Run(STANDBY, f"echo 0 > {keepalived.FAULT_FILE}"),),
        holds=(Holds(STANDBY, "journalctl -qu keepalived -n 1 | grep -q 'Entering FAULT STATE'"),),
        expected={},
    ),
    Fault(
        name="airflow-vip-moves",
        shakes_airflow=True,
        summary=f"keepalived is stopped on {HOLDER}, sweep after sweep: the VIP moves to {STANDBY}.",
        hosts=(HOLDER, STANDBY),
        set_up=(Run(HOLDER, "systemctl stop keepalived"),),
        undo=(Run(HOLDER, "systemctl start keepalived"),),
        holds=(holds_vip(STANDBY), holds_vip(HOLDER, yes=False)),
        expected={f"haproxy/{HOLDER}/keepalived": "critical inactive"},
        watch=Watch(seconds=30, allowed=STOPPED_VIP),
    ),
    Fault(
        name="airflow-vip-on-none",
        summary="keepalived is stopped on both hosts: nobody holds the airflow VIP.",
        hosts=(HOLDER, STANDBY),
        set_up=(Run(STANDBY, "systemctl stop keepalived"), Run(HOLDER, "systemctl stop keepalived")),
        undo=(Run(HOLDER, "systemctl start keepalived"), Run(STANDBY, "systemctl start keepalived")),
        holds=(holds_vip(HOLDER, yes=False), holds_vip(STANDBY, yes=False)),
        expected={
            "haproxy/vip": "critical no_active_node",
            f"haproxy/{HOLDER}/keepalived": "critical inactive",
            f"haproxy/{STANDBY}/keepalived": "critical inactive",
            "postgresql_vip": "critical connect_failed | critical timeout",
        },
        root_causes=(
            "haproxy/vip",
            f"haproxy/{HOLDER}/keepalived",
            f"haproxy/{STANDBY}/keepalived",
        ),
        shakes_airflow=True,
    ),
    Fault(
        name="airflow-vip-on-both",
        summary=f"{STANDBY} hears no VRRP from {HOLDER}, and both hold the airflow VIP.",
        hosts=(HOLDER, STANDBY),
        set_up=(Drop(STANDBY, "in", "ip protocol vrrp"),),
        undo=(Mend(STANDBY),),
        holds=(holds_vip(HOLDER), holds_vip(STANDBY)),
        expected={"haproxy/vip": "critical duplicate_vip"},
        shakes_airflow=True,
    ),
)

FAULTS: tuple[Fault, ...] = (*UNITS, *WAYS, *ADDRESS)
