"""The scenario files: all load, and what they expect is said in words of the model and of their cluster."""

import dataclasses
from pathlib import Path

import pytest
from talking import made

from quorate.model import Inventory, Reason, SshSettings, State, unit_id
from quorate.simulation import Scenario, load_scenario, parse_scenario, scenarios
from quorate.simulation.declared import Access, inventory
from quorate.simulation.services.state import Manner
from quorate.simulation.state import JournalAccess, Ssh, Sudo, Trouble

NAMED = [
    "nominal",
    "active-unit-failed",
    "split-brain",
    "no-active-node",
    "duplicate-vip",
    "failover-done",
    "role-misplaced",
    "passive-unreachable",
    "active-unreachable",
    "host-key-changed",
    "auth-refused",
    "broker-partitioned",
    "sudo-denied",
    "hung-host",
    "crash-loop",
    "database-auth-failed",
    "database-down",
    "database-mute",
    "database-query-failed",
    "database-standby",
    "etcd-majority-lost",
    "misspelt-unit",
    "monitor-isolated",
    "mixed",
    "patroni-split-brain",
    "rabbit-auth-failed",
    "rabbit-node-lost",
    "rabbit-quorum-lost",
    "scheduler-lost",
]
RANKS = {state.word: state.rank for state in State}
EVERY = scenarios(rows=True)


def declared(scenario: Scenario) -> Inventory:
    return inventory(scenario.cluster(), Access(ssh=SshSettings(user="rocky"), passwords=Path("passwords")))


def report_order(found: Inventory) -> list[str]:
    return [
        "monitor",
        *(f"host/{host}" for host in found.hosts),
        *(
            f"{group.name}/{what}"
            for group in found.groups.values()
            for what, is_there in (("vip", group.virtual_ip), ("failover", group.active_passive))
            if is_there
        ),
        *(
            f"{g.name}/{host}/{unit_id(unit)}"
            for g in found.groups.values()
            for host in g.hosts
            for unit in g.units
        ),
        *(
            name
            for check in found.checks.values()
            for name in (check.name, *(f"{check.name}/{member}" for member in check.members))
        ),
    ]


def test_the_named_scenarios_are_all_there_and_nominal_comes_first() -> None:
    listed = scenarios()
    assert sorted(s.name for s in listed) == sorted(NAMED)
    assert listed[0].name == "nominal"
    assert not any(s.row for s in listed)
    assert len(EVERY) > 100


@pytest.mark.parametrize("scenario", EVERY, ids=lambda s: s.name)
def test_what_is_expected_is_said_in_the_words_of_the_model(scenario: Scenario) -> None:
    order = report_order(declared(scenario))
    assert scenario.about.endswith(".")
    assert len(scenario.about) <= 110
    assert [name for name in scenario.expect.verdicts if name not in order] == []
    assert list(scenario.expect.verdicts) == sorted(scenario.expect.verdicts, key=order.index)
    for verdict in scenario.expect.verdicts.values():
        assert verdict.state in RANKS
        assert Reason(verdict.reason)
        assert (verdict.state == "ok") == (verdict.reason == "ok")
        assert verdict.state != "ok" or verdict.notes
        assert verdict.caused_by is None or verdict.caused_by in scenario.expect.verdicts


@pytest.mark.parametrize("scenario", EVERY, ids=lambda s: s.name)
def test_what_is_expected_agrees_with_itself(scenario: Scenario) -> None:
    expect, order = scenario.expect, report_order(declared(scenario))
    worst = max((v.state for v in expect.verdicts.values()), key=RANKS.__getitem__, default="ok")
    assert expect.state == worst
    roots = [
        name
        for name, verdict in expect.verdicts.items()
        if RANKS[verdict.state] >= RANKS["warning"] and verdict.caused_by is None
    ]
    assert list(expect.root_causes) == sorted(
        roots, key=lambda n: (-RANKS[expect.verdicts[n].state], order.index(n))
    )
    for verdict in expect.verdicts.values():
        if verdict.caused_by is not None:
            assert expect.verdicts[verdict.caused_by].state in ("unknown", "critical")
    assert set(expect.active_nodes) == {"nfs"}
    expected = [n for n, v in expect.verdicts.items() if v.state == "expected"]
    # Without a proven active node nothing is expected.
    assert not expected or expect.active_nodes["nfs"] is not None


