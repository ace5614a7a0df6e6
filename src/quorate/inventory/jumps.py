"""Through which host each host is reached."""

from collections.abc import Mapping

from quorate.inventory.entries import DIRECT


def effective_jumps(default: str | None, own: Mapping[str, str | None]) -> dict[str, str]:
    """Return the jump host of each host that has one; `own` is what each host says itself, by name.

    The default holds for every host that says nothing, except for the default jump host and those that
    it is reached through: they could never be reached through themselves.
    """
    before: set[str] = set()
    name = default
    while name is not None and name not in before:
        before.add(name)
        name = own.get(name)
    jumps = {}
    for host, said in own.items():
        jump = said if said is not None else (default if host not in before else None)
        if jump is not None and jump != DIRECT:
            jumps[host] = jump
    return jumps


def loops(jumps: Mapping[str, str]) -> list[list[str]]:
    """Return the loops among jumps, each once, in the order of the jumps."""
    found: list[list[str]] = []
    done: set[str] = set()
    for host in jumps:
        chain: dict[str, None] = {}
        name: str | None = host
        while name is not None and name not in done and name not in chain:
            chain[name] = None
            name = jumps.get(name)
        if name is not None and name in chain:
            names = list(chain)
            found.append(names[names.index(name) :])
        done.update(chain)
    return found
