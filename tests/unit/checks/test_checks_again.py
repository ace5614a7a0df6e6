"""Section "Asked again" of the semantics: who is looked at again, until when, and what is asked further."""

from dataclasses import replace

import pytest
from seen import (
    FAILED,
    KEEPALIVED,
    LSYNCD,
    RESTARTS,
    RESTS,
    RUNS,
    STARTS,
    VIP,
    Fact,
    Look,
    farm,
    hosts,
    look,
    pair,
    unit,
    unreachable,
)

from quorate.checks.again import FollowUp, follow_ups, unsettled
from quorate.model import Group, Inventory, JudgingSettings, Reason, Unobserved

QUEUED = unit("inactive/dead", job=17)
STOPS = unit("deactivating/stop")


def once(*seen: Look) -> dict[str, list[Look]]:
    return {each.contact.host: [each] for each in seen}


ONE_LOOK: dict[str, tuple[Fact, bool]] = {
    "running": (RUNS, False),
    "failed": (FAILED, False),
    "inactive": (RESTS, False),
    "masked": (unit("inactive/dead", "masked"), False),
    "reloading": (unit("reloading/reload"), False),
    "another word": (unit("frozen/frozen"), False),
    "not seen": (Unobserved(reason=Reason.COMMAND_TIMEOUT), False),
    "starting": (STARTS, True),
    "crashed": (RESTARTS, True),
    "stopping": (STOPS, True),
    "a start job is queued": (QUEUED, True),
    "a start job is queued, but masked": (unit("inactive/dead", "masked", job=17), False),
}


@pytest.mark.parametrize(("facts", "again"), ONE_LOOK.values(), ids=ONE_LOOK)
def test_what_is_in_transition_is_looked_at_again(facts: Fact, again: bool) -> None:
    found = unsettled(farm(), once(look("web-1", {LSYNCD: facts})))
    assert found == ({"web-1"} if again else set())


def test_host_that_starts_up_is_looked_at_again_while_something_rests() -> None:
    starting = {"system_state": "starting", "followed_up": True}
    assert unsettled(farm(), once(look("web-1", {LSYNCD: RESTS}, **starting))) == {"web-1"}
    assert unsettled(farm(), once(look("web-1", {LSYNCD: RUNS}, **starting))) == set()


def nodes(first: tuple[bool, Fact], second: tuple[bool, Fact]) -> dict[str, list[Look]]:
    return once(
        look("nfs-1", {LSYNCD: first[1]}, vip=first[0]), look("nfs-2", {LSYNCD: second[1]}, vip=second[0])
    )


PAIRS = {
    "all is well": (nodes((True, RUNS), (False, RESTS)), False),
    "failed on the passive node": (nodes((True, RUNS), (False, FAILED)), False),
    "failed on the active node": (nodes((True, FAILED), (False, RESTS)), False),
    "no holder": (nodes((False, RUNS), (False, RESTS)), True),
    "two holders": (nodes((True, RUNS), (True, RESTS)), True),
    "missing on the holder": (nodes((True, RESTS), (False, RESTS)), True),
    "runs elsewhere": (nodes((True, RUNS), (False, RUNS)), True),
    "runs elsewhere, reloading": (nodes((True, RUNS), (False, unit("reloading/reload"))), True),
}


@pytest.mark.parametrize(("seen", "again"), PAIRS.values(), ids=PAIRS)
def test_what_contradicts_the_roles_is_looked_at_again_on_both_nodes(
    seen: dict[str, list[Look]], again: bool
) -> None:
    assert unsettled(pair(), seen) == ({"nfs-1", "nfs-2"} if again else set())


def test_unit_that_waits_for_its_socket_is_not_missing() -> None:
    waits = unit("inactive/dead", triggered_by=("a.socket",))
    seen = once(
        look("nfs-1", {LSYNCD: waits}, vip=True, triggers={"a.socket": "active"}),
        look("nfs-2", {LSYNCD: RESTS}, vip=False),
    )
    assert unsettled(pair(), seen) == set()


