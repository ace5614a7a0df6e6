"""Faults of what only the active node of the pair may run: on both, on the wrong one, unfit on the other."""

from lab.cluster import names
from lab.cluster.inventory import GROUPS
from lab.cluster.keepalived import STARTUP_DELAY
from lab.faults.drop_in import changed, ways
from lab.faults.fault import Fault
from lab.faults.steps import Holds, Run, Wait

ACTIVE, PASSIVE = names.NFS
UNITS = names.ACTIVE_ONLY
NFS_SERVER, LSYNCD, DAG_PROCESSOR = UNITS
FOLDER = "/etc/systemd/system"
GRACE = GROUPS["nfs"]["active_passive"]["failover_grace"].removesuffix("s")
SETTLED = Holds(
    ACTIVE,
    f"""
    now=$(cut -d. -f1 /proc/uptime)
    for unit in {" ".join(UNITS)}; do
      since=$(($(systemctl show -P ActiveEnterTimestampMonotonic $unit) / 1000000))
      if systemctl is-active --quiet $unit && test $((now - since)) -gt {GRACE}; then exit 0; fi
    done
    exit 1""",
    within=60.0,
)
"""Holds when a sweep takes nothing for a failover: something has run for longer than one may take."""
RUNNING = f"for unit in {' '.join(UNITS)}; do systemctl is-active --quiet $unit; done"
RESTING = f"""
    for unit in {" ".join(UNITS)}; do
      case $(systemctl show -P ActiveState $unit) in inactive | failed) ;; *) exit 1 ;; esac
    done"""
"""Scripts that end with 0 when all of the units run, and when none does or is about to."""
READY = Wait(STARTUP_DELAY + 1.0)
"""Until then a keepalived that has just started would not take the address over: a failover would be late."""
RESET_PASSIVE = f"systemctl stop {' '.join(UNITS)}; systemctl reset-failed {' '.join(UNITS)} || true"


def mask(unit: str) -> str:
    """Return the script that masks a unit whose file is in /etc, which `systemctl mask` does not do."""
    return (
        f"mv {FOLDER}/{unit}.service /root/{unit}.service; ln -s /dev/null {FOLDER}/{unit}.service\n"
        "systemctl daemon-reload\n"
    )


def whole(*units: str) -> str:
    """Return the script that puts units' files back and takes their drop-ins away."""
    back = "".join(
        f"rm -f {ways(unit)}; test ! -e /root/{unit}.service || mv -f /root/{unit}.service {FOLDER}/\n"
        for unit in units
    )
    return f"{back}systemctl daemon-reload\n"


TWICE = (
    Fault(
        name="unit-runs-on-both-nodes",
        summary=f"lsyncd was started on {PASSIVE}, the passive node, while it runs on {ACTIVE}.",
        hosts=names.NFS,
        set_up=(Run(PASSIVE, "systemctl start lsyncd"),),
        undo=(Run(PASSIVE, RESET_PASSIVE),),
        holds=(SETTLED,),
        expected={f"nfs/{PASSIVE}/lsyncd": "critical split_brain"},
    ),
    Fault(
        name="both-nfs-nodes-active",
        summary=f"All that only the active node may run was started on {PASSIVE} too.",
        hosts=names.NFS,
        set_up=(Run(PASSIVE, f"systemctl start {' '.join(UNITS)}", timeout=90.0),),
        undo=(Run(PASSIVE, RESET_PASSIVE, timeout=60.0),),
        holds=(Holds(PASSIVE, RUNNING), SETTLED),
        expected={f"nfs/{PASSIVE}/{unit}": "critical split_brain" for unit in UNITS},
    ),
    Fault(
        name="masked-while-it-runs-on-passive",
        summary=f"lsyncd runs on {PASSIVE}, the passive node, and is masked there.",
        hosts=names.NFS,
        set_up=(Run(PASSIVE, f"systemctl start lsyncd\n{mask(LSYNCD)}"),),
        undo=(Run(PASSIVE, f"{whole(LSYNCD)}{RESET_PASSIVE}"),),
        holds=(Holds(PASSIVE, "test $(systemctl show -P LoadState lsyncd) = masked"), SETTLED),
        expected={f"nfs/{PASSIVE}/lsyncd": "critical split_brain"},
    ),
    Fault(
        name="unit-on-the-wrong-node",
        summary=f"The DAG processor runs on {PASSIVE}, and not on {ACTIVE}, which has the address.",
        hosts=names.NFS,
        set_up=(
            Run(ACTIVE, f"systemctl stop {DAG_PROCESSOR}", timeout=60.0),
            Run(PASSIVE, f"systemctl start {DAG_PROCESSOR}", timeout=90.0),
        ),
        undo=(
            Run(PASSIVE, RESET_PASSIVE, timeout=60.0),
            Run(ACTIVE, f"systemctl start {DAG_PROCESSOR}", timeout=90.0),
        ),
        holds=(SETTLED,),
        expected={
            f"nfs/{ACTIVE}/{DAG_PROCESSOR}": "critical inactive",
            f"nfs/{PASSIVE}/{DAG_PROCESSOR}": "critical role_misplaced",
        },
    ),
)

