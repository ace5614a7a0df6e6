"""Lines that Airflow's log viewer shows as they are. Source: the pages of Airflow 3.3."""

import re

_BRACKET = re.compile(r"\s*\[")
# The viewer folds at these wherever they stand in a line.
_FOLD = re.compile(r"::(group|endgroup)::")


def unbracketed(line: str) -> str:
    """Return a line that the viewer neither reads a time out of nor folds at.

    A bracket at the start of a line is taken for a time (`[Invalid date]`), so such a line begins with `·`.
    Done twice, it changes nothing more.
    """
    line = _FOLD.sub(r":\1:", line)
    return f"· {line}" if _BRACKET.match(line) else line
