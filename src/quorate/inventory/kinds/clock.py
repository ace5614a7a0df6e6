"""Kind `clock`: how far the hosts' clocks are from the monitor's."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from quorate.inventory.document import Document, Path
from quorate.inventory.entries import CheckEntry
from quorate.inventory.faults import Fault
from quorate.inventory.fields import Duration, Line, default, required, unset, wrong
from quorate.inventory.kinds.kind import Kind, Resolved
from quorate.inventory.kinds.members import member_rules
from quorate.model import Host

_WARNING, _CRITICAL = "500ms", "2s"


class ClockEntry(CheckEntry):
    """Compare the hosts' clocks with the monitor's."""

    kind: Literal["clock"] = required("Compare the hosts' clocks with the monitor's.")
    hosts: Annotated[list[Line], Field(min_length=1)] = unset("Names of hosts; all of them if left out.")
    warning: Duration = default(_WARNING, "More than so far off is a warning.")
    critical: Duration = default(_CRITICAL, "More than so far off is critical.")

    @model_validator(mode="after")
    def _in_order(self) -> "ClockEntry":
        if self.warning > self.critical:
            hint = "lower warning, or raise critical"
            if len(self.model_fields_set & {"warning", "critical"}) == 1:
                hint = f"give both of them: by default warning is {_WARNING} and critical {_CRITICAL}"
            raise wrong("has a warning above its critical", hint)
        return self


def rules(tree: dict[str, Any], path: Path, document: Document) -> Iterator[Fault]:
    """Yield faults of hosts that are none or stand twice."""
    yield from member_rules(tree, path, document)


def resolve(entry: ClockEntry, hosts: Mapping[str, Host]) -> Resolved:
    """Return the settings; limits in seconds."""
    names = tuple(entry.hosts or hosts)
    settings = {"warning": entry.warning, "critical": entry.critical}
    return Resolved(settings=MappingProxyType(settings), hosts=names, members=names)


KIND = Kind(entry=ClockEntry, resolve=resolve, rules=rules, asks_hosts=True)
