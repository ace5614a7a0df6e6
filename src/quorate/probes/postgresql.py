"""Kind `postgresql`: one query to one server, as a rule through the virtual IP of the way to it."""

from collections.abc import Mapping

from quorate.model import Check, PostgresAsk
from quorate.probes.probe import Probe


def questions(check: Check, secrets: Mapping[str, str]) -> Mapping[str, PostgresAsk]:
    """Return the one question of a check, under the check's own name."""
    settings = check.settings
    ask = PostgresAsk(
        host=settings["host"],
        port=settings["port"],
        database=settings["database"],
        user=settings["user"],
        password=secrets["password"],
        query=settings["query"],
        parameters=settings["parameters"],
        connect_timeout=settings["connect_timeout"],
        statement_timeout=settings["statement_timeout"],
        write=settings["depth"] == "write",
    )
    return {check.name: ask}


PROBE = Probe(questions=questions)
