"""The virtual address and the units on their way from one node of the pair to the other."""

from sweeps.declared import NFS_VIP
from sweeps.situation import Situation, Then, critical, expected, ok, warning
from sweeps.steps import holds, lets_go, sh
from sweeps.table.nfs import ALL, RUNNING, STOPPED, VIP, on_both

MOVED = (lets_go("nfs-1", VIP), holds("nfs-2", VIP))
SIM_MOVED = {"nfs-1": {"holds": []}, "nfs-2": {"holds": [NFS_VIP]}}
GRACE = {"nfs": {"active_passive": {"failover_grace": "1h"}}}
TOOK_OVER = {
    **on_both("nfs-1", expected()),
    **on_both("nfs-2", ok()),
    "nfs/nfs-2/nfs-server": ok("no_process"),
}
FAILOVER = (
    Situation(
        name="failover-has-moved-the-address",  # the new holder runs nothing yet, so nothing is under way
        real=MOVED,
        simulated=SIM_MOVED,
        groups=GRACE,
        active="nfs-2",
        expect={
            **on_both("nfs-1", critical("role_misplaced")),
            **on_both("nfs-2", critical("inactive")),
            "nfs/failover": ok("sync_unseen"),
        },
    ),
    Situation(
        name="failover-in-progress",
        real=(*MOVED, sh("nfs-1", "systemctl stop nfs-server"), sh("nfs-2", "systemctl start nfs-server")),
        simulated={
            "nfs-1": {"holds": [], "units": {"nfs-server": {"state": "inactive", "age": "1s"}}},
            "nfs-2": {"holds": [NFS_VIP], "units": {"nfs-server": {"state": "exited-oneshot", "age": "1s"}}},
        },
        groups=GRACE,
        active="nfs-2",
        expect={
            **on_both("nfs-1", warning("failover_in_progress")),
            **on_both("nfs-2", warning("failover_in_progress")),
            "nfs/nfs-1/nfs-server": expected(),
            "nfs/nfs-2/nfs-server": ok("no_process"),
            "nfs/failover": ok("failover_in_progress"),
        },
    ),
    Situation(
        name="failover-overdue",
        real=(
            *MOVED,
            sh("nfs-1", "systemctl stop nfs-server"),
            sh("nfs-2", "systemctl start nfs-server; sleep 1.1"),
        ),
        simulated={
            "nfs-1": {"holds": [], "units": {"nfs-server": {"state": "inactive", "age": "3s"}}},
            "nfs-2": {"holds": [NFS_VIP], "units": {"nfs-server": {"state": "exited-oneshot", "age": "3s"}}},
        },
        groups={"nfs": {"active_passive": {"failover_grace": "1s"}}},
        active="nfs-2",
        expect={
            **on_both("nfs-1", critical("role_misplaced")),
            **on_both("nfs-2", critical("inactive")),
            "nfs/nfs-1/nfs-server": expected(),
            "nfs/nfs-2/nfs-server": ok("no_process"),
            "nfs/failover": ok("sync_unseen"),
        },
    ),
    Situation(
        name="failover-done",
        real=(*MOVED, sh("nfs-1", f"systemctl stop {ALL}"), sh("nfs-2", f"systemctl start {ALL}")),
        simulated={
            "nfs-1": {"holds": [], "units": STOPPED},
            "nfs-2": {"holds": [NFS_VIP], "units": RUNNING},
        },
        active="nfs-2",
        expect=TOOK_OVER,
    ),
    Situation(
        name="failover-ends-while-asked",
        real=(*MOVED, sh("nfs-1", f"systemctl stop {ALL}")),
        simulated={"nfs-1": {"holds": [], "units": STOPPED}, "nfs-2": {"holds": [NFS_VIP]}},
        then=(Then(real=(sh("nfs-2", f"systemctl start {ALL}"),), simulated={"nfs-2": {"units": RUNNING}}),),
        active="nfs-2",
        expect=TOOK_OVER,
    ),
    Situation(
        name="failover-whole-while-asked",
        real=(lets_go("nfs-1", VIP),),
        simulated={"nfs-1": {"holds": []}},
        then=(
            Then(
                real=(
                    holds("nfs-2", VIP),
                    sh("nfs-1", f"systemctl stop {ALL}"),
                    sh("nfs-2", f"systemctl start {ALL}"),
                ),
                simulated={
                    "nfs-1": {"units": STOPPED},
                    "nfs-2": {"holds": [NFS_VIP], "units": RUNNING},
                },
            ),
        ),
        active="nfs-2",
        expect=TOOK_OVER,
    ),
)
"""The virtual address and the units on their way from one node to the other."""
