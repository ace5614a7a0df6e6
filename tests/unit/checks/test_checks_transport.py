"""Sections "Transport", "Isolation" and "Causes" of the semantics, for hosts and what depends on them."""

from dataclasses import replace

import pytest
from seen import LSYNCD, RESTS, RUNS, Look, farm, hosts, look, pair, said, unreachable, verdicts

from quorate.model import Group, Inventory, NoReply, Reason, Unobserved

SHARED = (Reason.NAME_UNRESOLVED, Reason.SSH_UNRESPONSIVE, Reason.SSH_AUTH_FAILED, Reason.HOST_KEY_UNKNOWN)
BROKEN = (Reason.HOST_UNREACHABLE, Reason.SSH_UNRESPONSIVE, Reason.HOST_KEY_CHANGED)
NOT_VERIFIED = (
    Reason.NAME_UNRESOLVED,
    Reason.HOST_KEY_UNKNOWN,
    Reason.SSH_AUTH_FAILED,
    Reason.LOGIN_CLOSED,
    Reason.CONNECTION_LOST,
    Reason.JUMP_HOST_FAILED,
    Reason.SWEEP_TIMEOUT,
    Reason.INTERRUPTED,
    Reason.INTERNAL_ERROR,
    Reason.SECRET_UNAVAILABLE,
)
FARM = farm("web-1", "web-2")
GOOD = look("web-2", {LSYNCD: RUNS})


@pytest.mark.parametrize("reason", [*BROKEN, *NOT_VERIFIED])
def test_host_that_could_not_be_asked_and_its_units(reason: Reason) -> None:
    found = verdicts(FARM, [unreachable("web-1", (LSYNCD,), reason=reason, vip=False), GOOD])
    state = "CRITICAL" if reason in BROKEN else "UNKNOWN"
    assert said(found["host/web-1"]) == f"{state} {reason}"
    assert said(found["web/web-1/lsyncd"]) == f"UNKNOWN {reason} < host/web-1"
    assert said(found["host/web-2"]) == "OK ok"
    assert said(found["web/web-2/lsyncd"]) == "OK ok"
    assert "monitor" not in found
    assert found["host/web-1"].detail == "web-1: said so"
    assert found["web/web-1/lsyncd"].detail == "web-1: said so"


QUESTIONS = (
    Reason.TOOL_MISSING,
    Reason.NO_SYSTEMD,
    Reason.COMMAND_TIMEOUT,
    Reason.UNPARSABLE,
    Reason.NO_ANSWER,
    Reason.SWEEP_TIMEOUT,
)


@pytest.mark.parametrize("reason", QUESTIONS)
def test_question_that_failed_on_a_host_that_answers(reason: Reason) -> None:
    fact = Unobserved(reason=reason, detail="its first lines")
    found = verdicts(FARM, [look("web-1", {LSYNCD: fact}), GOOD])
    assert said(found["host/web-1"]) == "OK ok"
    assert said(found["web/web-1/lsyncd"]) == f"UNKNOWN {reason}"
    assert found["web/web-1/lsyncd"].detail == "its first lines"


def test_unit_that_is_missing_in_an_answer() -> None:
    assert said(verdicts(FARM, [look("web-1", {}), GOOD])["web/web-1/lsyncd"]) == "UNKNOWN no_answer"


def test_connection_lost_while_asking_costs_only_what_is_missing() -> None:
    lost = Unobserved(reason=Reason.CONNECTION_LOST, detail="the connection was lost")
    inventory = farm("web-1", units=(LSYNCD, "a.service", "b.service"))
    slow = Unobserved(reason=Reason.COMMAND_TIMEOUT)
    found = verdicts(inventory, [look("web-1", {LSYNCD: RUNS, "a.service": lost, "b.service": slow})])
    assert said(found["host/web-1"]) == "UNKNOWN connection_lost"
    assert said(found["web/web-1/lsyncd"]) == "OK ok"
    assert said(found["web/web-1/a"]) == "UNKNOWN connection_lost < host/web-1"
    assert said(found["web/web-1/b"]) == "UNKNOWN command_timeout"


