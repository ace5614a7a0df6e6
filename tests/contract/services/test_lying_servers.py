"""Servers that answer what makes no sense, one value after the other: a reason, and never a fault or a guess.

The answers are those of the simulated nominal cluster, which are true; then each value in them in turn is a
lie. Whole bodies that are none are told to be none.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from quorate.engine import resolve_secret, sweep
from quorate.model import Ask, Contact, HttpAnswer, HttpAsk, HttpReply, Inventory, NoReply, Reply, ServiceAsk
from quorate.outputs.json_report import render
from quorate.plan import make_plan
from quorate.simulation import Simulation
from quorate.transports import Transport

pytestmark = pytest.mark.asyncio(loop_scope="module")

KINDS = {
    "etcd_cluster": "etcd",
    "patroni_cluster": "patroni",
    "balancers": "haproxy",
    "airflow_health": "airflow",
    "rabbitmq_cluster": "rabbitmq",
}
BODIES = {
    "empty": b"",
    "a web page": b"<!doctype html><html><body>Sign in</body></html>",
    "broken off": b'{"members": [{"name": "a',
    "nested": b"[" * 100_000,
    "no object": b"[1, 2]",
    "nothing": b"null",
    "text": b'"healthy"',
    "no text": b"\xff\xfe\x00\x01",
    "a huge number": b'{"a": ' + b"9" * 5_000 + b"}",
}
LIES: dict[str, Callable[[Any], Any]] = {
    "none": lambda _: None,
    "a truth": lambda _: True,
    "negative": lambda _: -1,
    "huge": lambda _: 10**30,
    "infinite": lambda _: float("inf"),
    "other text": lambda _: "\x1b[2J\x00 what?",
    "a list": lambda value: [value],
    "an object": lambda value: {"value": value},
}
Place = tuple[Any, ...]
SAID_ELSEWHERE = {("rabbitmq_cluster", 1), ("rabbitmq_cluster", 2)}
"""Answers whose loss costs nothing: a node's name and its alarms stand in the list of nodes, too."""


@dataclass
class Liar:
    """Asks the true cluster once; then it says the same again, but for one answer of every web server."""

    truth: Transport
    known: dict[tuple[str, int], Any] = field(default_factory=dict)
    lie: tuple[int, Callable[[bytes], bytes]] | None = None

    async def ask(
        self, host: str, asks: Sequence[Ask], *, deadline: float
    ) -> tuple[Contact, tuple[Reply | NoReply, ...]]:
        return await self.truth.ask(host, asks, deadline=deadline)

    async def ask_service(self, ask: ServiceAsk, *, deadline: float) -> Any:
        place = (ask.host, ask.port)
        if place not in self.known:
            self.known[place] = await self.truth.ask_service(ask, deadline=deadline)
        reply = self.known[place]
        if self.lie is None or not isinstance(ask, HttpAsk) or isinstance(reply, NoReply):
            return reply
        number, told = self.lie
        answers = list(reply.answers)
        answers[number] = replace(answers[number], body=told(answers[number].body))
        return replace(reply, answers=tuple(answers))

    def answers(self) -> list[HttpAnswer]:
        """Return the answers of the first server that was asked over HTTP."""
        first = next(reply for reply in self.known.values() if isinstance(reply, HttpReply))
        return [answer for answer in first.answers if isinstance(answer, HttpAnswer)]


@dataclass
class Swept:
    """A cluster that is up, whose checks are swept with or without a lie."""

    inventory: Inventory
    transport: Transport

    def liar(self) -> Liar:
        return Liar(self.transport)

    async def verdicts(self, check: str, liar: Liar) -> Mapping[str, Mapping[str, Any]]:
        """Return the verdicts of a check, as they are reported."""
        report = await sweep(self.inventory, liar, make_plan(self.inventory, [check]), evidence=False)
        text = render(report)
        assert "Traceback" not in text
        assert "internal_error" not in text
        return {v["id"]: v for v in json.loads(text)["verdicts"] if v["group"] == check}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster() -> AsyncIterator[Swept]:
    async with Simulation() as simulation:
        declared = simulation.inventory
        # What is asked again is not looked for here, and would only take its time.
        inventory = replace(declared, judging=replace(declared.judging, samples=1))
        async with Transport(
            inventory.hosts, resolve=resolve_secret, dial=simulation.dial, services=simulation.services
        ) as transport:
            swept = Swept(inventory, transport)
            for check in KINDS:
                await swept.verdicts(check, swept.liar())  # connections to hosts are kept from here on
            yield swept


def is_well(verdicts: Mapping[str, Mapping[str, Any]]) -> bool:
    return all(verdict["state"] == "ok" for verdict in verdicts.values())


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("check", KINDS)
async def test_a_body_that_is_none_is_no_answer(cluster: Swept, check: str, body: bytes) -> None:
    liar = cluster.liar()
    assert is_well(await cluster.verdicts(check, liar))
    for number, _ in enumerate(liar.answers()):
        liar.lie = (number, lambda _: body)
        verdicts = await cluster.verdicts(check, liar)
        if (check, number) not in SAID_ELSEWHERE:
            assert not is_well(verdicts) or verdicts[check]["notes"], f"answer {number}"


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
@pytest.mark.parametrize("check", KINDS)
async def test_a_value_that_makes_no_sense_is_no_fault(
    cluster: Swept, check: str, lie: Callable[[Any], Any]
) -> None:
    liar = cluster.liar()
    assert is_well(await cluster.verdicts(check, liar))
    tried = 0
    for number, answer in enumerate(liar.answers()):
        for place in places(answer.body):
            liar.lie = (number, partial(told, place=place, lie=lie))
            await cluster.verdicts(check, liar)
            tried += 1
    assert tried > 3


@pytest.mark.parametrize("check", KINDS)
async def test_a_number_as_text_is_what_it_says_or_is_refused(cluster: Swept, check: str) -> None:
    liar = cluster.liar()
    truth = await cluster.verdicts(check, liar)
    for number, answer in enumerate(liar.answers()):
        for place in places(answer.body):
            liar.lie = (number, partial(told, place=place, lie=as_text))
            verdicts = await cluster.verdicts(check, liar)
            if is_well(verdicts):
                assert observed(verdicts) == observed(truth)


def as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def observed(verdicts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {name: verdict["observed"] for name, verdict in verdicts.items()}


def places(body: bytes) -> list[Place]:
    """Return where the values of a body stand: in a document, or in the first lines of HAProxy's table."""
    if body.startswith(b"#"):
        lines = body.decode().splitlines()[:5]
        return [(y, x) for y, line in enumerate(lines) for x, _ in enumerate(line.split(",")[:40])]
    return list(_paths(json.loads(body)))


def told(body: bytes, place: Place, lie: Callable[[Any], Any]) -> bytes:
    """Return the body with the value at a place as the lie has it; as it is where there is no such place."""
    if not body.startswith(b"#"):
        return json.dumps(_with(json.loads(body), place, lie)).encode()
    rows = [line.split(",") for line in body.decode().splitlines()]
    y, x = place
    rows[y][x] = str(lie(rows[y][x]))
    return "\n".join(",".join(row) for row in rows).encode() + b"\n"


def _paths(value: Any, path: Place = ()) -> Iterator[Place]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from _paths(part, (*path, key))


def _with(value: Any, path: Place, lie: Callable[[Any], Any]) -> Any:
    if not path:
        return lie(value)
    if path[0] not in (value if isinstance(value, dict) else range(len(value))):
        return value
    changed = value.copy()
    changed[path[0]] = _with(value[path[0]], path[1:], lie)
    return changed
