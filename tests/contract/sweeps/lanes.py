"""Real clusters that work side by side, each on one situation at a time."""

import queue
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from lab import LabError
from quorate.model import Report
from sweeps.lane import Lane
from sweeps.situation import Situation

LANES = 3
"""How many clusters of real machines work side by side: more than this only wait for two cores."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a situation on real hosts; `seconds` are the sweep's, `around` those before and after it.

    `healed` is empty, or says why the hosts could not be brought back to where all is well.
    """

    report: Report
    healed: str
    seconds: float
    around: float


class Lanes:
    """Clusters of real machines, of which each works on one situation at a time."""

    def __init__(self) -> None:
        self._idle: queue.SimpleQueue[Lane] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(max_workers=LANES, thread_name_prefix="lane")
        self._futures: dict[str, Future[Outcome]] = {}
        self._all = [Lane() for _ in range(LANES)]

    def up(self) -> None:
        """Boot the machines of all lanes."""
        for booted in [self._pool.submit(lane.up) for lane in self._all]:
            booted.result()
        for lane in self._all:
            self._idle.put(lane)

    def down(self) -> None:
        """End everything; what has not begun does not begin any more."""
        self._pool.shutdown(cancel_futures=True)
        for lane in self._all:
            lane.down()

    def begin(self, situation: Situation) -> None:
        """Let the next idle lane look at a situation."""
        self._futures[situation.name] = self._pool.submit(self._look, situation)

    def outcome(self, situation: Situation) -> Outcome:
        """Return what came of a situation, once it is there."""
        return self._futures[situation.name].result()

    def _look(self, situation: Situation) -> Outcome:
        lane = self._idle.get()
        try:
            return look(lane, situation)
        finally:
            self._idle.put(lane)


def look(lane: Lane, situation: Situation) -> Outcome:
    """Bring a lane into a situation, sweep it, and bring it back; a lane that can't be is booted anew."""
    began = time.monotonic()
    healed = ""
    try:
        report = lane.look_at(situation)
    finally:
        try:
            lane.heal()
        except LabError as error:
            healed = str(error)
            lane.down()
            lane.be_new()
            lane.up()
    around = time.monotonic() - began - report.duration
    return Outcome(report=report, healed=healed, seconds=report.duration, around=around)
