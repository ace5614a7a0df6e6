"""The pair without a proven holder of its address, and with two."""

from sweeps.declared import NFS_VIP, SOON
from sweeps.situation import Situation, Then, critical, lost, ok, unknown, warning
from sweeps.steps import away, cut, for_rocky, holds, lets_go, sh
from sweeps.table.nfs import ACTIVE, ALL, PASSIVE, RUNNING, STOPPED, VIP, on_both

NO_HOLDER = (
    Situation(
        name="no-holder-and-nothing-runs",
        real=(lets_go("nfs-1", VIP), sh("nfs-1", f"systemctl stop {ALL}")),
        simulated={"nfs-1": {"holds": [], "units": STOPPED}},
        active=None,
        expect={
            "nfs/vip": critical("no_active_node"),
            **on_both("nfs-1", critical("inactive", by="nfs/vip")),
            **on_both("nfs-2", critical("inactive", by="nfs/vip")),
        },
    ),
    Situation(
        name="no-holder-and-one-runs-all",
        real=(lets_go("nfs-1", VIP),),
        simulated={"nfs-1": {"holds": []}},
        active=None,
        expect={
            "nfs/vip": critical("no_active_node"),
            **on_both("nfs-1", warning("active_without_vip", by="nfs/vip")),
            **on_both("nfs-2", unknown("active_node_unknown", by="nfs/vip")),
        },
    ),
    Situation(
        name="no-holder-and-both-run-one",
        real=(
            lets_go("nfs-1", VIP),
            sh("nfs-1", "systemctl stop nfs-server airflow-dag-processor"),
            sh("nfs-2", "systemctl start lsyncd"),
        ),
        simulated={
            "nfs-1": {"holds": [], "units": {**STOPPED, "lsyncd": "2h"}},
            "nfs-2": {"units": {"lsyncd": "2h"}},
        },
        active=None,
        expect={
            "nfs/vip": critical("no_active_node"),
            **on_both("nfs-1", critical("inactive", by="nfs/vip")),
            **on_both("nfs-2", critical("inactive", by="nfs/vip")),
            ACTIVE: critical("split_brain"),
            PASSIVE: critical("split_brain"),
        },
    ),
    Situation(
        name="holder-unproven",
        real=(away("nfs-1", "ip"),),
        simulated={"nfs-1": {"trouble": {"ip": "missing"}}},
        active=None,
        expect={
            "nfs/vip": unknown("active_node_unknown"),
            **on_both("nfs-1", unknown("peer_unverified", by="nfs/vip")),
            **on_both("nfs-2", unknown("peer_unverified", by="nfs/vip")),
        },
    ),
    Situation(
        name="holder-cut-off",
        real=(cut("nfs-1"),),
        simulated={"nfs-1": {"ssh": "silent"}},
        hosts={"nfs-1": {"ssh": SOON}},
        active=None,
        expect={
            **lost("nfs-1", critical("host_unreachable")),
            "nfs/vip": unknown("active_node_unknown", by="host/nfs-1"),
            **on_both("nfs-2", unknown("peer_unverified", by="nfs/vip")),
        },
    ),
    Situation(
        name="holder-cut-off-and-the-other-took-over",
        real=(cut("nfs-1"), holds("nfs-2", VIP), sh("nfs-2", f"systemctl start {ALL}")),
        simulated={"nfs-1": {"ssh": "silent"}, "nfs-2": {"holds": [NFS_VIP], "units": RUNNING}},
        hosts={"nfs-1": {"ssh": SOON}},
        active="nfs-2",
        expect={
            **lost("nfs-1", critical("host_unreachable")),
            "nfs/vip": ok("uniqueness_unproven"),
            "nfs/failover": ok("standby_unverified"),
            **on_both("nfs-2", ok()),
            "nfs/nfs-2/nfs-server": ok("no_process"),
        },
    ),
    Situation(
        name="passive-cut-off",
        real=(cut("nfs-2"),),
        simulated={"nfs-2": {"ssh": "silent"}},
        hosts={"nfs-2": {"ssh": SOON}},
        expect={
            **lost("nfs-2", critical("host_unreachable")),
            "nfs/vip": ok("uniqueness_unproven"),
            "nfs/failover": ok("standby_unverified"),
        },
    ),
    Situation(
        name="both-cut-off",
        real=(cut("nfs-1"), cut("nfs-2")),
        simulated={"nfs-1": {"ssh": "silent"}, "nfs-2": {"ssh": "silent"}},
        hosts={"nfs-1": {"ssh": SOON}, "nfs-2": {"ssh": SOON}},
        active=None,
        expect={
            **lost("nfs-1", critical("host_unreachable")),
            **lost("nfs-2", critical("host_unreachable")),
            "nfs/vip": unknown("active_node_unknown", by="host/nfs-1"),
        },
    ),
    Situation(
        name="addresses-of-the-passive-unasked",
        real=(away("nfs-2", "ip"),),
        simulated={"nfs-2": {"trouble": {"ip": "missing"}}},
        expect={"nfs/vip": ok("uniqueness_unproven")},
    ),
    Situation(
        name="addresses-of-the-passive-unparsable",
        real=(for_rocky("nfs-2", "ip", "head -c 300 /bin/sh"),),
        simulated={"nfs-2": {"trouble": {"ip": "garbage"}}},
        expect={"nfs/vip": ok("uniqueness_unproven")},
    ),
)
"""Without a proven holder."""

TWO_HOLDERS = (
    Situation(
        name="two-holders-one-runs",
        real=(holds("nfs-2", VIP),),
        simulated={"nfs-2": {"holds": [NFS_VIP]}},
        active=None,
        expect={
            "nfs/vip": critical("duplicate_vip"),
            "nfs/failover": unknown("active_node_ambiguous", by="nfs/vip"),
            **on_both("nfs-2", unknown("active_node_ambiguous", by="nfs/vip")),
        },
    ),
    Situation(
        name="two-holders-both-run",
        real=(holds("nfs-2", VIP), sh("nfs-2", f"systemctl start {ALL}")),
        simulated={"nfs-2": {"holds": [NFS_VIP], "units": RUNNING}},
        active=None,
        expect={
            "nfs/vip": critical("duplicate_vip"),
            "nfs/failover": unknown("active_node_ambiguous", by="nfs/vip"),
            **on_both("nfs-1", critical("split_brain", by="nfs/vip")),
            **on_both("nfs-2", critical("split_brain", by="nfs/vip")),
        },
    ),
    Situation(
        name="two-holders-none-runs",
        real=(holds("nfs-2", VIP), sh("nfs-1", f"systemctl stop {ALL}")),
        simulated={"nfs-1": {"units": STOPPED}, "nfs-2": {"holds": [NFS_VIP]}},
        active=None,
        expect={
            "nfs/vip": critical("duplicate_vip"),
            "nfs/failover": unknown("active_node_ambiguous", by="nfs/vip"),
            **on_both("nfs-1", critical("inactive")),
            **on_both("nfs-2", critical("inactive")),
        },
    ),
    Situation(
        name="two-holders-for-a-moment",
        real=(holds("nfs-2", VIP),),
        simulated={"nfs-2": {"holds": [NFS_VIP]}},
        then=(Then(real=(lets_go("nfs-2", VIP),), simulated={"nfs-2": {"holds": []}}),),
    ),
)
"""Two holders of one address."""
