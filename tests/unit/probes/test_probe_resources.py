"""Resources: what a host's answers tell, and that nothing odd in them becomes a figure."""

import random
from types import MappingProxyType

import pytest

from quorate.model import Check, HostReply, NoReply, Reason, Reply
from quorate.model.resources import (
    CpuProcess,
    FolderFacts,
    MemoryProcess,
    Missing,
    MountFacts,
    ResourceFacts,
    SystemFacts,
)
from quorate.probes.resources import PROBE, ask_system, parse_system

SYSTEM = """\
cpu 100 60 2
sees 1
c 812 80 celery
c 99 3 Web Content (x)
m 812 2048 celery
MemTotal:       16000000 kB
MemAvailable:    4000000 kB
load 0.50 1.25 2.00 3/312 4711
page 4096
"""
DF = """\
Filesystem     1024-blocks     Used Available Capacity Mounted on
/dev/vda1             1000      600       200      75% /
Filesystem       Inodes  IUsed    IFree IUse% Mounted on
/dev/vda1           400    100      300   25% /
"""
LATE = NoReply(reason=Reason.COMMAND_TIMEOUT, detail="sh -c …: no answer within 3 s")
NO_LS = "ls: cannot access '/data': No such file or directory\n"


def check(*mounts: str, log_folder: str | None = None) -> Check:
    settings = {"mounts": mounts, "log_folder": log_folder, "interval": 0.5, "processes": 5}
    return Check(name="r", kind="resources", asks_hosts=True, settings=MappingProxyType(settings))


def reply(stdout: str | bytes = "", stderr: str = "", code: int = 0) -> Reply:
    out = stdout.encode() if isinstance(stdout, str) else stdout
    return Reply(stdout=out, stderr=stderr.encode(), exit_code=code)


def system(stdout: str | bytes, stderr: str = "", code: int = 0) -> SystemFacts:
    found = parse_system(reply(stdout, stderr, code))
    assert isinstance(found, SystemFacts)
    return found


def read(asked: Check, *answers: Reply | NoReply) -> ResourceFacts:
    came = HostReply(answers=answers, moments=(None,) * len(answers), duration=0.7)
    found = PROBE.read(asked, "a", came)
    assert isinstance(found, ResourceFacts)
    return found


def mount(answer: Reply | NoReply) -> MountFacts | Missing | NoReply:
    return read(check("/data"), reply(SYSTEM), answer).mounts["/data"]


def folder(answer: Reply | NoReply) -> FolderFacts | Missing | NoReply | None:
    return read(check(log_folder="/data"), reply(SYSTEM), answer).log_folder


# ---------------------------------------------------------------- what is asked


def test_what_is_variable_is_a_word_of_its_own_and_no_part_of_a_script() -> None:
    nasty = '/a\'b "$(reboot)" ; rm -rf ~'
    asks = PROBE.commands(check("/", nasty, log_folder=nasty), "a")
    scripts = [ask.argv[2] for ask in asks]
    assert [ask.argv[:2] for ask in asks] == [("sh", "-c")] * 4
    assert not any("reboot" in script or "'" in script or "\n" in script for script in scripts)
    assert scripts[1] == scripts[2]
    assert [asks[1].argv[4], asks[2].argv[4], asks[3].argv[4]] == ["/", nasty, nasty]
    assert not any(ask.sudo for ask in asks)


def test_the_cheap_question_comes_first_and_each_path_has_a_short_limit_of_its_own() -> None:
    asks = PROBE.commands(check("/", "/data", log_folder="/logs"), "a")
    assert asks[0] == ask_system(0.5, 5)
    assert asks[0].argv[4:6] == ("0.5", "5")
    assert [ask.limit for ask in asks] == [None, 3.0, 3.0, 4.0]


def test_no_question_reads_a_command_line() -> None:
    words = " ".join(word for ask in PROBE.commands(check("/", log_folder="/l"), "a") for word in ask.argv)
    assert "cmdline" not in words
    assert "environ" not in words


# ---------------------------------------------------------------- the system


def test_the_figures_of_a_host() -> None:
    assert system(SYSTEM) == SystemFacts(
        cores=2,
        cpu_percent=40.0,
        load=(0.5, 1.25, 2.0),
        memory_total_bytes=16_384_000_000,
        memory_used_percent=75.0,
        top_cpu=(
            CpuProcess(pid=812, name="celery", percent=160.0),
            CpuProcess(pid=99, name="Web Content (x)", percent=6.0),
        ),
        top_memory=(MemoryProcess(pid=812, name="celery", bytes=2048 * 4096),),
    )


