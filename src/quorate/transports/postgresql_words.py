"""What a PostgreSQL server's refusals mean: pure functions from its words and codes to a failure.

Codes: PostgreSQL manual, appendix A, "PostgreSQL Error Codes".
"""

import re

from quorate.model import Reason
from quorate.transports.errors import HostError, cleaned

READ_ONLY_TRANSACTION = "25006"
QUERY_CANCELED = "57014"

# No session, and who asks is refused. 28: invalid authorization; 42501: no CONNECT privilege. That a database
# does not exist (3D000) is none of these: the user was accepted, and nobody else would find it either.
_REFUSED_LOGIN = re.compile(r"28...|42501")

# What libpq says itself (it has no code for that) when the server and it can't agree on who asks; and what a
# server says in English, for a libpq that does not name codes.
_REFUSED_IN_WORDS = re.compile(
    r"no password supplied|authentication (failed|method)|pg_hba\.conf|channel binding|SASL|SCRAM|signature",
    re.IGNORECASE,
)

# The session ends under a query. 57P: shutdown, crash, database dropped; 08: connection (but for 08P01, which
# is also a wrong number of parameters).
_SESSION_ENDED = re.compile(r"57P..|08(?!P01)...")

# What libpq hands on of the system when TCP brought no answer, and when this machine could not even try.
_SILENCE = re.compile(r"Network is unreachable|No route to host|Connection timed out|Host is down")
_OUR_OWN = re.compile(
    r"could not create socket|Too many open files|Permission denied|Operation not permitted"
    r"|No buffer space available|Cannot allocate memory|Resource temporarily unavailable"
)

_TRY = re.compile(r"(?:^|\n)connection to server at [^\n]*? failed: ")
_SERVER_WORDS = re.compile(r"(?P<severity>\S+):\s+(?P<code>[0-9A-Z]{5}): (?P<words>.*)", re.DOTALL)
_ASIDES = re.compile(
    r"\nLOCATION:  [^\n]*|\n\s*Is the server running.*|\n\s*This probably means.*", re.DOTALL
)
_BINDING = re.compile(r"^(consuming input|flushing|sending query and params) failed: ")


def login_failure(message: bytes, where: str, *, needs_password: bool = False) -> HostError:
    """Return what libpq's message about a failed login to `where` means, the server's own words first.

    It has a part for each try (with TLS, then without it), and the user may be refused in either.
    """
    text = message.decode(errors="replace")
    parts = [_said(part) for part in _TRY.split(text) if part.strip()]
    refused = needs_password or any(refused for refused, _ in parts)
    said = "; ".join(dict.fromkeys(words for _, words in parts)) or "the login failed without a word"
    if not refused and parts and all(_OUR_OWN.match(words) for _, words in parts):
        return HostError(
            Reason.INTERNAL_ERROR,
            f"this machine could not open a connection: {said} ({where})",
            answered=False,
        )
    answered = not parts or not all(_SILENCE.match(words) for _, words in parts)
    reason = Reason.AUTH_FAILED if refused else Reason.CONNECT_FAILED
    return HostError(reason, f"{said} ({where})", answered=answered)


def _said(part: str) -> tuple[bool, str]:
    words = re.sub(" {2,}", " ", _ASIDES.sub("", part))
    if named := _SERVER_WORDS.match(words):
        refused = bool(_REFUSED_LOGIN.fullmatch(named["code"]))
        return refused, cleaned(f"{named['severity']}: {named['words']}")
    return bool(_REFUSED_IN_WORDS.search(words)), cleaned(words)


def query_failure(code: str | None, said: str) -> HostError:
    """Return what an error in a session means; `code` is None where libpq itself says that it is lost."""
    if code is None or _SESSION_ENDED.fullmatch(code):
        said = cleaned(_BINDING.sub("", _ASIDES.sub("", said)))
        return HostError(Reason.CONNECT_FAILED, f"{said} (before the query had its answer)")
    if code == QUERY_CANCELED:
        return HostError(Reason.TIMEOUT, said)
    return HostError(Reason.READ_ONLY if code == READ_ONLY_TRANSACTION else Reason.QUERY_FAILED, said)