@pytest.mark.parametrize("scenario", EVERY, ids=lambda s: s.name)
def test_nothing_is_older_than_its_host(scenario: Scenario) -> None:
    hosts = scenario.cluster().hosts
    for _, later in [(0, hosts), *scenario.later(hosts)]:
        for host in later.values():
            for unit in host.units.values():
                ages = [*unit.ages.values(), *(line.age for line in unit.journal)]
                assert max(ages, default=0) < host.uptime, (host.name, unit.name)


def test_every_reason_that_a_sweep_can_find_is_shown() -> None:
    shown = {v.reason for s in EVERY for v in s.expect.verdicts.values()}
    elsewhere = {
        Reason.SWEEP_TIMEOUT,
        Reason.INTERRUPTED,
        Reason.INTERNAL_ERROR,
        Reason.UNSUPPORTED_KIND,
    }
    assert {reason.value for reason in set(Reason) - elsewhere} - shown == set()


def test_a_scenario_that_says_something_meaningless_is_refused() -> None:
    for changes, words in [
        ("{nosuch: {ssh: refused}}", "there is no host nosuch"),
        ("{ftp: {colour: red}}", "colour is nothing that can be changed of a host"),
        ("{ftp: {ssh: sleepy}}", "'sleepy' is not a valid Ssh"),
        ("{ftp: {units: {vsftpd: {state: tired}}}}", "'tired' is no state that states.yaml knows"),
        ("{ftp: {units: {vsftpd: {weight: 3}}}}", "weight is nothing that a unit has"),
        ("{ftp: {units: {vsftpd: soon}}}", "'soon' is no duration"),
    ]:
        with pytest.raises(ValueError, match=words):
            made(changes)
    with pytest.raises(ValueError, match="and nothing else"):
        parse_scenario("x", "colour: red\n")
    with pytest.raises(ValueError, match="there is no scenario 'nosuch'; there are active-unit-failed"):
        load_scenario("nosuch")


def test_a_scenario_changes_nothing_but_what_it_names() -> None:
    nominal, failed = load_scenario("nominal").cluster(), load_scenario("active-unit-failed").cluster()
    assert [name for name in nominal.hosts if nominal.hosts[name] != failed.hosts[name]] == ["nfs-1"]
    before, after = nominal.hosts["nfs-1"], failed.hosts["nfs-1"]
    assert dataclasses.replace(after, units=before.units) == before
    assert [name for name in before.units if before.units[name] != after.units[name]] == ["lsyncd.service"]


def test_the_inventory_can_be_another_than_the_cluster() -> None:
    assert "lysncd.service" in declared(load_scenario("misspelt-unit")).groups["nfs"].units
    assert declared(load_scenario("tolerated")).groups["celery"].tolerates == 1
    assert declared(load_scenario("jump-host")).hosts["rabbit-2"].ssh.jump == "rabbit-1"
    assert declared(load_scenario("name-unresolved")).hosts["ftp"].address == "no-such-host.invalid"


def test_the_scenario_in_the_documentation_means_something() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "how-to" / "simulated-cluster.md").read_text()
    text = guide.split("```yaml\n")[1].split("```")[0]
    scenario = parse_scenario("documented", text)
    assert set(scenario.expect.verdicts) <= set(report_order(declared(scenario)))
    words = [*Ssh, *Sudo, *Trouble, *JournalAccess, *Manner]
    assert [word.value for word in words if f"`{word.value}`" not in guide] == []
