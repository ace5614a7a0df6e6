"""Reports as text: one small file a format, each a pure function from a report to a string."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from quorate.model import Report
from quorate.outputs import json_report, junit, nagios, prometheus, text

Renderer = Callable[[Report], str]

FORMATS: Mapping[str, Renderer] = MappingProxyType(
    {
        "text": text.render_text,
        "json": json_report.render,
        "nagios": nagios.render,
        "junit": junit.render,
        "prometheus": prometheus.render,
    }
)
"""What `-o` may name. Every renderer's string ends with exactly one newline and encodes as UTF-8."""

__all__ = ["FORMATS", "Renderer"]
