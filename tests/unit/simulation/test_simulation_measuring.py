"""What simulated hosts say of their resources and of the time, read by the probes that ask real ones."""

import subprocess
import time

import pytest
from talking import answered, machine, made

from quorate.model import Reply
from quorate.model.resources import SystemFacts
from quorate.probes.resources import FOLDER, MOUNT, SUM, ask_system, parse_system
from quorate.simulation.cluster import nominal
from quorate.simulation.machine import Answer, Conversation
from quorate.simulation.state import Trouble
from quorate.simulation.tools.shell import run


def reply(answer: Answer) -> Reply:
    return Reply(stdout=answer.stdout, stderr=answer.stderr, exit_code=answer.exit_code)


def system(changes: str, *, interval: float = 0.5, processes: int = 5) -> SystemFacts:
    answer = answered(made(changes), "celery-1", *ask_system(interval, processes).argv)
    found = parse_system(reply(answer))
    assert isinstance(found, SystemFacts)
    return found


def lines(output: bytes) -> list[str]:
    """Return the first word of each line, those of processes left out."""
    words = [line.split()[0] for line in output.decode().splitlines() if line.strip()]
    return [word for word in words if word not in ("c", "m")]


def test_the_simulation_prints_the_lines_that_a_real_host_prints() -> None:
    argv = ask_system(0.1, 3).argv
    real = subprocess.run(argv, capture_output=True, check=True)
    assert lines(answered("nominal", "celery-1", *argv).stdout) == lines(real.stdout)
    mount = ("sh", "-c", MOUNT, "sh", "/")
    real = subprocess.run(
        mount, capture_output=True, check=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
    )
    told = answered("nominal", "celery-1", *mount).stdout.decode().splitlines()
    shown = real.stdout.decode().splitlines()
    assert [told[0].split(), told[2].split()] == [shown[0].split(), shown[2].split()]


def test_every_machine_of_the_example_cluster_is_well_and_of_a_size_of_its_own() -> None:
    hosts = nominal().hosts.values()
    assert all(host.resources.cpu < 90 and host.resources.memory < 90 for host in hosts)
    assert all(disk.used < 80 for host in hosts for disk in host.resources.disks.values())
    assert len({(host.resources.cores, host.resources.ram) for host in hosts}) > 3


def test_a_scenario_sets_figures() -> None:
    found = system("{celery-1: {resources: {cores: 16, ram: 64GiB, cpu: 97%, load: 31.5, memory: 91%}}}")
    assert (found.cores, found.memory_total_bytes) == (16, 64 * 2**30)
    assert found.cpu_percent == pytest.approx(97, abs=0.2)
    assert found.memory_used_percent == pytest.approx(91, abs=0.2)
    assert found.load == (31.5, 31.5, 31.5)
    assert [process.name for process in found.top_cpu] == ["airflow-worker"]


def test_the_cpu_is_not_waited_for_and_not_told_without_an_interval() -> None:
    began = time.monotonic()
    assert system("{}", interval=5.0).cpu_percent is not None
    assert time.monotonic() - began < 1
    assert system("{}", interval=0.0, processes=0).cpu_percent is None


def test_disks_and_folders_come_and_go() -> None:
    changes = "{ftp: {resources: {disk: {/: 96%, /srv: 12%}, inodes: {/: 88%}, folders: {/logs: 3GiB}}}}"

    def df(path: str) -> Answer:
        return answered(made(changes), "ftp", "sh", "-c", MOUNT, "sh", path)

    assert b"96% /\n" in df("/").stdout
    assert b"88% /\n" in df("/").stdout
    assert b"12% /srv\n" in df("/srv").stdout
    assert b"96% /\n" in df("/logs").stdout
    assert (df("/none").exit_code, b"No such file" in df("/none").stderr) == (72, True)
    gone = made("{ftp: {resources: {disk: {/: gone}}}}")
    assert answered(gone, "ftp", "sh", "-c", MOUNT, "sh", "/").exit_code == 72


@pytest.mark.parametrize(("size", "ends"), [("3GiB", b" 0\n"), ("at least 3GiB", b" 124\n")])
def test_a_folder_is_counted_or_not_to_its_end(size: str, ends: bytes) -> None:
    scenario = made(f"{{ftp: {{resources: {{folders: {{/logs: {size}}}}}}}}}")
    answer = answered(scenario, "ftp", "sh", "-c", FOLDER, "sh", "/logs", "2", "200000", SUM)
    assert answer.stdout.startswith(str(3 * 2**30).encode())
    assert answer.stdout.endswith(ends)


def test_a_hung_disk_hangs_its_own_question_alone() -> None:
    sight = Conversation(machine=machine(made("{ftp: {trouble: {df: hangs}}}"), "ftp"), user="rocky").sight()
    assert run(("sh", "-c", MOUNT, "sh", "/"), sight) is Trouble.HANGS
    assert isinstance(run(ask_system().argv, sight), Answer)


@pytest.mark.parametrize(("clock", "offset"), [("5s", 5.0), ("-90s", -90.0), ("250ms", 0.25)])
def test_a_clock_is_ahead_or_behind(clock: str, offset: float) -> None:
    told = float(answered(made(f"{{ftp: {{clock: {clock}}}}}"), "ftp", "date", "+%s.%N").stdout)
    assert told - time.time() == pytest.approx(offset, abs=0.2)


def test_no_other_script_runs() -> None:
    answer = answered("nominal", "ftp", "sh", "-c", "rm -rf /", "sh")
    assert (answer.exit_code, answer.stdout) == (2, b"")
    assert answered("nominal", "ftp", "date").exit_code == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ("{ftp: {resources: {gpu: 4}}}", "gpu is nothing that can be changed"),
        ("{ftp: {resources: {cpu: 97}}}", "expected string|is no percentage"),
        ("{ftp: {resources: {memory: much}}}", "'much' is no percentage"),
        ("{ftp: {resources: {folders: {/logs: big}}}}", "'big' is no size"),
        ("{ftp: {clock: late}}", "'late' is no duration"),
    ],
)
def test_a_change_that_means_nothing_is_refused(changes: str, words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        made(changes)
