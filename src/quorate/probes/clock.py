"""Kind `clock`: what time a host has, between the moments of asking and of the answer by the monitor's clock.

    1767268800.250417000    asked at …799.9, came at …800.1    →    ClockFacts(offset=0.25, uncertainty=0.1)

Source: date(1); a date that knows no %N (busybox) tells whole seconds.
"""

import re
from collections.abc import Sequence

from quorate.model import Ask, Check, HostReply, NoReply, Reason
from quorate.model.resources import ClockFacts
from quorate.probes.answers import CANNOT_RUN, said
from quorate.probes.probe import Probe

# %N is left as it is by a date that does not know it, or is left out with or without the dot.
_TIME = re.compile(rb"([0-9]{1,12})(?:\.([0-9]{1,9})|\.?(?:%?N)?)\s*")


def commands(_check: Check, _host: str) -> Sequence[Ask]:
    """Return the question for a host's time; it needs no sudo."""
    return (Ask(argv=("date", "+%s.%N")),)


def read(_check: Check, _host: str, reply: HostReply) -> ClockFacts | NoReply:
    """Return how far a host's clock is off, or why that can't be told."""
    answer, moments = reply.answers[0], reply.moments[0]
    if isinstance(answer, NoReply):
        return answer
    if answer.exit_code in CANNOT_RUN:
        detail = f"date cannot be run on this host: {said(answer)}"
        return NoReply(reason=Reason.TOOL_MISSING, detail=detail, duration=answer.duration, answered=True)
    found = _TIME.fullmatch(answer.stdout)
    if found is None or answer.exit_code != 0 or moments is None:
        why = said(answer) if moments is not None else "it is not known when the answer came"
        detail = f"the host's time can't be told: {why}"
        return NoReply(reason=Reason.UNPARSABLE, detail=detail, duration=answer.duration, answered=True)
    # What is not told of the time lies between nothing and one unit of the last digit that is.
    unit = 10.0 ** -len(found[2] or b"")
    seconds = int(found[1]) + int(found[2] or b"0") * unit + unit / 2
    asked, came = (moment.timestamp() for moment in moments)
    return ClockFacts(
        offset=seconds - (asked + came) / 2,
        uncertainty=abs(came - asked) / 2 + unit / 2,
        duration=answer.duration,
    )


PROBE = Probe(commands=commands, read=read, timed=True)
