"""Kind `tcp`: a connection to each place, which is closed again at once."""

from collections.abc import Mapping

from quorate.model import Check, TcpAsk
from quorate.probes.probe import Probe


def questions(check: Check, _secrets: Mapping[str, str]) -> Mapping[str, TcpAsk]:
    """Return the question to each of several places by the name of its host, or to the one there is."""
    settings = check.settings
    if not check.members:
        ask = TcpAsk(host=settings["host"], port=settings["port"], timeout=settings["timeout"])
        return {check.name: ask}
    return {
        member["name"]: TcpAsk(host=member["address"], port=member["port"], timeout=settings["timeout"])
        for member in settings["members"]
    }


PROBE = Probe(questions=questions)
