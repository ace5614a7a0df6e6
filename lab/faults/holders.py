"""Faults of who has the pair's address: two nodes, none, one without the units, one that nobody can ask."""

from lab.cluster import names
from lab.cluster.keepalived import FAULT_FILE
from lab.cluster.storage import NOTIFY
from lab.faults.fault import Fault
from lab.faults.roles import DAG_PROCESSOR, LSYNCD, NFS_SERVER, READY, RESET_PASSIVE, RESTING, RUNNING
from lab.faults.steps import Cut, Holds, Mend, PowerCut, PowerOn, Run

ACTIVE, PASSIVE = names.NFS
UNITS = names.ACTIVE_ONLY
ADDRESS = f"{names.NFS_VIP}/{names.PREFIX_LENGTH} dev eth0"
HELD = f"ip -o addr show dev eth0 | grep -q ' {names.NFS_VIP}/'"
STOPPED = tuple(Run(node, "systemctl stop keepalived", timeout=60.0) for node in reversed(names.NFS))
BOTH_KEEPALIVED = {f"nfs/{node}/keepalived": "critical inactive" for node in names.NFS}
DEAF = f"cp -p {NOTIFY} {NOTIFY}.good; printf '#!/bin/sh\\n' > {NOTIFY}"
HEARING = f"test ! -e {NOTIFY}.good || mv {NOTIFY}.good {NOTIFY}"

FAULTS = (
    Fault(
        name="nfs-vip-left-behind",
        summary=f"{PASSIVE} has the address as well, put there by hand; the units run on {ACTIVE} alone.",
        hosts=names.NFS,
        set_up=(Run(PASSIVE, f"ip addr add {ADDRESS}"),),
        undo=(Run(PASSIVE, f"ip addr del {ADDRESS}"),),
        holds=(Holds(ACTIVE, HELD), Holds(PASSIVE, HELD)),
        expected={
            "nfs/vip": "critical duplicate_vip",
            **{f"nfs/{PASSIVE}/{unit}": "unknown active_node_ambiguous" for unit in UNITS},
        },
        root_causes=("nfs/vip",),
        alone=True,
    ),
    Fault(
        name="nfs-vip-without-units",
        summary=f"The notify scripts do nothing: the address moves to {PASSIVE}, and the units stay behind.",
        hosts=names.NFS,
        set_up=(*(Run(node, DEAF) for node in names.NFS), Run(ACTIVE, f"echo 1 > {FAULT_FILE}")),
        # Back first, so that no script stops what the returning address finds running.
        undo=(
            Run(ACTIVE, f"echo 0 > {FAULT_FILE}; until {HELD}; do sleep 0.2; done"),
            *(Run(node, HEARING) for node in names.NFS),
        ),
        holds=(Holds(PASSIVE, HELD), Holds(ACTIVE, f"! {HELD}")),
        expected={
            **{f"nfs/{ACTIVE}/{unit}": "critical role_misplaced" for unit in UNITS},
            **{f"nfs/{PASSIVE}/{unit}": "critical inactive" for unit in UNITS},
            "nfs/failover": "warning standby_fault",
        },
        alone=True,
    ),
    Fault(
        name="units-run-without-vip",
        summary="Nobody has the address; nfs-server was started on one node, and the DAG processor on both.",
        hosts=names.NFS,
        set_up=(
            *STOPPED,
            Run(PASSIVE, f"systemctl reset-failed {LSYNCD} || true"),
            Run(PASSIVE, f"systemctl start {DAG_PROCESSOR}", timeout=90.0),
            Run(
                ACTIVE,
                f"systemctl reset-failed {LSYNCD} || true; systemctl start {NFS_SERVER} {DAG_PROCESSOR}",
                timeout=90.0,
            ),
        ),
        undo=(
            Run(PASSIVE, RESET_PASSIVE, timeout=60.0),
            Run(ACTIVE, "systemctl start keepalived"),
            Run(PASSIVE, "systemctl start keepalived"),
        ),
        expected={
            "nfs/vip": "critical no_active_node",
            **BOTH_KEEPALIVED,
            f"nfs/{ACTIVE}/{NFS_SERVER}": "warning active_without_vip",
            f"nfs/{PASSIVE}/{NFS_SERVER}": "unknown active_node_unknown",
            **{f"nfs/{node}/{LSYNCD}": "critical inactive" for node in names.NFS},
            **{f"nfs/{node}/{DAG_PROCESSOR}": "critical split_brain" for node in names.NFS},
        },
        root_causes=(
            "nfs/vip",
            *BOTH_KEEPALIVED,
            *(f"nfs/{node}/{DAG_PROCESSOR}" for node in names.NFS),
        ),
        alone=True,
    ),
    Fault(
        name="both-nfs-nodes-in-fault",
        summary="keepalived runs on both nodes, in state FAULT: nobody has the address, and nothing runs.",
        hosts=names.NFS,
        set_up=tuple(Run(node, f"echo 1 > {FAULT_FILE}") for node in reversed(names.NFS)),
        undo=tuple(Run(node, f"echo 0 > {FAULT_FILE}") for node in names.NFS),
        # What keepalived stops ends in its own way, which is another fault's matter.
        holds=tuple(Holds(node, f"{RESTING}\nsystemctl reset-failed {LSYNCD} || true") for node in names.NFS),
        expected={
            "nfs/vip": "critical no_active_node",
            **{f"nfs/{node}/{unit}": "critical inactive" for node in names.NFS for unit in UNITS},
        },
        root_causes=("nfs/vip",),
        alone=True,
    ),
    Fault(
        name="nfs-1-cut-off",
        summary=f"Every packet to and from {ACTIVE} is dropped: {PASSIVE} takes over, it goes on unseen.",
        hosts=names.NFS,
        set_up=(Cut(ACTIVE),),
        undo=(Mend(ACTIVE),),
        holds=(
            Holds(PASSIVE, HELD),
            Holds(PASSIVE, RUNNING),
            Holds(ACTIVE, HELD),
        ),
        expected={
            f"host/{ACTIVE}": "critical host_unreachable",
            "nfs/vip": "ok ok +uniqueness_unproven",
            **{f"nfs/{PASSIVE}/{unit}": "ok ok" for unit in UNITS},
        },
        alone=True,
    ),
    Fault(
        name="nfs-2-powered-off",
        summary=f"{PASSIVE}, the passive node, loses its power: nobody could take over.",
        hosts=(PASSIVE,),
        set_up=(PowerCut(PASSIVE),),
        undo=(PowerOn(PASSIVE), READY),
        expected={
            f"host/{PASSIVE}": "critical host_unreachable",
            "nfs/vip": "ok ok +uniqueness_unproven",
        },
    ),
)
