"""The simulated RabbitMQ node, frame by frame, as a client of any make may talk to it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from pamqp import frame
from pamqp.body import ContentBody
from pamqp.commands import Basic, Channel, Confirm, Connection, Exchange, Queue
from pamqp.header import ContentHeader, ProtocolHeader
from pamqp.heartbeat import Heartbeat

from quorate.simulation.services.port import ServicePort
from quorate.simulation.services.state import Manner, SimulatedNode

NODE = SimulatedNode(cluster="rabbit@rabbit-1", vhost="airflow_host", user="airflow_user", password="s3cret")
MESSAGE = (ContentHeader(body_size=2, properties=Basic.Properties()), ContentBody(b"hi"))


class Client:
    """A connection that sends frames and takes what comes back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, *frames: Any, channel: int = 0) -> None:
        self.writer.write(b"".join(frame.marshal(each, channel) for each in frames))

    async def take(self) -> Any:
        head = await asyncio.wait_for(self.reader.readexactly(7), 5)
        size = int.from_bytes(head[3:], "big")
        return frame.unmarshal(head + await self.reader.readexactly(size + 1))[2]

    async def names(self, count: int) -> list[str]:
        return [type(await self.take()).__qualname__ for _ in range(count)]

    async def log_in(self, *, capabilities: Sequence[str] = (), password: str = NODE.password) -> None:
        self.send(ProtocolHeader())
        assert isinstance(await self.take(), Connection.Start)
        told = {"capabilities": dict.fromkeys(capabilities, True)}
        self.send(Connection.StartOk(told, "PLAIN", f"\0airflow_user\0{password}"))

    async def open(self, *, capabilities: Sequence[str] = ()) -> None:
        await self.log_in(capabilities=capabilities)
        assert isinstance(await self.take(), Connection.Tune)
        self.send(Connection.TuneOk(2047, 131072, 60), Connection.Open("airflow_host"))
        assert isinstance(await self.take(), Connection.OpenOk)
        self.send(Channel.Open(), channel=1)
        assert isinstance(await self.take(), Channel.OpenOk)


@asynccontextmanager
async def client(port: ServicePort) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection(port.address, port.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.fixture
async def node() -> AsyncIterator[ServicePort]:
    port = ServicePort("127.0.0.1")
    await port.become(NODE)
    yield port
    await port.close()


async def test_a_message_waits_in_its_queue_for_who_asks(node: ServicePort) -> None:
    async with client(node) as first, client(node) as second:
        for each in (first, second):
            await each.open()
        first.send(Queue.Declare(queue="kept"), Basic.Publish(routing_key="kept"), *MESSAGE, channel=1)
        first.send(Heartbeat(), channel=0)
        assert await first.names(2) == ["Queue.DeclareOk", "Heartbeat"]
        second.send(Basic.Get(queue="kept", no_ack=True), Basic.Get(queue="kept", no_ack=True), channel=1)
        assert isinstance(await second.take(), Basic.GetOk)
        assert (await second.take()).body_size == 2
        assert (await second.take()).value == b"hi"
        assert isinstance(await second.take(), Basic.GetEmpty)
        second.send(Queue.Delete(queue="kept"), Queue.Declare(queue="kept", passive=True), channel=1)
        assert await second.names(2) == ["Queue.DeleteOk", "Channel.Close"]


async def test_messages_are_numbered_confirmed_and_delivered(node: ServicePort) -> None:
    async with client(node) as talk:
        await talk.open()
        talk.send(Basic.Qos(prefetch_count=1), Confirm.Select(), Queue.Declare(queue="q"), channel=1)
        talk.send(Basic.Consume(queue="q", consumer_tag="me"), channel=1)
        assert await talk.names(4) == [
            "Basic.QosOk",
            "Confirm.SelectOk",
            "Queue.DeclareOk",
            "Basic.ConsumeOk",
        ]
        for number in (1, 2):
            talk.send(Basic.Publish(routing_key="q"), *MESSAGE, channel=1)
            delivered = await talk.take()
            assert (delivered.consumer_tag, delivered.delivery_tag) == ("me", number)
            assert await talk.names(2) == ["ContentHeader", "ContentBody"]
            assert (await talk.take()).delivery_tag == number
            talk.send(Basic.Ack(delivery_tag=number), channel=1)
        talk.send(Basic.Cancel(consumer_tag="me"), channel=1)
        assert await talk.names(1) == ["Basic.CancelOk"]


async def test_a_message_without_a_queue_is_returned_where_that_is_wanted(node: ServicePort) -> None:
    async with client(node) as talk:
        await talk.open()
        talk.send(Confirm.Select(), Basic.Publish(routing_key="nosuch", mandatory=True), *MESSAGE, channel=1)
        talk.send(Basic.Publish(routing_key="nosuch"), *MESSAGE, channel=1)
        assert await talk.names(6) == [
            *("Confirm.SelectOk", "Basic.Return", "ContentHeader", "ContentBody", "Basic.Ack"),
            "Basic.Ack",
        ]


async def test_an_exclusive_queue_goes_with_its_connection(node: ServicePort) -> None:
    async with client(node) as talk:
        await talk.open()
        talk.send(Queue.Declare(exclusive=True), channel=1)
        queue = (await talk.take()).queue
        assert queue.startswith("amq.gen-")
        talk.send(Connection.Close(200, "bye", 0, 0))
        assert await talk.names(1) == ["Connection.CloseOk"]
        assert await asyncio.wait_for(talk.reader.read(), 5) == b""
    async with client(node) as talk:
        await talk.open()
        talk.send(Queue.Declare(queue=queue, passive=True), channel=1)
        closing = await talk.take()
        assert (closing.reply_code, closing.class_id, closing.method_id) == (404, 50, 10)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (Basic.Publish(exchange="nosuch", routing_key="q"), 404),
        (Basic.Consume(queue="nosuch"), 404),
        (Basic.Get(queue="nosuch"), 404),
    ],
)
async def test_what_is_not_there_closes_the_channel_alone(node: ServicePort, sent: Any, code: int) -> None:
    async with client(node) as talk:
        await talk.open()
        talk.send(sent, *(MESSAGE if isinstance(sent, Basic.Publish) else ()), channel=1)
        assert (await talk.take()).reply_code == code
        talk.send(Queue.Declare(queue="ignored"), Channel.CloseOk(), Channel.Open(), channel=1)
        talk.send(Channel.Close(200, "bye", 0, 0), channel=1)
        assert await talk.names(2) == ["Channel.OpenOk", "Channel.CloseOk"]


