"""Kind `rabbitmq`: a login to every member of a cluster, and on demand a message's round trip.

With a management section, every member's management API is asked beside that, as `<member>/management`.
"""

from collections.abc import Mapping
from typing import Any

from quorate.model import AmqpAsk, AmqpReply, Check, HttpAsk, HttpReply
from quorate.probes.probe import Probe
from quorate.probes.rabbitmq_management import management_ask, read_management


def questions(check: Check, secrets: Mapping[str, str]) -> Mapping[str, AmqpAsk | HttpAsk]:
    """Return the questions to each member of a check's cluster, by the name of its host."""
    settings = check.settings
    asks: dict[str, AmqpAsk | HttpAsk] = {
        member["name"]: AmqpAsk(
            host=member["address"],
            port=member["port"],
            vhost=settings["vhost"],
            user=settings["user"],
            password=secrets["password"],
            timeout=settings["timeout"],
            round_trip=settings["depth"] == "round_trip",
        )
        for member in settings["members"]
    }
    if settings.get("management") is not None:
        asks |= {f"{m['name']}/management": management_ask(check, m, secrets) for m in settings["members"]}
    return asks


def read(_check: Check, _member: str, reply: AmqpReply | HttpReply) -> Any:
    """Return a login as it is, and what a management API says as ManagementFacts, or why it can't be read."""
    return read_management(reply) if isinstance(reply, HttpReply) else reply


PROBE = Probe(questions=questions, read=read)
