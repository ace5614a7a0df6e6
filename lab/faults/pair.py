"""Faults of the active/passive pair: roles, the virtual address, failovers that are clean, slow or stuck."""

from lab.cluster import names
from lab.cluster.keepalived import FAULT_FILE
from lab.cluster.storage import NOTIFY, PAUSE
from lab.faults import holders, roles
from lab.faults.fault import Fault, Watch
from lab.faults.steps import Drop, Freeze, Holds, MachineIs, Mend, PowerCut, PowerOn, Run, Step, Thaw

ACTIVE, PASSIVE = names.NFS
UNITS = names.ACTIVE_ONLY
VIP = names.NFS_VIP
HELD = f"ip -o addr show dev eth0 | grep -q ' {VIP}/'"
FAILOVER = (
    # For the moment in which nobody has the address, that is the truth; it must not outlast the failover.
    "nfs/vip critical no_active_node",
    # The DAG processor waits for its database when it starts, and for its children when it ends.
    *(f"nfs/*/{unit} warning {reason}" for unit in UNITS for reason in ("starting", "stopping")),
    *(f"nfs/*/{unit} warning failover_in_progress" for unit in UNITS),
    # Who asks the DAG processor, the mounts and the server behind the address sees them move, too.
    *(f"{each}* *" for each in ("airflow_health", "airflow_resources", "nfs_port", "nfs/failover")),
)
SWAPPED = {
    **{f"nfs/{ACTIVE}/{unit}": "expected passive_inactive" for unit in UNITS},
    **{f"nfs/{PASSIVE}/{unit}": "ok ok" for unit in UNITS},
}
"""What is said of the units when the other node is the active one."""
# While a failover is under way nobody asks whether another one would work.
ONE_WAY = {**SWAPPED, "nfs/failover": "ok ok | warning standby_fault"}
"""The same, where the node that was left is in state FAULT: there is no way back."""
ARRIVED = (Holds(PASSIVE, HELD), Holds(PASSIVE, roles.RUNNING))
LEFT = (Holds(ACTIVE, roles.RESTING),)
# A pattern that does not match the shell that it stands in.
END_NOTIFY = f"pkill -f '{NOTIFY[:-1]}[{NOTIFY[-1]}]' || true"
# Ended before the address moves, so that no old script starts what a new one has stopped.
UNHURRIED = Run(PASSIVE, f"rm -f {PAUSE}; {END_NOTIFY}")
BACK: tuple[Step, ...] = (Run(ACTIVE, f"rm -f {FAULT_FILE} {PAUSE}; {END_NOTIFY}"),)
FAULTY = Run(ACTIVE, f"echo 1 > {FAULT_FILE}")

ADDRESSES = (
    Fault(
        name="nfs-vip-on-none",
        summary="keepalived is stopped on both nodes: nobody has the address, and nothing runs.",
        hosts=names.NFS,
        set_up=(Run(PASSIVE, "systemctl stop keepalived"), Run(ACTIVE, "systemctl stop keepalived")),
        undo=(Run(ACTIVE, "systemctl start keepalived"), Run(PASSIVE, "systemctl start keepalived")),
        holds=LEFT,
        root_causes=("nfs/vip", *(f"nfs/{node}/keepalived" for node in names.NFS)),
        expected={
            "nfs/vip": "critical no_active_node",
            **{f"nfs/{node}/keepalived": "critical inactive" for node in names.NFS},
            **{f"nfs/{node}/{unit}": "critical inactive" for node in names.NFS for unit in UNITS},
            # Stopped by SIGTERM lsyncd ends with 143, which systemd calls a failure.
            f"nfs/{ACTIVE}/lsyncd": "critical inactive +stopped_by_signal",
        },
    ),
    Fault(
        name="nfs-vip-on-both",
        summary=f"No VRRP gets through between the nodes: {PASSIVE} takes the address and the units as well.",
        hosts=names.NFS,
        set_up=tuple(Drop(node, "in", "ip protocol vrrp") for node in names.NFS),
        undo=tuple(Mend(node) for node in names.NFS),
        holds=ARRIVED,
        root_causes=("nfs/vip",),
        expected={
            "nfs/vip": "critical duplicate_vip",
            **{f"nfs/{node}/{unit}": "critical split_brain" for node in names.NFS for unit in UNITS},
        },
        alone=True,
    ),
    Fault(
        name="standby-in-fault-then-power-cut",
        summary=f"{PASSIVE}'s keepalived is in state FAULT when {ACTIVE} loses its power: nobody takes over.",
        hosts=names.NFS,
        set_up=(Run(PASSIVE, f"echo 1 > {FAULT_FILE}"), PowerCut(ACTIVE)),
        undo=(PowerOn(ACTIVE), Run(PASSIVE, f"rm -f {FAULT_FILE}")),
        holds=(MachineIs(ACTIVE, "off"), Holds(PASSIVE, f"! {HELD}")),
        root_causes=(f"host/{ACTIVE}",),
        expected={
            f"host/{ACTIVE}": "critical host_unreachable",
            "nfs/vip": "unknown active_node_unknown",
            **{f"nfs/{PASSIVE}/{unit}": "unknown peer_unverified" for unit in UNITS},
        },
        alone=True,
    ),
    Fault(
        name="both-nfs-nodes-powered-off",
        summary="Both nodes of the pair lose their power.",
        hosts=names.NFS,
        set_up=(PowerCut(PASSIVE), PowerCut(ACTIVE)),
        undo=(PowerOn(ACTIVE), PowerOn(PASSIVE)),
        holds=tuple(MachineIs(node, "off") for node in names.NFS),
        root_causes=tuple(f"host/{node}" for node in names.NFS),
        expected={
            **{f"host/{node}": "critical host_unreachable" for node in names.NFS},
            "nfs/vip": "unknown active_node_unknown",
        },
        alone=True,
    ),
)

