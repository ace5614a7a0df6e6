"""Limits, ends in the middle, connections that die: what was answered counts, and nothing is left behind."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from quorate.model import Ask, Host, NoReply, Reason, Reply
from quorate.transports import Transport

WAYS = ["plain", "forced", "one-session", "local"]


@pytest.fixture(params=WAYS)
def machine(request, shared) -> Host:
    """A host by every way in which a stuck question is ended: by signal, by a second session, by neither."""
    if request.param == "local":
        return Host(name="me", local=True, ssh=shared.settings)
    lines = {
        "plain": [],
        "forced": ['ForceCommand /bin/sh -c "$SSH_ORIGINAL_COMMAND"'],
        "one-session": ["MaxSessions 1"],
    }
    server = shared.once(request.param, *lines[request.param])
    return shared.host(server.port, name=f"nfs-{request.param}")


def end_group(file: Path) -> None:
    os.killpg(os.getpgid(int(file.read_text())), signal.SIGKILL)


@pytest.fixture
def ended(gone):
    """Tell whether a stuck question was ended over there.

    Root's sessions take no signal from sshd: where there is one session only, nothing is left to end them
    by, and this ends what the test has started.
    """

    async def waited(machine: Host, file: Path) -> bool:
        if os.geteuid() == 0 and machine.name == "nfs-one-session":
            end_group(file)
        return await gone(file)

    return waited


def sh(script: str, **options) -> Ask:
    return Ask(argv=("sh", "-c", script), **options)


def reasons(replies) -> list[Reason | None]:
    return [r.reason if isinstance(r, NoReply) else None for r in replies]


async def test_a_question_past_its_limit_is_ended_and_the_others_are_asked(ask, machine, tmp_path, ended):
    stuck = sh(f"echo $$ >{tmp_path}/pid; sleep 40; echo never", limit=0.4)
    contact, replies = await ask(machine, ["echo", "before"], stuck, ["echo", "after"], ["echo", "last"])
    assert contact.failure is None
    assert reasons(replies) == [None, Reason.COMMAND_TIMEOUT, None, None]
    assert [r.stdout for r in (replies[0], *replies[2:])] == [b"before\n", b"after\n", b"last\n"]
    assert "no answer within 0.4 s" in replies[1].detail
    assert await ended(machine, tmp_path / "pid")
    contact, (reply,) = await ask(machine, ["echo", "again"])
    assert reply.stdout == b"again\n"


async def test_every_question_may_run_past_its_limit(ask, machine, tmp_path, ended):
    stuck = [sh(f"echo $$ >{tmp_path}/pid-{n}; exec sleep 40", limit=0.3) for n in range(2)]
    contact, replies = await ask(machine, *stuck)
    assert contact.failure is None
    assert reasons(replies) == [Reason.COMMAND_TIMEOUT] * 2
    for number in range(2):
        assert await ended(machine, tmp_path / f"pid-{number}")


async def test_a_limit_counts_from_the_end_of_the_question_before(ask, shared):
    host = shared.host(shared.servers[0].port)
    contact, replies = await ask(host, *[sh("sleep 0.2", limit=1.0)] * 6)
    assert contact.failure is None
    assert reasons(replies) == [None] * 6


async def test_the_hosts_time_is_up(ask, machine, tmp_path, ended):
    stuck = sh(f"echo $$ >{tmp_path}/pid; exec sleep 40")
    await ask(machine)  # logged in, so that the time is spent on the question
    contact, replies = await ask(machine, ["echo", "first"], stuck, ["echo", "never asked"], within=1.0)
    assert contact.failure is None
    assert reasons(replies) == [None, Reason.COMMAND_TIMEOUT, Reason.COMMAND_TIMEOUT]
    assert "host_timeout" in replies[2].detail
    assert await ended(machine, tmp_path / "pid")


async def test_a_question_that_is_cancelled_leaves_nothing(machine, tmp_path, ended):
    before = asyncio.all_tasks()
    async with Transport({machine.name: machine}, resolve=lambda _: "") as transport:
        deadline = asyncio.get_running_loop().time() + 40
        stuck = sh(f"echo $$ >{tmp_path}/pid; exec sleep 40")
        asking = asyncio.create_task(transport.ask(machine.name, [stuck], deadline=deadline))
        while not (tmp_path / "pid").exists():  # noqa: ASYNC110  another program writes it
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.05)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await ended(machine, tmp_path / "pid")
        contact, (reply,) = await transport.ask(machine.name, [sh("echo on")], deadline=deadline)
        assert (contact.failure, reply.stdout) == (None, b"on\n")
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("after", [0.0, 0.001, 0.01, 0.03, 0.06, 0.1])
async def test_a_login_that_is_cancelled_leaves_nothing(shared, after):
    before = asyncio.all_tasks()
    host = shared.host(shared.servers[0].port)
    async with Transport({host.name: host}, resolve=lambda _: "") as transport:
        deadline = asyncio.get_running_loop().time() + 40
        asking = asyncio.create_task(transport.ask(host.name, [sh("echo on")], deadline=deadline))
        await asyncio.sleep(after)
        asking.cancel()
        await asyncio.wait({asking})
        assert asyncio.all_tasks() == before
        contact, (reply,) = await transport.ask(host.name, [sh("echo on")], deadline=deadline)
        assert (contact.failure, reply.stdout) == (None, b"on\n")
    assert asyncio.all_tasks() == before


async def test_closing_in_the_middle_of_a_question(shared):
    host = shared.host(shared.servers[0].port)
    transport = Transport({host.name: host}, resolve=lambda _: "")
    deadline = asyncio.get_running_loop().time() + 40
    asking = asyncio.create_task(transport.ask(host.name, [sh("sleep 5")], deadline=deadline))
    await asyncio.sleep(0.5)
    await transport.aclose()
    contact, (reply,) = await asking
    assert contact.failure is not None
    assert isinstance(reply, NoReply)
    await transport.aclose()


# Ends in the middle.

# What was answered before must have left the host before its sshd dies, or nothing proves that it asked.
KILL_SSHD = "sleep 0.5; read -r _ _ _ p _ </proc/$PPID/stat; kill -9 $p; sleep 5"


async def test_a_connection_that_is_lost_in_the_middle(ask, shared):
    host = shared.host(shared.servers[0].port)
    contact, replies = await ask(host, ["echo", "first"], sh(KILL_SSHD), ["echo", "never asked"])
    assert contact.failure.reason is Reason.CONNECTION_LOST
    assert reasons(replies) == [None, Reason.CONNECTION_LOST, Reason.CONNECTION_LOST]
    assert replies[0].stdout == b"first\n"
    contact, (reply,) = await ask(host, ["echo", "again"])
    assert contact.failure is None
    assert reply.stdout == b"again\n"


async def test_a_shell_that_ends_in_the_middle(ask, machine):
    contact, replies = await ask(machine, ["echo", "first"], sh("kill -9 $PPID"), ["echo", "never asked"])
    assert contact.failure.reason is Reason.CONNECTION_LOST
    assert reasons(replies) == [None, Reason.CONNECTION_LOST, Reason.CONNECTION_LOST]
    _, (reply,) = await ask(machine, ["echo", "again"])
    assert reply.stdout == b"again\n"


async def test_a_kept_connection_that_died_is_made_anew(ask, shared):
    server = shared.start()
    host = shared.host(server.port)
    await ask(host)
    for pid in server.children():
        os.kill(pid, signal.SIGKILL)
    contact, (reply,) = await ask(host, ["echo", "answer"])
    assert contact.failure is None
    assert reply.stdout == b"answer\n"


async def test_a_kept_shell_that_died_is_begun_anew(ask, machine):
    _, (reply,) = await ask(machine, sh("echo $PPID"))
    os.kill(int(reply.stdout), signal.SIGKILL)
    contact, (reply,) = await ask(machine, ["echo", "answer"])
    assert contact.failure is None
    assert reply.stdout == b"answer\n"


@pytest.fixture
def impatient(monkeypatch):
    """Find a frozen host in one second instead of three."""
    monkeypatch.setattr("quorate.transports.shell.KEEPALIVE_INTERVAL", 0.3)


async def test_a_kept_connection_whose_host_froze_is_found_and_made_anew(ask, shared, impatient):
    server = shared.start()
    host = shared.host(server.port)
    await ask(host)
    frozen = server.children()
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    contact, (reply,) = await ask(host, ["echo", "answer"])
    for pid in frozen:
        os.kill(pid, signal.SIGKILL)
    assert contact.failure is None
    assert reply.stdout == b"answer\n"


async def test_a_host_that_freezes_in_the_middle(ask, shared, impatient):
    server = shared.start()
    host = shared.host(server.port)
    # The pause lets sshd send on what the first command answered before it is stopped.
    stops = "sleep 0.3; read -r _ _ _ p _ </proc/$PPID/stat; kill -STOP $p; sleep 5"
    contact, replies = await ask(host, ["echo", "first"], sh(stops))
    for pid in server.children():
        os.kill(pid, signal.SIGKILL)
    assert contact.failure.reason is Reason.CONNECTION_LOST
    assert reasons(replies) == [None, Reason.CONNECTION_LOST]


async def test_an_idle_connection_sends_nothing(ask, shared):
    server = shared.start("ClientAliveInterval 0")
    host = shared.host(server.port)
    await ask(host, ["echo", "answer"])
    (child,) = server.children()
    before = server.written(child)
    await asyncio.sleep(1.3)
    assert server.written(child) == before


async def test_a_jump_host_keeps_its_hosts_when_its_own_shell_is_stuck(ask, shared):
    jump = shared.start("MaxSessions 1")
    target = shared.start()
    bastion = shared.host(jump.port, name="bastion")
    host = shared.host(target.port, jump="bastion")
    transport = Transport({h.name: h for h in (bastion, host)}, resolve=lambda _: "")
    deadline = asyncio.get_running_loop().time() + 40
    async with transport:
        _, (first,) = await transport.ask("nfs-1", [sh("echo $PPID")], deadline=deadline)
        _, (stuck,) = await transport.ask("bastion", [sh("sleep 5", limit=0.3)], deadline=deadline)
        _, (second,) = await transport.ask("nfs-1", [sh("echo $PPID")], deadline=deadline)
    assert stuck.reason is Reason.COMMAND_TIMEOUT
    assert isinstance(first, Reply)
    assert first.stdout == second.stdout
