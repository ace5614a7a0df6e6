"""Makes a TCP connection to a service and closes it again: whether it is there, and how quickly.

What comes back is a TcpReply, or a NoReply with one of these reasons:

    connect_failed   the name is not resolved, the connection is refused, or there is no way to it
    timeout          no connection in time
"""

import asyncio

from quorate.model import NoReply, TcpAsk, TcpReply
from quorate.transports.services import answer_of, connected


async def ask_tcp(ask: TcpAsk, *, deadline: float) -> TcpReply | NoReply:
    """Return how long a connection took, the resolution of the name included.

    `deadline` is the event loop's time by which it is done, whatever the ask's own limit says. Raises nothing
    but CancelledError.
    """
    return await answer_of(lambda: _ask(ask, deadline))


async def _ask(ask: TcpAsk, deadline: float) -> TcpReply:
    loop = asyncio.get_running_loop()
    started = loop.time()
    sock = await connected(ask.host, ask.port, until=min(deadline, started + ask.timeout))
    sock.close()
    return TcpReply(duration=loop.time() - started)
