"""What is asked is answered, in the same way over SSH and on this machine."""

import asyncio
import os
from pathlib import Path

import pytest

from quorate.model import Ask, Host, NoReply, Reason, Reply
from quorate.transports import Transport
from quorate.transports.wire import KEPT_BYTES


@pytest.fixture(params=["ssh", "local"])
def machine(request, shared) -> Host:
    if request.param == "ssh":
        return shared.host(shared.servers[0].port)
    return Host(name="me", local=True, ssh=shared.settings)


def sh(script: str, **options) -> Ask:
    return Ask(argv=("sh", "-c", script), **options)


async def test_a_batch_is_answered_in_order(ask, machine):
    contact, replies = await ask(machine, ["echo", "one"], ["echo", "two"], sh("echo three; echo err >&2"))
    assert contact.failure is None
    assert contact.answered
    assert contact.remote is (machine.name != "me")
    assert [r.stdout for r in replies] == [b"one\n", b"two\n", b"three\n"]
    assert [r.stderr for r in replies] == [b"", b"", b"err\n"]
    assert all(r.uptime > 0 for r in replies)


@pytest.mark.parametrize("code", [0, 1, 126, 127, 255])
async def test_the_commands_own_exit_code_is_a_reply(ask, machine, code):
    contact, (reply,) = await ask(machine, sh(f"exit {code}"))
    assert contact.failure is None
    assert reply.exit_code == code


async def test_a_missing_command_is_a_reply_with_127(ask, machine):
    contact, (missing, after) = await ask(machine, ["no-such-command-here"], ["echo", "on"])
    assert contact.failure is None
    assert missing.exit_code == 127
    assert b"no-such-command-here" in missing.stderr
    assert after.stdout == b"on\n"


async def test_words_reach_the_command_as_they_are(ask, machine):
    words = ["a b", "'", '"', "$HOME", "`id`", "*", ";", "&& false", "é", "", "\\", "#", "~", "\t|"]
    _, (reply,) = await ask(machine, ["printf", "%s\\n", *words])
    assert reply.stdout.decode().split("\n")[:-1] == words


async def test_the_shell_is_kept_for_the_next_batch(ask, machine):
    _, (first,) = await ask(machine, sh("echo $PPID"))
    _, (second, third) = await ask(machine, sh("echo $PPID"), sh("echo $PPID"))
    assert first.stdout == second.stdout == third.stdout


async def test_asking_nothing_tells_whether_the_host_can_be_asked(ask, machine):
    for _ in range(2):
        contact, replies = await ask(machine)
        assert contact.failure is None
        assert replies == ()


async def test_standard_input_is_empty(ask, machine):
    _, (cat, after) = await ask(machine, ["cat"], ["echo", "on"])
    assert cat.stdout == b""
    assert after.stdout == b"on\n"


async def test_batches_for_one_host_wait_for_each_other(ask, machine):
    answers = await asyncio.gather(*(ask(machine, sh(f"echo {n}; sleep 0.05; echo {n}")) for n in range(5)))
    assert [r.stdout for _, (r,) in answers] == [f"{n}\n{n}\n".encode() for n in range(5)]


async def test_a_batch_longer_than_a_login_command_may_be(ask, machine):
    long = "x" * 30_000
    contact, replies = await ask(machine, *(["printf", "%.3s", long] for _ in range(5)))
    assert contact.failure is None
    assert [r.stdout for r in replies] == [b"xxx"] * 5


async def test_a_long_answer_is_truncated_and_said_so(ask, machine):
    contact, (long, after) = await ask(machine, sh("yes | head -c 9000000"), ["echo", "on"])
    assert contact.failure is None
    assert long.truncated
    assert len(long.stdout) == KEPT_BYTES
    assert not after.truncated
    assert after.stdout == b"on\n"


def peak_memory(*, reset: bool = False) -> int:
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


async def test_an_answer_beyond_reason_is_given_up_in_bounded_memory(ask, machine, tmp_path, gone):
    before = peak_memory(reset=True)
    endless = sh(f"echo $$ >{tmp_path}/pid; exec yes", limit=60.0)
    contact, (endless_answer, after) = await ask(machine, endless, ["echo", "on"], within=60)
    assert contact.failure is None
    assert isinstance(endless_answer, NoReply)
    assert endless_answer.reason is Reason.UNPARSABLE
    assert "answer larger than 64 MiB" in endless_answer.detail
    assert after.stdout == b"on\n"
    assert peak_memory() - before < 64 * 2**20
    assert await gone(tmp_path / "pid")


async def test_two_large_answers_of_one_batch_are_not_one_too_large(ask, machine):
    contact, replies = await ask(machine, *[sh("yes | head -c 40000000", limit=30.0)] * 2, within=60)
    assert contact.failure is None
    assert all(isinstance(r, Reply) and r.truncated for r in replies)


async def test_sudo_only_where_it_is_asked_for_and_allowed(ask, shared, tmp_path):
    sudo = tmp_path / "sudo"
    sudo.write_text('#!/bin/sh\necho sudo "$@"\n')
    sudo.chmod(0o755)
    server = shared.start(f"SetEnv PATH={tmp_path}:{os.environ['PATH']}")
    asks = [Ask(argv=("echo", "plain")), Ask(argv=("echo", "privileged"), sudo=True)]
    _, with_sudo = await ask(shared.host(server.port, sudo=True), *asks)
    _, without = await ask(shared.host(server.port, name="nfs-2", sudo=False), *asks)
    assert [r.stdout for r in with_sudo] == [b"plain\n", b"sudo -n echo privileged\n"]
    assert [r.stdout for r in without] == [b"plain\n", b"privileged\n"]


async def test_what_a_login_prints_is_no_answer(ask, shared):
    noise = "printf 'Welcome\\nActiveState=failed\\n'; echo motd >&2; "
    server = shared.start(f'ForceCommand {noise} exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"')
    contact, (reply,) = await ask(shared.host(server.port), ["echo", "ActiveState=active"])
    assert contact.failure is None
    assert reply.stdout == b"ActiveState=active\n"
    assert reply.stderr == b""


async def test_what_bashrc_prints_is_no_answer(ask, shared):
    server = shared.start()
    (server.folder / "home" / ".bashrc").write_text("echo noise from .bashrc\n")
    contact, (reply,) = await ask(shared.host(server.port), ["echo", "answer"])
    assert contact.failure is None
    assert reply.stdout == b"answer\n"


async def test_a_line_break_in_a_command_is_a_programming_error(ask, machine):
    with pytest.raises(ValueError, match="line break"):
        await ask(machine, ["echo", "a\nb"])


async def test_a_host_that_is_not_declared_is_a_programming_error(ask, machine):
    async with Transport({}, resolve=lambda _: "") as transport:
        with pytest.raises(KeyError):
            await transport.ask("nobody", [], deadline=asyncio.get_running_loop().time() + 1)
