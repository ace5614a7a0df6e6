"""Kind `rabbitmq`: a login to every member of a cluster, and on demand a message's round trip."""

from collections.abc import Mapping

from quorate.model import AmqpAsk, Check
from quorate.probes.probe import Probe


def questions(check: Check, secrets: Mapping[str, str]) -> Mapping[str, AmqpAsk]:
    """Return the question to each member of a check's cluster, by the name of its host."""
    settings = check.settings
    return {
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


PROBE = Probe(questions=questions)
