"""The names of scenarios on the command line."""

import difflib

from quorate.cli.errors import CommandError
from quorate.cli.printing import print_out
from quorate.simulation import scenarios


def print_scenarios() -> int:
    """Print the names of the scenarios, a sentence each."""
    known = scenarios()
    width = max(len(scenario.name) for scenario in known)
    return print_out("".join(f"{scenario.name:<{width}}  {scenario.about}\n" for scenario in known))


def check_scenario(name: str, option: str) -> None:
    """Raise CommandError where there is no scenario of that name."""
    names = [scenario.name for scenario in scenarios(rows=True)]
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`quorate demo --list` names them"
        raise CommandError(f"{option}: there is no scenario {name!r}; {hint}")
