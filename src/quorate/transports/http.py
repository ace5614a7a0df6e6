"""Asks an HTTP server, the login first where there is one; closed whatever happens.

    all of it    within timeout; each body up to 4 MiB

What comes back is an HttpReply with at least one answer, or a NoReply with one of these reasons:

    connect_failed        no answer: not resolved, refused, closed, no TLS, not HTTP
    timeout               no answer in time
    auth_failed           the login, or our certificate, is refused
    unexpected_status     the login is answered with something else
    unparsable            a login without its token, an answer of more than 4 MiB, HTTP that makes no sense
    certificate_expired   the server's certificate has ended
    certificate_invalid   it is not trusted, or not for this name
    secret_unavailable    a file that the inventory names for TLS can't be read

The first request that fails ends the exchange: those behind it have its reason. A status is an answer, 401
and 403 too; they are left to who reads it. HTTP/1.1 is spoken through h11 (docs/adr/0007).
"""

import asyncio

from quorate.model import HttpAnswer, HttpAsk, HttpReply, NoReply
from quorate.transports.errors import HostError
from quorate.transports.services import answer_of, failed


async def ask_http(ask: HttpAsk, *, deadline: float) -> HttpReply | NoReply:
    """Send requests in order, and return what the server answered to each.

    `deadline` is the event loop's time by which all is done, whatever the ask's own limit says. Raises
    nothing but CancelledError.
    """
    secrets = [ask.password or "", *ask.secrets]
    return await answer_of(lambda: _ask(ask, deadline, secrets), secrets=secrets)


async def _ask(ask: HttpAsk, deadline: float, secrets: list[str]) -> HttpReply:
    from quorate.transports.http_session import Session  # noqa: PLC0415  the codec loads when it is needed

    loop = asyncio.get_running_loop()
    started = loop.time()
    session = Session(ask, until=min(deadline, started + ask.timeout), secrets=secrets)
    answers: list[HttpAnswer | NoReply] = []
    try:
        if ask.login is not None:
            await session.log_in(ask.login)
        for request in ask.requests:
            asked = loop.time()
            try:
                answers.append(await session.ask(request))
            except HostError as failure:
                if not answers:
                    raise
                missing = failed(failure, loop.time() - asked, *secrets)
                answers += [missing] * (len(ask.requests) - len(answers))
                break
    finally:
        session.close()
    return HttpReply(
        answers=tuple(answers),
        certificate_ends=session.certificate_ends,
        duration=loop.time() - started,
    )
