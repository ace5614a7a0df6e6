"""The questions for resources and clocks, asked of a real machine: this one, over a shell and over SSH."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
from conftest import Asking, Ground

from quorate.model import Check, Host, HostReply, NoReply, Reason, SshSettings
from quorate.model.resources import (
    ClockFacts,
    FolderFacts,
    Missing,
    MountFacts,
    ResourceFacts,
    SystemFacts,
)
from quorate.probes import clock, resources

HERE = Host(name="here", local=True)
BUSY = "quorate (a) b"  # a name that a program may give itself, made to confuse whoever reads /proc


def check(*mounts: str, log_folder: str | None = None, interval: float = 0.3) -> Check:
    settings = {"mounts": mounts, "log_folder": log_folder, "interval": interval, "processes": 3}
    return Check(name="r", kind="resources", asks_hosts=True, settings=MappingProxyType(settings))


async def measured(ask: Asking, asked: Check, host: Host = HERE) -> ResourceFacts:
    _, answers = await ask(host, *resources.PROBE.commands(asked, host.name))
    found = resources.PROBE.read(asked, host.name, HostReply(answers=answers, moments=(None,) * len(answers)))
    assert isinstance(found, ResourceFacts)
    return found


@pytest.fixture
def busy() -> Iterator[int]:
    """A process of a strange name that keeps one core busy; its pid."""
    code = f"import sys; open('/proc/self/comm', 'w').write({BUSY!r}); print(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.kill()


def meminfo() -> Mapping[str, int]:
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines}


async def test_cores_memory_load_and_cpu_are_the_kernels(ask: Asking, busy: int) -> None:
    found = (await measured(ask, check())).system
    assert isinstance(found, SystemFacts)
    memory = meminfo()
    used = 100 * (1 - memory["MemAvailable"] / memory["MemTotal"])
    assert found.cores == os.cpu_count()
    assert found.memory_total_bytes == memory["MemTotal"]
    assert found.memory_used_percent == pytest.approx(used, abs=10)
    assert found.load == pytest.approx(os.getloadavg(), abs=0.5)
    assert isinstance(found.cpu_percent, float)
    assert 50 / found.cores < found.cpu_percent <= 100
    assert not found.partial


async def test_a_busy_process_is_told_by_its_short_name(ask: Asking, busy: int) -> None:
    found = (await measured(ask, check())).system
    assert isinstance(found, SystemFacts)
    top = next(process for process in found.top_cpu if process.pid == busy)
    assert top.name == BUSY
    assert 10 < top.percent < 130  # of one core, which others may share
    assert len(found.top_memory) == 3
    assert found.top_memory[0].bytes >= found.top_memory[1].bytes >= found.top_memory[2].bytes > 0


async def test_without_an_interval_nothing_is_waited_for_and_no_cpu_is_told(ask: Asking) -> None:
    _, (answer,) = await ask(HERE, resources.ask_system())
    found = resources.parse_system(answer)
    assert isinstance(found, SystemFacts)
    assert (found.cpu_percent, found.top_cpu, found.top_memory) == (None, (), ())
    assert found.cores == os.cpu_count()


async def test_the_space_is_what_the_kernel_says(ask: Asking, tmp_path: Path) -> None:
    awkward = tmp_path / 'it\'s "a" $(path)'
    awkward.mkdir()
    found = (await measured(ask, check("/", str(awkward), str(tmp_path / "none")))).mounts
    root = os.statvfs("/")
    assert isinstance(found["/"], MountFacts)
    assert found["/"].size_bytes == pytest.approx(root.f_blocks * root.f_frsize, rel=0.01)
    used = root.f_blocks - root.f_bfree
    assert found["/"].used_percent == pytest.approx(100 * used / (used + root.f_bavail), abs=1)
    assert isinstance(found[str(awkward)], MountFacts)
    assert isinstance(found[str(tmp_path / "none")], Missing)


async def test_a_folders_files_are_summed_and_no_other_file_system(ask: Asking, tmp_path: Path) -> None:
    logs = tmp_path / "a b" / "logs"
    (logs / "dag=x").mkdir(parents=True)
    for number in range(3):
        (logs / "dag=x" / f"attempt={number}.log").write_bytes(b"x" * 2**20)
    (logs / "latest").symlink_to("/")
    found = (await measured(ask, check(log_folder=str(logs)))).log_folder
    assert isinstance(found, FolderFacts)
    assert found.complete
    assert found.bytes == pytest.approx(3 * 2**20, rel=0.05)


async def test_a_folder_that_is_a_mount_is_not_walked(ask: Asking) -> None:
    found = (await measured(ask, check(log_folder="/"))).log_folder
    root = os.statvfs("/")
    assert isinstance(found, FolderFacts)
    assert found.complete
    assert found.bytes == pytest.approx((root.f_blocks - root.f_bfree) * root.f_frsize, rel=0.02)


async def test_more_files_than_are_counted_are_told_as_at_least_so_many(ask: Asking, tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / str(number)).write_bytes(b"x" * 4096)
    argv = ("sh", "-c", resources.FOLDER, "sh", str(tmp_path), "2", "5", resources.SUM)
    _, (answer,) = await ask(HERE, argv)
    assert not isinstance(answer, NoReply)
    assert answer.stdout.split()[1:] == [b"5", b"enough"]


async def test_a_folder_that_is_missing_or_none(ask: Asking, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("none", "file"):
        found = (await measured(ask, check(log_folder=str(tmp_path / name)))).log_folder
        assert isinstance(found, Missing), name


async def test_over_ssh_the_same_is_told(ask: Asking, shared: Ground) -> None:
    host = shared.host(shared.servers[0].port)
    found = await measured(ask, check("/", "/no such'path", log_folder="/etc/ssh"), host)
    assert isinstance(found.system, SystemFacts)
    assert found.system.cores == os.cpu_count()
    assert isinstance(found.mounts["/"], MountFacts)
    assert isinstance(found.mounts["/no such'path"], Missing)
    assert isinstance(found.log_folder, FolderFacts)


async def test_this_machines_clock_is_right_by_itself(ask: Asking) -> None:
    asked = Check(name="c", kind="clock", asks_hosts=True)
    before = datetime.now(UTC)
    _, answers = await ask(HERE, *clock.PROBE.commands(asked, "here"))
    moments = (before, datetime.now(UTC))
    found = clock.PROBE.read(asked, "here", HostReply(answers=answers, moments=(moments,)))
    assert isinstance(found, ClockFacts)
    assert abs(found.offset) <= found.uncertainty
    late = tuple(moment - timedelta(hours=1) for moment in moments)
    off = clock.PROBE.read(asked, "here", HostReply(answers=answers, moments=((late[0], late[1]),)))
    assert isinstance(off, ClockFacts)
    assert off.offset == pytest.approx(3600, abs=found.uncertainty + 0.01)


async def test_a_path_that_hangs_costs_its_own_figure_alone(ask: Asking, tmp_path: Path) -> None:
    # A df that never comes back stands for one that waits for a dead file server.
    programs = tmp_path / "bin"
    programs.mkdir()
    df = programs / "df"
    df.write_text('#!/bin/sh\ncase "$*" in */hung*) exec sleep 60;; esac\nexec /usr/bin/df "$@"\n')
    df.chmod(0o755)
    (tmp_path / "hung").mkdir()
    asked = check(str(tmp_path / "hung"), "/", interval=0.1)
    commands = [
        type(each)(argv=("env", f"PATH={programs}:{os.environ['PATH']}", *each.argv), limit=each.limit)
        for each in resources.PROBE.commands(asked, "here")
    ]
    host = Host(name="here", local=True, ssh=SshSettings(command_timeout=5.0))
    _, answers = await ask(host, *commands)
    found = resources.PROBE.read(asked, "here", HostReply(answers=answers, moments=(None,) * len(answers)))
    hung = found.mounts[str(tmp_path / "hung")]
    assert isinstance(hung, NoReply)
    assert (hung.reason, hung.detail) == (
        Reason.COMMAND_TIMEOUT,
        f"df of {tmp_path / 'hung'}: no answer within 3 s",
    )
    assert isinstance(found.mounts["/"], MountFacts)
    assert isinstance(found.system, SystemFacts)
