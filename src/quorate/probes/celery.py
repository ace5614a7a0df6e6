"""Kind `celery`: one broadcast to all workers, through the first broker that takes it."""

from collections.abc import Mapping

from quorate.model import CeleryAsk, Check
from quorate.probes.probe import Probe


def questions(check: Check, secrets: Mapping[str, str]) -> Mapping[str, CeleryAsk]:
    """Return the question, under the check's own name: the workers are asked together."""
    settings = check.settings
    ask = CeleryAsk(
        brokers=tuple((broker["address"], broker["port"]) for broker in settings["brokers"]),
        vhost=settings["vhost"],
        user=settings["user"],
        password=secrets["password"],
        workers=tuple(member["worker"] for member in settings["members"]),
        queues=settings["queues"],
        timeout=settings["timeout"],
    )
    return {check.name: ask}


PROBE = Probe(questions=questions)
