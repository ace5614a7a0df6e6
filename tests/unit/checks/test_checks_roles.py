"""Sections "Virtual IP", "Without a proven holder" and "Asked again" (failover) of the semantics."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from seen import (
    FAILED,
    KEEPALIVED,
    LSYNCD,
    RESTS,
    RUNS,
    Fact,
    Look,
    judged,
    look,
    pair,
    said,
    unit,
    unreachable,
    verdicts,
)

from quorate.model import Group, Inventory, Reason, Unobserved

NFS_SERVER = "nfs-server.service"
NODES = ("nfs-1", "nfs-2", "nfs-3")
NOT_SEEN = Unobserved(reason=Reason.COMMAND_TIMEOUT)
NO_TOOL = Unobserved(reason=Reason.TOOL_MISSING, detail="ip cannot be run")
HELD, FREE, DOWN = True, False, "down"
STOPPED = unit("failed/failed", result="exit-code", exec_main_code=1, exec_main_status=143)
LOOP = unit(n_restarts=9, active_age=5.0)

Node = tuple[bool | Unobserved, Fact] | str


def seen_of(nodes: tuple[Node, ...]) -> list[Look]:
    """Return looks at nfs-1, nfs-2 …, each by whether it holds the virtual IP and what lsyncd does there."""
    return [
        unreachable(name, (LSYNCD,)) if isinstance(node, str) else look(name, {LSYNCD: node[1]}, vip=node[0])
        for name, node in zip(NODES, nodes, strict=False)
    ]


# What is seen of each node; then what is said of the virtual IP and of lsyncd on each node.
WITHOUT_A_PROVEN_HOLDER: Mapping[str, tuple[tuple[Node, ...], tuple[str, ...]]] = {
    "H=0 U=0, runs nowhere": (
        ((FREE, RESTS), (FREE, RESTS)),
        ("CRITICAL no_active_node", "CRITICAL inactive < nfs/vip", "CRITICAL inactive < nfs/vip"),
    ),
    "H=0 U=0, runs nowhere, failed on one": (
        ((FREE, FAILED), (FREE, RESTS)),
        ("CRITICAL no_active_node", "CRITICAL failed", "CRITICAL inactive < nfs/vip"),
    ),
    "H=0 U=0, runs nowhere, stopped by its signal on one": (
        ((FREE, STOPPED), (FREE, RESTS)),
        (
            "CRITICAL no_active_node",
            "CRITICAL inactive [stopped_by_signal] < nfs/vip",
            "CRITICAL inactive < nfs/vip",
        ),
    ),
    "H=0 U=0, runs on one": (
        ((FREE, RUNS), (FREE, RESTS)),
        (
            "CRITICAL no_active_node",
            "WARNING active_without_vip < nfs/vip",
            "UNKNOWN active_node_unknown < nfs/vip",
        ),
    ),
    "H=0 U=0, runs on one and crashes there": (
        ((FREE, LOOP), (FREE, FAILED)),
        (
            "CRITICAL no_active_node",
            "WARNING active_without_vip [crash_loop] < nfs/vip",
            "UNKNOWN active_node_unknown < nfs/vip",
        ),
    ),
    "H=0 U=0, runs on both": (
        ((FREE, RUNS), (FREE, RUNS)),
        ("CRITICAL no_active_node", "CRITICAL split_brain", "CRITICAL split_brain"),
    ),
    "H=0 U=0, runs on two of three": (
        ((FREE, RUNS), (FREE, RESTS), (FREE, RUNS)),
        (
            "CRITICAL no_active_node",
            "CRITICAL split_brain",
            "UNKNOWN active_node_unknown < nfs/vip",
            "CRITICAL split_brain",
        ),
    ),
    "H=0 U=0, runs nowhere that could be seen": (
        ((FREE, RESTS), (FREE, NOT_SEEN)),
        ("CRITICAL no_active_node", "UNKNOWN active_node_unknown < nfs/vip", "UNKNOWN command_timeout"),
    ),
    "H=0 U=1, rests on the other": (
        ((FREE, RESTS), DOWN),
        (
            "UNKNOWN active_node_unknown < host/nfs-2",
            "UNKNOWN peer_unverified < nfs/vip",
            "UNKNOWN host_unreachable < host/nfs-2",
        ),
    ),
    "H=0 U=1, runs on the other": (
        ((FREE, RUNS), DOWN),
        (
            "UNKNOWN active_node_unknown < host/nfs-2",
            "UNKNOWN peer_unverified < nfs/vip",
            "UNKNOWN host_unreachable < host/nfs-2",
        ),
    ),
    "H=0 U=1, failed on the other": (
        (DOWN, (FREE, FAILED)),
        (
            "UNKNOWN active_node_unknown < host/nfs-1",
            "UNKNOWN host_unreachable < host/nfs-1",
            "UNKNOWN peer_unverified < nfs/vip",
        ),
    ),
    "H=0 U=1, runs on both others": (
        ((FREE, RUNS), (FREE, RUNS), DOWN),
        (
            "UNKNOWN active_node_unknown < host/nfs-3",
            "UNKNOWN peer_unverified < nfs/vip",
            "UNKNOWN peer_unverified < nfs/vip",
            "UNKNOWN host_unreachable < host/nfs-3",
        ),
    ),
    "H=0 U=1, only the addresses could not be asked": (
        ((FREE, RESTS), (NO_TOOL, RUNS)),
        (
            "UNKNOWN active_node_unknown",
            "UNKNOWN peer_unverified < nfs/vip",
            "UNKNOWN peer_unverified < nfs/vip",
        ),
    ),
    "H=0 U=2": (
        (DOWN, DOWN),
        (
            "UNKNOWN active_node_unknown < host/nfs-1",
            "UNKNOWN host_unreachable < host/nfs-1",
            "UNKNOWN host_unreachable < host/nfs-2",
        ),
    ),
    "H=2, runs on one": (
        ((HELD, RUNS), (HELD, RESTS)),
        ("CRITICAL duplicate_vip", "OK ok", "UNKNOWN active_node_ambiguous < nfs/vip"),
    ),
    "H=2, runs on one and failed on the other": (
        ((HELD, FAILED), (HELD, RUNS)),
        ("CRITICAL duplicate_vip", "UNKNOWN active_node_ambiguous < nfs/vip", "OK ok"),
    ),
    "H=2, runs on both": (
        ((HELD, RUNS), (HELD, RUNS)),
        ("CRITICAL duplicate_vip", "CRITICAL split_brain < nfs/vip", "CRITICAL split_brain < nfs/vip"),
    ),
    "H=2, runs on none": (
        ((HELD, RESTS), (HELD, RESTS)),
        ("CRITICAL duplicate_vip", "CRITICAL inactive", "CRITICAL inactive"),
    ),
    "H=2, one of them not seen": (
        ((HELD, RUNS), (HELD, NOT_SEEN)),
        ("CRITICAL duplicate_vip", "UNKNOWN active_node_ambiguous < nfs/vip", "UNKNOWN command_timeout"),
    ),
    "H=2 of three, runs on one": (
        ((HELD, RUNS), (HELD, RESTS), (FREE, RESTS)),
        (
            "CRITICAL duplicate_vip",
            "OK ok",
            "UNKNOWN active_node_ambiguous < nfs/vip",
            "UNKNOWN active_node_ambiguous < nfs/vip",
        ),
    ),
    "H=2 of three, runs on the third": (
        ((HELD, RESTS), (HELD, RESTS), (FREE, RUNS)),
        ("CRITICAL duplicate_vip", "CRITICAL inactive", "CRITICAL inactive", "CRITICAL role_misplaced"),
    ),
    "H=2 of three, runs on one and on the third": (
        ((HELD, RUNS), (HELD, RESTS), (FREE, RUNS)),
        (
            "CRITICAL duplicate_vip",
            "CRITICAL split_brain < nfs/vip",
            "UNKNOWN active_node_ambiguous < nfs/vip",
            "CRITICAL split_brain < nfs/vip",
        ),
    ),
    "H=2 U=1": (
        ((HELD, RUNS), (HELD, RUNS), DOWN),
        (
            "CRITICAL duplicate_vip",
            "CRITICAL split_brain < nfs/vip",
            "CRITICAL split_brain < nfs/vip",
            "UNKNOWN host_unreachable < host/nfs-3",
        ),
    ),
    "H=1 U=0": (
        ((FREE, RESTS), (HELD, RUNS)),
        ("OK ok", "EXPECTED passive_inactive", "OK ok"),
    ),
    "H=1 U=1": (
        ((HELD, RUNS), DOWN),
        ("OK ok [uniqueness_unproven]", "OK ok", "UNKNOWN host_unreachable < host/nfs-2"),
    ),
    "H=1 U=1 of three": (
        ((HELD, RUNS), (FREE, RESTS), DOWN),
        (
            "OK ok [uniqueness_unproven]",
            "OK ok",
            "EXPECTED passive_inactive",
            "UNKNOWN host_unreachable < host/nfs-3",
        ),
    ),
    "H=1 U=0 of three, runs on both others": (
        ((HELD, RESTS), (FREE, RUNS), (FREE, RUNS)),
        ("OK ok", "CRITICAL inactive", "CRITICAL role_misplaced", "CRITICAL role_misplaced"),
    ),
}


@pytest.mark.parametrize(("nodes", "expected"), WITHOUT_A_PROVEN_HOLDER.values(), ids=WITHOUT_A_PROVEN_HOLDER)
def test_virtual_ip_and_its_units(nodes: tuple[Node, ...], expected: tuple[str, ...]) -> None:
    names = NODES[: len(nodes)]
    judgement = judged(pair(*names), seen_of(nodes), whole=False)
    found = {verdict.id: said(verdict) for verdict in judgement.verdicts}
    assert [found["nfs/vip"], *(found[f"nfs/{name}/lsyncd"] for name in names)] == list(expected)
    proven = found["nfs/vip"].startswith("OK")
    holders = [name for name, node in zip(names, nodes, strict=True) if node[0] is HELD]
    assert judgement.active_nodes == {"nfs": holders[0] if proven else None}


DETAILS = {
    "runs elsewhere": (((FREE, RUNS), (FREE, RESTS)), "it runs on nfs-1, and no node holds the virtual IP"),
    "not seen elsewhere": (
        ((FREE, NOT_SEEN), (FREE, RESTS)),
        "it could not be seen on nfs-1, and no node holds the virtual IP",
    ),
    "not asked elsewhere": (
        (DOWN, (FREE, RESTS)),
        "no node that answered holds the virtual IP; nfs-1 could not be asked",
    ),
    "two holders": (
        ((HELD, RUNS), (HELD, RESTS)),
        "nfs-1 and nfs-2 hold the virtual IP, so which node is active is not decided",
    ),
    "two holders, one not seen": (
        ((HELD, NOT_SEEN), (HELD, RESTS)),
        (
            "nfs-1 and nfs-2 hold the virtual IP, so which node is active is not decided"
            "; the unit's state on nfs-1 could not be asked"
        ),
    ),
}


@pytest.mark.parametrize(("nodes", "expected"), DETAILS.values(), ids=DETAILS)
def test_what_is_not_decided_says_why(nodes: tuple[Node, ...], expected: str) -> None:
    assert verdicts(pair(), seen_of(nodes), whole=False)["nfs/nfs-2/lsyncd"].detail == expected


def test_required_unit_of_the_group_has_nothing_to_do_with_the_holder() -> None:
    seen = [look("nfs-1", {KEEPALIVED: RESTS}, vip=False), look("nfs-2", {KEEPALIVED: RUNS}, vip=False)]
    found = verdicts(pair(units=(KEEPALIVED,), only=()), seen)
    assert said(found["nfs/nfs-1/keepalived"]) == "CRITICAL inactive"
    assert said(found["nfs/nfs-2/keepalived"]) == "OK ok"


def plain_group(address: str) -> Inventory:
    inventory = pair()
    group = Group(name="nfs", hosts=("nfs-1", "nfs-2"), units=(LSYNCD,), vip=address)
    return replace(inventory, groups={"nfs": group})


HELD_ADDRESSES = {
    "exact": ("192.0.2.22", "192.0.2.22", "OK ok"),
    "no part of a longer one": ("192.0.2.22", "192.0.2.220", "CRITICAL no_active_node"),
    "no more than a shorter one": ("192.0.2.220", "192.0.2.22", "CRITICAL no_active_node"),
    "IPv6": ("2001:db8::220", "2001:db8::220", "OK ok"),
    "no part of a longer IPv6": ("2001:db8::22", "2001:db8::220", "CRITICAL no_active_node"),
}


@pytest.mark.parametrize(("vip", "held", "expected"), HELD_ADDRESSES.values(), ids=HELD_ADDRESSES)
def test_virtual_ip_is_matched_as_a_whole(vip: str, held: str, expected: str) -> None:
    seen = [
        look("nfs-1", {LSYNCD: RUNS}, vip=True, address=held),
        look("nfs-2", {LSYNCD: RUNS}, vip=False),
    ]
    assert said(verdicts(plain_group(vip), seen)["nfs/vip"]) == expected


@pytest.mark.parametrize("holders", [(), ("nfs-1",), ("nfs-1", "nfs-2")])
def test_virtual_ip_of_a_group_without_roles_changes_nothing_for_its_units(holders: tuple[str, ...]) -> None:
    seen = [look(name, {LSYNCD: RUNS}, vip=name in holders) for name in ("nfs-1", "nfs-2")]
    judgement = judged(plain_group("192.0.2.220"), seen)
    units = [verdict for verdict in judgement.verdicts if verdict.kind == "unit"]
    assert [said(verdict) for verdict in units] == ["OK ok", "OK ok"]
    assert [verdict.role for verdict in units] == [None, None]
    assert judgement.active_nodes == {}


def test_roles_are_judged_by_the_latest_look_alone() -> None:
    seen = {
        "nfs-1": [look("nfs-1", {LSYNCD: RUNS}, vip=True), look("nfs-1", {LSYNCD: RESTS}, vip=False)],
        "nfs-2": [look("nfs-2", {LSYNCD: RESTS}, vip=False), look("nfs-2", {LSYNCD: RUNS}, vip=True)],
    }
    judgement = judged(pair(), seen)
    assert judgement.active_nodes == {"nfs": "nfs-2"}
    found = {verdict.id: said(verdict) for verdict in judgement.verdicts}
    assert found["nfs/nfs-1/lsyncd"] == "EXPECTED passive_inactive"
    assert found["nfs/nfs-2/lsyncd"] == "OK ok"