FAILOVERS = (
    Fault(
        name="clean-failover",
        summary=f"{ACTIVE}'s keepalived finds a fault: address and units move to {PASSIVE}.",
        hosts=names.NFS,
        set_up=(FAULTY,),
        undo=BACK,
        holds=(*ARRIVED, *LEFT),
        expected=ONE_WAY,
        watch=Watch(seconds=40, allowed=FAILOVER),
    ),
    Fault(
        name="slow-failover",
        summary="The notify scripts sleep three seconds between one unit and the next.",
        hosts=names.NFS,
        set_up=(*(Run(node, f"echo 3 > {PAUSE}") for node in names.NFS), FAULTY),
        undo=(UNHURRIED, *BACK),
        holds=(*ARRIVED, *LEFT),
        expected=ONE_WAY,
        watch=Watch(seconds=60, allowed=FAILOVER),
    ),
    Fault(
        name="stuck-failover",
        summary=f"{PASSIVE}'s notify script starts the first unit and then hangs.",
        hosts=names.NFS,
        set_up=(Run(PASSIVE, f"echo 600 > {PAUSE}; systemctl reset-failed lsyncd || true"), FAULTY),
        undo=(UNHURRIED, *BACK),
        holds=(*LEFT, Holds(PASSIVE, HELD), Holds(PASSIVE, "systemctl is-active --quiet nfs-server")),
        expected={
            **ONE_WAY,
            f"nfs/{PASSIVE}/lsyncd": "critical inactive",
            f"nfs/{PASSIVE}/airflow-dag-processor": "critical inactive",
        },
        watch=Watch(seconds=90, allowed=FAILOVER, every=3.0),
    ),
    Fault(
        name="keepalived-stopped-on-active",
        summary=f"keepalived is stopped on {ACTIVE}; everything moves to {PASSIVE}.",
        hosts=names.NFS,
        set_up=(Run(ACTIVE, "systemctl stop keepalived"),),
        undo=(Run(ACTIVE, "systemctl start keepalived"),),
        holds=(*ARRIVED, *LEFT),
        expected={**SWAPPED, f"nfs/{ACTIVE}/keepalived": "critical inactive"},
        watch=Watch(seconds=40, allowed=(*FAILOVER, f"nfs/{ACTIVE}/keepalived warning stopping")),
    ),
    Fault(
        name="nfs-1-powered-off",
        summary=f"{ACTIVE} loses its power; {PASSIVE} takes over.",
        hosts=names.NFS,
        set_up=(PowerCut(ACTIVE),),
        undo=(PowerOn(ACTIVE),),
        holds=(MachineIs(ACTIVE, "off"), *ARRIVED),
        expected={
            f"host/{ACTIVE}": "critical host_unreachable",
            "nfs/vip": "ok ok +uniqueness_unproven",
            **{f"nfs/{PASSIVE}/{unit}": "ok ok" for unit in UNITS},
        },
        watch=Watch(
            seconds=60,
            allowed=(
                # Nobody knows of the address while nfs-1 can't be asked.
                *FAILOVER[1:],
                # Until the standby has the address, which takes it three seconds without a word.
                "nfs/vip unknown active_node_unknown",
                *(f"nfs/{PASSIVE}/{unit} unknown peer_unverified" for unit in UNITS),
            ),
        ),
    ),
    Fault(
        name="nfs-1-frozen",
        summary=f"Every process of {ACTIVE} stands still; {PASSIVE} takes the address that it keeps.",
        hosts=names.NFS,
        set_up=(Freeze(ACTIVE),),
        undo=(Thaw(ACTIVE),),
        holds=(MachineIs(ACTIVE, "frozen"), *ARRIVED),
        expected={
            f"host/{ACTIVE}": "critical ssh_unresponsive",
            "nfs/vip": "ok ok +uniqueness_unproven",
            **{f"nfs/{PASSIVE}/{unit}": "ok ok" for unit in UNITS},
        },
        alone=True,
    ),
)

FAULTS = (*roles.FAULTS, *ADDRESSES, *holders.FAULTS, *FAILOVERS)