AT_REST = (
    Fault(
        name="failed-on-passive",
        summary=f"The DAG processor was tried on {PASSIVE}, the passive node, and failed there.",
        hosts=names.NFS,
        set_up=(
            Run(
                PASSIVE,
                changed(DAG_PROCESSOR, "[Service]", "ExecStartPre=/bin/false", "Restart=no")
                + f"systemctl start {DAG_PROCESSOR} || true",
            ),
        ),
        undo=(Run(PASSIVE, f"{whole(DAG_PROCESSOR)}{RESET_PASSIVE}"),),
        holds=(Holds(PASSIVE, f"systemctl is-failed --quiet {DAG_PROCESSOR}"),),
        expected={f"nfs/{PASSIVE}/{DAG_PROCESSOR}": "warning failed_on_passive"},
    ),
    Fault(
        name="stopped-by-signal-on-passive",
        summary=f"lsyncd was stopped on {PASSIVE} by its signal: systemd says failed, and all is well.",
        hosts=(PASSIVE,),
        # A node that was the active one is left like this; nothing on the other node is touched.
        set_up=(Run(PASSIVE, "systemctl start lsyncd; sleep 0.5; systemctl stop lsyncd"),),
        undo=(Run(PASSIVE, RESET_PASSIVE),),
        holds=(Holds(PASSIVE, "systemctl is-failed --quiet lsyncd"),),
        expected={f"nfs/{PASSIVE}/lsyncd": "expected passive_inactive +stopped_by_signal"},
    ),
    Fault(
        name="passive-could-not-take-over",
        summary=f"On {PASSIVE} nfs-server is masked, lsyncd's unit broken, and the DAG processor's gone.",
        hosts=names.NFS,
        set_up=(
            Run(
                PASSIVE,
                f"{RESET_PASSIVE}\n{mask(NFS_SERVER)}{changed(LSYNCD, '[Service]', 'ExecStart=nowhere')}"
                f"mv {FOLDER}/{DAG_PROCESSOR}.service /root/; systemctl daemon-reload",
            ),
        ),
        undo=(Run(PASSIVE, whole(*UNITS)),),
        expected={
            f"nfs/{PASSIVE}/{NFS_SERVER}": "warning masked",
            f"nfs/{PASSIVE}/{LSYNCD}": "warning unit_broken",
            f"nfs/{PASSIVE}/{DAG_PROCESSOR}": "warning unit_not_found",
            "nfs/failover": "warning would_not_start",
        },
    ),
    Fault(
        name="keepalived-stopped-on-passive",
        summary=f"keepalived is stopped on {PASSIVE}: it would not take over.",
        hosts=(PASSIVE,),
        set_up=(Run(PASSIVE, "systemctl stop keepalived"),),
        undo=(Run(PASSIVE, "systemctl start keepalived"), READY),
        expected={f"nfs/{PASSIVE}/keepalived": "critical inactive"},
    ),
)

FAULTS = (*TWICE, *AT_REST)
