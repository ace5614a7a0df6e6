"""The same question to 14 machines with real systemd, each with its own sshd: ratios without bounds."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.question import Access, Question
from benchmarks.ways import Place
from lab import HostSpec, Lab
from lab.rootfs import USER

SLEEPS = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"


@contextmanager
def machines(folder: Path, count: int = 14) -> Iterator[Place]:
    """Boot machines that run the question's units and hold its virtual IPs; LabError where they don't."""
    question = Question(addresses={f"h{n}": f"192.0.2.{n + 11}" for n in range(count)})
    held = {names[0]: (f"{vip}/32",) for vip, names in question.pairs()}
    specs = [
        HostSpec(
            name=name, address=address, units=dict.fromkeys(question.units, SLEEPS), vips=held.get(name, ())
        )
        for name, address in question.addresses.items()
    ]
    with Lab(specs) as lab:
        access = Access(user=USER, port=22, identity_file=lab.identity_file, known_hosts=lab.known_hosts)
        yield Place(
            question=question,
            access=access,
            folder=folder,
            wrap=lambda argv: lab.network.inside("monitor", argv),
        )
