"""Limits, ends and orders of one shell's answers, without any shell."""

import asyncio

import pytest

from quorate.transports.conversation import LOGIN_BYTES, Conversation, Stop
from quorate.transports.wire import Frame, begin, end, parse_batch_line, parse_login_command


class Host:
    """Says what a host would say, byte for byte."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation

    def begins(self) -> None:
        out, err = begin(self.conversation.token, 4711)
        self.conversation.feed(out)
        self.conversation.feed(err, stderr=True)

    def answers(self, number: int, stdout: bytes = b"yes") -> None:
        frame = Frame(number=number, stdout=stdout, stderr=b"", exit_code=0, uptime=1.0, truncated=False)
        out, err = end(self.conversation.token, frame)
        self.conversation.feed(out)
        self.conversation.feed(err, stderr=True)


@pytest.fixture
def conversation() -> Conversation:
    return Conversation()


@pytest.fixture
def host(conversation) -> Host:
    return Host(conversation)


def soon(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_answers_that_are_there_already(conversation, host):
    conversation.login_command([("a",), ("b",)])
    host.begins()
    host.answers(1, b"one")
    host.answers(2, b"two")
    assert await conversation.begun(soon(1))
    answered = await conversation.answers([1, 1], soon(1))
    assert ([r.stdout for r in answered.replies], answered.stop) == ([b"one", b"two"], None)


async def test_the_first_limit_that_passes_stops_the_batch(conversation, host):
    conversation.batch_line([("a",), ("b",), ("c",)])
    host.begins()
    host.answers(1)
    answered = await conversation.answers([5, 0.05, 5], soon(9))
    assert (len(answered.replies), answered.stop) == (1, Stop.LIMIT)


async def test_the_deadline_stops_the_batch(conversation, host):
    conversation.batch_line([("a",)])
    answered = await conversation.answers([5], soon(0.05))
    assert (answered.replies, answered.stop) == ((), Stop.DEADLINE)


async def test_the_end_stops_the_batch_and_what_was_answered_counts(conversation, host):
    conversation.batch_line([("a",), ("b",)])
    host.begins()
    host.answers(1)
    conversation.end("the connection was lost")
    answered = await conversation.answers([1, 1], soon(1))
    assert (len(answered.replies), answered.stop) == (1, Stop.LOST)
    assert answered.detail == "the connection was lost"


async def test_an_end_wakes_who_waits(conversation):
    conversation.batch_line([("a",)])
    asyncio.get_running_loop().call_later(0.02, conversation.end, "gone")
    answered = await conversation.answers([9], soon(9))
    assert answered.stop is Stop.LOST
    assert await conversation.over(soon(9))


async def test_an_answer_out_of_turn_is_no_answer(conversation, host):
    conversation.batch_line([("a",), ("b",)])
    host.begins()
    host.answers(2)
    answered = await conversation.answers([0.05, 0.05], soon(1))
    assert (answered.replies, answered.stop) == ((), Stop.LIMIT)


async def test_numbers_go_on_from_batch_to_batch(conversation, host):
    conversation.login_command([("a",)])
    host.begins()
    host.answers(1)
    await conversation.answers([1], soon(1))
    assert [q.number for q in parse_batch_line(conversation.batch_line([("b",), ("c",)]))] == [2, 3]
    host.answers(1, b"late")
    host.answers(2)
    host.answers(3)
    answered = await conversation.answers([1, 1], soon(1))
    assert [r.stdout for r in answered.replies] == [b"yes", b"yes"]


@pytest.mark.parametrize("count", [0, 1, 2, 7])
@pytest.mark.parametrize("size", [10, LOGIN_BYTES - 2000, LOGIN_BYTES])
async def test_what_does_not_fit_in_the_login_command_is_asked_behind_it(count, size):
    conversation = Conversation()
    argvs = [("echo", "x" * size, str(n)) for n in range(count)]
    command, line = conversation.login_command(argvs)
    token, first = parse_login_command(command)
    assert token == conversation.token
    assert [q.argv for q in [*first, *parse_batch_line(line)]] == argvs
    assert len(command) <= LOGIN_BYTES + 1000 or count == 0


def test_every_login_has_a_token_of_its_own():
    assert Conversation().token != Conversation().token


async def test_an_answer_that_nobody_was_woken_for_counts_and_begins_the_limit_of_the_next(
    conversation, host
):
    conversation.batch_line([("a",), ("b",)])
    host.begins()
    asyncio.get_running_loop().call_later(0.2, host.answers, 1)
    began = asyncio.get_running_loop().time()
    answered = await conversation.answers([0.4, 0.4], soon(10))
    assert [reply.duration for reply in answered.replies] == [pytest.approx(0.2, abs=0.15)]
    assert answered.stop is Stop.LIMIT
    assert 0.6 <= asyncio.get_running_loop().time() - began < 2


async def test_an_answer_that_came_before_it_was_waited_for_took_no_time(conversation, host):
    conversation.batch_line([("a",)])
    host.begins()
    host.answers(1)
    await asyncio.sleep(0.05)
    answered = await conversation.answers([5], soon(5))
    assert [reply.duration for reply in answered.replies] == [0.0]


async def test_a_shorter_limit_holds_from_the_answer_before_it_on(conversation, host):
    conversation.batch_line([("a",), ("b",)])
    host.begins()
    asyncio.get_running_loop().call_later(0.1, host.answers, 1)
    began = asyncio.get_running_loop().time()
    answered = await conversation.answers([10, 0.2], soon(20))
    assert (len(answered.replies), answered.stop) == (1, Stop.LIMIT)
    assert asyncio.get_running_loop().time() - began < 2
