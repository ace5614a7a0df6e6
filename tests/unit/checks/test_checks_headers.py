"""The header of a failure names unit, role of the node, host and state; that of a virtual IP its holders."""

import pytest
from seen import FAILED, LSYNCD, RESTARTS, RESTS, RUNS, VIP, Fact, look, pair, unit, verdicts

from quorate.model import Reason, Unobserved

HEADERS = {
    "active node": (True, FAILED, RESTS, "lsyncd on ACTIVE node nfs-1 is FAILED"),
    "active node, inactive": (True, RESTS, RESTS, "lsyncd on ACTIVE node nfs-1 is INACTIVE"),
    "active node, running": (True, RUNS, RESTS, "lsyncd on ACTIVE node nfs-1 is ACTIVE"),
    "active node, masked": (
        True,
        unit("inactive/dead", "masked"),
        RESTS,
        "lsyncd on ACTIVE node nfs-1 is INACTIVE (masked)",
    ),
    "active node, crashed": (
        True,
        RESTARTS,
        RESTS,
        "lsyncd on ACTIVE node nfs-1 is ACTIVATING (crashed)",
    ),
    "passive node": (False, RESTS, RUNS, "lsyncd on PASSIVE node nfs-1 is INACTIVE (expected)"),
    "passive node, running too": (
        False,
        RUNS,
        RUNS,
        "lsyncd on PASSIVE node nfs-1 is ACTIVE (SPLIT BRAIN)",
    ),
    "passive node, running alone": (
        False,
        RUNS,
        RESTS,
        "lsyncd on PASSIVE node nfs-1 is ACTIVE (SPLIT BRAIN)",
    ),
    "passive node, failed": (
        False,
        FAILED,
        RUNS,
        "lsyncd on PASSIVE node nfs-1 is FAILED (failed on passive)",
    ),
    "passive node, not seen": (
        False,
        Unobserved(reason=Reason.NO_SYSTEMD),
        RUNS,
        "lsyncd on PASSIVE node nfs-1 is UNKNOWN (no systemd)",
    ),
}


@pytest.mark.parametrize(("holds", "facts", "peer", "expected"), HEADERS.values(), ids=HEADERS)
def test_header_names_unit_role_host_and_state(holds: bool, facts: Fact, peer: Fact, expected: str) -> None:
    seen = [look("nfs-1", {LSYNCD: facts}, vip=holds), look("nfs-2", {LSYNCD: peer}, vip=not holds)]
    verdict = verdicts(pair(), seen)["nfs/nfs-1/lsyncd"]
    assert verdict.summary == expected
    assert verdict.role == ("active" if holds else "passive")


def test_header_names_no_role_where_none_is_proven() -> None:
    seen = [look("nfs-1", {LSYNCD: FAILED}, vip=False), look("nfs-2", {LSYNCD: RESTS}, vip=False)]
    verdict = verdicts(pair(), seen)["nfs/nfs-1/lsyncd"]
    assert verdict.summary == "lsyncd on nfs-1 is FAILED"
    assert verdict.role is None


VIP_HEADERS = {
    "nobody": ((False, False), "VIP 192.0.2.220 of nfs is held by NOBODY (asked: nfs-1, nfs-2)"),
    "two": ((True, True), "VIP 192.0.2.220 of nfs is held by nfs-1 AND nfs-2"),
    "unasked": (
        (False, Unobserved(reason=Reason.TOOL_MISSING, detail="no ip")),
        "VIP 192.0.2.220 of nfs has no known holder: nfs-2 could not be asked",
    ),
}


@pytest.mark.parametrize(("held", "expected"), VIP_HEADERS.values(), ids=VIP_HEADERS)
def test_header_of_a_virtual_ip(held: tuple[bool, bool | Unobserved], expected: str) -> None:
    seen = [look("nfs-1", {LSYNCD: RUNS}, vip=held[0]), look("nfs-2", {LSYNCD: RESTS}, vip=held[1])]
    assert verdicts(pair(), seen)["nfs/vip"].summary == expected


def test_virtual_ip_tells_why_a_host_was_not_asked() -> None:
    missing = Unobserved(reason=Reason.TOOL_MISSING, detail="no ip")
    seen = [look("nfs-1", {LSYNCD: RUNS}, vip=True), look("nfs-2", {LSYNCD: RESTS}, vip=missing)]
    verdict = verdicts(pair(), seen)["nfs/vip"]
    assert verdict.detail == "nfs-2: tool missing (no ip)"
    assert verdict.observed == {"address": VIP, "holders": ["nfs-1"], "unasked": ["nfs-2"]}
    assert verdict.expected == {"holders": 1}
