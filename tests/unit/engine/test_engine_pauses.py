"""How long a sweep waits before it looks again: no longer than two looks at a host must lie apart."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from played import PASSIVE, Moment, Player, pair

from quorate.engine import sweep
from quorate.model import Ask, Contact, JudgingSettings, NoReply, Reason, Reply
from quorate.plan import make_plan

DEAD = NoReply(reason=Reason.HOST_UNREACHABLE, detail="no answer")


@dataclass(kw_only=True)
class Slow:
    """An asker that takes its time before some hosts are asked; keeps when each question was put."""

    player: Player
    delays: dict[str, float]
    times: dict[str, list[float]] = field(default_factory=dict)

    async def ask(
        self, host: str, asks: Sequence[Ask], *, deadline: float
    ) -> tuple[Contact, tuple[Reply | NoReply, ...]]:
        await asyncio.sleep(self.delays.get(host, 0.0))
        self.times.setdefault(host, []).append(asyncio.get_running_loop().time())
        return await self.player.ask(host, asks, deadline=deadline)


async def duration(asker: Slow, interval: float) -> float:
    inventory = pair(judging=JudgingSettings(interval=interval))
    return (await sweep(inventory, asker, make_plan(inventory), evidence=False)).duration


async def test_waiting_for_a_dead_host_counts_as_waiting_for_the_next_look() -> None:
    player = Player(scenes={"nfs-1": [DEAD], "nfs-2": [PASSIVE]})
    took = await duration(Slow(player=player, delays={"nfs-1": 0.5}), interval=0.5)
    assert player.looks("nfs-2") == 2, "without a proven holder the other node is looked at again"
    assert 0.5 <= took < 0.9


async def test_two_looks_at_a_host_lie_apart_as_the_settings_say() -> None:
    asker = Slow(player=Player(scenes={"nfs-1": [Moment()], "nfs-2": [PASSIVE]}), delays={"nfs-1": 0.2})
    await duration(asker, interval=0.4)
    for host in ("nfs-1", "nfs-2"):
        looks = [
            time
            for time, (_, kind) in zip(asker.times[host], questions(asker, host), strict=True)
            if kind == "look"
        ]
        assert len(looks) == 2
        assert looks[1] - looks[0] >= 0.4


def questions(asker: Slow, host: str) -> list[tuple[str, str]]:
    return [asked for asked in asker.player.asked if asked[0] == host]
