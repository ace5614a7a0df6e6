"""Asks a PostgreSQL server one query, over a connection of its own that is closed whatever happens.

    name look-up, TCP, TLS, login      within connect_timeout
    BEGIN … query … ROLLBACK           within statement_timeout, one round trip

What comes back is a PostgresReply, or a NoReply with one of these reasons:

    connect_failed   no session: not resolved, refused, closed, not PostgreSQL, no such database, no slot
    auth_failed      no session, and it is the user, the password or a permission that is at fault
    timeout          the login or the query did not end in time
    query_failed     a session, but the server refused the query, or its answer can't be used
    read_only        a session, but the server refused a write
"""

import asyncio

from quorate.model import NoReply, PostgresAsk, PostgresReply
from quorate.transports.services import answer_of


async def ask_postgresql(ask: PostgresAsk, *, deadline: float) -> PostgresReply | NoReply:
    """Log in, run the query in a transaction that is rolled back, and close the connection.

    `deadline` is the event loop's time by which all is done, whatever the ask's own limits say. Whether a
    standby may answer is the check's to say: `in_recovery` is only told. Raises nothing but CancelledError.
    """
    return await answer_of(lambda: _ask(ask, deadline), secret=ask.password)


async def _ask(ask: PostgresAsk, deadline: float) -> PostgresReply:
    from quorate.transports import postgresql_login, postgresql_query  # noqa: PLC0415  psycopg is slow to load

    loop = asyncio.get_running_loop()
    started = loop.time()
    connection = await postgresql_login.log_in(ask, until=min(deadline, started + ask.connect_timeout))
    try:
        answer = await postgresql_query.run(connection, ask, deadline=deadline)
    finally:
        connection.finish()
    return PostgresReply(
        value=answer.value,
        in_recovery=answer.in_recovery,
        wrote=answer.wrote,
        duration=loop.time() - started,
    )
