"""Asks a RabbitMQ node for a login, and on demand for a message's round trip; closed whatever happens.

    each step: TCP, greeting, login, virtual host, …   within timeout
    all of it                                          within twice the timeout

What comes back is an AmqpReply, or a NoReply with one of these reasons:

    connect_failed   no session: not resolved, refused, closed, not AMQP, no such virtual host, a limit
    auth_failed      it is the user, the password or a permission that is at fault
    timeout          a step did not end in time; a node with an alarm keeps publishers waiting
    query_failed     a session, but the message did not make the round trip
"""

import asyncio

from quorate.model import AmqpAsk, AmqpReply, NoReply, Reason
from quorate.transports.errors import HostError, cleaned
from quorate.transports.services import answer_of, connected

_WORD_CHARACTERS = 100


async def ask_amqp(ask: AmqpAsk, *, deadline: float) -> AmqpReply | NoReply:
    """Log in to a node's virtual host, make the round trip where asked for, and close politely.

    `deadline` is the event loop's time by which all is done, whatever the ask's own limit says. Raises
    nothing but CancelledError.
    """
    return await answer_of(lambda: _ask(ask, deadline), secret=ask.password)


async def _ask(ask: AmqpAsk, deadline: float) -> AmqpReply:
    from quorate.transports import amqp_session, amqp_wire  # noqa: PLC0415  the codec loads when it is needed

    loop = asyncio.get_running_loop()
    started = loop.time()
    until = min(deadline, started + 2 * ask.timeout)
    sock = await connected(ask.host, ask.port, until=min(until, started + ask.timeout))
    try:
        wire = amqp_wire.Wire(sock, step=ask.timeout, until=until)
        server = await amqp_session.log_in(wire, ask)
        if ask.round_trip:
            await amqp_session.round_trip(wire)
        await amqp_session.say_goodbye(wire)
    except ValueError as error:  # the codec's: too long, as a rule
        raise HostError(Reason.CONNECT_FAILED, f"a name that AMQP can't carry: {error}") from None
    finally:
        sock.close()
    return AmqpReply(
        product=_word(server.get("product")) or "unknown",
        version=_word(server.get("version")) or "unknown",
        cluster=_word(server.get("cluster_name")) or None,
        duration=loop.time() - started,
    )


def _word(told: object) -> str:
    return cleaned(str(told), _WORD_CHARACTERS) if isinstance(told, str | bytes) else ""