def test_connection_that_is_lost_for_good_leaves_what_had_been_answered() -> None:
    lost = Unobserved(reason=Reason.CONNECTION_LOST)
    slow = Unobserved(reason=Reason.COMMAND_TIMEOUT)
    failure = NoReply(reason=Reason.CONNECTION_LOST, detail="the connection was lost")
    inventory = farm("web-1", units=(LSYNCD, "a.service", "b.service"))
    units = {LSYNCD: RESTS, "a.service": lost, "b.service": slow}
    found = verdicts(inventory, [look("web-1", units, failure=failure)])
    assert said(found["host/web-1"]) == "UNKNOWN connection_lost"
    assert said(found["web/web-1/lsyncd"]) == "CRITICAL inactive"
    assert said(found["web/web-1/a"]) == "UNKNOWN connection_lost < host/web-1"
    assert said(found["web/web-1/b"]) == "UNKNOWN command_timeout"


def test_connection_lost_before_the_addresses_leaves_the_states() -> None:
    lost = Unobserved(reason=Reason.CONNECTION_LOST)
    found = verdicts(
        pair(), [look("nfs-1", {LSYNCD: RUNS}, vip=lost), look("nfs-2", {LSYNCD: RESTS}, vip=True)]
    )
    assert said(found["host/nfs-1"]) == "UNKNOWN connection_lost"
    assert said(found["nfs/vip"]) == "OK ok [uniqueness_unproven]"
    assert said(found["nfs/nfs-1/lsyncd"]) == "CRITICAL role_misplaced"


def test_sudo_that_refuses_is_a_note_of_the_host() -> None:
    found = verdicts(FARM, [look("web-1", {LSYNCD: RESTS}, sudo_refused="a password is required"), GOOD])
    assert said(found["host/web-1"]) == "OK ok [sudo_denied]"
    assert found["host/web-1"].detail == "a password is required"
    assert said(found["web/web-1/lsyncd"]) == "CRITICAL inactive"


JUMPS = {
    "the jump host failed": (
        {"web-2": Reason.JUMP_HOST_FAILED},
        Reason.HOST_UNREACHABLE,
        "UNKNOWN jump_host_failed < host/web-1",
    ),
    "the jump host answers": ({"web-2": Reason.JUMP_HOST_FAILED}, None, "UNKNOWN jump_host_failed"),
    "the host failed by itself": (
        {"web-2": Reason.SSH_AUTH_FAILED},
        Reason.HOST_UNREACHABLE,
        "UNKNOWN ssh_auth_failed",
    ),
}


@pytest.mark.parametrize(("behind", "jump", "expected"), JUMPS.values(), ids=JUMPS)
def test_jump_host_is_the_cause_of_hosts_behind_it(
    behind: dict[str, Reason], jump: Reason | None, expected: str
) -> None:
    inventory = replace(FARM, hosts=hosts("web-1", "web-2", jump={"web-2": "web-1"}))
    first = look("web-1", {LSYNCD: RUNS})
    if jump is not None:
        first = unreachable("web-1", (LSYNCD,), reason=jump, answered=True, vip=False)
    second = unreachable("web-2", (LSYNCD,), reason=behind["web-2"], answered=True, vip=False)
    found = verdicts(inventory, [first, second])
    assert said(found["host/web-2"]) == expected
    assert found["web/web-2/lsyncd"].caused_by == "host/web-2"


def test_chain_of_jump_hosts_ends_at_the_one_that_failed() -> None:
    inventory = farm("a", "b", "c")
    inventory = replace(inventory, hosts=hosts("a", "b", "c", jump={"c": "b", "b": "a"}))
    behind = [unreachable(h, (LSYNCD,), reason=Reason.JUMP_HOST_FAILED, vip=False) for h in ("b", "c")]
    found = verdicts(inventory, [unreachable("a", (LSYNCD,), vip=False, answered=True), *behind])
    assert [said(found[f"host/{h}"]) for h in "abc"] == [
        "CRITICAL host_unreachable",
        "UNKNOWN jump_host_failed < host/a",
        "UNKNOWN jump_host_failed < host/b",
    ]


