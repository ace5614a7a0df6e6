"""What a sweep needs on real hosts, what it leaves there, and how it does in a row and beside a dead host."""

import asyncio
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from sweeps.declared import HOSTS
from sweeps.lane import Lane
from sweeps.monitor import command
from sweeps.situation import NOMINAL, Expected, Situation, Step, critical, lost
from sweeps.steps import cut, eventually, freeze, power_off, reboot_until, restart_as, sh, shows, unplug
from sweeps.table.vsftpd import FAILED, NO_LIMIT, UNIT, killed
from sweeps.verdicts import differences

from lab.recorded_units import RUNS
from quorate.engine import resolve_secret, sweep
from quorate.model import Evidence, Report, State, Verdict
from quorate.plan import make_plan
from quorate.probes.journal import ask_journal
from quorate.transports import Transport

pytest_plugins = ("sweeps.fixtures",)
pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]  # the first run builds the root file system

VOLATILE = sh(
    "ftp",
    "mkdir -p /run/systemd/journald.conf.d; rm -rf /var/log/journal/*; "
    "printf '[Journal]\\nStorage=volatile\\n' > /run/systemd/journald.conf.d/volatile.conf; "
    "systemctl restart systemd-journald",
)


def verdict(report: Report, name: str) -> Verdict:
    """Return the verdict of that id."""
    return next(v for v in report.verdicts if v.id == name)


def evidence(report: Report, name: str) -> Evidence:
    """Return the one piece of evidence behind a verdict."""
    (found,) = verdict(report, name).evidence
    return found


# The sudo rule.


def test_the_printed_sudo_rule_is_valid_and_allows_nothing_else(healed: Lane, inventory: Path) -> None:
    printed = command(healed, "sudoers", "-i", str(inventory))
    assert (printed.returncode, printed.stderr) == (0, "")
    healed.write_file("ftp", "/etc/sudoers.d/quorate", printed.stdout, mode=0o440)
    machine = healed.lab["ftp"]
    machine.read("visudo", "-cf", "/etc/sudoers.d/quorate")
    allowed = machine.read("sudo", "-l", "-U", "rocky").partition("commands on ftp:")[2]
    granted = {" ".join(each.split()) for each in re.split(r"(?<!\\),|NOPASSWD:", allowed)} - {"(root)"}
    listed = printed.stdout.partition("Cmnd_Alias QUORATE =")[2].partition("\nrocky")[0]
    wanted = {" ".join(each.split()) for each in re.split(r"(?<!\\),", listed.replace("\\\n", ""))}
    assert granted == wanted
    assert all(each.startswith("/usr/bin/journalctl ") for each in granted)


OF_ANOTHER_UNIT = " ".join(ask_journal("ssh.service", 100).argv)


@pytest.mark.parametrize(
    "refused",
    [
        "id",
        "journalctl",
        "journalctl --no-pager --lines=100 --unit=vsftpd.service",
        OF_ANOTHER_UNIT,
        "journalctl --header --no-pager --file=/etc/shadow",
        "journalctl --header --no-pager --vacuum-files=1",
        "systemctl restart vsftpd",
        "cat /var/log/journal",
    ],
)
def test_sudo_refuses_what_the_rule_does_not_name(lane: Lane, refused: str) -> None:
    done = lane.lab["ftp"].run(["runuser", "-u", "rocky", "--", "sudo", "-n", *refused.split()])
    assert done.returncode == 1
    assert b"not allowed" in done.stderr or b"password is required" in done.stderr


