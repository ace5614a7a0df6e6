"""Resources: the worst measure decides, the others are notes, and what is not known is never a figure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from types import MappingProxyType

import pytest
from seen import Look, hosts, look, unreachable, verdicts

from quorate.model import Check, CheckObservation, Inventory, NoReply, Reason, State, Verdict
from quorate.model.resources import (
    CpuProcess,
    FolderFacts,
    MemoryProcess,
    Missing,
    MountFacts,
    ResourceFacts,
    SystemFacts,
    percent_words,
    size_words,
)

LIMITS = {
    "cpu": (90.0, 98.0),
    "load": (2.0, 4.0),
    "memory": (90.0, 95.0),
    "disk": (80.0, 90.0),
    "inodes": (80.0, 90.0),
    "log_folder_size": (20 * 2**30, inf),
}
OFF = dict.fromkeys(LIMITS, (inf, inf))
SYSTEM = SystemFacts(
    cores=4,
    cpu_percent=12.0,
    load=(0.4, 0.4, 0.4),
    memory_total_bytes=8 * 2**30,
    memory_used_percent=43.0,
    top_cpu=(CpuProcess(pid=812, name="celery", percent=44.0),),
    top_memory=(MemoryProcess(pid=812, name="celery", bytes=2**30),),
)
DISK = MountFacts(
    mounted_on="/", size_bytes=2**36, used_bytes=2**35, used_percent=71.0, inodes_used_percent=4.0
)
WELL = ResourceFacts(system=SYSTEM, mounts={"/": DISK}, duration=0.6)
LATE = NoReply(reason=Reason.COMMAND_TIMEOUT, detail="df of /: no answer within 3 s")


def system(**changes: object) -> ResourceFacts:
    return replace(WELL, system=replace(SYSTEM, **changes))


def disk(**changes: object) -> ResourceFacts:
    return replace(WELL, mounts={"/": replace(DISK, **changes)})


def folder(found: FolderFacts | Missing | NoReply) -> ResourceFacts:
    return replace(WELL, log_folder=found)


def judged(
    *facts: ResourceFacts | NoReply,
    limits: Mapping[str, tuple[float, float]] = LIMITS,
    looks: Sequence[Look] = (),
) -> dict[str, Verdict]:
    """Return the verdicts of hosts a, b, … by what each answered."""
    names = tuple("abcd"[: len(facts)])
    settings = {"mounts": ("/",), "log_folder": "/logs", "limits": limits, "processes": 5, "interval": 0.5}
    check = Check(
        name="res",
        kind="resources",
        hosts=names,
        members=names,
        asks_hosts=True,
        settings=MappingProxyType(settings),
    )
    inventory = Inventory(name="test", hosts=hosts(*names), checks={"res": check})
    seen = CheckObservation(
        answers=dict(zip(names, facts, strict=True)),
        addresses={name: host.address or "" for name, host in inventory.hosts.items()},
    )
    given = {each.contact.host: each for each in looks}
    every = [given.get(name, look(name)) for name in names]
    found = verdicts(inventory, every, checks={"res": seen})
    return {name: verdict for name, verdict in found.items() if name.split("/")[0] == "res"}


def stands(verdict: Verdict) -> str:
    """Return state and reason."""
    return f"{verdict.state.word} {verdict.reason}"


def one(facts: ResourceFacts, limits: Mapping[str, tuple[float, float]] = LIMITS) -> Verdict:
    return judged(facts, limits=limits)["res/a"]


# ---------------------------------------------------------------- one host


def test_a_host_that_is_well() -> None:
    verdict = one(WELL)
    assert (verdict.state, verdict.reason, verdict.notes, verdict.detail) == (State.OK, Reason.OK, (), None)
    assert verdict.summary == "a: CPU 12 %, memory 43 %, / 71 %"
    assert verdict.duration == 0.6


def test_what_was_observed_is_plain_data() -> None:
    facts = folder(FolderFacts(bytes=2**30, complete=False, why="there are more"))
    assert one(facts).observed == {
        "status": "healthy",
        "cores": 4,
        "cpu_percent": 12.0,
        "load": [0.4, 0.4, 0.4],
        "memory_total_bytes": 8 * 2**30,
        "memory_used_percent": 43.0,
        "top_cpu": [{"pid": 812, "name": "celery", "percent": 44.0}],
        "top_memory": [{"pid": 812, "name": "celery", "bytes": 2**30}],
        "mounts": {
            "/": {"mounted_on": "/", "size_bytes": 2**36, "used_percent": 71.0, "inodes_used_percent": 4.0}
        },
        "log_folder": {"path": "/logs", "bytes": 2**30, "complete": False},
    }


@pytest.mark.parametrize(
    ("facts", "expected", "summary"),
    [
        (system(cpu_percent=89.9), "ok ok", "CPU 90 %, memory 43 %, / 71 %"),
        (system(cpu_percent=90.0), "warning cpu_high", "CPU HIGH (90 %), memory 43 %, / 71 %"),
        (
            system(cpu_percent=98.0, load=(2.8, 0.1, 0.1)),
            "critical cpu_high",
            "CPU HIGH (98 %), memory 43 %, / 71 %",
        ),
        (
            system(load=(0.1, 8.0, 0.1)),
            "warning load_high",
            "CPU 12 %, LOAD HIGH (2.0 for each core), memory 43 %, / 71 %",
        ),
        (
            system(load=(0.1, 16.0, 0.1)),
            "critical load_high",
            "CPU 12 %, LOAD HIGH (4.0 for each core), memory 43 %, / 71 %",
        ),
        (system(memory_used_percent=90.0), "warning memory_high", "CPU 12 %, MEMORY HIGH (90 %), / 71 %"),
        (system(memory_used_percent=95.0), "critical memory_high", "CPU 12 %, MEMORY HIGH (95 %), / 71 %"),
        (disk(used_percent=80.0), "warning disk_full", "CPU 12 %, memory 43 %, / FULL (80 %)"),
        (disk(used_percent=99.7), "critical disk_full", "CPU 12 %, memory 43 %, / FULL (99 %)"),
        (
            disk(inodes_used_percent=85.0),
            "warning inodes_full",
            "CPU 12 %, memory 43 %, / 71 %, / inodes FULL (85 %)",
        ),
        (
            disk(inodes_used_percent=100.0),
            "critical inodes_full",
            "CPU 12 %, memory 43 %, / 71 %, / inodes FULL (100 %)",
        ),
        (disk(inodes_used_percent=None), "ok ok", "CPU 12 %, memory 43 %, / 71 %"),
        (
            folder(FolderFacts(bytes=20 * 2**30)),
            "warning log_folder_large",
            "CPU 12 %, memory 43 %, / 71 %, log folder LARGE (20.0 GiB)",
        ),
        (
            replace(WELL, mounts={"/": DISK, "/x": Missing(detail="/x is not there")}),
            "warning mount_missing",
            "CPU 12 %, memory 43 %, / 71 %, /x MISSING",
        ),
    ],
)
def test_a_measure_against_its_limits(facts: ResourceFacts, expected: str, summary: str) -> None:
    verdict = one(facts)
    assert f"{verdict.state.word} {verdict.reason}" == expected
    assert verdict.summary == f"a: {summary}"


def test_a_busy_moment_alone_alarms_nobody() -> None:
    moment = one(system(cpu_percent=100.0, load=(2.7, 0.1, 0.1)))
    assert (moment.state, moment.reason, moment.notes) == (State.WARNING, Reason.CPU_HIGH, ("burst",))
    assert "does not say that it lasts" in (moment.detail or "")
    unknown = one(system(cpu_percent=100.0, load=LATE), {**LIMITS, "load": (inf, inf)})
    assert unknown.state is State.WARNING


def test_the_worst_measure_decides_and_the_others_are_notes() -> None:
    facts = replace(
        system(cpu_percent=93.0, memory_used_percent=97.0),
        mounts={"/": replace(DISK, used_percent=85.0), "/x": Missing(detail="/x is not there")},
        log_folder=FolderFacts(bytes=2**40),
    )
    verdict = one(facts)
    assert (verdict.state, verdict.reason) == (State.CRITICAL, Reason.MEMORY_HIGH)
    assert verdict.notes == ("cpu_high", "disk_full", "mount_missing", "log_folder_large")
    assert (verdict.detail or "").splitlines() == [
        "CPU: 93 % in use, the limit is 90 %",
        "memory: 97 % in use, the limit is 95 %",
        "/: 85 % in use, the limit is 80 %",
        "/x is not there",
        "log folder: 1.0 TiB, the limit is 20.0 GiB",
        "most CPU, in percent of one core: celery (812) 44 %",
        "most memory: celery (812) 1.0 GiB",
    ]


def test_processes_explain_a_busy_host_and_no_full_disk() -> None:
    assert "most CPU" not in (one(disk(used_percent=95.0)).detail or "")
    partial = one(system(memory_used_percent=99.0, partial=True)).detail
    assert "most memory (this login sees its own alone): celery" in (partial or "")


def test_a_path_tells_on_which_file_system_it_is() -> None:
    facts = replace(WELL, mounts={"/data": replace(DISK, used_percent=95.0)})
    assert one(facts).detail == "/data (on /): 95 % in use, the limit is 90 %"


# ---------------------------------------------------------------- what is not known


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (replace(WELL, system=LATE), "CPU, load and memory NOT VERIFIED (command timeout), / 71 %"),
        (system(cpu_percent=LATE), "CPU NOT VERIFIED (command timeout), memory 43 %, / 71 %"),
        (system(load=LATE), "CPU 12 %, load NOT VERIFIED (command timeout), memory 43 %, / 71 %"),
        (system(memory_used_percent=LATE), "CPU 12 %, memory NOT VERIFIED (command timeout), / 71 %"),
        (replace(WELL, mounts={"/": LATE}), "CPU 12 %, memory 43 %, / NOT VERIFIED (command timeout)"),
        (
            disk(inodes_used_percent=LATE),
            "CPU 12 %, memory 43 %, / 71 %, / inodes NOT VERIFIED (command timeout)",
        ),
        (folder(LATE), "CPU 12 %, memory 43 %, / 71 %, log folder NOT VERIFIED (command timeout)"),
    ],
)
def test_what_could_not_be_measured_is_unknown(facts: ResourceFacts, words: str) -> None:
    verdict = one(facts)
    assert (verdict.state, verdict.reason) == (State.UNKNOWN, Reason.COMMAND_TIMEOUT)
    assert verdict.summary == f"a: {words}"
    assert "no answer within 3 s" in (verdict.detail or "")
    assert verdict.caused_by is None
    assert one(facts, OFF).state is State.OK


def test_a_load_without_a_number_of_cores_is_unknown() -> None:
    assert one(system(cores=None)).reason is Reason.UNPARSABLE


def test_what_is_critical_stays_so_beside_what_is_unknown_and_a_warning_does_not() -> None:
    critical = one(replace(disk(used_percent=95.0), system=LATE))
    assert (critical.state, critical.reason) == (State.CRITICAL, Reason.DISK_FULL)
    assert critical.notes == ("command_timeout",)
    warning = one(replace(disk(used_percent=85.0), system=LATE))
    assert (warning.state, warning.reason, warning.notes) == (
        State.UNKNOWN,
        Reason.COMMAND_TIMEOUT,
        ("disk_full",),
    )


def test_a_part_of_a_folder_can_break_its_limit_but_not_prove_that_it_is_kept() -> None:
    over = one(folder(FolderFacts(bytes=2**35, complete=False, why="there are more")))
    assert (over.reason, over.notes) == (Reason.LOG_FOLDER_LARGE, ("partly_counted",))
    assert "at least 32.0 GiB (there are more), the limit is 20.0 GiB" in (over.detail or "")
    under = one(folder(FolderFacts(bytes=2**30, complete=False)))
    assert (under.state, under.notes) == (State.OK, ("partly_counted",))
    assert "log folder at least 1.0 GiB" in under.summary


def test_a_host_without_the_log_folder_is_well() -> None:
    verdict = one(folder(Missing(detail="/logs is not there")))
    assert (verdict.state, verdict.notes) == (State.OK, ("no_log_folder",))


def test_no_limits_at_all_make_everything_well() -> None:
    full = replace(system(cpu_percent=100.0, memory_used_percent=100.0, load=(90.0, 90.0, 90.0)))
    assert one(replace(full, mounts={"/": replace(DISK, used_percent=100.0)}), OFF).state is State.OK


# ---------------------------------------------------------------- all hosts together


def test_hosts_that_are_all_well() -> None:
    found = judged(WELL, WELL)["res"]
    assert (found.state, found.summary) == (State.OK, "resources are within their limits on 2 hosts")
    assert found.observed == {"status": "healthy", "total": 2, "healthy": 2, "over": [], "unverified": []}


def test_the_worst_host_stands_for_all_and_is_the_cause_unless_it_is_a_warning() -> None:
    found = judged(disk(used_percent=85.0), disk(used_percent=95.0), WELL)
    assert stands(found["res"]) == "critical disk_full"
    assert (found["res"].caused_by, found["res/b"].caused_by) == ("res/b", None)
    assert found["res"].summary == "resources are OVER their limits on 2 of 3 hosts: a, b"
    warned = judged(disk(used_percent=85.0), WELL)["res"]
    assert (stands(warned), warned.caused_by) == ("warning disk_full", None)


def test_a_host_that_can_not_be_asked_carries_its_reason_and_its_host_is_the_cause() -> None:
    gone = unreachable("b", vip=False)
    failure = gone.contact.failure
    assert failure is not None
    found = judged(WELL, failure, looks=[gone])
    assert stands(found["res/b"]) == "unknown host_unreachable"
    assert (found["res/b"].caused_by, found["res"].caused_by) == ("host/b", "res/b")
    assert found["res"].summary == "resources are NOT VERIFIED on 1 of 2 hosts: b"


def test_a_host_that_nothing_else_explains_stands_for_all_before_one_that_is_down() -> None:
    gone = unreachable("a", vip=False)
    failure = gone.contact.failure
    assert failure is not None
    found = judged(failure, replace(WELL, mounts={"/": LATE}), looks=[gone])
    assert (stands(found["res"]), found["res"].caused_by) == ("unknown command_timeout", "res/b")


def test_an_isolated_monitor_is_the_cause_itself() -> None:
    gone = [unreachable(name, vip=False) for name in "ab"]
    failures = [each.contact.failure for each in gone]
    assert failures[0] is not None
    assert failures[1] is not None
    found = judged(failures[0], failures[1], looks=gone)
    assert {found[name].caused_by for name in ("res/a", "res/b")} == {"monitor"}


def test_a_fault_of_our_own_has_no_cause() -> None:
    broken = NoReply(reason=Reason.INTERNAL_ERROR, detail="a fault in quorate")
    found = judged(WELL, broken)
    assert (stands(found["res/b"]), found["res/b"].caused_by) == ("unknown internal_error", None)


# ---------------------------------------------------------------- words


def test_figures_as_people_write_them() -> None:
    assert [percent_words(p) for p in (0, 0.4, 43.5, 98.6, 99.0, 99.99, 100)] == [
        "0 %",
        "0 %",
        "44 %",
        "99 %",
        "99 %",
        "99 %",
        "100 %",
    ]
    assert [size_words(b) for b in (0, 1023, 1024, 4 * 2**30, 2**52)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "4.0 GiB",
        "4096.0 TiB",
    ]