def everywhere(reason: Reason, **more: bool) -> dict[str, str]:
    seen = [unreachable(name, (LSYNCD,), reason=reason, **more) for name in ("nfs-1", "nfs-2")]
    return {i: said(v) for i, v in verdicts(pair(), seen).items()}


def test_isolated_monitor_is_the_one_cause_of_everything() -> None:
    assert everywhere(Reason.HOST_UNREACHABLE) == {
        "monitor": "UNKNOWN monitor_isolated",
        "host/nfs-1": "UNKNOWN host_unreachable < monitor",
        "host/nfs-2": "UNKNOWN host_unreachable < monitor",
        "nfs/vip": "UNKNOWN active_node_unknown < monitor",
        "nfs/failover": "UNKNOWN active_node_unknown < nfs/vip",
        "nfs/nfs-1/lsyncd": "UNKNOWN host_unreachable < monitor",
        "nfs/nfs-2/lsyncd": "UNKNOWN host_unreachable < monitor",
    }


def test_isolation_shows_by_different_failures_too() -> None:
    seen = [
        unreachable("nfs-1", (LSYNCD,)),
        unreachable("nfs-2", (LSYNCD,), reason=Reason.NAME_UNRESOLVED),
    ]
    found = verdicts(pair(), seen)
    assert said(found["monitor"]) == "UNKNOWN monitor_isolated"
    assert said(found["host/nfs-2"]) == "UNKNOWN name_unresolved < monitor"


DOWN_1, DOWN_2 = unreachable("nfs-1", (LSYNCD,)), unreachable("nfs-2", (LSYNCD,))
NOT_ISOLATED = {
    "not the whole inventory": ([DOWN_1, DOWN_2], False),
    "a refusal is an answer": ([DOWN_1, unreachable("nfs-2", (LSYNCD,), answered=True)], True),
    "one host answers": ([DOWN_1, look("nfs-2", {LSYNCD: RESTS}, vip=False)], True),
    "one of the two is this machine": ([DOWN_1, unreachable("nfs-2", (LSYNCD,), remote=False)], True),
    "the time was over before one could answer": (
        [DOWN_1, unreachable("nfs-2", (LSYNCD,), reason=Reason.SWEEP_TIMEOUT)],
        True,
    ),
    "interrupted": (
        [unreachable(name, (LSYNCD,), reason=Reason.INTERRUPTED) for name in ("nfs-1", "nfs-2")],
        True,
    ),
    "a fault of quorate": (
        [unreachable(name, (LSYNCD,), reason=Reason.INTERNAL_ERROR) for name in ("nfs-1", "nfs-2")],
        True,
    ),
}


@pytest.mark.parametrize(("seen", "whole"), NOT_ISOLATED.values(), ids=NOT_ISOLATED)
def test_monitor_is_not_called_isolated(seen: list[Look], whole: bool) -> None:
    found = verdicts(pair(), seen, whole=whole)
    assert "monitor" not in found
    assert all(found[f"host/{s.contact.host}"].caused_by is None for s in seen)


def test_this_machine_is_judged_as_ever_while_isolated() -> None:
    inventory = pair()
    me = Group(name="me", hosts=("me",), units=(LSYNCD,))
    inventory = replace(inventory, hosts=hosts("nfs-1", "nfs-2", "me"), groups={**inventory.groups, "me": me})
    found = verdicts(inventory, [DOWN_1, DOWN_2, look("me", {LSYNCD: RESTS}, remote=False)])
    assert said(found["monitor"]) == "UNKNOWN monitor_isolated"
    assert said(found["host/me"]) == "OK ok"
    assert said(found["me/me/lsyncd"]) == "CRITICAL inactive"


