"""Rehearsing faults: in place, swept, judged, taken away, and the cluster nominal again."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from lab.cluster import cluster
from lab.command import LabError
from lab.faults import aftermath, placing
from lab.faults.fault import Fault
from lab.faults.judging import Nominal, Verdict, differences, during, word
from lab.faults.sweeping import sweep
from lab.lab import Lab

HEALING = 150.0
"""Seconds after which a cluster without a fault must be nominal again."""
LATE = 10.0
"""Seconds after which what still is not as before may be a program that ended late."""


@dataclass(kw_only=True)
class Rehearsal:
    """What came of one fault: what a sweep said of it, what was wrong, and how long each part took.

    `problems` maps what was wrong to how often it was said. `stuck` is what did not come back by itself when
    the faults were taken away. `took` is seconds: until it was in place, for the sweeps, until the cluster
    was nominal again.
    """

    fault: Fault
    got: dict[str, str] = field(default_factory=dict)
    problems: Counter[str] = field(default_factory=Counter)
    stuck: list[str] = field(default_factory=list)
    took: dict[str, float] = field(default_factory=dict)


def rehearse(lab: Lab, faults: Sequence[Fault], nominal: Nominal) -> list[Rehearsal]:
    """Rehearse faults that may be in place together; whatever happens, they are taken away again."""
    rehearsals = [Rehearsal(fault=fault) for fault in faults]
    try:
        if len(faults) == 1 and faults[0].watch:
            watched(lab, rehearsals[0], nominal)
        else:
            swept(lab, rehearsals, nominal)
    except LabError as error:
        rehearsals[0].problems[str(error)] += 1
    finally:
        began = time.monotonic()
        healed = heal(lab, faults, nominal)
        for rehearsal in rehearsals:
            rehearsal.took["healed"] = time.monotonic() - began
        rehearsals[0].problems.update(healed.problems)
        rehearsals[0].stuck += healed.stuck
    return rehearsals


def swept(lab: Lab, rehearsals: Sequence[Rehearsal], nominal: Nominal) -> None:
    """Put faults in place together, and judge the sweeps that are made of them."""
    began = time.monotonic()
    faults = [rehearsal.fault for rehearsal in rehearsals]
    with ThreadPoolExecutor(max_workers=len(faults)) as pool:
        tasks = [pool.submit(placing.put_in_place, lab, fault) for fault in faults]
        for rehearsal, task in zip(rehearsals, tasks, strict=True):
            try:
                task.result()
            except LabError as error:
                rehearsal.problems[str(error)] += 1
    for rehearsal in rehearsals:
        rehearsal.took["in place"] = time.monotonic() - began
    if any(rehearsal.problems for rehearsal in rehearsals):
        return  # what a sweep says of half a fault proves nothing
    began = time.monotonic()
    first = faults[0]
    for number in range(first.sweeps):
        if number:
            time.sleep(random.uniform(*first.apart))  # noqa: S311  a moment, not a secret
        report = sweep(lab, first)
        take_in(rehearsals, report, differences(report, faults, nominal))
    for rehearsal in rehearsals:
        rehearsal.took["swept"] = time.monotonic() - began


def take_in(rehearsals: Sequence[Rehearsal], report: dict[str, Any], found: list[str]) -> None:
    """Note what a report says of each fault; what fits none of them is noted with the first."""
    verdicts: dict[str, Verdict] = {verdict["id"]: verdict for verdict in report["verdicts"]}
    for rehearsal in rehearsals:
        expected = rehearsal.fault.expected
        rehearsal.got = {key: word(verdicts[key]) for key in expected if key in verdicts}
    for problem in found:
        key = problem.partition(":")[0]
        owner = next((each for each in rehearsals if key in each.fault.expected), rehearsals[0])
        owner.problems[problem] += 1


def watched(lab: Lab, rehearsal: Rehearsal, nominal: Nominal) -> None:
    """Sweep while a fault comes about, until it has settled; judge what was said meanwhile, and the end."""
    fault = rehearsal.fault
    assert fault.watch is not None, "the caller has looked"
    began = time.monotonic()
    failure: list[LabError] = []
    placer = threading.Thread(target=lambda: catching(lambda: placing.put_in_place(lab, fault), failure))
    placer.start()
    settled = 0
    try:
        while settled < 2:
            turn = time.monotonic()
            report = sweep(lab, fault)
            left = differences(report, [fault], nominal)
            settled = settled + 1 if not left and not placer.is_alive() else 0
            rehearsal.problems.update([] if not left else during(report, fault, nominal))
            if failure:
                raise failure[0]
            if settled < 2 and time.monotonic() - began > fault.watch.seconds:
                raise LabError(f"not settled after {fault.watch.seconds:g} s: {'; '.join(left)}")
            time.sleep(max(0.0, fault.watch.every - (time.monotonic() - turn)))
    finally:
        placer.join()
        rehearsal.took["swept"] = time.monotonic() - began
    take_in([rehearsal], report, [])


def catching(action: Callable[[], None], failure: list[LabError]) -> None:
    """Do something in a thread, and keep the error that it ends with."""
    try:
        action()
    except LabError as error:
        failure.append(error)


@dataclass(kw_only=True)
class Healed:
    """What came of taking faults away: what a sweep still says, and what the lab itself saw stuck."""

    problems: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)


def heal(lab: Lab, faults: Sequence[Fault], nominal: Nominal) -> Healed:
    """Take faults away, and wait until the cluster is nominal again."""
    healed = Healed()
    with ThreadPoolExecutor(max_workers=max(1, len(faults))) as pool:
        for task in [pool.submit(placing.take_away, lab, fault) for fault in faults]:
            try:
                task.result()
            except LabError as error:
                healed.problems.append(str(error))
    began = time.monotonic()
    renewal = began + cluster.PATIENCE
    while left := after_all(lab, nominal):
        if time.monotonic() > began + HEALING:
            healed.problems += [f"not nominal {HEALING:g} s after it was healed: {each}" for each in left]
            # It tells whether the sweep is wrong, or the cluster.
            seen = cluster.problems(lab)
            healed.problems += [f"the lab itself sees: {each}" for each in seen or ["that all is well"]]
            healed.stuck += seen
            break
        try:
            if time.monotonic() > began + LATE:
                # A connection that hung may have ended only now, and a program of Airflow with it.
                aftermath.forget_restarts(lab)
            if time.monotonic() > renewal:
                renewal += cluster.PATIENCE
                healed.stuck += [f"{renewed}, started anew" for renewed in cluster.renew(lab)]
        except LabError as error:
            healed.stuck.append(str(error))  # the next turn may succeed
        time.sleep(1.0)
    return healed


def after_all(lab: Lab, nominal: Nominal) -> list[str]:
    """Return how a sweep of the cluster without a fault differs from a nominal one."""
    try:
        return differences(sweep(lab), (), nominal)
    except LabError as error:
        return [str(error)]