def test_with_that_rule_alone_every_unit_has_its_journal_and_its_restarts(healed: Lane) -> None:
    units = [i for i in NOMINAL.expected() if i.count("/") == 2]
    # An nfs-server has no process that could crash.
    crashed = {i: (i.split("/")[1], i.split("/")[2]) for i in units if not i.endswith("nfs-server")}
    for host, unit in crashed.values():
        for step in restart_as(host, unit, RUNS, "Restart=always", "RestartSec=50ms", unit_lines=NO_LIMIT):
            step(healed)
        shows(host, unit, "SubState=running")(healed)
        healed.shell(host, killed(1, unit))
    report = healed.sweep(NOMINAL)
    for name in crashed:
        found, journal = verdict(report, name), evidence(report, name)
        assert (found.state.rank >= State.WARNING.rank, journal.error) == (True, None), name
        assert any("Scheduled restart job" in line for line in journal.lines), name
        if found.role != "passive":  # where it runs at all, it is a split brain
            assert found.observed["restarts_in_window"] == 1, name
    assert [v.notes for v in report.verdicts if v.kind == "host"] == [()] * len(HOSTS)


# Journals that can't be read, or not from their beginning.


def without_sudo(name: str, *real: Step) -> Situation:
    """Return a situation in which a unit of ftp has failed, and the inventory forbids sudo there."""
    return Situation(name=name, real=(*real, *FAILED), hosts={"ftp": {"ssh": {"sudo": False}}})


@pytest.mark.parametrize(
    "situation",
    [
        without_sudo("no-journal-of-its-own", sh("ftp", "rm -f /var/log/journal/*/user-*")),
        without_sudo(
            "a-journal-of-its-own",
            sh("ftp", "systemd-run --quiet --wait --uid=rocky logger hello; journalctl --sync"),
            eventually("ftp", "ls /var/log/journal/*/user-*.journal"),
        ),
        without_sudo(
            "volatile",
            VOLATILE,
        ),
    ],
    ids=lambda situation: situation.name,
)
def test_a_journal_that_may_not_be_read_is_not_an_empty_one(healed: Lane, situation: Situation) -> None:
    report = healed.look_at(situation)
    found, journal = verdict(report, UNIT), evidence(report, UNIT)
    assert (found.state, found.reason) == (State.CRITICAL, "failed")
    assert journal.lines == ()
    assert journal.error is not None
    assert "not visible" in journal.error


def test_a_member_of_systemd_journal_needs_no_sudo(healed: Lane) -> None:
    member = sh("ftp", "usermod -aG systemd-journal rocky")
    report = healed.look_at(without_sudo("member", member))
    journal = evidence(report, UNIT)
    healed.shell("ftp", "gpasswd -d rocky systemd-journal")
    assert journal.error is None
    assert any("status=9/KILL" in line for line in journal.lines)


def test_a_volatile_journal_says_where_it_begins(healed: Lane) -> None:
    kept = evidence(healed.look_at(Situation(name="kept", real=FAILED)), UNIT)
    healed.heal()
    lost = evidence(healed.look_at(Situation(name="volatile", real=(VOLATILE, *FAILED))), UNIT)
    assert kept.note is None
    assert lost.note is not None
    assert "volatile" in lost.note
    assert lost.lines


# What a sweep leaves behind, and how it goes on.

LISTING = (
    "find / -xdev ( -path /proc -o -path /run -o -path /var/log -o -path /sys -o -path /dev ) -prune "
    "-o -printf %p\\t%y\\t%s\\t%m\\t%U\\t%T@\\t%C@\\n"
)


def test_a_sweep_changes_nothing_on_a_host(healed: Lane) -> None:
    for step in (
        *restart_as("ftp", "vsftpd", RUNS, "Restart=always", "RestartSec=50ms", unit_lines=NO_LIMIT),
        shows("ftp", "vsftpd", "SubState=running"),
        sh("ftp", killed(1)),
        sh("nfs-1", "systemctl kill --signal=KILL lsyncd"),
        shows("nfs-1", "lsyncd", "ActiveState=failed"),
    ):
        step(healed)
    healed.sweep(NOMINAL)  # the first login of a user may make folders for the user, as any login does
    before = {host: healed.lab[host].read(*LISTING.split()) for host in HOSTS}
    report = healed.sweep(NOMINAL)
    after = {host: healed.lab[host].read(*LISTING.split()) for host in HOSTS}
    assert evidence(report, UNIT).lines
    assert len(before["ftp"].splitlines()) > 1000
    changed = {h: sorted(set(before[h].splitlines()) ^ set(after[h].splitlines())) for h in HOSTS}
    assert changed == {host: [] for host in HOSTS}