def test_a_host_without_getconf_tells_its_pages_otherwise() -> None:
    found = system(SYSTEM.replace("page 4096", "page KernelPageSize:       64 kB"))
    assert found.top_memory[0].bytes == 2048 * 65536


def test_without_a_page_size_no_process_has_a_size() -> None:
    assert system(SYSTEM.replace("page 4096", "page ")).top_memory == ()


def test_a_login_that_sees_its_own_processes_alone_says_so() -> None:
    assert system(SYSTEM.replace("sees 1", "sees 0")).partial
    assert not system(SYSTEM).partial


def test_with_no_second_look_the_cpu_is_not_measured_and_not_unknown() -> None:
    found = system(SYSTEM.replace("cpu 100 60 2", "cpu - - 2"))
    assert (found.cpu_percent, found.cores, found.top_cpu) == (None, 2, ())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("cpu 100 60 2\n", ""),
        ("cpu 100 60 2", "cpu 0 0 2"),
        ("cpu 100 60 2", "cpu 100 200 2"),
        ("cpu 100 60 2", "cpu 1e2 60 2"),
        ("cpu 100 60 2", "cpu 100 nan 2"),
        ("cpu 100 60 2", "cpu " + "9" * 40 + " 1 2"),
    ],
)
def test_a_cpu_that_is_odd_is_unknown_and_the_rest_is_not(old: str, new: str) -> None:
    found = system(SYSTEM.replace(old, new), "awk: not found")
    assert isinstance(found.cpu_percent, NoReply)
    assert (found.cpu_percent.reason, found.memory_used_percent) == (Reason.UNPARSABLE, 75.0)
    assert "awk: not found" in found.cpu_percent.detail


def test_the_wait_for_disks_may_go_back_a_little() -> None:
    assert system(SYSTEM.replace("cpu 100 60 2", "cpu 100 102 2")).cpu_percent == 0.0
    assert system(SYSTEM.replace("cpu 100 60 2", "cpu 100 -1 2")).cpu_percent == 100.0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("MemAvailable:    4000000 kB\n", ""),
        ("MemAvailable:    4000000 kB", "MemAvailable:   17000000 kB"),
        ("MemTotal:       16000000 kB", "MemTotal:       0 kB"),
        ("MemTotal:       16000000 kB", "MemTotal:       much"),
    ],
)
def test_memory_that_is_odd_is_unknown_and_never_zero(old: str, new: str) -> None:
    found = system(SYSTEM.replace(old, new))
    assert isinstance(found.memory_used_percent, NoReply)
    assert found.cpu_percent == 40.0


@pytest.mark.parametrize("line", ["load 0.50", "load x y z 1/2 3", "load -1.00 1.00 1.00 1/2 3", ""])
def test_a_load_that_is_odd_is_unknown(line: str) -> None:
    found = system(SYSTEM.replace("load 0.50 1.25 2.00 3/312 4711", line))
    assert isinstance(found.load, NoReply)


def test_a_host_without_cores_has_no_share_of_them() -> None:
    found = system(SYSTEM.replace("cpu 100 60 2", "cpu 100 60 0"))
    assert (found.cores, found.top_cpu) == (None, ())


def test_a_name_of_a_process_is_cut() -> None:
    assert system(f"{SYSTEM}c 7 9 {'x' * 500}\n").top_cpu[-1].name == "x" * 64


@pytest.mark.parametrize("code", [126, 127])
def test_a_host_without_a_shell_to_ask_in(code: int) -> None:
    found = parse_system(reply("", "sh: not found", code))
    assert isinstance(found, NoReply)
    assert (found.reason, "sh: not found" in found.detail) == (Reason.TOOL_MISSING, True)


