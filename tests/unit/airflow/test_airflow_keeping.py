"""Connections that the triggerer keeps: shared, made anew in time, closed when nobody sweeps."""

import asyncio
from collections.abc import Mapping

import pytest
from made import inventory

from quorate import transports
from quorate.airflow import keeping
from quorate.airflow.files import InventoryFile
from quorate.airflow.keeping import kept_transport
from quorate.airflow.sweeping import Order, run_sweep
from quorate.engine import resolve_secret
from quorate.model import Host, Secret, TaskInstance
from quorate.simulation import Simulation
from quorate.transports import Transport

HOSTS = inventory().hosts
OTHERS = inventory("name: x\nhosts: {a: 192.0.2.1}\n").hosts


class Way:
    """A transport that tells whether it is closed."""

    made: list["Way"]

    def __init__(self, hosts: Mapping[str, Host], resolve) -> None:
        self.hosts, self.resolve, self.closed = hosts, resolve, False
        Way.made.append(self)

    async def aclose(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def none_made():
    Way.made = []


def text(_: Secret) -> str:
    return "old"


async def swept(hosts=HOSTS, source="/dags/cluster.yaml", resolve=text) -> Way:
    async with kept_transport(source, hosts, resolve, Way) as way:
        assert not way.closed
        return way


async def test_sweeps_of_one_inventory_share_what_is_kept():
    assert await swept() is await swept()
    assert not Way.made[0].closed


async def test_another_file_has_connections_of_its_own():
    assert await swept() is not await swept(source="/dags/other.yaml")


async def test_hosts_that_are_declared_otherwise_get_a_new_one_and_the_old_is_closed():
    old, new = await swept(), await swept(OTHERS)
    assert (old.closed, new.closed) == (True, False)


async def test_the_old_one_ends_with_the_last_sweep_that_uses_it():
    async with kept_transport("f", HOSTS, text, Way) as old:
        await swept(OTHERS, source="f")
        assert not old.closed
    assert old.closed


async def test_logins_use_the_latest_secrets():
    way = await swept()
    await swept(resolve=lambda _: "new")
    assert way.resolve(Secret(env="X")) == "new"


async def test_connections_are_made_anew_after_their_lifetime(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keeping, "LIFETIME", 0.02)
    old = await swept()
    await asyncio.sleep(0.05)
    assert await swept() is not old
    assert old.closed


async def test_connections_are_closed_when_nobody_sweeps(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keeping, "IDLE", 0.02)
    way = await swept()
    await asyncio.sleep(0.1)
    assert way.closed
    assert await swept() is not way


async def test_a_sweep_that_is_cancelled_gives_back_what_it_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keeping, "IDLE", 0.02)

    async def forever() -> None:
        async with kept_transport("f", HOSTS, text, Way):
            await asyncio.sleep(60)

    task = asyncio.create_task(forever())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0.1)
    assert Way.made[0].closed


async def test_tasks_that_sweep_at_once_share_one_transport(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keeping, "IDLE", 0.01)
    made = []

    def counted(*args, **more):
        made.append(Transport(*args, **more))
        return made[-1]

    monkeypatch.setattr(transports, "Transport", counted)
    async with Simulation("nominal") as cluster:
        file = InventoryFile(source="cluster.yaml", text=cluster.inventory_text())
        declared = file.parse()

        def order(*only: str) -> Order:
            task = TaskInstance(id="x", dag_id="d", task_id="t", run_id="r")
            return Order(file=file, only=only, timeout=30.0, evidence=True, task=task)

        async def sweep(*only: str):
            return (await run_sweep(order(*only), declared, resolve_secret, keep=True)).report

        first = await asyncio.gather(sweep("haproxy"), sweep("scheduler"), sweep("webserver"))
        again = await sweep("haproxy")
        assert {r.state.word for r in first} == {"ok"}
        assert [v.id for v in again.verdicts] == [v.id for v in first[0].verdicts]
        assert len(made) == 1
        await asyncio.sleep(0.2)
