"""A group whose units run on every host: its virtual address, what counts as holding one, and tolerance."""

from sweeps.declared import AIRFLOW_VIP, NFS_VIP, SOON
from sweeps.situation import Situation, Step, critical, lost, unknown, warning
from sweeps.steps import cut, eventually, holds, lets_go, sh
from sweeps.table.nfs import on_both

VIP = f"{AIRFLOW_VIP}/24"
SIX = "2001:db8::220"
BY_SIX = {"nfs": {"active_passive": {"vip": SIX}}}
WEB = "webserver/{}/airflow-webserver"
NOBODY = {
    "nfs/vip": critical("no_active_node"),
    **on_both("nfs-1", warning("active_without_vip", by="nfs/vip")),
    **on_both("nfs-2", unknown("active_node_unknown", by="nfs/vip")),
}
"""What is said where nfs-1 runs the units and nobody holds the address."""


def no_holder_but(name: str, held: dict[str, object], *real: Step, groups: object = None) -> Situation:
    """Return a situation in which nfs-1 has the address of the pair in a way that does not count."""
    return Situation(
        name=name,
        real=real,
        simulated={"nfs-1": held},
        groups=groups or {},  # type: ignore[arg-type]
        active=None,
        expect=NOBODY,
    )


ADDRESSES = (
    no_holder_but(
        "vip-on-lo",
        {"holds": [], "interfaces": {"lo": {"addresses": [NFS_VIP]}}},
        lets_go("nfs-1", f"{NFS_VIP}/24"),
        sh("nfs-1", f"ip addr add {NFS_VIP}/32 dev lo"),
    ),
    no_holder_but(
        "vip-on-an-interface-that-is-down",
        {"holds": [], "interfaces": {"spare0": {"up": False, "addresses": [NFS_VIP]}}},
        lets_go("nfs-1", f"{NFS_VIP}/24"),
        sh("nfs-1", f"ip link add spare0 type veth peer name spare1; ip addr add {NFS_VIP}/24 dev spare0"),
    ),
    no_holder_but(
        "vip-is-another-address-that-looks-alike",
        {"holds": ["192.0.2.22"]},
        lets_go("nfs-1", f"{NFS_VIP}/24"),
        holds("nfs-1", "192.0.2.22/24"),
    ),
    no_holder_but(
        "vip-6-tentative",
        {"interfaces": {"spare0": {"addresses": [{"local": SIX, "flags": ["tentative"]}]}}},
        sh(
            "nfs-1",
            "ip link add spare0 type veth peer name spare1; ip link set spare0 up; "
            f"ip addr add {SIX}/64 dev spare0; ip -6 addr show dev spare0 | grep -q tentative",
        ),
        groups=BY_SIX,
    ),
    no_holder_but(
        "vip-6-dadfailed",
        {"holds": [NFS_VIP, {"local": SIX, "flags": ["dadfailed", "tentative"]}]},
        holds("haproxy-1", f"{SIX}/64"),
        sh("nfs-1", f"ip addr add {SIX}/64 dev eth0"),
        eventually("nfs-1", "ip -6 addr show dev eth0 | grep -q dadfailed"),
        groups=BY_SIX,
    ),
    Situation(
        name="vip-6",
        real=(holds("nfs-1", f"{SIX}/64"),),
        simulated={"nfs-1": {"holds": [NFS_VIP, SIX]}},
        # Written in another way than the kernel does.
        groups={"nfs": {"active_passive": {"vip": "2001:0db8:0:0::220"}}},
    ),
)
"""What counts as holding a virtual address."""

SHARED = (
    Situation(
        name="group-vip-missing",
        real=(lets_go("haproxy-1", VIP),),
        simulated={"haproxy-1": {"holds": []}},
        expect={"haproxy/vip": critical("no_active_node")},
    ),
    Situation(
        name="group-vip-duplicate",
        real=(holds("haproxy-2", VIP),),
        simulated={"haproxy-2": {"holds": [AIRFLOW_VIP]}},
        expect={"haproxy/vip": critical("duplicate_vip")},
    ),
    Situation(
        name="group-vip-moved",
        real=(lets_go("haproxy-1", VIP), holds("haproxy-2", VIP)),
        simulated={"haproxy-1": {"holds": []}, "haproxy-2": {"holds": [AIRFLOW_VIP]}},
    ),
    Situation(
        name="group-vip-unknown",
        real=(cut("haproxy-1"),),
        simulated={"haproxy-1": {"ssh": "silent"}},
        hosts={"haproxy-1": {"ssh": SOON}},
        expect={
            **lost("haproxy-1", critical("host_unreachable")),
            "haproxy/vip": unknown("active_node_unknown", by="host/haproxy-1"),
        },
    ),
    Situation(
        name="one-of-two-down",
        real=(sh("haproxy-2", "systemctl stop airflow-webserver"),),
        simulated={"haproxy-2": {"units": {"airflow-webserver": {"state": "inactive", "age": "1h"}}}},
        expect={WEB.format("haproxy-2"): critical("inactive")},
    ),
    Situation(
        name="one-of-two-down-and-tolerated",
        real=(sh("haproxy-2", "systemctl stop airflow-webserver"),),
        simulated={"haproxy-2": {"units": {"airflow-webserver": {"state": "inactive", "age": "1h"}}}},
        groups={"webserver": {"tolerates": 1}},
        expect={WEB.format("haproxy-2"): warning("inactive", "tolerated")},
    ),
    Situation(
        name="both-down-is-not-tolerated",
        real=(
            sh("haproxy-1", "systemctl stop airflow-webserver"),
            sh("haproxy-2", "systemctl kill --signal=KILL airflow-webserver"),
            eventually("haproxy-2", "systemctl is-failed airflow-webserver"),
        ),
        simulated={
            "haproxy-1": {"units": {"airflow-webserver": {"state": "inactive", "age": "1h"}}},
            "haproxy-2": {"units": {"airflow-webserver": {"state": "failed-by-signal", "status": 9}}},
        },
        groups={"webserver": {"tolerates": 1}},
        expect={
            WEB.format("haproxy-1"): critical("inactive"),
            WEB.format("haproxy-2"): critical("failed"),
        },
    ),
)
"""Units on every host of the group."""

GROUP = (*ADDRESSES, *SHARED)
