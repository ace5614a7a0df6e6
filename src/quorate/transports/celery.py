"""Asks Celery workers through a RabbitMQ node who is there, by Celery's own remote control; nothing is left.

    each broker: TCP, login, broadcast                         within timeout
    the workers' answers                                       within timeout, and no longer than they take
    a sign of the broker, where a worker's answer is missing   within timeout

What comes back is a CeleryReply, also of workers that are all silent, or a NoReply that says of every broker
why it could not be asked, with one of the reasons in `quorate.transports.amqp`, or

    unparsable   what came back is more than any workers say
"""

import asyncio
from collections.abc import Sequence

from quorate.model import CeleryAsk, CeleryReply, NoReply, Reason
from quorate.transports.celery_answers import Answers
from quorate.transports.errors import HostError
from quorate.transports.services import answer_of, connected
from quorate.transports.tcp import Endpoint

_LEADING = (
    *(Reason.AUTH_FAILED, Reason.QUERY_FAILED, Reason.UNPARSABLE, Reason.INTERNAL_ERROR),
    *(Reason.HOST_UNREACHABLE, Reason.NAME_UNRESOLVED, Reason.CONNECT_FAILED, Reason.TIMEOUT),
)
"""Where brokers fail each in a way of its own, the reason is that of the one that came furthest."""


async def ask_celery(ask: CeleryAsk, *, deadline: float) -> CeleryReply | NoReply:
    """Ask all workers for their queues through the first broker that takes the question.

    `deadline` is the event loop's time by which all is done, whatever the ask's own limit says. Raises
    nothing but CancelledError.
    """
    return await answer_of(lambda: _ask(ask, deadline), secret=ask.password)


async def _ask(ask: CeleryAsk, deadline: float) -> CeleryReply:
    loop = asyncio.get_running_loop()
    started = loop.time()
    failures = []
    for address, port in ask.brokers:
        broker = Endpoint(address=address, port=port)
        try:
            answers = await _through(broker, ask, deadline)
        except HostError as failure:
            failures.append((broker, failure))
            continue
        return CeleryReply(
            workers=answers.workers,
            without_queues=answers.without_queues,
            unreadable=answers.unreadable,
            duration=loop.time() - started,
        )
    raise _together(failures)


async def _through(broker: Endpoint, ask: CeleryAsk, deadline: float) -> Answers:
    from quorate.transports import (  # noqa: PLC0415  the codec loads when it is needed
        amqp_session,
        amqp_wire,
        celery_broadcast,
    )

    loop = asyncio.get_running_loop()
    until = min(deadline, loop.time() + ask.timeout)
    sock = await connected(broker.address, broker.port, until=until)
    try:
        wire = amqp_wire.Wire(sock, step=ask.timeout, until=until)
        await amqp_session.log_in(wire, ask)
        answers = await celery_broadcast.broadcast(wire, ask, deadline)
        wire.until = min(deadline, loop.time() + amqp_session.GOODBYE)
        await amqp_session.say_goodbye(wire)
    except ValueError as error:  # the codec's: too long, as a rule
        raise HostError(Reason.CONNECT_FAILED, f"a name that AMQP can't carry: {error}") from None
    finally:
        sock.close()
    return answers


def _together(failures: Sequence[tuple[Endpoint, HostError]]) -> HostError:
    """Return the failure of all brokers: what each said, and what several said alike only once."""
    said: dict[str, list[str]] = {}
    for broker, failure in failures:
        where = [] if str(broker) in failure.detail else [str(broker)]
        said.setdefault(failure.detail, []).extend(where)
    return HostError(
        min((failure.reason for _, failure in failures), key=_LEADING.index),
        "; ".join(
            f"{', '.join(brokers)}: {detail}" if brokers else detail for detail, brokers in said.items()
        ),
        answered=any(failure.answered for _, failure in failures),
    )