def test_virtual_ip_without_roles_is_looked_at_again_too() -> None:
    inventory = farm("web-1", "web-2", vip=VIP)
    seen = [look(name, {LSYNCD: RUNS}, vip=False) for name in ("web-1", "web-2")]
    assert unsettled(inventory, once(*seen)) == {"web-1", "web-2"}


def test_transition_on_one_node_is_looked_at_on_all_that_share_its_virtual_ip() -> None:
    seen = [look("web-1", {LSYNCD: STARTS}, vip=True), look("web-2", {LSYNCD: RUNS}, vip=False)]
    assert unsettled(farm("web-1", "web-2", vip=VIP), once(*seen)) == {"web-1", "web-2"}


def test_transition_in_a_group_without_virtual_ip_concerns_its_host_alone() -> None:
    seen = [look("web-1", {LSYNCD: STARTS}), look("web-2", {LSYNCD: RUNS})]
    assert unsettled(farm("web-1", "web-2"), once(*seen)) == {"web-1"}


def overlapping() -> Inventory:
    groups = {
        name: Group(name=name, hosts=members, units=(LSYNCD,), vip=VIP)
        for name, members in {"a": ("h1", "h2"), "b": ("h2", "h3"), "c": ("h4",)}.items()
    }
    return Inventory(name="test", hosts=hosts("h1", "h2", "h3", "h4"), groups=groups)


def test_groups_that_share_a_host_are_looked_at_together() -> None:
    seen = [look("h1", {LSYNCD: STARTS}, vip=False), look("h2", {LSYNCD: RUNS}, vip=True)]
    seen += [look("h3", {LSYNCD: RUNS}, vip=False), look("h4", {LSYNCD: RUNS}, vip=True)]
    assert unsettled(overlapping(), once(*seen)) == {"h1", "h2", "h3"}


def test_host_that_cannot_be_asked_is_not_asked_again() -> None:
    seen = once(look("nfs-1", {LSYNCD: RUNS}, vip=False), unreachable("nfs-2", (LSYNCD,)))
    assert unsettled(pair(), seen) == {"nfs-1"}
    assert unsettled(pair(), once(*(unreachable(h, (LSYNCD,)) for h in ("nfs-1", "nfs-2")))) == set()


def test_group_that_was_not_asked_is_not_asked_again() -> None:
    assert unsettled(pair(), once(look("nfs-1"), look("nfs-2"))) == set()
    assert unsettled(pair(), once(look("nfs-1", {LSYNCD: RUNS}, vip=False))) == set()


SEQUENCES = {
    "two looks agree": ((STARTS, STARTS), False),
    "two looks differ": ((RESTARTS, STARTS), True),
    "two looks differ, the later one is fine": ((RESTARTS, RUNS), True),
    "the last two agree that it is fine": ((RESTARTS, RUNS, RUNS), False),
    "it alternates": ((RESTARTS, RUNS, RESTARTS), True),
    "queued, then started": ((QUEUED, RUNS), True),
    "stopping, then inactive": ((STOPS, RESTS, RESTS), False),
    "not seen any more": ((STARTS, Unobserved(reason=Reason.COMMAND_TIMEOUT)), True),
}


@pytest.mark.parametrize(("facts", "again"), SEQUENCES.values(), ids=SEQUENCES)
def test_what_was_open_is_settled_once_two_looks_in_a_row_agree(facts: tuple[Fact, ...], again: bool) -> None:
    seen = {"web-1": [look("web-1", {LSYNCD: fact}) for fact in facts]}
    assert unsettled(farm(), seen) == ({"web-1"} if again else set())


def test_addresses_have_to_agree_as_well() -> None:
    def seen(*held: tuple[bool, bool]) -> dict[str, list[Look]]:
        return {
            "nfs-1": [look("nfs-1", {LSYNCD: RUNS}, vip=first) for first, _ in held],
            "nfs-2": [look("nfs-2", {LSYNCD: RESTS}, vip=second) for _, second in held],
        }

    assert unsettled(pair(), seen((False, False), (True, False))) == {"nfs-1", "nfs-2"}
    assert unsettled(pair(), seen((True, True), (True, True))) == set()
    assert unsettled(pair(), seen((False, False), (True, False), (True, False))) == set()


