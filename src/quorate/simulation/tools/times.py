"""Times as journalctl takes them. Source: systemd.time(7)."""

import re
from datetime import UTC, datetime

_SPAN = re.compile(
    r"(\d+(?:\.\d+)?)\s*(seconds?|secs?|s|minutes?|mins?|min|m|hours?|hrs?|hr|h|days?|d|weeks?|w|)(?=\s|\d|$)"
)
_LENGTHS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "": 1.0}
_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")


def parse_time(text: str | None, now: float) -> float | None:
    """Return a time in seconds since the epoch; None for None, ValueError in journalctl's words otherwise."""
    if text is None:
        return None
    if text == "now":
        return now
    if text.startswith("@"):
        return float(text[1:])
    if text[:1] in ("-", "+") or text.endswith(" ago"):
        span = _seconds(text.removesuffix(" ago").lstrip("+-"), text)
        return now + span if text.startswith("+") else now - span
    for form in _FORMATS:
        try:
            return datetime.strptime(text.removesuffix(" UTC"), form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    raise ValueError(f"Failed to parse timestamp: {text}")


def _seconds(span: str, text: str) -> float:
    parts = _SPAN.findall(span)
    if not parts or _SPAN.sub("", span).strip():
        raise ValueError(f"Failed to parse timestamp: {text}")
    return sum(float(number) * _LENGTHS[unit[:1]] for number, unit in parts)
