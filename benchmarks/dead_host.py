"""A sweep with one dead host of 14: it costs that host's connect timeout, and nothing on top."""

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

from benchmarks.bounds import Bounds
from benchmarks.ways import Place


@contextlib.contextmanager
def black_hole() -> Iterator[tuple[str, int]]:
    """Yield an address and port where a connect is never answered: the queue of a listener that is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.78.0.1", 0))
        listener.listen(0)
        where = listener.getsockname()
        for _ in range(16):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.2)
            try:
                waiting.connect(where)
            except TimeoutError:
                break
        else:
            raise SystemExit("benchmarks: a full queue of a listener does not swallow connects here")
        yield where


def measure(place: Place, bounds: Bounds, *, connect_timeout: int) -> None:
    """Sweep 14 hosts of which one is dead: one that holds no virtual IP, and one that does."""
    print(f"\nOne dead host of 14, connect timeout {connect_timeout} s\n")
    for dead, what in (("h13", "standby"), ("h12", "holder of a virtual IP")):
        with black_hole() as (address, port):
            addresses = {**place.question.first(14).addresses, dead: address}
            question = replace(place.question, addresses=addresses)
            inventory = place.folder / f"dead-{dead}.yaml"
            inventory.write_text(
                question.inventory(place.access, ports={dead: port}, connect=f"{connect_timeout}s")
            )
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.asking", inventory, "0"],
                stdout=subprocess.PIPE,
                check=True,
                text=True,
            )
        told = json.loads(done.stdout)
        if not any(f"host/{dead} critical host_unreachable" in bad for bad in told["not_well"]):
            raise SystemExit(f"benchmarks: the dead host was not found to be dead: {told['not_well']}")
        print(f"  {what:<24} {told['wall']:.2f} s")
        bounds.at_most(f"one dead host of 14 ({what}): whole sweep", told["wall"], connect_timeout + 1, "s")
