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
from quorate.model import Contact, Host, Secret, TaskInstance
from quorate.simulation import Simulation
from quorate.transports import Transport

HOSTS = inventory().hosts
OTHERS = inventory("name: x\nhosts: {a: 192.0.2.1}\n").hosts


class Way:
    """A transport that tells what it was asked and whether it is closed; a host called `slow` takes long."""

    made: list["Way"]

    def __init__(self, hosts: Mapping[str, Host], resolve) -> None:
        self.hosts, self.resolve, self.closed = hosts, resolve, False
        self.asked: list[str] = []
        Way.made.append(self)

    async def ask(self, host: str, asks, *, deadline: float):
        assert (self.closed, asks, deadline) == (False, (), 0)
        self.asked.append(host)
        await asyncio.sleep(60 if host == "slow" else 0)
        return Contact(host=host), ()

    async def aclose(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def none_made():
    Way.made = []


def text(_: Secret) -> str:
    return "old"


def sweeping(hosts=HOSTS, source="/dags/cluster.yaml", resolve=text):
    return kept_transport(source, hosts, resolve, Way)


async def swept(**more) -> tuple[Way, Way]:
    """Sweep once; return what was kept for the first look, and what was the sweep's own."""
    async with sweeping(**more) as way:
        await way.ask("nfs-1", (), deadline=0)
        await way.ask("nfs-1", (), deadline=0)
    kept, own = (next(w for w in reversed(Way.made) if w.asked and not w.closed), Way.made[-1])
    return kept, own


async def test_sweeps_of_one_inventory_share_what_is_kept():
    (first, _), (second, _) = await swept(), await swept()
    assert first is second
    assert first.asked == ["nfs-1", "nfs-1"]


async def test_what_is_asked_beyond_the_first_look_goes_over_the_sweeps_own_connections():
    _, own = await swept()
    assert own.asked == ["nfs-1"]
    assert own.closed


async def test_a_host_that_another_sweep_keeps_busy_is_waited_for_by_nobody(monkeypatch):
    monkeypatch.setattr(keeping, "PATIENCE", 0.02)
    async with sweeping() as stuck, sweeping() as way:
        hanging = asyncio.create_task(stuck.ask("slow", (), deadline=0))
        await asyncio.sleep(0)
        asking = asyncio.create_task(way.ask("slow", (), deadline=0))
        await asyncio.sleep(0.1)
        assert [made.asked for made in Way.made] == [["slow"], [], ["slow"]]
        await way.ask("nfs-1", (), deadline=0)
        hanging.cancel()
        asking.cancel()
        await asyncio.gather(hanging, asking, return_exceptions=True)


async def test_another_file_has_connections_of_its_own():
    assert (await swept())[0] is not (await swept(source="/dags/other.yaml"))[0]


async def test_hosts_that_are_declared_otherwise_get_a_new_one_and_the_old_is_closed():
    old, _ = await swept()
    new, _ = await swept(hosts=OTHERS)
    assert (old.closed, new.closed) == (True, False)


async def test_the_old_one_ends_with_the_last_sweep_that_uses_it():
    async with sweeping() as way:
        await way.ask("nfs-1", (), deadline=0)
        await swept(hosts=OTHERS)
        assert not Way.made[0].closed
    assert Way.made[0].closed


async def test_logins_use_the_latest_secrets():
    kept, _ = await swept()
    await swept(resolve=lambda _: "new")
    assert kept.resolve(Secret(env="X")) == "new"


async def test_connections_are_made_anew_after_their_lifetime(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keeping, "LIFETIME", 0.02)
    old, _ = await swept()
    await asyncio.sleep(0.05)
    assert (await swept())[0] is not old
    assert old.closed


async def test_connections_are_closed_when_nobody_sweeps(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keeping, "IDLE", 0.02)
    kept, _ = await swept()
    await asyncio.sleep(0.1)
    assert kept.closed
    assert (await swept())[0] is not kept


async def test_a_sweep_that_is_cancelled_gives_back_what_it_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keeping, "IDLE", 0.02)

    async def forever() -> None:
        async with sweeping() as way:
            await way.ask("slow", (), deadline=0)

    task = asyncio.create_task(forever())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0.1)
    assert [way.closed for way in Way.made] == [True, True]


async def test_sweeps_of_a_cluster_find_the_same_over_what_is_kept(monkeypatch: pytest.MonkeyPatch):
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
        assert len(made) == 1 + 4  # what is kept, and what each sweep has of its own
        await asyncio.sleep(0.2)
