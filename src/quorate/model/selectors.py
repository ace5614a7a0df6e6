"""Selectors choose verdicts by their id, or by a prefix of it that ends at a slash."""

import difflib
from collections.abc import Iterable, Iterator, Sequence

from quorate.model.inventory import Inventory, unit_id


class SelectorError(ValueError):
    """A selector that matches nothing; the message says which and what was probably meant."""


def verdict_ids(inventory: Inventory) -> tuple[str, ...]:
    """Return the ids of all verdicts that a sweep of the whole inventory can give, in report order."""
    return tuple(_ids(inventory))


def _ids(inventory: Inventory) -> Iterator[str]:
    yield from (f"host/{host}" for host in inventory.hosts)
    for group in inventory.groups.values():
        if group.virtual_ip:
            yield f"{group.name}/vip"
        if group.active_passive:
            yield f"{group.name}/failover"
    for group in inventory.groups.values():
        yield from (f"{group.name}/{host}/{unit_id(unit)}" for host in group.hosts for unit in group.units)
    for check in inventory.checks.values():
        yield check.name
        yield from (f"{check.name}/{member}" for member in check.members)


def select(ids: Sequence[str], selectors: Iterable[str]) -> frozenset[str]:
    """Return the ids that the selectors choose; SelectorError where one chooses none."""
    chosen: set[str] = set()
    for selector in selectors:
        found = matching(ids, selector)
        if not found:
            raise SelectorError(_nothing(selector, ids))
        chosen |= found
    return frozenset(chosen)


def matching(ids: Iterable[str], selector: str) -> frozenset[str]:
    """Return the ids that a selector chooses, none where it matches none."""
    known = tuple(ids)
    # A unit may be written with `.service`; a group or a host may be called so.
    return _matching(known, selector) or _matching(known, selector.removesuffix(".service"))


def _matching(ids: Sequence[str], selector: str) -> frozenset[str]:
    wanted = selector.removesuffix("/")
    return frozenset(i for i in ids if i == wanted or i.startswith(wanted + "/"))


def _nothing(selector: str, ids: Sequence[str]) -> str:
    of_host = [i for i in ids if selector in i.split("/")[1:2]]
    if of_host:
        return f"the selector {selector!r} matches nothing, but these are of that host: {', '.join(of_host)}"
    known = sorted({"/".join(i.split("/")[:depth]) for i in ids for depth in (1, 2, 3)})
    near = difflib.get_close_matches(selector.lower(), known, n=1)
    hint = (
        f"did you mean {near[0]!r}?"
        if near
        else f"it can begin with {', '.join(dict.fromkeys(i.split('/')[0] for i in ids))}"
    )
    return f"the selector {selector!r} matches nothing in this inventory; {hint}"
