"""Time spans as systemd prints them. Source: systemd.time(7), `format_timespan` in systemd's time-util.c."""

import math
import re

_SECONDS = {
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 7 * 86400.0,
    "month": 2629800.0,
    "y": 31557600.0,
}
_PIECE = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,20})?)(us|ms|s|min|h|d|w|month|y)")
_NUMBER = re.compile(r"[0-9]{1,20}")
_INFINITE = 2**64 - 1


def parse_timespan(text: str) -> float | None:
    """Return a span in seconds: `1min 30s`, `infinity` (inf), or a bare number of microseconds; else None."""
    if text == "infinity":
        return math.inf
    if _NUMBER.fullmatch(text):
        microseconds = int(text)
        return math.inf if microseconds >= _INFINITE else microseconds / 1e6
    seconds = 0.0
    pieces = text.split()
    for piece in pieces:
        match = _PIECE.fullmatch(piece)
        if match is None:
            return None
        seconds += float(match[1]) * _SECONDS[match[2]]
    return seconds if pieces else None
