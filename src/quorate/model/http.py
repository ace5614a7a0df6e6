"""What an HTTP server answered to the one request of a check."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpFacts:
    """The status, and whether the declared text stands in the body, None where none is declared.

    `begins` is how the body begins, `location` where a redirect leads. `certificate_ends` is when the
    server's certificate ends, in UTC, None without TLS. `duration` is in seconds, connecting included.
    """

    status: int
    contains: bool | None = None
    begins: str | None = None
    location: str | None = None
    certificate_ends: datetime | None = None
    duration: float = 0.0