FOLLOW_UPS = {
    "running": (RUNS, None),
    "failed": (FAILED, None),
    "inactive": (RESTS, FollowUp(system_state=True)),
    "inactive, with triggers": (
        unit("inactive/dead", triggered_by=("b.timer", "a.socket", "x.target")),
        FollowUp(system_state=True, triggers=("a.socket", "b.timer")),
    ),
    "inactive, queued": (QUEUED, None),
    "inactive, masked": (unit("inactive/dead", "masked"), None),
    "inactive, not found": (unit("inactive/dead", "not-found"), None),
    "crashed": (RESTARTS, FollowUp(restarts=(LSYNCD,))),
    "restarted recently": (unit(n_restarts=1, active_age=899.0), FollowUp(restarts=(LSYNCD,))),
    "restarted, since when is not told": (
        unit(n_restarts=1, active_age=None),
        FollowUp(restarts=(LSYNCD,)),
    ),
    "restarted long ago": (unit(n_restarts=9, active_age=901.0), None),
    "starting": (STARTS, None),
    "starting again after a crash": (
        unit("activating/start", n_restarts=1, active_age=9000.0),
        FollowUp(restarts=(LSYNCD,)),
    ),
    "not seen": (Unobserved(reason=Reason.NO_ANSWER), None),
}


@pytest.mark.parametrize(("facts", "expected"), FOLLOW_UPS.values(), ids=FOLLOW_UPS)
def test_what_a_first_answer_leaves_open_is_asked_further(facts: Fact, expected: FollowUp | None) -> None:
    found = follow_ups(farm(), once(look("web-1", {LSYNCD: facts})))
    assert found == ({} if expected is None else {"web-1": expected})


def test_nothing_is_asked_further_twice() -> None:
    assert follow_ups(farm(), once(look("web-1", {LSYNCD: RESTS}, followed_up=True))) == {}


def test_host_that_cannot_be_asked_is_asked_nothing_further() -> None:
    assert follow_ups(farm(), once(unreachable("web-1", (LSYNCD,)))) == {}


def test_what_rightly_rests_is_asked_nothing_further() -> None:
    assert follow_ups(pair(), nodes((True, RUNS), (False, RESTS))) == {}
    assert follow_ups(pair(), nodes((True, RESTS), (False, RESTS))) == {"nfs-1": FollowUp(system_state=True)}
    nobody = follow_ups(pair(), nodes((False, RESTS), (False, RESTS)))
    assert nobody == dict.fromkeys(("nfs-1", "nfs-2"), FollowUp(system_state=True))


def test_what_rests_in_one_group_may_be_wanted_in_another() -> None:
    inventory = pair()
    other = Group(name="other", hosts=("nfs-2",), units=(LSYNCD,))
    inventory = replace(inventory, groups={**inventory.groups, "other": other})
    found = follow_ups(inventory, nodes((True, RUNS), (False, RESTS)))
    assert found == {"nfs-2": FollowUp(system_state=True)}


def test_unit_that_must_run_on_both_nodes_is_asked_further_on_the_passive_one() -> None:
    inventory = pair(units=(LSYNCD, KEEPALIVED), only=(LSYNCD,))
    seen = once(
        look("nfs-1", {LSYNCD: RUNS, KEEPALIVED: RUNS}, vip=True),
        look("nfs-2", {LSYNCD: RESTS, KEEPALIVED: RESTARTS}, vip=False),
    )
    assert follow_ups(inventory, seen) == {"nfs-2": FollowUp(restarts=(KEEPALIVED,))}


def test_window_of_restarts_is_a_setting() -> None:
    inventory = replace(farm(), judging=JudgingSettings(restart_window=60.0))
    assert follow_ups(inventory, once(look("web-1", {LSYNCD: unit(n_restarts=1, active_age=61.0)}))) == {}