def test_any_bytes_give_facts_or_say_why_not() -> None:
    chance = random.Random(5)  # noqa: S311  no secret: the same odd answers each time
    for _ in range(300):
        lines = (SYSTEM + DF).splitlines()
        chance.shuffle(lines)
        data = bytearray("\n".join(lines[: chance.randrange(len(lines))]).encode())
        for _ in range(chance.randrange(8)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        answer = reply(bytes(data), code=chance.choice([0, 1, 72]))
        found = read(check("/data", log_folder="/logs"), answer, answer, answer)
        assert isinstance(found.system, SystemFacts)


# ---------------------------------------------------------------- mounts


def test_the_space_is_what_a_plain_user_may_fill() -> None:
    # 200 of 1000 blocks are kept back for root: df, too, calls this 75 %.
    assert mount(reply(DF)) == MountFacts(
        mounted_on="/",
        size_bytes=1_024_000,
        used_bytes=614_400,
        used_percent=75.0,
        inodes_used_percent=25.0,
    )


def test_a_device_and_a_place_may_have_blanks() -> None:
    text = DF.replace("/dev/vda1 ", "//nas/my share ").replace("% /\n", "% /mnt/my data\n")
    found = mount(reply(text))
    assert isinstance(found, MountFacts)
    assert (found.mounted_on, found.used_percent) == ("/mnt/my data", 75.0)


@pytest.mark.parametrize("row", ["/dev/vda1 0 0 0 - /", "/dev/vda1 - - - - /"])
def test_a_file_system_without_a_fixed_number_of_inodes(row: str) -> None:
    found = mount(reply(DF.replace("/dev/vda1           400    100      300   25% /", row)))
    assert isinstance(found, MountFacts)
    assert found.inodes_used_percent is None


def test_a_df_that_knows_no_inodes_still_tells_the_space() -> None:
    found = mount(reply("\n".join(DF.splitlines()[:2]) + "\n", "df: invalid option -- 'i'", 1))
    assert isinstance(found, MountFacts)
    assert isinstance(found.inodes_used_percent, NoReply)
    assert "invalid option" in found.inodes_used_percent.detail


@pytest.mark.parametrize(
    "words", [NO_LS, "ls: /data: No such file or directory", "ls: /data: Not a directory"]
)
def test_a_path_that_is_not_there(words: str) -> None:
    found = mount(reply("", words, 72))
    assert isinstance(found, Missing)
    assert found.detail.startswith("/data is not there: ls:")


@pytest.mark.parametrize(
    ("answer", "reason", "said"),
    [
        (LATE, Reason.COMMAND_TIMEOUT, "df of /data: no answer within 3 s"),
        (reply("", "ls: cannot access '/data': Stale file handle", 72), Reason.UNPARSABLE, "Stale"),
        (reply("", "ls: cannot access '/data': Permission denied", 72), Reason.UNPARSABLE, "Permission"),
        (reply("", "sh: 1: df: not found", 127), Reason.TOOL_MISSING, "df cannot be run"),
        (reply("proc 0 0 0 - /proc\n"), Reason.UNPARSABLE, "has no size"),
        (reply("", "df: no file systems processed", 1), Reason.UNPARSABLE, "no file systems"),
        (reply("welcome\n"), Reason.UNPARSABLE, "welcome"),
        (reply(""), Reason.UNPARSABLE, "nothing was printed"),
    ],
)
def test_space_that_is_not_told_is_unknown(answer: Reply | NoReply, reason: Reason, said: str) -> None:
    found = mount(answer)
    assert isinstance(found, NoReply)
    assert (found.reason, said in found.detail) == (reason, True), found


def test_one_path_costs_no_other() -> None:
    found = read(check("/a", "/b", log_folder="/c"), reply(SYSTEM), LATE, reply(DF), reply("512 1 0\n"))
    assert isinstance(found.mounts["/a"], NoReply)
    assert isinstance(found.mounts["/b"], MountFacts)
    assert found.log_folder == FolderFacts(bytes=512)
    assert found.duration == 0.7


# ---------------------------------------------------------------- the log folder


@pytest.mark.parametrize(
    ("text", "size", "complete"),
    [
        ("1048576 12 0\n", 1_048_576, True),
        ("0 0 0\n", 0, True),
        ("1048576 12 124\n", 1_048_576, False),
        ("1048576 200000 enough\n", 1_048_576, False),
        ("1048576 12 1\n", 1_048_576, False),
        ("mount /dev/vdb1 1000 600 400 60% /data\n", 614_400, True),
    ],
)
def test_a_folders_size(text: str, size: int, complete: bool) -> None:
    found = folder(reply(text))
    assert isinstance(found, FolderFacts)
    assert (found.bytes, found.complete, found.why is None) == (size, complete, complete)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (LATE, Reason.COMMAND_TIMEOUT),
        (reply("0 0 124\n"), Reason.COMMAND_TIMEOUT),
        (reply("0 0 1\n"), Reason.UNPARSABLE),
        (reply("0 0 127\n"), Reason.TOOL_MISSING),
        (reply("much\n"), Reason.UNPARSABLE),
        (reply("mount \n"), Reason.UNPARSABLE),
        (reply("", "ls: cannot open directory '/data/.': Permission denied", 72), Reason.UNPARSABLE),
    ],
)
def test_a_folder_of_which_nothing_was_counted_is_not_empty(answer: Reply | NoReply, reason: Reason) -> None:
    found = folder(answer)
    assert isinstance(found, NoReply)
    assert found.reason is reason


def test_a_host_without_the_folder() -> None:
    assert isinstance(folder(reply("", NO_LS, 72)), Missing)
