"""What holds of every judgement, whatever was seen."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from seen import NOW

from quorate.checks.again import follow_ups, unsettled
from quorate.checks.judge import judge
from quorate.model import (
    ActivePassive,
    Addresses,
    Contact,
    Group,
    Host,
    HostObservation,
    Inventory,
    NoReply,
    Reason,
    SshSettings,
    State,
    Sync,
    SyncMarker,
    UnitFacts,
    Unobserved,
    Verdict,
)
from quorate.plan import verdict_ids

Looks = dict[str, list[HostObservation]]

NAMES = ("h1", "h2", "h3")
UNITS = ("a.service", "b.socket", "keepalived.service")
VIPS = ("192.0.2.22", "192.0.2.220")
REASONS = sorted(set(Reason) - {Reason.OK})

# Few fields are drawn at large: a judgement looks at dozens of facts, and each draw takes its time.
ACTIVE_STATES = ("active", "inactive", "failed", "activating", "deactivating", "reloading", "maintenance")
STATES = st.sampled_from(ACTIVE_STATES) | st.text(max_size=4)
AGES = st.sampled_from((None, 0.0, 59.9, 1e6))
FACTS = st.builds(
    UnitFacts,
    names=st.just(("a.service",)),
    load_state=st.sampled_from(("loaded", "loaded", "masked", "not-found", "odd")),
    unit_file_state=st.sampled_from((None, "enabled", "disabled")),
    active_state=STATES,
    sub_state=st.sampled_from(("running", "auto-restart", "exited", "")),
    type=st.sampled_from((None, "oneshot")),
    n_restarts=st.sampled_from((None, 0, 1, 9)),
    job=st.sampled_from((None, 0, 7)),
    triggered_by=st.sampled_from(((), ("b.socket",))),
    exec_main_code=st.sampled_from((None, 1, 2)),
    exec_main_status=st.sampled_from((None, 1, 15, 143)),
    start_limit=st.sampled_from((None, 1.0, float("inf"))),
    state_age=AGES,
    active_age=AGES,
)
UNOBSERVED = st.builds(Unobserved, reason=st.sampled_from(REASONS), detail=st.just("why"))
HELD = st.builds(Addresses, held=st.frozensets(st.sampled_from(VIPS)))
FAILURES = st.builds(NoReply, reason=st.sampled_from(REASONS), detail=st.just("why"))


@st.composite
def groups(draw: st.DrawFn, number: int) -> Group:
    units = tuple(draw(st.lists(st.sampled_from(UNITS), unique=True)))
    vip = draw(st.sampled_from((None, *VIPS)))
    roles = None
    if vip is not None and draw(st.booleans()):
        only = draw(st.lists(st.sampled_from(units), unique=True)) if units else []
        sync = draw(st.sampled_from((None, Sync(path="/m", max_age=60.0))))
        roles = ActivePassive(vip=vip, units=tuple(only), sync=sync)
    return Group(
        name=f"g{number}",
        hosts=tuple(draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))),
        units=units,
        active_passive=roles,
        vip=None if roles else vip,
        tolerates=draw(st.integers(min_value=0, max_value=2)),
    )


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    hosts = {}
    for number, name in enumerate(NAMES):
        jump = draw(st.sampled_from((None, *NAMES[:number])))
        hosts[name] = Host(name=name, address=f"192.0.2.{number}", ssh=SshSettings(jump=jump))
    declared = [draw(groups(number)) for number in range(draw(st.integers(min_value=1, max_value=2)))]
    return Inventory(name="any", hosts=hosts, groups={group.name: group for group in declared})


def looks_at(name: str, *, coherent: bool) -> st.SearchStrategy[HostObservation]:
    """Return looks at a host; coherent ones see nothing of a host that could not be logged in to."""
    contacts = st.builds(
        Contact,
        host=st.just(name),
        failure=st.none() | FAILURES,
        answered=st.booleans(),
        remote=st.booleans(),
    )
    looks = st.builds(
        HostObservation,
        contact=contacts,
        units=st.fixed_dictionaries({}, optional=dict.fromkeys(UNITS, FACTS | UNOBSERVED)),
        addresses=st.none() | HELD | UNOBSERVED,
        vrrp=st.none() | UNOBSERVED | st.sampled_from(({}, {"A": "BACKUP"}, {"A": "MASTER", "B": "FAULT"})),
        sync=st.sampled_from(({}, {"/m": SyncMarker(age=None)}, {"/m": SyncMarker(age=61.0)})),
        followed_up=st.booleans(),
        system_state=st.sampled_from((None, "running", "starting")),
        restarts=st.sampled_from(({}, {"a.service": 1}, {"a.service": 9})),
        triggers=st.sampled_from(({}, {"b.socket": "active"})),
        sudo_refused=st.none() | st.just("no"),
    )
    return looks.map(_without_contact) if coherent else looks


def _without_contact(seen: HostObservation) -> HostObservation:
    if seen.contact.failure is None:
        return seen
    nothing = Unobserved(reason=seen.contact.failure.reason)
    return replace(seen, units=dict.fromkeys(UNITS, nothing), addresses=nothing)


def sweeps(*, coherent: bool = True) -> st.SearchStrategy[Looks]:
    return st.fixed_dictionaries(
        {name: st.lists(looks_at(name, coherent=coherent), min_size=1, max_size=2) for name in NAMES}
    )


def judged(inventory: Inventory, looks: Looks, *, whole: bool = True) -> dict[str, Verdict]:
    found = judge(inventory, looks, now=NOW, whole=whole).verdicts
    by_id = {verdict.id: verdict for verdict in found}
    assert len(by_id) == len(found), "ids are unique"
    return by_id


@settings(max_examples=60, deadline=None)
@given(inventories(), sweeps(coherent=False), st.booleans())
def test_nothing_that_is_seen_raises(inventory: Inventory, looks: Looks, whole: bool) -> None:
    judged(inventory, looks, whole=whole)
    follow_ups(inventory, looks)
    unsettled(inventory, looks)


@settings(max_examples=60, deadline=None)
@given(inventories(), sweeps())
def test_ids_are_those_that_were_announced(inventory: Inventory, looks: Looks) -> None:
    found = [i for i in judged(inventory, looks) if i != "monitor"]
    assert tuple(found) == verdict_ids(inventory)


@settings(max_examples=60, deadline=None)
@given(inventories(), sweeps())
def test_unit_of_a_host_that_could_not_be_asked_is_neither_down_nor_fine(
    inventory: Inventory, looks: Looks
) -> None:
    for verdict in judged(inventory, looks).values():
        if verdict.kind == "unit" and looks[verdict.host or ""][-1].contact.failure is not None:
            assert verdict.state is State.UNKNOWN
            assert verdict.caused_by in ("monitor", f"host/{verdict.host}")


@settings(max_examples=60, deadline=None)
@given(inventories(), sweeps())
def test_unit_whose_state_was_not_seen_is_unknown(inventory: Inventory, looks: Looks) -> None:
    for verdict in judged(inventory, looks).values():
        if verdict.kind == "unit" and not verdict.observed:
            assert verdict.state is State.UNKNOWN


@settings(max_examples=60, deadline=None)
@given(inventories(), sweeps())
def test_nothing_is_expected_unless_one_other_node_is_the_proven_holder(
    inventory: Inventory, looks: Looks
) -> None:
    for verdict in judged(inventory, looks).values():
        if verdict.state is State.EXPECTED:
            group = inventory.groups[verdict.group or ""]
            seen = {host: looks[host][-1].addresses for host in group.hosts}
            holders = [h for h, a in seen.items() if isinstance(a, Addresses) and group.virtual_ip in a.held]
            assert len(holders) == 1
            assert verdict.host not in holders
            assert verdict.observed["active_state"] in ("inactive", "maintenance", "failed")
            assert verdict.observed["load_state"] == "loaded"


@settings(max_examples=60, deadline=None)
@given(inventories(), sweeps())
def test_a_failover_is_no_alarm_but_a_warning_and_is_judged_only_where_the_active_node_is_proven(
    inventory: Inventory, looks: Looks
) -> None:
    found = judge(inventory, looks, now=NOW, whole=True)
    for verdict in found.verdicts:
        if verdict.kind == "failover":
            if found.active_nodes[verdict.group or ""] is not None:
                assert verdict.state in (State.OK, State.WARNING)
            else:
                assert (verdict.state, verdict.caused_by) == (State.UNKNOWN, f"{verdict.group}/vip")


@settings(max_examples=60, deadline=None)
@given(inventories(), sweeps(), st.booleans())
def test_causes_are_verdicts_of_the_report_that_went_wrong(
    inventory: Inventory, looks: Looks, whole: bool
) -> None:
    found = judged(inventory, looks, whole=whole)
    for verdict in found.values():
        if verdict.caused_by is None:
            continue
        assert verdict.state.rank >= State.WARNING.rank
        assert found[verdict.caused_by].state in (State.UNKNOWN, State.CRITICAL)
        passed, cause = {verdict.id}, verdict.caused_by
        while cause is not None:
            assert cause not in passed, "no cycle"
            passed.add(cause)
            cause = found[cause].caused_by


@settings(max_examples=60, deadline=None)
@given(inventories(), sweeps())
def test_asking_again_asks_who_answers_and_ends_when_two_looks_agree(
    inventory: Inventory, looks: Looks
) -> None:
    again = unsettled(inventory, looks)
    assert all(looks[host][-1].contact.failure is None for host in again)
    agreed = {host: [*seen, seen[-1]] for host, seen in looks.items()}
    assert unsettled(inventory, agreed) == set()
