"""The simulated cluster over real SSH: how hosts let one in or not, and how they answer over the wire."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncssh
import pytest
from talking import STATES, Talk, connect, made

from quorate.simulation import Simulation

UPTIME = ("cat", "/proc/uptime")
IP = ("ip", "-j", "addr", "show")


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    async with Simulation() as running:
        yield running


def states(stdout: bytes) -> list[str]:
    return [line.split("=")[1] for line in stdout.decode().splitlines() if line.startswith("ActiveState=")]


async def until(reached: Callable[[], bool], limit: float) -> None:
    async with asyncio.timeout(limit):
        while not reached():  # noqa: ASYNC110  the framer has no event to wait for
            await asyncio.sleep(0.02)


def open_files() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


async def test_a_batch_is_answered_in_frames_on_both_streams(simulation: Simulation) -> None:
    async with Talk(simulation, "nfs-1") as talk:
        show, addresses, missing, header = await talk.ask(
            [*STATES, "nfs-server", "lsyncd"], IP, ["nosuch"], ["journalctl", "--header", "--no-pager"]
        )
        assert states(show.stdout) == ["active", "active"]
        assert b'"local":"192.0.2.220"' in addresses.stdout
        assert (missing.exit_code, missing.stderr) == (127, b"/bin/sh: 1: nosuch: not found\n")
        assert header.stderr == b"No journal files were opened due to insufficient permissions.\n"
        again = (await talk.ask(["sudo", "-n", "journalctl", "--header"]))[0]
        assert again.stdout.startswith(b"File path: /var/log/journal/")
        assert show.uptime == pytest.approx(63 * 86400, abs=10)


async def test_the_hosts_clock_runs_and_stamps_stand_still(simulation: Simulation) -> None:
    argv = ("systemctl", "show", "--property=StateChangeTimestampMonotonic", "vsftpd")
    async with Talk(simulation, "ftp") as talk:
        first = (await talk.ask(argv))[0]
        await asyncio.sleep(0.05)
        second = (await talk.ask(argv))[0]
    assert first.stdout == second.stdout
    assert first.uptime is not None
    assert second.uptime is not None
    assert 0.04 < second.uptime - first.uptime < 5


async def test_what_follows_is_seen_at_the_next_look_and_anew_at_each_login(simulation: Simulation) -> None:
    await simulation.switch("auto-restart-again")
    argv = (*STATES, "airflow-worker")
    for _ in range(2):
        async with Talk(simulation, "celery-1") as talk:
            seen = [states((await talk.ask(argv, IP))[0].stdout)[0] for _ in range(4)]
        assert seen == ["activating", "active", "activating", "activating"]


async def test_further_questions_are_no_look(simulation: Simulation) -> None:
    await simulation.switch("starting-then-active")
    journal = ("sudo", "-n", "journalctl", "-n", "1")
    async with Talk(simulation, "celery-1") as talk:
        assert states((await talk.ask((*STATES, "airflow-worker")))[0].stdout) == ["activating"]
        await talk.ask(journal, ("systemctl", "is-system-running"), (*STATES, "airflow-worker.timer"))
        assert states((await talk.ask((*STATES, "airflow-worker")))[0].stdout) == ["active"]


async def test_a_unit_that_changed_is_as_old_as_its_step(simulation: Simulation) -> None:
    await simulation.switch("starting-then-active")
    argv = ("systemctl", "show", "--property=ActiveEnterTimestampMonotonic", "airflow-worker")
    async with Talk(simulation, "celery-1") as talk:
        await talk.ask(argv)
        await asyncio.sleep(0.3)
        frame = (await talk.ask(argv))[0]
    assert frame.uptime is not None
    age = frame.uptime - int(frame.stdout.split(b"=")[1]) / 1e6
    assert 0.05 < age < 0.25


async def test_noise_and_banner_come_before_the_answer(simulation: Simulation) -> None:
    await simulation.switch("banner-and-noise")
    async with Talk(simulation, "ftp") as talk:
        assert states((await talk.ask((*STATES, "vsftpd")))[0].stdout) == ["active"]
    banners: list[str] = []

    class Client(asyncssh.SSHClient):
        def auth_banner_received(self, msg: str, _lang: str) -> None:
            banners.append(msg)

    address, port = simulation.dial["ftp"]
    key, known = str(simulation.folder / "id_ed25519"), str(simulation.folder / "known_hosts")
    async with asyncssh.connect(
        address,
        port,
        username="rocky",
        client_keys=[key],
        known_hosts=known,
        config=None,
        client_factory=Client,
    ) as connection:
        plain = await connection.run("systemctl is-active vsftpd")
        assert plain.stdout == "active\n"
    await connection.wait_closed()
    assert banners == ["Authorised use only.\n"]


async def test_a_hung_command_ends_when_its_process_group_is_killed(simulation: Simulation) -> None:
    await simulation.switch("command-timeout")
    async with Talk(simulation, "ftp") as talk:
        await talk.send(UPTIME, (*STATES, "vsftpd"), IP)
        first = await asyncio.wait_for(talk.arrived.get(), 5)
        assert first.number == 1
        await asyncio.sleep(0.05)
        assert talk.arrived.empty()
        pid = talk.framer.pid
        missed = await talk.connection.run("kill -KILL -- -99999")
        assert (missed.exit_status, missed.stderr) == (1, "bash: line 1: kill: (-99999) - No such process\n")
        assert (await talk.connection.run(f"kill -KILL -- -{pid}")).exit_status == 0
        ended = await asyncio.wait_for(talk.process.wait(), 5)
        assert ended.exit_signal is not None
        assert ended.exit_signal[0] == "KILL"
        assert (await talk.connection.run(f"kill -KILL -- -{pid}")).exit_status == 1


async def test_a_connection_that_breaks_leaves_half_an_answer(simulation: Simulation) -> None:
    await simulation.switch("connection-lost")
    async with Talk(simulation, "ftp") as talk:
        await talk.send(UPTIME, (*STATES, "vsftpd"))
        await asyncio.wait_for(talk.connection.wait_closed(), 5)
        assert talk.arrived.get_nowait().number == 1
        assert talk.arrived.empty()


async def test_a_flood_is_poured_as_fast_as_it_is_taken(simulation: Simulation) -> None:
    await simulation.switch(made("{ftp: {trouble: {systemctl: floods}}}"))
    async with Talk(simulation, "ftp") as talk:
        await talk.send((*STATES, "vsftpd"))
        await until(lambda: talk.framer.overflow, 60)


async def test_a_dribbling_host_says_a_byte_and_never_ends(simulation: Simulation) -> None:
    await simulation.switch("dribbles")
    async with Talk(simulation, "ftp") as talk:
        await talk.send((*STATES, "vsftpd"))
        await until(lambda: talk.framer.noise().endswith(b"."), 5)
        assert talk.arrived.empty()


async def test_input_that_ends_ends_the_shell(simulation: Simulation) -> None:
    async with Talk(simulation, "ftp") as talk:
        await talk.ask(UPTIME)
        talk.process.stdin.write_eof()
        assert (await asyncio.wait_for(talk.process.wait(), 5)).exit_status == 0


async def test_no_other_shell_command_is_run(simulation: Simulation) -> None:
    connection = await connect(simulation, "ftp")
    async with connection:
        for command, code, words in [
            ("rm -rf /", 127, "/bin/sh: 1: rm: not found\n"),
            ("hostname", 0, ""),
            ("exec /bin/sh -c 'k=abc; echo'", 127, "/bin/sh: 1: exec: not found\n"),
        ]:
            done = await connection.run(command)
            assert (done.exit_status, done.stderr) == (code, words)
    await connection.wait_closed()


# ---------------------------------------------------------------- logins that go wrong

FAILURES = {
    "refused": ConnectionRefusedError,
    "other_key": asyncssh.HostKeyNotVerifiable,
    "other_algorithm": (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed),
    "unknown_key": asyncssh.HostKeyNotVerifiable,
    "auth_refused": asyncssh.PermissionDenied,
    "nologin": (asyncssh.ConnectionLost, ConnectionError),
}


@pytest.mark.parametrize("ssh", FAILURES)
async def test_a_login_fails_as_it_should(simulation: Simulation, ssh: str) -> None:
    await simulation.switch(made(f"{{ftp: {{ssh: {ssh}}}}}"))
    with pytest.raises(FAILURES[ssh]):
        await connect(simulation, "ftp")
    async with Talk(simulation, "celery-1") as talk:
        assert states((await talk.ask((*STATES, "airflow-worker")))[0].stdout) == ["active"]


@pytest.mark.parametrize("ssh", ["silent", "mute", "endless_login"])
async def test_a_host_that_never_gets_on_is_waited_for(simulation: Simulation, ssh: str) -> None:
    await simulation.switch(made(f"{{ftp: {{ssh: {ssh}}}}}"))
    address, port = simulation.dial["ftp"]
    opened = asyncio.open_connection(address, port)
    if ssh == "silent":
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(opened, 1.5)
        return
    reader, writer = await asyncio.wait_for(opened, 5)
    if ssh == "mute":
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
    writer.close()
    await writer.wait_closed()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(connect(simulation, "ftp"), 0.5)


async def test_many_attempts_at_a_silent_host_all_hang(simulation: Simulation) -> None:
    await simulation.switch(made("{ftp: {ssh: silent}}"))
    attempts = [asyncio.ensure_future(asyncio.open_connection(*simulation.dial["ftp"])) for _ in range(8)]
    _, pending = await asyncio.wait(attempts, timeout=2.5)
    assert len(pending) == 8
    for attempt in pending:
        attempt.cancel()
    await asyncio.wait(attempts)


async def test_a_host_without_a_shell_says_so_and_ends(simulation: Simulation) -> None:
    await simulation.switch("no-shell")
    connection = await connect(simulation, "ftp")
    async with connection:
        done = await connection.run("systemctl is-active vsftpd")
        assert (done.exit_status, done.stdout) == (1, "This account is currently not available.\n")
    await connection.wait_closed()


async def test_a_host_that_grants_no_session(simulation: Simulation) -> None:
    await simulation.switch("no-session")
    connection = await connect(simulation, "ftp")
    async with connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.run("true")
    await connection.wait_closed()


async def test_a_host_that_closes_after_the_login(simulation: Simulation) -> None:
    await simulation.switch("closed-after-login")
    with pytest.raises((asyncssh.Error, OSError)):
        async with await connect(simulation, "ftp") as connection:
            await connection.run("true")


async def test_a_host_that_resets_once_serves_the_second_login(simulation: Simulation) -> None:
    await simulation.switch("reset-once")
    with pytest.raises((asyncssh.Error, OSError)):
        await connect(simulation, "ftp")
    async with Talk(simulation, "ftp") as talk:
        assert states((await talk.ask((*STATES, "vsftpd")))[0].stdout) == ["active"]


async def test_a_jump_host_leads_to_the_hosts_of_the_cluster_alone(simulation: Simulation) -> None:
    async with await connect(simulation, "rabbit-1") as jump:
        key, known = str(simulation.folder / "id_ed25519"), str(simulation.folder / "known_hosts")
        for target in (("192.0.2.147", 22), simulation.dial["rabbit-2"]):
            async with jump.connect_ssh(
                *target, username="rocky", client_keys=[key], known_hosts=known, config=None
            ) as behind:
                assert (await behind.run("hostname")).stdout == "rabbit-2\n"
        with pytest.raises(asyncssh.ChannelOpenError):
            await jump.open_connection("192.0.2.1", 22)
    await jump.wait_closed()


# ---------------------------------------------------------------- scenarios, begin and end


async def test_a_switch_is_seen_by_who_is_logged_in(simulation: Simulation) -> None:
    async with Talk(simulation, "nfs-1") as talk:
        before = (await talk.ask((*STATES, "lsyncd")))[0]
        await simulation.switch("active-unit-failed")
        after = (await talk.ask((*STATES, "lsyncd")))[0]
        assert (states(before.stdout), states(after.stdout)) == (["active"], ["failed"])
        assert before.uptime is not None
        assert after.uptime is not None
        assert 0 <= after.uptime - before.uptime < 5
        await simulation.switch(made("{nfs-1: {ssh: refused}}"))
        await asyncio.wait_for(talk.connection.wait_closed(), 5)


async def test_ports_stay_the_same_whatever_happens_there(simulation: Simulation) -> None:
    before = simulation.dial
    for ssh in ("refused", "silent", "mute", "other_key", "normal"):
        await simulation.switch(made(f"{{'*': {{ssh: {ssh}}}}}"))
        assert simulation.dial == before
    async with Talk(simulation, "ftp") as talk:
        assert states((await talk.ask((*STATES, "vsftpd")))[0].stdout) == ["active"]


async def test_the_inventory_is_the_example_cluster(simulation: Simulation) -> None:
    found = simulation.inventory
    assert list(found.hosts)[:5] == ["haproxy-1", "haproxy-2", "scheduler-2", "nfs-1", "nfs-2"]
    assert len(found.hosts) == 14
    assert found.hosts["ftp"].address == "192.0.2.164"
    assert found.groups["nfs"].active_only == {
        "nfs-server.service",
        "lsyncd.service",
        "airflow-dag-processor.service",
    }
    assert found.groups["haproxy"].virtual_ip == "192.0.2.210"
    assert set(simulation.dial) == set(found.hosts)
    await simulation.switch("name-unresolved")
    assert "ftp" not in simulation.dial
    assert "  ftp: {address: no-such-host.invalid}\n" in simulation.inventory_text()


async def test_nothing_is_left_behind() -> None:
    files = open_files()
    async with Simulation("mixed") as simulation:
        folder = simulation.folder
        assert (folder / "id_ed25519").stat().st_mode & 0o777 == 0o600
        kept = await connect(simulation, "nfs-1")
        await simulation.switch("monitor-isolated")
        await simulation.switch("ssh-unresponsive-all")
        await simulation.switch("nominal")
        again = await connect(simulation, "nfs-1")
    await kept.wait_closed()
    await again.wait_closed()
    assert not folder.exists()
    assert open_files() == files
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_an_unknown_scenario_is_refused_before_anything_starts() -> None:
    with pytest.raises(ValueError, match="there is no scenario 'nosuch'"):
        Simulation("nosuch")


async def test_it_is_up_in_a_moment() -> None:
    begun = time.process_time()
    async with Simulation("nominal"):
        pass
    # Processor time, because a machine that is busy otherwise says nothing about us.
    assert time.process_time() - begun < 0.5