def sweeps_on_kept_connections(
    lane: Lane, situation: Situation, between: Sequence[Sequence[Step]]
) -> list[Report]:
    """Sweep once, and again after each of the steps, all on the same connections."""
    declared = lane.inventory(situation)

    async def sweeps() -> list[Report]:
        async with Transport(declared.hosts, resolve=resolve_secret) as transport:
            reports = [await sweep(declared, transport, make_plan(declared))]
            for steps in between:
                for step in steps:
                    await asyncio.to_thread(step, lane)
                reports.append(await sweep(declared, transport, make_plan(declared)))
        return reports

    with lane.lab.network.entered():
        return asyncio.run(sweeps())


def test_twenty_sweeps_in_a_row_on_kept_connections_are_all_nominal(
    lane: Lane, remark: Callable[[str], None]
) -> None:
    reports = sweeps_on_kept_connections(lane, NOMINAL, [()] * 19)
    assert [differences(NOMINAL, report) for report in reports] == [[]] * 20
    rest = statistics.median(report.duration for report in reports[1:])
    remark(f"20 sweeps on kept connections: the first {reports[0].duration:.3f} s, then {rest:.3f} s each")


SOON_DEAD = {"ftp": {"ssh": {"connect_timeout": "1s"}}}


@pytest.mark.parametrize(
    ("dies", "lives", "meanwhile"),
    [
        pytest.param((sh("ftp", "pkill -KILL -u rocky"),), (), {}, id="sessions-killed"),
        pytest.param((sh("ftp", "pkill -KILL -x sshd; systemctl restart ssh"),), (), {}, id="sshd-restarted"),
        pytest.param((reboot_until("ftp", "running"),), (), {}, id="rebooted"),
        pytest.param(
            (freeze("ftp"),),
            (lambda lane: lane.machine("ftp").thaw(),),
            lost("ftp", critical("ssh_unresponsive")),
            id="frozen",
        ),
        pytest.param(
            (cut("ftp"),),
            (lambda lane: lane.network_of("ftp").heal("ftp"),),
            lost("ftp", critical("host_unreachable")),
            id="cut-off",
        ),
        pytest.param(
            (power_off("ftp"),),
            (reboot_until("ftp", "running"),),
            lost("ftp", critical("host_unreachable")),
            id="off",
        ),
    ],
)
def test_a_kept_connection_that_died_is_made_anew(
    healed: Lane, dies: Sequence[Step], lives: Sequence[Step], meanwhile: Mapping[str, Expected]
) -> None:
    dead = Situation(name="dead", hosts=SOON_DEAD, expect=meanwhile)
    reports = sweeps_on_kept_connections(healed, dead, [dies, lives])
    alive = Situation(name="alive")
    assert [differences(s, r) for s, r in zip((alive, dead, alive), reports, strict=True)] == [[], [], []]


@pytest.mark.parametrize("how", [cut, freeze, unplug])
def test_one_dead_host_costs_a_sweep_little_more_than_its_connect_timeout(
    healed: Lane, remark: Callable[[str], None], how: Callable[[str], Step]
) -> None:
    dead = Situation(name="dead", real=(how("ftp"),), hosts={"ftp": {"ssh": {"connect_timeout": "3s"}}})
    report = healed.look_at(dead)
    assert [v.id for v in report.root_causes] == ["host/ftp"]
    # A margin for machines that are busy with other things; what it really took stands below the table.
    assert report.duration < 3 + 10
    remark(f"one dead host ({how.__name__}, connect_timeout 3 s): the sweep took {report.duration:.2f} s")