def test_node_that_is_this_machine_waits_for_its_peer_while_isolated() -> None:
    names = ("nfs-1", "nfs-2", "me")
    seen = [DOWN_1, DOWN_2, look("me", {LSYNCD: RUNS}, vip=False, remote=False)]
    found = verdicts(pair(*names), seen)
    assert said(found["nfs/vip"]) == "UNKNOWN active_node_unknown < monitor"
    assert said(found["nfs/me/lsyncd"]) == "UNKNOWN peer_unverified < nfs/vip"


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "only"])
@pytest.mark.parametrize("reason", SHARED)
def test_same_failure_on_every_host_is_the_monitor_s(reason: Reason, whole: bool) -> None:
    answered = reason is not Reason.NAME_UNRESOLVED
    seen = [unreachable(name, (LSYNCD,), reason=reason, answered=answered) for name in ("nfs-1", "nfs-2")]
    found = {i: said(v) for i, v in verdicts(pair(), seen, whole=whole).items()}
    assert found == {
        "monitor": f"UNKNOWN {reason}",
        "host/nfs-1": f"UNKNOWN {reason} < monitor",
        "host/nfs-2": f"UNKNOWN {reason} < monitor",
        "nfs/vip": "UNKNOWN active_node_unknown < host/nfs-1",
        "nfs/failover": "UNKNOWN active_node_unknown < nfs/vip",
        "nfs/nfs-1/lsyncd": f"UNKNOWN {reason} < host/nfs-1",
        "nfs/nfs-2/lsyncd": f"UNKNOWN {reason} < host/nfs-2",
    }


@pytest.mark.parametrize(
    "reason",
    [Reason.HOST_UNREACHABLE, Reason.HOST_KEY_CHANGED, Reason.LOGIN_CLOSED, Reason.CONNECTION_LOST],
)
def test_other_failures_stay_the_hosts_own_however_many_they_are(reason: Reason) -> None:
    found = everywhere(reason, answered=True)
    assert "monitor" not in found
    state = "CRITICAL" if reason in BROKEN else "UNKNOWN"
    assert found["host/nfs-1"] == found["host/nfs-2"] == f"{state} {reason}"


def test_same_failure_needs_every_host() -> None:
    refused = [unreachable(name, (LSYNCD,), reason=Reason.SSH_AUTH_FAILED) for name in ("a", "b")]
    found = verdicts(farm("a", "b", "c"), [*refused, look("c", {LSYNCD: RUNS})])
    assert "monitor" not in found
    assert said(found["host/a"]) == "UNKNOWN ssh_auth_failed"


def test_same_failure_needs_two_hosts() -> None:
    found = verdicts(farm("a"), [unreachable("a", (LSYNCD,), reason=Reason.SSH_AUTH_FAILED, vip=False)])
    assert "monitor" not in found


def test_header_of_the_monitor() -> None:
    isolated = verdicts(pair(), [DOWN_1, DOWN_2])["monitor"]
    assert isolated.summary == "the monitor cannot see the cluster (isolated, or all are down)"
    seen = [
        unreachable(name, (LSYNCD,), reason=Reason.SSH_AUTH_FAILED, answered=True)
        for name in ("nfs-1", "nfs-2")
    ]
    alike = verdicts(pair(), seen)["monitor"]
    assert alike.summary == "the monitor cannot see the cluster (the same for every host: ssh auth failed)"


def test_details_of_the_monitor_tell_how_many_and_what_the_first_said() -> None:
    inventory: Inventory = pair()
    failure = NoReply(reason=Reason.SSH_AUTH_FAILED, detail="Permission denied (publickey)")
    nothing = Unobserved(reason=failure.reason)
    seen = [look(name, {LSYNCD: nothing}, vip=nothing, failure=failure) for name in ("nfs-1", "nfs-2")]
    detail = verdicts(inventory, seen)["monitor"].detail
    assert detail == "all 2 hosts alike: ssh auth failed; the first: Permission denied (publickey)"