@pytest.mark.parametrize(
    ("sent", "channel", "code"),
    [
        (Exchange.Delete(exchange="x"), 1, 540),
        (Queue.Declare(queue="q"), 7, 504),
        (ContentBody(b"x"), 1, 505),
        (b"\x01\0\1\0\0\0\4\0\xff\0\xff\xce", None, 501),
        (b"\x01\0\1\x7f\xff\xff\xff", None, 501),
    ],
)
async def test_what_is_no_proper_talk_closes_the_connection(
    node: ServicePort, sent: Any, channel: int | None, code: int
) -> None:
    async with client(node) as talk:
        await talk.open()
        if channel is None:
            talk.writer.write(sent)
        else:
            talk.send(sent, channel=channel)
        assert (await talk.take()).reply_code == code
        talk.send(Connection.CloseOk())
        assert await asyncio.wait_for(talk.reader.read(), 5) == b""


async def test_another_protocol_is_told_which_is_spoken(node: ServicePort) -> None:
    async with client(node) as talk:
        talk.writer.write(b"AMQP\x00\x01\x00\x00")
        assert await asyncio.wait_for(talk.reader.read(), 5) == b"AMQP\x00\x00\x09\x01"


@pytest.mark.parametrize("told", [True, False])
async def test_a_refused_login_is_told_to_who_can_take_it(node: ServicePort, told: bool) -> None:
    async with client(node) as talk:
        await talk.log_in(capabilities=["authentication_failure_close"] if told else [], password="wrong")
        if told:
            assert (await talk.take()).reply_code == 403
            talk.send(Connection.CloseOk())
        assert await asyncio.wait_for(talk.reader.read(), 5) == b""


async def test_an_alarm_is_told_to_who_wants_to_know_and_stops_the_rest(node: ServicePort) -> None:
    await node.become(replace(NODE, manner=Manner.ALARM))
    async with client(node) as told, client(node) as untold:
        await told.open(capabilities=["connection.blocked"])
        await untold.open()
        for talk in (told, untold):
            talk.send(Basic.Publish(routing_key="q"), *MESSAGE, Queue.Declare(queue="q"), channel=1)
        assert (await told.take()).reason == "low on memory"
        for talk in (told, untold):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(talk.reader.read(1), 0.1)
