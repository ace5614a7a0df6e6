"""What keepalived says of its VRRP instances: the last state of each, by the end of its journal.

    (VI_1) Entering BACKUP STATE (init)                    →    {"VI_1": "BACKUP"}
    (VI_1): entering FAULT state (interface eth0 down)     →    {"VI_1": "FAULT"}
    VRRP_Instance(VI_1) Now in FAULT state                 →    {"VI_1": "FAULT"}

Source: keepalived 2.2.7 as it starts, fails, is reloaded and killed; vrrp.c and vrrp_scheduler.c of 1.2 to
2.4. Versions before 2 name what is in the brackets.
"""

import re

from quorate.model import KEEPALIVED, Ask, NoReply, Reason, Reply, Unobserved
from quorate.probes.answers import passed_on
from quorate.probes.journal import ask_messages, parse_journal

LINES = 300
"""How many of the newest lines are read: a bound, whatever the journal holds. States change rarely."""

_STATE = re.compile(
    r"(?:VRRP_Instance)?\((?P<name>[^()\x00-\x1f]{1,64})\):? (?:entering|now in) "
    r"(?P<state>BACKUP|MASTER|FAULT) state\b",
    re.IGNORECASE,
)
# What was said before belongs to another process, whose instances may be no more.
_ANEW = re.compile(r"Starting Keepalived v|VRRP child process\(\d+\) died: Respawning")
# An instance in FAULT says so again, unless it is no more; one in another state does not.
_RELOADED = re.compile(r"Reloading(?: \.\.\.)?\Z|Got SIGHUP, reloading")


def ask_vrrp() -> Ask:
    """Return the question for the newest lines of keepalived's journal."""
    return ask_messages(KEEPALIVED, LINES)


def parse_vrrp(reply: Reply | NoReply) -> dict[str, str] | Unobserved:
    """Return the last state of each instance, empty where the lines tell of none."""
    if isinstance(reply, NoReply):
        return passed_on(reply)
    journal = parse_journal(reply)
    if journal.error is not None:
        return Unobserved(reason=Reason.NO_ANSWER, detail=journal.error)
    states: dict[str, str] = {}
    for entry in journal.entries:
        if _ANEW.match(entry.message):
            states.clear()
        elif _RELOADED.match(entry.message):
            states = {name: state for name, state in states.items() if state != "FAULT"}
        elif found := _STATE.match(entry.message):
            states[found["name"]] = found["state"].upper()
    return states
