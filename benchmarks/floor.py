"""What no client can go below: the cryptography of one login, and one round trip on a kept connection."""

import asyncio
import statistics
import time
from collections.abc import Callable

import asyncssh
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from benchmarks.question import Access

ROUNDS = 400


def handshake() -> float:
    """Return the client's CPU seconds for one login's cryptography: key exchange, verify, sign."""
    theirs = X25519PrivateKey.generate().public_key()
    host, own = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    said, signature = b"exchange", host.sign(b"exchange")
    known = host.public_key()

    def once() -> None:
        X25519PrivateKey.generate().exchange(theirs)
        known.verify(signature, said)
        own.sign(said)

    return cpu_of(once)


def cpu_of(function: Callable[[], None]) -> float:
    """Return the median CPU seconds of a call."""
    spent = []
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        function()
        spent.append((time.process_time_ns() - began) / 1e9)
    return statistics.median(spent)


async def round_trip(address: str, access: Access) -> tuple[float, float]:
    """Return wall and CPU seconds of one line to a waiting shell and back, by asyncssh and nothing else."""
    answered: asyncio.Future[None] | None = None

    class Session(asyncssh.SSHClientSession[bytes]):
        def data_received(self, _data: bytes, _datatype: int | None) -> None:
            if answered and not answered.done():
                answered.set_result(None)

    async with asyncssh.connect(
        address,
        access.port,
        username=access.user,
        client_keys=[str(access.identity_file)],
        known_hosts=str(access.known_hosts),
        config=None,
        agent_path=None,
        encryption_algs=["aes128-gcm@openssh.com"],
    ) as connection:
        channel, _ = await connection.create_session(
            Session, "exec sh -c 'while read -r l; do echo $l; done'", encoding=None
        )
        walls = []
        began = time.process_time()
        for _ in range(ROUNDS):
            answered = asyncio.get_running_loop().create_future()
            start = time.perf_counter()
            channel.write(b"x\n")
            await answered
            walls.append(time.perf_counter() - start)
        return statistics.median(walls), (time.process_time() - began) / ROUNDS
